"""Real servers for the tests and for `make opensearch`: on loopback, ended with all they wrote."""

from servers.client import Answer, Client
from servers.container import start_container
from servers.elasticsearch import start_elasticsearch
from servers.failures import MissingError, ServerError
from servers.opensearch import start_opensearch
from servers.secured import Secured, start_secured
from servers.server import Server

__all__ = [
    "Answer",
    "Client",
    "MissingError",
    "Secured",
    "Server",
    "ServerError",
    "start_container",
    "start_elasticsearch",
    "start_opensearch",
    "start_secured",
]
