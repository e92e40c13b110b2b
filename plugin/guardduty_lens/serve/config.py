"""The configuration of `serve`: one YAML file, read whole, every fault told at once with its place.

Secrets are never in it: it names a file or an environment variable that holds them.
"""

import os
import ssl
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from jsonschema import Draft202012Validator
from msgspec import Meta, Struct

from guardduty_lens.catalogue.lint.words import Fault, plain_faults
from guardduty_lens.catalogue.operations.kind import KINDS
from guardduty_lens.catalogue.positions import Document, Where, read_yaml
from guardduty_lens.catalogue.problems import Problem
from guardduty_lens.catalogue.schema import plain_schema
from guardduty_lens.inputs.sqs import region_of
from guardduty_lens.opensearch.client import ConnectionOptionsError, Secret, read_secret

Text = Annotated[str, Meta(min_length=1)]
Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]{0,40}$")]


class ConfigError(ValueError):
    """A configuration that cannot be used; `problems` lists all faults, each with its place."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class _Part(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Common settings."""


class SecretPlace(_Part, frozen=True):
    """Where a secret is: in a file, or in an environment variable. One of them."""

    file: Text | None = None
    env: Text | None = None


class Tls(_Part, frozen=True):
    """Certificate and key of a server (PEM), and, where senders must have one, whose certificates count."""

    certificate: Text
    key: Text
    client_ca: Text | None = None


