"""An archive in S3, told to a queue as S3 would tell it: the function `index`, or `serve`, does the work.

Keys are told in the order of S3's own list (UTF-8), so that the last one told says where to go on.

Facts: Amazon S3 API, ListObjectsV2 (`StartAfter`); Amazon SQS API, SendMessageBatch (ten messages, 256 KiB,
failures one by one).
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar
from urllib.parse import quote_plus

import msgspec

from guardduty_lens.inputs.s3_archive import Listed, Location, selected
from guardduty_lens.inputs.selection import Selection

KEYS_IN_A_MESSAGE = 5
MESSAGES_AT_ONCE = 10
"""Keys have at most 1,024 bytes, which quoted are three times as many: a batch stays below 256 KiB."""
TRIES = 6
_FIRST_PAUSE_SECONDS = 0.5

Item = TypeVar("Item")


class EnqueueError(Exception):
    """What could not be sent, and why."""


class Told(msgspec.Struct):
    """What was told; `last` is the key after which to go on."""

    objects: int = 0
    bytes: int = 0
    messages: int = 0
    last: str = ""


def enqueue(
    s3: Any,
    sqs: Any | None,
    queue_url: str,
    location: Location,
    selection: Selection | None = None,
    after: str = "",
) -> Iterator[Told]:
    """Tell a queue of the wanted objects after a key; without `sqs` only count them.

    Yields what was done so far, each time that a batch was taken by the queue, and at the end. Raises
    EnqueueError, CannotListError.
    """
    told = Told(last=after)
    found = selected(s3, location, selection or Selection(), after)
    for wanted in _batches(found, KEYS_IN_A_MESSAGE * MESSAGES_AT_ONCE):
        bodies = [_notification(location.bucket, group) for group in _batches(wanted, KEYS_IN_A_MESSAGE)]
        if sqs is not None:
            _send(sqs, queue_url, bodies)
        told.objects += len(wanted)
        told.bytes += sum(each.size for each in wanted)
        told.messages += len(bodies)
        told.last = wanted[-1].key
        yield told
    yield told


def _notification(bucket: str, objects: Iterable[Listed]) -> str:
    records = [
        {
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "eventName": "ObjectCreated:Put",
            "s3": {
                "bucket": {"name": bucket},
                "object": {"key": quote_plus(each.key, safe="/"), "size": each.size},
            },
        }
        for each in objects
    ]
    return msgspec.json.encode({"Records": records}).decode()


def _send(sqs: Any, queue_url: str, bodies: Sequence[str]) -> None:
    """Send messages; those that fail are sent again, after a pause that doubles. Raises EnqueueError."""
    from botocore.exceptions import BotoCoreError, ClientError

    waiting = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)]
    pause, why = _FIRST_PAUSE_SECONDS, ""
    for attempt in range(TRIES):
        if attempt:
            time.sleep(pause)
            pause *= 2
        try:
            answer = sqs.send_message_batch(QueueUrl=queue_url, Entries=waiting)
        except (BotoCoreError, ClientError) as error:
            raise EnqueueError(f"{queue_url}: {error}") from error
        failed = {each["Id"]: each for each in answer.get("Failed", ())}
        waiting = [each for each in waiting if each["Id"] in failed]
        if not waiting:
            return
        why = next(str(each.get("Message") or each["Code"]) for each in failed.values())
    raise EnqueueError(f"{queue_url}: {len(waiting)} messages were not taken: {why}")


def _batches(items: Iterable[Item], most: int) -> Iterator[list[Item]]:
    rest = iter(items)
    while batch := list(islice(rest, most)):
        yield batch
