"""What a configuration asks for, made and checked, and nothing of it begun."""

import ssl
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import msgspec

from guardduty_lens.inputs.forward import ForwardOptions
from guardduty_lens.inputs.guardduty_api import GuardDutyOptions
from guardduty_lens.inputs.http import HttpOptions
from guardduty_lens.inputs.s3 import S3Options
from guardduty_lens.inputs.sqs import SqsOptions, region_of
from guardduty_lens.lens import Lens
from guardduty_lens.opensearch.client import Secret
from guardduty_lens.opensearch.documents import without_foreign
from guardduty_lens.opensearch.names import Names
from guardduty_lens.outputs.cluster import Cluster, ClusterSink
from guardduty_lens.outputs.coralogix import CoralogixSink, CoralogixTarget, url_of
from guardduty_lens.outputs.dead_letters import DeadLetters
from guardduty_lens.outputs.forms import whole
from guardduty_lens.outputs.forward import ForwardSink, ForwardTarget
from guardduty_lens.outputs.sinks import FileSink, Sink
from guardduty_lens.protocols.forward import ReceiverLimits, Security, User
from guardduty_lens.retries import Retries
from guardduty_lens.serve.checks import connection_of, filters_of, lens_of, place_of
from guardduty_lens.serve.config import (
    Config,
    Input,
    Output,
    SecretPlace,
    client_tls_of,
    host_and_port,
    name_of,
    secret_of,
    tls_of,
)
from guardduty_lens.serve.ledger import Ledger
from guardduty_lens.serve.pipeline import Route
from guardduty_lens.serve.tagger import SEND_ANYWAY, Tagger
from guardduty_lens.serve.trouble import Trouble

_MIB = 1024 * 1024


class Place(msgspec.Struct, frozen=True):
    """Where an input listens. `number` tells inputs apart that take any free port."""

    host: str
    port: int
    number: int = 0


class ReadyInput(msgspec.Struct, frozen=True):
    """An input: where it listens, if it does, by what certificate, and options, whose type tells which."""

    place: Place | None
    tls: ssl.SSLContext | None
    options: ForwardOptions | HttpOptions | SqsOptions | S3Options | GuardDutyOptions


class Ready(msgspec.Struct, frozen=True):
    """All of it. `asked_lens` is of the same fields, for what is only asked, and counts nowhere."""

    lens: Lens
    asked_lens: Lens
    routes: list[Route]
    inputs: list[ReadyInput]
    dead_letters: DeadLetters
    ledger: Ledger
    tagger: Tagger
    trouble: Trouble
    wrapper_keys: list[str]
    config: Config
    folder: Path
    """What the paths in it are relative to."""


def make_ready(config: Config, folder: Path) -> Ready:
    """Make what a checked configuration asks for; its paths are relative to `folder`.

    Raises ValueError where something has changed since it was checked.
    """
    lens, asked_lens = lens_of(config, folder), lens_of(config, folder)
    lens.rules = tuple(filters_of(config, lens))
    dead_letters = DeadLetters(folder / config.dead_letters)
    ledger = Ledger(lens, dead_letters)
    trouble = Trouble()
    makers = _Makers(folder, lens, dead_letters, ledger, trouble)
    routes = [makers.route(each, number) for number, each in enumerate(config.outputs)]
    return Ready(
        lens,
        asked_lens,
        routes,
        [_input(each, number, folder) for number, each in enumerate(config.inputs)],
        dead_letters,
        ledger,
        Tagger(makers.clusters, Retries(trouble.is_hurried)),
        trouble,
        config.wrapper_keys,
        config,
        folder,
    )


def _input(given: Input, number: int, folder: Path) -> ReadyInput:
    if given.type == "sqs":
        return ReadyInput(None, None, _sqs_options(given))
    if given.type == "s3":
        return ReadyInput(None, None, _s3_options(given, folder))
    if given.type == "guardduty-api":
        return ReadyInput(None, None, _guardduty_options(given, folder))
    place = place_of(given)
    assert place is not None  # the configuration was checked
    host, port = place
    tls = tls_of(given.tls, folder) if given.tls is not None else None
    options = _http_options(given, folder) if given.type == "http" else _forward_options(given, tls, folder)
    return ReadyInput(Place(host, port, 0 if port else number), tls, options)


def _sqs_options(given: Input) -> SqsOptions:
    url = given.queue_url
    assert url is not None  # the configuration was checked
    return SqsOptions(
        queue_url=url,
        region=given.aws_region or region_of(url) or "",
        tag=given.tag or "sqs",
        visibility_seconds=given.visibility_seconds,
        largest_object=given.largest_message_mib * _MIB,
    )


def _s3_options(given: Input, folder: Path) -> S3Options:
    assert given.bucket is not None  # the configuration was checked
    assert given.aws_region is not None
    assert given.memory is not None
    return S3Options(
        bucket=given.bucket,
        region=given.aws_region,
        memory=folder / given.memory,
        prefix=given.prefix,
        tag=given.tag or "s3",
        every_seconds=given.every_seconds,
        largest_object=given.largest_message_mib * _MIB,
    )