class Input(_Part, frozen=True):
    """Where events come from. `listen` is HOST:PORT; where others can reach it, it wants a key or TLS.

    `shared_key`, `hostname`, `users` and `idle_seconds` are for forward, `token` and `tag` for http. Inputs
    that ask AWS listen nowhere: `queue_url` and what follows are theirs.
    """

    type: Literal["forward", "http", "sqs", "s3", "guardduty-api"]
    listen: Text | None = None
    tls: Tls | None = None
    shared_key: SecretPlace | None = None
    hostname: Text = "guardduty-lens"
    users: dict[str, SecretPlace] = {}
    token: SecretPlace | None = None
    tag: Text | None = None
    connections: Annotated[int, Meta(ge=1, le=100_000)] = 1000
    largest_message_mib: Annotated[int, Meta(ge=1, le=1024)] = 64
    idle_seconds: Annotated[int, Meta(ge=1, le=86_400)] = 600
    queue_url: Annotated[str, Meta(pattern=r"^https?://[^\s]+/[^\s/]+$")] | None = None
    aws_region: Text | None = None
    visibility_seconds: Annotated[int, Meta(ge=2, le=43_200)] = 300
    bucket: Text | None = None
    prefix: str = ""
    memory: Text | None = None
    regions: list[Annotated[str, Meta(pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]$")]] = []
    roles: list[Annotated[str, Meta(pattern=r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/.+$")]] = []
    external_id: Text | None = None
    every_seconds: Annotated[int, Meta(ge=1, le=86_400)] = 60


class Output(_Part, frozen=True):
    """Where records go, and which tags (`*` is any text): all of them unless said.

    `path` is a file's; `url` and what follows are a cluster's, and mean what they mean for `filter --to
    opensearch`; `address` and what follows are a receiver's of the forward protocol; `domain` (or the name of
    its region) and what follows are Coralogix's.
    """

    type: Literal["file", "opensearch", "forward", "coralogix"]
    name: Name | None = None
    match: Annotated[list[Text], Meta(min_length=1)] | None = None
    path: Text | None = None
    url: list[Text] = []
    token: SecretPlace | None = None
    aws_region: Text | None = None
    aws_service: Literal["es", "aoss"] = "es"
    index_prefix: str = ""
    state: bool = True
    with_foreign: bool = False
    without_templates: bool = False
    user: Text | None = None
    password: SecretPlace | None = None
    ca: Text | None = None
    address: Text | None = None
    tag: Text | None = None
    shared_key: SecretPlace | None = None
    hostname: Text | None = None
    tls: bool = False
    client_certificate: Text | None = None
    client_key: Text | None = None
    compress: bool = True
    acknowledge: bool = True
    domain: Text | None = None
    api_url: Text | None = None
    key: SecretPlace | None = None
    application: Text | None = None
    subsystem: Text | None = None
    give_up_after_seconds: Annotated[int, Meta(ge=1, le=86_400)] = 60


class Filters(_Part, frozen=True):
    """What is left out, counted by its name; as the options of `filter` of the same names."""

    only: list[Literal[KINDS]] = []  # type: ignore[valid-type]
    min_severity: str | float | None = None
    exclude_samples: bool = False
    exclude_archived: bool = False
    drop_if: list[Text] = []
    keep_if: list[Text] = []


class Config(_Part, frozen=True):
    """The whole file. Paths are relative to its folder."""

    inputs: Annotated[list[Input], Meta(min_length=1)]
    outputs: Annotated[list[Output], Meta(min_length=1)]
    filters: Filters = Filters()
    dead_letters: Text = "guardduty-lens-dead-letters.jsonl"
    fields: Text | None = None
    field_prefix: str = ""
    severity_scheme: Text = "aws"
    wrapper_keys: list[Text] = []


LISTEN = {"forward": "127.0.0.1:24224", "http": "127.0.0.1:9880"}
OF_AWS = ("sqs", "s3", "guardduty-api")
_OF_INPUTS: dict[str, tuple[str, ...]] = {
    "forward": ("listen", "tls", "shared_key", "users"),
    "http": ("listen", "tls", "token", "tag"),
    "sqs": ("queue_url", "aws_region", "tag"),
    "s3": ("bucket", "aws_region", "memory", "prefix", "tag"),
    "guardduty-api": ("regions", "roles", "external_id", "memory", "tag"),
}
"""What an input of each type may be told, and others may not."""
_OF_OUTPUTS: dict[str, tuple[str, ...]] = {
    "file": ("path",),
    "opensearch": (
        *("url", "user", "password", "token", "aws_region", "ca", "index_prefix", "with_foreign"),
        "without_templates",
    ),
    "forward": (
        *("address", "user", "password", "ca", "tag", "shared_key", "hostname", "tls"),
        *("client_certificate", "client_key"),
    ),
    "coralogix": ("key", "domain", "api_url", "application", "subsystem"),
}
"""What an output of each type may be told; the first of each it must be."""


def read_config(path: Path) -> tuple[Config | None, list[str]]:
    """Read a configuration: what it says, where its form is right, and its faults, each with its place."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return None, [f"{path}: {error}"]
    document = read_yaml(text, str(path))
    problems = [*document.problems, *document.duplicates]
    config = None
    if not problems:
        faults = list(plain_faults(_validator().iter_errors(document.data)))
        if not faults:
            config = msgspec.convert(document.data, Config)
            faults = list(_faults(config))
        problems = [_problem(document, fault) for fault in faults]
    return config, [str(problem) for problem in sorted(problems)]


def load_config(path: Path) -> Config:
    """Read a configuration. Raises ConfigError."""
    config, problems = read_config(path)
    if config is None or problems:
        raise ConfigError(problems)
    return config


def config_schema() -> dict[str, Any]:
    """Give the JSON Schema (2020-12) of a configuration."""
    exported = plain_schema(msgspec.json.schema(Config))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:guardduty-lens:serve",
        "title": "Configuration of guardduty-lens serve",
        **exported,
    }


def secret_of(
    place: SecretPlace, what: str, folder: Path, environment: Mapping[str, str] = os.environ
) -> Secret:
    """Give a secret. Raises ConfigError that says what is wrong, and never what it is."""
    if place.file is not None:
        try:
            return read_secret(folder / place.file, what)
        except ConnectionOptionsError as error:
            raise ConfigError([str(error)]) from error
    found = environment.get(place.env or "")
    if not found:
        raise ConfigError([f"{what}: the environment variable {place.env} is not set"])
    return Secret(found)


def tls_of(tls: Tls, folder: Path) -> ssl.SSLContext:
    """Make the context of a server. Raises ConfigError."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(folder / tls.certificate, folder / tls.key, password=lambda: "")
        if tls.client_ca is not None:
            context.load_verify_locations(folder / tls.client_ca)
            context.verify_mode = ssl.CERT_REQUIRED
    except (OSError, ValueError) as error:
        raise ConfigError([f"tls: {tls.certificate}, {tls.key}: {error}"]) from error
    return context


def client_tls_of(given: Output, folder: Path) -> ssl.SSLContext | None:
    """Make the context of a client, which always verifies the server. Raises ConfigError."""
    if not given.tls:
        return None
    try:
        context = ssl.create_default_context(cafile=folder / given.ca if given.ca is not None else None)
        if given.client_certificate is not None:
            key = folder / given.client_key if given.client_key is not None else None
            context.load_cert_chain(folder / given.client_certificate, key, password=lambda: "")
    except (OSError, ValueError) as error:
        raise ConfigError([f"tls of {given.address}: {error}"]) from error
    return context


def host_and_port(listen: str) -> tuple[str, int] | None:
    """Read HOST:PORT, or [IPV6]:PORT; None where it is none."""
    host, _, port = listen.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    return (host, int(port)) if host and port.isdigit() and int(port) < 65536 else None


def _faults(config: Config) -> Iterator[Fault]:
    for number, each in enumerate(config.inputs):
        yield from (fault._replace(where=("inputs", number, *fault.where)) for fault in _of_input(each))
    memories = [given.memory for given in config.inputs]
    for number, memory in enumerate(memories):
        if memory is not None and memories.index(memory) != number:
            yield Fault(("inputs", number, "memory"), f"an input remembers in {memory} already")
    places = [given.listen or LISTEN.get(given.type) for given in config.inputs]
    for number, place in enumerate(places):
        if place is not None and places.index(place) != number and not place.endswith(":0"):
            yield Fault(("inputs", number), f"an input listens at {place} already")
    names = [name_of(each, number) for number, each in enumerate(config.outputs)]
    for number, output in enumerate(config.outputs):
        at: Where = ("outputs", number)
        if names.index(names[number]) != number:
            yield Fault((*at, "name"), f"there is an output {names[number]!r} already")
        yield from (fault._replace(where=(*at, *fault.where)) for fault in _of_output(output))


def name_of(output: Output, number: int) -> str:
    """Give an output's name: its own, or its type and number."""
    return output.name or f"{output.type}-{number + 1}"


def _of_input(given: Input) -> Iterator[Fault]:
    own = _OF_INPUTS[given.type]
    for name in dict.fromkeys(key for keys in _OF_INPUTS.values() for key in keys):
        if name not in own and getattr(given, name):
            yield Fault((name,), f"{name!r} is not for an input of type {given.type}", key=True)
    of_type = {"sqs": _of_sqs, "s3": _of_s3, "guardduty-api": _of_guardduty}.get(given.type, _of_listening)
    yield from of_type(given)


def _of_sqs(given: Input) -> Iterator[Fault]:
    if given.queue_url is None:
        yield Fault((), "an input of type sqs needs 'queue_url'")
    elif given.aws_region is None and region_of(given.queue_url) is None:
        yield Fault(("queue_url",), "this URL tells no region: 'aws_region' is wanted")


def _of_s3(given: Input) -> Iterator[Fault]:
    for name in ("bucket", "aws_region", "memory"):
        if getattr(given, name) is None:
            yield Fault((), f"an input of type s3 needs {name!r}")


def _of_guardduty(given: Input) -> Iterator[Fault]:
    for name in ("regions", "memory"):
        if not getattr(given, name):
            yield Fault((), f"an input of type guardduty-api needs {name!r}")
    if given.external_id and not given.roles:
        yield Fault(("external_id",), "an external_id is told along with roles", key=True)


def _of_listening(given: Input) -> Iterator[Fault]:
    place = host_and_port(given.listen or LISTEN[given.type])
    key = given.shared_key if given.type == "forward" else given.token
    if place is None:
        yield Fault(("listen",), f"HOST:PORT is wanted, not {given.listen!r}")
    elif place[0] not in ("127.0.0.1", "::1", "localhost") and given.tls is None and key is None:
        wanted = "a shared_key" if given.type == "forward" else "a token"
        yield Fault(("listen",), f"what others can reach wants tls, or {wanted}")
    if given.users and given.shared_key is None:
        yield Fault(("users",), "users are asked for along with a shared_key", key=True)
    places: dict[tuple[str, ...], SecretPlace | None] = {
        ("shared_key",): given.shared_key,
        ("token",): given.token,
    }
    places |= {("users", name): place for name, place in given.users.items()}
    yield from _of_secrets(places)


def _of_output(given: Output) -> Iterator[Fault]:
    own = _OF_OUTPUTS[given.type]
    for key in dict.fromkeys(key for keys in _OF_OUTPUTS.values() for key in keys):
        if key not in own and getattr(given, key):
            yield Fault((key,), f"{key!r} is not for an output of type {given.type}", key=True)
    if not getattr(given, own[0]):
        yield Fault((), f"an output of type {given.type} needs {own[0]!r}")
    if given.type == "forward":
        yield from _of_forward(given)
    if given.type == "coralogix" and (given.domain is None) == (given.api_url is None):
        yield Fault((), "an output of type coralogix needs 'domain', or the 'api_url' of a proxy")
    secrets = {"password": given.password, "token": given.token, "shared_key": given.shared_key}
    secrets["key"] = given.key
    yield from _of_secrets({(name,): place for name, place in secrets.items()})


def _of_forward(given: Output) -> Iterator[Fault]:
    if given.address and host_and_port(given.address) is None:
        yield Fault(("address",), f"HOST:PORT is wanted, not {given.address!r}")
    if (given.user or given.password) and given.shared_key is None:
        yield Fault(("user",), "a user is told along with a shared_key", key=True)
    if (given.user is None) != (given.password is None):
        yield Fault((), "user and password go together")
    if not given.tls and (given.ca or given.client_certificate or given.client_key):
        yield Fault((), "certificates want tls: true")


def _of_secrets(places: Mapping[tuple[str, ...], SecretPlace | None]) -> Iterator[Fault]:
    for where, place in places.items():
        if place is not None and (place.file is None) == (place.env is None):
            yield Fault(where, "a secret is in a file or in an env variable: one of them")


def _problem(document: Document, fault: Fault) -> Problem:
    return document.problem(fault.where, fault.message, key=fault.key)


@cache
def _validator() -> Any:
    return Draft202012Validator(config_schema())
