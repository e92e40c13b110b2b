"""The guardduty-api input: findings asked of GuardDuty itself, over regions and, by roles, accounts.

For what happened before anything else was set up (GuardDuty keeps findings for 90 days), and where events
cannot be had. Every update of a finding that is there when we ask is delivered once; it is remembered in a
file (SQLite) how far each detector was followed, and which updates at the end were delivered.

Facts: Amazon GuardDuty API, ListDetectors, ListFindings, GetFindings (at most 50 ids); its answers are
findings in camelCase, as exports have them. AWS STS API, AssumeRole.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Iterator, Sequence
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from guardduty_lens.inputs.asking import AskingCounts, Following
from guardduty_lens.inputs.delivery import Batch, Deliver, NotDelivered, Payload, deliver_until
from guardduty_lens.inputs.guardduty_walk import Walk
from guardduty_lens.inputs.memory import Memory
from guardduty_lens.opensearch.dates import milliseconds

AT_ONCE = 8
"""Detectors that are followed at a time."""
PAGE = 50
_CLIENT_SECONDS = 45 * 60
"""A role's credentials last for an hour."""

_log = logging.getLogger(__name__)


class GuardDutyOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Which regions of which accounts: those of the roles, else our own."""

    regions: tuple[str, ...]
    memory: Path
    roles: tuple[str, ...] = ()
    external_id: str | None = None
    tag: str = "guardduty-api"
    every_seconds: float = 300.0


class GuardDutyCounts(AskingCounts):
    """What was asked and found; `findings` are those delivered, `known` had been before."""

    rounds: int = 0
    detectors: int = 0
    findings: int = 0
    known: int = 0


class Place(NamedTuple):
    """A region of an account; without a role, the account that we are in."""

    role: str
    region: str


class Update(NamedTuple):
    """A finding as it was given: its id, when it was updated, what tells this update, and its JSON."""

    id: str
    updated: int
    version: str
    raw: bytes


class Page(NamedTuple):
    """What a list gave: findings, the server's time in milliseconds, and the token of the next page."""

    updates: list[Update]
    listed_at: int
    next_token: str


class _Head(msgspec.Struct, rename="camel"):
    id: Any = None
    updated_at: Any = None
    service: Any = None


class _Answer(msgspec.Struct):
    findings: list[msgspec.Raw] = []


class Updates(Memory):
    """How far each detector was followed, and what was delivered from there on."""

    schema = """
        CREATE TABLE IF NOT EXISTS reached (detector TEXT PRIMARY KEY, since INTEGER) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS delivered
            (detector TEXT, id TEXT, version TEXT, updated INTEGER, PRIMARY KEY (detector, id))
            WITHOUT ROWID;
    """

    def since(self, detector: str) -> int:
        """Give the update from which on to follow a detector."""
        question = "SELECT since FROM reached WHERE detector = ?"
        with self._lock:
            row = self._database.execute(question, (detector,)).fetchone()
        return row[0] if row else 0

    def lacks(self, detector: str, updates: Sequence[Update]) -> list[Update]:
        """Give those that were not delivered as they are now."""
        question = "SELECT 1 FROM delivered WHERE detector = ? AND id = ? AND version = ?"
        with self._lock:
            return [
                each
                for each in updates
                if not self._database.execute(question, (detector, each.id, each.version)).fetchone()
            ]

    def add(self, detector: str, updates: Sequence[Update]) -> None:
        """Remember that updates were delivered."""
        with self._lock, self._database:
            self._database.executemany(
                "INSERT OR REPLACE INTO delivered VALUES (?, ?, ?, ?)",
                [(detector, each.id, each.version, each.updated) for each in updates],
            )

    def reach(self, detector: str, since: int) -> None:
        """Remember how far a detector was followed; what was before is not asked for again."""
        with self._lock, self._database:
            self._database.execute("INSERT OR REPLACE INTO reached VALUES (?, ?)", (detector, since))
            self._database.execute(
                "DELETE FROM delivered WHERE detector = ? AND updated < ?", (detector, since)
            )


