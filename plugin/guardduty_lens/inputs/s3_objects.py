"""Objects of S3, read whole, and what may go wrong with one."""

import logging
from typing import Any, NamedTuple

from guardduty_lens.inputs.s3_notifications import S3Object

_GONE = ("NoSuchKey", "NoSuchVersion", "404")
_log = logging.getLogger(__name__)


class ReadObject(NamedTuple):
    """What an object held, and the ETag that says which of its versions that was."""

    raw: bytes
    etag: str


class NotReadableError(Exception):
    """An object that cannot be worked on, and why."""


def aws_errors() -> tuple[type[Exception], ...]:
    """Give what boto3's clients raise."""
    from botocore.exceptions import BotoCoreError, ClientError

    return (BotoCoreError, ClientError)


def is_gone(error: Any) -> bool:
    """Tell whether botocore's ClientError says that an object is not there, as it does where we may list."""
    return error.response["Error"]["Code"] in _GONE


def read_object(s3: Any, found: S3Object, largest: int) -> ReadObject | None:
    """Read an object; None for one that is gone, which was deleted by its owner.

    Raises NotReadableError for one of more than `largest` bytes, and botocore's errors.
    """
    from botocore.exceptions import ClientError

    try:
        answer = s3.get_object(Bucket=found.bucket, Key=found.key)
    except ClientError as error:
        if not is_gone(error):
            raise
        _log.warning("s3://%s/%s is gone, and nothing is known of what was in it", found.bucket, found.key)
        return None
    with answer["Body"] as body:
        raw: bytes = body.read(largest + 1)
    if len(raw) > largest:
        raise NotReadableError(f"s3://{found.bucket}/{found.key} is larger than {largest} bytes")
    return ReadObject(raw, answer["ETag"])
