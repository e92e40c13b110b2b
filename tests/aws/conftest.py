"""The functions' account: what they keep between invocations is of no other test's."""

from typing import Any

import pytest
from aws_account import s3_with

from guardduty_lens.aws import archive, index


@pytest.fixture(autouse=True)
def forgotten() -> None:
    """Let every test's functions connect anew."""
    for module in (archive, index):
        module._client.cache_clear()
    index._cluster.cache_clear()


@pytest.fixture
def s3(account: dict[str, str]) -> Any:
    return s3_with("archive", "dead")
