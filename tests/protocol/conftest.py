"""An AWS account for what `serve` reads."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from aws_account import REGION, moto_server, reset


@pytest.fixture(scope="module")
def moto_url() -> Iterator[str]:
    with moto_server() as url:
        yield url


@pytest.fixture
def account(moto_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    environment = {
        "AWS_ENDPOINT_URL": moto_url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",  # moto takes anything
        "AWS_DEFAULT_REGION": REGION,
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    yield environment
    reset(moto_url)


@pytest.fixture
def s3(account: dict[str, str]) -> Any:
    client = boto3.client("s3")
    client.create_bucket(Bucket="archive", CreateBucketConfiguration={"LocationConstraint": REGION})
    return client
