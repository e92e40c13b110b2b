"""Real servers for the tests and for `make opensearch`: on loopback, ended with all they wrote."""

from servers.client import Answer, Client
from servers.failures import ServerError
from servers.opensearch import start_opensearch
from servers.server import Server

__all__ = ["Answer", "Client", "Server", "ServerError", "start_opensearch"]
