"""What a start of `serve` would fail of, looked for before anything begins, and told all at once."""

import errno
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

from guardduty_lens.catalogue.load import find_scheme
from guardduty_lens.extras import MissingExtraError, require
from guardduty_lens.lens import Lens
from guardduty_lens.opensearch.client import Connection, Secret
from guardduty_lens.opensearch.names import Names
from guardduty_lens.outputs.places import why_not_writable
from guardduty_lens.rules import Rule, rules_of
from guardduty_lens.serve.config import (
    LISTEN,
    OF_AWS,
    Config,
    ConfigError,
    Input,
    Output,
    SecretPlace,
    client_tls_of,
    host_and_port,
    name_of,
    read_config,
    secret_of,
    tls_of,
)


def checked_config(path: Path, warn: Callable[[str], object] | None = None) -> Config:
    """Read a configuration, and look at everything that it names. Raises ConfigError, with all faults.

    `warn` is told of files that cannot be written, instead: `serve` tries an output that is down until it is
    not, and a disk may be mounted later.
    """
    config, problems = read_config(path)
    if config is not None:
        problems += _faults(config, path.parent)
        for fault in _unwritable(config, path.parent):
            (problems.append if warn is None else warn)(fault)
    if config is None or problems:
        raise ConfigError(problems)
    return config


def extras_of(config: Config) -> dict[str, str]:
    """Give the extras that a configuration needs, and what in it needs each."""
    types = {given.type for given in config.inputs}
    needed = {"forward": "serve"}
    if "http" in types:
        needed["http"] = "an http input"
    outputs = {given.type for given in config.outputs}
    of_aws = [f"an input of type {name}" for name in OF_AWS if name in types]
    if any(given.aws_region and given.type == "opensearch" for given in config.outputs):
        of_aws.append("aws_region of an output")
    if of_aws:
        needed["aws"] = of_aws[0]
    needed |= {name: f"an output of type {name}" for name in ("opensearch", "coralogix") if name in outputs}
    return needed


def lens_of(config: Config, folder: Path) -> Lens:
    """Make the lens. Raises ValueError: CatalogueError, ExtractorError."""
    return Lens(
        fields=folder / config.fields if config.fields is not None else None,
        field_prefix=config.field_prefix,
        severity_scheme=find_scheme(config.severity_scheme),
        wrapper_keys=config.wrapper_keys,
    )


def filters_of(config: Config, lens: Lens) -> list[Rule]:
    """Make the rules of the filters. Raises RuleError."""
    filters = config.filters
    return rules_of(
        only=filters.only,
        least_severity=None if filters.min_severity is None else str(filters.min_severity),
        without_samples=filters.exclude_samples,
        without_archived=filters.exclude_archived,
        drop=filters.drop_if,
        keep=filters.keep_if,
        scheme=lens.plan.scheme,
        types=lens.field_types(),
    )


def connection_of(given: Output, folder: Path) -> Connection:
    """Make the connection of an output of type opensearch. Raises ConfigError, ConnectionOptionsError."""

    def secret(place: SecretPlace | None, what: str) -> Secret | None:
        return secret_of(place, what, folder) if place is not None else None

    return Connection(
        urls=tuple(given.url),
        user=given.user,
        password=secret(given.password, "password"),
        token=secret(given.token, "token"),
        aws_region=given.aws_region,
        aws_service=given.aws_service,
        ca=folder / given.ca if given.ca is not None else None,
    )


def place_of(given: Input) -> tuple[str, int] | None:
    """Give where an input listens; None of one that asks."""
    text = given.listen or LISTEN.get(given.type)
    return host_and_port(text) if text is not None else None


def _faults(config: Config, folder: Path) -> Iterator[str]:
    try:
        require(extras_of(config))
    except MissingExtraError as error:
        yield str(error)
    yield from _of_lens(config, folder)
    for number, given in enumerate(config.inputs, 1):
        yield from (f"input {number} ({given.type}): {fault}" for fault in _of_input(given, folder))
    for at, output in enumerate(config.outputs):
        yield from (f"output {name_of(output, at)}: {fault}" for fault in _of_output(output, folder))


def _unwritable(config: Config, folder: Path) -> Iterator[str]:
    for at, output in enumerate(config.outputs):
        if (
            output.type == "file"
            and output.path
            and (fault := why_not_writable(folder / output.path, "'path'"))
        ):
            yield f"output {name_of(output, at)}: {fault}"
    if fault := why_not_writable(folder / config.dead_letters, "'dead_letters'"):
        yield f"dead_letters: {fault}"


def _of_lens(config: Config, folder: Path) -> Iterator[str]:
    try:
        lens = lens_of(config, folder)
    except ValueError as error:
        yield str(error)
        return
    try:
        filters_of(config, lens)
    except ValueError as error:
        yield f"filters: {error}"


def _of_input(given: Input, folder: Path) -> Iterator[str]:
    secrets = {"shared_key": given.shared_key, "token": given.token}
    yield from _of_secrets(secrets | {f"user {name}": each for name, each in given.users.items()}, folder)
    if given.tls is not None:
        try:
            tls_of(given.tls, folder)
        except ConfigError as error:
            yield from error.problems
    if given.memory is not None and (fault := why_not_writable(folder / given.memory, "'memory'")):
        yield f"memory: {fault}"
    place = place_of(given)
    if place is not None and (fault := _why_not_bound(*place)):
        yield fault


def _of_output(given: Output, folder: Path) -> Iterator[str]:
    places = {
        "password": given.password,
        "token": given.token,
        "shared_key": given.shared_key,
        "key": given.key,
    }
    faults = list(_of_secrets(places, folder))
    yield from faults
    if given.ca is not None and not (folder / given.ca).is_file():
        yield f"ca: there is no file {folder / given.ca}"
    try:
        if given.type == "forward":
            client_tls_of(given, folder)
        elif given.type == "opensearch" and given.url and not faults:
            Names(given.index_prefix)
            connection_of(given, folder)
    except ValueError as error:
        yield str(error)


def _of_secrets(places: dict[str, SecretPlace | None], folder: Path) -> Iterator[str]:
    for what, place in places.items():
        if place is None or (place.file is None) == (place.env is None):  # the second is told with its place
            continue
        try:
            secret_of(place, what, folder)
        except ConfigError as error:
            yield from error.problems


def _why_not_bound(host: str, port: int) -> str | None:
    """Say why an input cannot listen there; a port in use is none, since another `serve` may have it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as bound:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind((host, port))
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            return f"cannot listen on {host}:{port}: {error.strerror}; name an address of this machine"
    return None
