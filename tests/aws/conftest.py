"""The functions' account and cluster: what they keep between invocations is of no other test's."""

import uuid
from typing import Any

import pytest
from aws_account import s3_with
from http_json import Server
from installed_cluster import Cluster

from guardduty_lens.aws import archive, index


@pytest.fixture(autouse=True)
def forgotten() -> None:
    """Let every test's functions connect anew."""
    for module in (archive, index):
        module._client.cache_clear()
    index._cluster.cache_clear()
    index._templates.cache_clear()


@pytest.fixture
def s3(account: dict[str, str]) -> Any:
    return s3_with("archive", "dead")


@pytest.fixture
def prefix(opensearch_url):
    made = f"aws-{uuid.uuid4().hex[:8]}-"
    installed = Cluster(opensearch_url, made)
    installed.install()
    yield made
    installed.uninstall()


@pytest.fixture
def cluster(opensearch_url, prefix, monkeypatch):
    for name, value in {
        "OPENSEARCH_URL": opensearch_url, "OPENSEARCH_AUTH": "none", "INDEX_PREFIX": prefix,
        "DEAD_LETTER_BUCKET": "dead", "ARCHIVE_BUCKET": "archive", "GIVE_UP_AFTER_SECONDS": "1",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    return Server(opensearch_url)