class GuardDutyInput(Following[GuardDutyCounts, Updates]):
    """Follows all detectors until it is closed."""

    kind = "guardduty-api"

    def __init__(self, options: GuardDutyOptions, deliver: Deliver) -> None:
        super().__init__(GuardDutyCounts(), AT_ONCE)
        self._options = options
        self._deliver = deliver
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._clients = _Clients(options.external_id)

    def _begin(self) -> Updates:
        return Updates(self._options.memory)

    async def _follow(self) -> None:
        places = [
            Place(role, region) for role in self._options.roles or ("",) for region in self._options.regions
        ]
        while not self._closing.is_set():
            start = time.monotonic()
            await asyncio.gather(*(self._visit(place) for place in places))
            self._counts.rounds += 1
            await self._sleep(max(0.0, self._options.every_seconds - (time.monotonic() - start)))

    async def _visit(self, place: Place) -> None:
        """Follow the detectors of a region; what goes wrong there is told, and holds up no other."""
        async with self._turns:
            if self._closing.is_set():
                return
            try:
                client = await self._call(partial(self._clients.client, place))
                for detector in await self._call(partial(_detectors, client)):
                    self._counts.detectors += 1
                    await self._walk(client, place, detector)
            except NotDelivered:
                return
            except Exception as error:  # noqa: BLE001 - the others must go on, and the fault be seen
                self._clients.forget(place)
                self._note(f"GuardDuty in {place.region} {place.role}".rstrip(), error)

    async def _walk(self, client: Any, place: Place, detector: str) -> None:
        """Deliver what is new of a detector. Raises NotDelivered, and botocore's errors."""
        name = f"{place.role or 'here'} {place.region} {detector}"
        walk = Walk(await self._call(partial(self._memory.since, name)))
        more = True
        while more and not self._closing.is_set():
            page = await self._call(partial(_page, client, detector, walk.since, walk.token))
            fresh = await self._call(partial(self._memory.lacks, name, page.updates))
            self._counts.known += len(page.updates) - len(fresh)
            if fresh:
                source = f"guardduty://{place.region}/{detector}"
                batch = Batch(self._options.tag, source, [Payload(each.raw, is_json=False) for each in fresh])
                await deliver_until(self._closing, self._deliver, batch)
                await self._call(partial(self._memory.add, name, fresh))
                self._counts.findings += len(fresh)
                self._counts.bytes += sum(len(each.raw) for each in fresh)
            before = walk.since
            updates = [each.updated for each in page.updates]
            more = walk.passed(updates, page.listed_at, page.next_token, found=bool(fresh))
            if walk.since > before:
                await self._call(partial(self._memory.reach, name, walk.since))


class _Clients:
    """Clients of GuardDuty by place, as long as a role's credentials last. Calls from any thread."""

    def __init__(self, external_id: str | None) -> None:
        self._external_id = external_id
        self._lock = threading.Lock()
        self._made: dict[Place, tuple[float, Any]] = {}

    def client(self, place: Place) -> Any:
        """Give a client. Raises botocore's errors."""
        with self._lock:
            made_at, client = self._made.get(place, (0.0, None))
            if client is None or time.monotonic() - made_at > _CLIENT_SECONDS:
                client = self._new(place)
                self._made[place] = (time.monotonic(), client)
            return client

    def forget(self, place: Place) -> None:
        """Make a new client the next time."""
        with self._lock:
            self._made.pop(place, None)

    def _new(self, place: Place) -> Any:
        import boto3  # an extra
        from botocore.config import Config

        config = Config(retries={"mode": "adaptive", "max_attempts": 10})
        credentials = {}
        if place.role:
            asked = {"ExternalId": self._external_id} if self._external_id else {}
            sts = boto3.client("sts", region_name=place.region)
            given = sts.assume_role(RoleArn=place.role, RoleSessionName="guardduty-lens", **asked)
            credentials = {
                "aws_access_key_id": given["Credentials"]["AccessKeyId"],
                "aws_secret_access_key": given["Credentials"]["SecretAccessKey"],
                "aws_session_token": given["Credentials"]["SessionToken"],
            }
        client = boto3.client("guardduty", region_name=place.region, config=config, **credentials)
        client.meta.events.register("before-parse.guardduty.GetFindings", _keep_raw)
        return client


def _keep_raw(response_dict: Any, customized_response_dict: Any, **_: Any) -> None:
    """Keep an answer as it came: boto3's own reading leaves out whatever it does not know yet."""
    customized_response_dict["Raw"] = response_dict["body"]


def _detectors(client: Any) -> list[str]:
    return [
        name for page in client.get_paginator("list_detectors").paginate() for name in page["DetectorIds"]
    ]


def _page(client: Any, detector: str, since: int, token: str) -> Page:
    """List findings from an update on, in the order of their updates, and get them."""
    listed = client.list_findings(
        DetectorId=detector,
        FindingCriteria={"Criterion": {"updatedAt": {"GreaterThanOrEqual": since}}},
        SortCriteria={"AttributeName": "updatedAt", "OrderBy": "ASC"},
        MaxResults=PAGE,
        **({"NextToken": token} if token else {}),
    )
    moment = parsedate_to_datetime(listed["ResponseMetadata"]["HTTPHeaders"]["date"])
    ids = listed["FindingIds"]
    updates = list(_updates(client.get_findings(DetectorId=detector, FindingIds=ids)["Raw"])) if ids else []
    return Page(updates, int(moment.timestamp() * 1000), listed.get("NextToken") or "")


def _updates(raw: bytes) -> Iterator[Update]:
    for finding in msgspec.json.decode(raw, type=_Answer).findings:
        head = msgspec.json.decode(finding, type=_Head)
        # Whatever is odd in one finding must not keep us from those behind it.
        service = head.service if isinstance(head.service, dict) else {}
        version = f"{head.updated_at} {service.get('count')} {service.get('archived')}"
        updated = milliseconds(head.updated_at) if isinstance(head.updated_at, str) else None
        yield Update(str(head.id), updated or 0, version, bytes(finding))
