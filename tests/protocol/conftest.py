"""An AWS account for what `serve` reads."""

from typing import Any

import pytest
from aws_account import s3_with


@pytest.fixture
def s3(account: dict[str, str]) -> Any:
    return s3_with("archive")