def _guardduty_options(given: Input, folder: Path) -> GuardDutyOptions:
    assert given.memory is not None  # the configuration was checked
    return GuardDutyOptions(
        regions=tuple(given.regions),
        memory=folder / given.memory,
        roles=tuple(given.roles),
        external_id=given.external_id,
        tag=given.tag or "guardduty-api",
        every_seconds=given.every_seconds,
    )


def _http_options(given: Input, folder: Path) -> HttpOptions:
    size = given.largest_message_mib * _MIB
    return HttpOptions(
        token=secret_of(given.token, "token", folder) if given.token is not None else None,
        largest_body=size,
        largest_unpacked=4 * size,
        tag=given.tag or "http",
    )


def _forward_options(given: Input, tls: ssl.SSLContext | None, folder: Path) -> ForwardOptions:
    size = given.largest_message_mib * _MIB
    security = None
    if given.shared_key is not None:
        security = Security(
            shared_key=secret_of(given.shared_key, "shared_key", folder),
            hostname=given.hostname,
            users={name: secret_of(each, f"user {name}", folder) for name, each in given.users.items()},
        )
    return ForwardOptions(
        security=security,
        tls=tls,
        connections=given.connections,
        limits=ReceiverLimits(message=size, unpacked=4 * size),
        idle_seconds=given.idle_seconds,
    )


class _Makers:
    """Makes routes; what they have in common is here."""

    def __init__(
        self, folder: Path, lens: Lens, dead_letters: DeadLetters, ledger: Ledger, trouble: Trouble
    ) -> None:
        self._folder = folder
        self._lens = lens
        self._dead_letters = dead_letters
        self._ledger = ledger
        self._trouble = trouble
        self.clusters: list[Cluster] = []
        """The clusters among the outputs."""

    def route(self, given: Output, number: int) -> Route:
        openers = {
            "file": self._file,
            "opensearch": self._cluster,
            "forward": self._forward,
            "coralogix": self._coralogix,
        }
        opener = openers[given.type]
        name = name_of(given, number)
        leaves_out = given.type == "opensearch" and not given.with_foreign
        return Route(
            name,
            opener(given, self._trouble.retries_of(name)),
            tuple(given.match or ("*",)),
            without_foreign() if leaves_out else None,
        )

    def _file(self, given: Output, _: Retries) -> Callable[[], AbstractContextManager[Sink]]:
        path = self._folder / (given.path or "")
        return lambda: FileSink(path, whole, unbuffered=False, append=True, option="'path'")

    def _cluster(self, given: Output, retries: Retries) -> Callable[[], AbstractContextManager[Sink]]:
        cluster = Cluster(
            connection=connection_of(given, self._folder),
            names=Names(given.index_prefix),
            state=given.state,
            flat=False,
            give_up_after=given.give_up_after_seconds,
            without_templates=given.without_templates,
        )
        self.clusters.append(cluster)
        templates = cluster.template_check(SEND_ANYWAY)
        run_id = uuid.uuid4().hex  # one, however often it is opened anew
        ledger = self._ledger
        return lambda: ClusterSink(
            cluster,
            self._lens,
            self._dead_letters,
            refuse=ledger.refuse,
            lose=ledger.lose,
            run_id=run_id,
            templates=templates,
            retries=retries,
        )

    def _forward(self, given: Output, retries: Retries) -> Callable[[], AbstractContextManager[Sink]]:
        host, port = _host_and_port(given.address or "")
        key = self._secret(given.shared_key, "shared_key")
        password = self._secret(given.password, "password")
        target = ForwardTarget(
            host=host,
            port=port,
            tag=given.tag or "guardduty",
            security=Security(shared_key=key, hostname=given.hostname or "guardduty-lens") if key else None,
            user=User(given.user, password) if given.user is not None and password is not None else None,
            tls=client_tls_of(given, self._folder),
            compress=given.compress,
            acknowledge=given.acknowledge,
            give_up_after=given.give_up_after_seconds,
        )
        return lambda: ForwardSink(target, self._ledger.refuse, retries)

    def _coralogix(self, given: Output, retries: Retries) -> Callable[[], AbstractContextManager[Sink]]:
        key = self._secret(given.key, "key")
        assert key is not None  # the configuration was checked
        target = CoralogixTarget(
            url=given.api_url or url_of(given.domain or ""),
            key=key,
            application=given.application or "guardduty",
            subsystem=given.subsystem or "{account_id}",
            give_up_after=given.give_up_after_seconds,
        )
        return lambda: CoralogixSink(target, self._ledger.refuse, retries)

    def _secret(self, place: SecretPlace | None, what: str) -> Secret | None:
        return secret_of(place, what, self._folder) if place is not None else None


def _host_and_port(text: str) -> tuple[str, int]:
    place = host_and_port(text)
    assert place is not None  # the configuration was checked
    return place
