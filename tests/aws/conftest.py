"""An AWS account for tests: moto's server on loopback, and the functions' environment."""

from collections.abc import Iterator

import boto3
import pytest
from aws_account import REGION, moto_server, reset

from guardduty_lens.aws import archive, index


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    with moto_server() as url:
        yield url


@pytest.fixture
def account(moto_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An account with nothing in it; every client of boto3's is one of it."""
    for name, value in {
        "AWS_ENDPOINT_URL": moto_url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",  # moto takes anything
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
    }.items():
        monkeypatch.setenv(name, value)
    for module in (archive, index):
        module._client.cache_clear()
    index._cluster.cache_clear()
    yield
    reset(moto_url)


@pytest.fixture
def s3(account: None):
    client = boto3.client("s3")
    for bucket in ("archive", "dead"):
        client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    return client
