"""The sqs input: S3's notifications, and findings in messages, from a queue; deleted once delivered.

A message is ours from its receipt until every output has confirmed what it told of: its visibility is
extended meanwhile, however long an output is down. When we end before that it is given back at once. One
that cannot be worked on (an object that we may not read) is left to come again, and so to the queue's own
redrive.

Facts: Amazon SQS developer guide, "Visibility timeout" (at most 12 hours from the receipt) and "Long
polling"; Amazon S3 user guide, "Event message structure".
"""

import asyncio
import logging
import re
from collections.abc import Sequence
from functools import partial
from typing import Any

import msgspec

from guardduty_lens.inputs.asking import Asking, AskingCounts
from guardduty_lens.inputs.delivery import Batch, Deliver, NotDelivered, Payload, deliver_until
from guardduty_lens.inputs.s3_notifications import S3Object, holds_findings, objects_of
from guardduty_lens.inputs.s3_objects import aws_errors, read_object

POLLERS = 4
"""Receives under way at once; each brings up to ten messages, SQS's most."""
_MESSAGES = 10
_WAIT_SECONDS = 5
"""Of a long poll. SQS takes 20; this is what an end, or a new configuration, may have to wait for."""
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.5, 30.0
_REGION_OF_URL = re.compile(r"https://(?:sqs\.)?(?P<region>[a-z]{2}(?:-[a-z]+)+-[0-9])\.")

_log = logging.getLogger(__name__)


class SqsOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The queue, and how long a message stays out of others' sight before that is extended, in seconds."""

    queue_url: str
    region: str
    tag: str = "sqs"
    visibility_seconds: int = 300
    largest_object: int = 64 * 1024 * 1024


class SqsCounts(AskingCounts):
    """What became of messages, of the objects that they told of, and how often AWS could not be asked."""

    messages: int = 0
    deleted: int = 0
    given_back: int = 0
    left: int = 0
    objects_passed_over: int = 0


def region_of(queue_url: str) -> str | None:
    """Give the region that a queue's URL tells, such as `https://sqs.eu-west-1.amazonaws.com/…`."""
    found = _REGION_OF_URL.match(queue_url)
    return found["region"] if found else None


class SqsInput(Asking[SqsCounts]):
    """Polls a queue until it is closed."""

    kind = "sqs"

    def __init__(self, options: SqsOptions, deliver: Deliver) -> None:
        super().__init__(SqsCounts(), 2 * POLLERS)
        self._options = options
        self._deliver = deliver
        self._tasks: list[asyncio.Task[None]] = []
        self._undelivered: list[str] = []

    async def start(self) -> None:
        """Begin to poll."""
        import boto3  # an extra

        # Clients may be shared by threads; making them may not.
        self._sqs = boto3.client("sqs", region_name=self._options.region)
        self._s3 = boto3.client("s3", region_name=self._options.region)
        self._tasks = [asyncio.create_task(self._poll()) for _ in range(POLLERS)]

    async def close(self) -> None:
        """Take no more; deliver what can be, and give the rest back."""
        self._closing.set()
        await asyncio.gather(*self._tasks)
        # Once nobody of us polls any more, who might receive them anew.
        self._counts.given_back += len(self._undelivered)
        await asyncio.gather(*(self._show_after(handle, 0) for handle in self._undelivered))
        self._threads.shutdown()

    async def _poll(self) -> None:
        pause = _FIRST_PAUSE_SECONDS
        while not self._closing.is_set():
            try:
                messages = await self._call(self._receive)
            except Exception as error:  # noqa: BLE001 - the polling must go on, and the fault be seen
                self._note("the queue cannot be asked", error)
                await self._sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
                continue
            pause = _FIRST_PAUSE_SECONDS
            if messages:
                await self._work(messages)

    def _receive(self) -> list[dict[str, Any]]:
        answer = self._sqs.receive_message(
            QueueUrl=self._options.queue_url,
            MaxNumberOfMessages=_MESSAGES,
            WaitTimeSeconds=_WAIT_SECONDS,
            VisibilityTimeout=self._options.visibility_seconds,
        )
        found: list[dict[str, Any]] = answer.get("Messages", [])
        return found

    async def _work(self, messages: Sequence[dict[str, Any]]) -> None:
        self._counts.messages += len(messages)
        held = {message["ReceiptHandle"] for message in messages}
        keeper = asyncio.create_task(self._keep(held))
        try:
            await asyncio.gather(*(self._take(message, held) for message in messages))
        finally:
            keeper.cancel()

    async def _keep(self, held: set[str]) -> None:
        """Extend the visibility of the messages that are still held, well before it ends."""
        while True:
            await asyncio.sleep(self._options.visibility_seconds / 3)
            for handle in tuple(held):
                if handle in held:  # still: others took their time
                    await self._show_after(handle, self._options.visibility_seconds)

    async def _take(self, message: dict[str, Any], held: set[str]) -> None:
        """Work on a message; delete it, leave it, or give it back. Whatever goes wrong is told."""
        handle = message["ReceiptHandle"]
        try:
            await self._pass(message["Body"])
        except NotDelivered:
            held.discard(handle)
            self._undelivered.append(handle)
            return
        except Exception as error:  # noqa: BLE001 - one message must not end the polling
            held.discard(handle)
            self._counts.left += 1
            self._note(f"message {message.get('MessageId')} is left in the queue", error)
            return
        held.discard(handle)
        try:
            await self._call(
                lambda: self._sqs.delete_message(QueueUrl=self._options.queue_url, ReceiptHandle=handle)
            )
        except aws_errors() as error:
            self._note("a message that was delivered could not be deleted, and comes again", error)
        else:
            self._counts.deleted += 1

    async def _pass(self, body: str) -> None:
        """Deliver what a message tells of.

        Raises NotDelivered when we end before that, NotReadableError, and botocore's errors.
        """
        objects = objects_of(body)
        if objects is None:
            await self._deliver_payload(body.encode(), self._options.queue_url)
            return
        for each in objects:
            if not holds_findings(each.key):
                self._counts.objects_passed_over += 1
                continue
            raw = await self._call(partial(self._read, each))
            if raw is not None:
                await self._deliver_payload(raw, f"s3://{each.bucket}/{each.key}")

    def _read(self, found: S3Object) -> bytes | None:
        read = read_object(self._s3, found, self._options.largest_object)
        if read is None:
            self._counts.objects_gone += 1
            return None
        self._counts.objects += 1
        self._counts.bytes += len(read.raw)
        return read.raw

    async def _deliver_payload(self, raw: bytes, source: str) -> None:
        batch = Batch(self._options.tag, source, [Payload(raw, is_json=False)])
        await deliver_until(self._closing, self._deliver, batch)

    async def _show_after(self, handle: str, seconds: int) -> None:
        try:
            await self._call(
                lambda: self._sqs.change_message_visibility(
                    QueueUrl=self._options.queue_url, ReceiptHandle=handle, VisibilityTimeout=seconds
                )
            )
        except aws_errors() as error:
            self._note("how long a message stays out of sight could not be changed", error)
