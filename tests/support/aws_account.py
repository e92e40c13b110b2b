"""moto's server as an AWS account, on loopback."""

import contextlib
import socket
import urllib.request
from collections.abc import Iterator
from typing import Any

import boto3
from moto.server import ThreadedMotoServer

REGION = "eu-west-1"


@contextlib.contextmanager
def moto_server() -> Iterator[str]:
    """Give the URL of an account with nothing in it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
    server.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.stop()


def reset(url: str) -> None:
    """Take away all that is in the account."""
    urllib.request.urlopen(urllib.request.Request(f"{url}/moto-api/reset", method="POST")).close()


def environment(url: str) -> dict[str, str]:
    """Give the variables by which every client of boto3's is one of the account."""
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",  # moto takes anything
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
    }


def s3_with(*buckets: str) -> Any:
    """Give a client of S3, and make buckets."""
    client = boto3.client("s3")
    for bucket in buckets:
        client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    return client
