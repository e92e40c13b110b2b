"""The options by which dead letters of a run are replayed to where its records went."""

import shlex
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from guardduty_lens.inputs.files import STANDARD

_OF_ONE_RUN = frozenset(
    {"output", "dead_letters", "summary", "workers", "unbuffered", "quiet", "allow_empty", "protocol"}
    | {"accounts", "since", "until", "cursor", "region", "dry_run", "rate"}
)
"""What says neither which records are made nor where they go. Of secrets, options give the files alone."""


def options_again(output: Path) -> str:
    """Give the options of the command that runs, as they were given, for a shell.

    A file of records is not written a second time, since that would take the place of the first ones.
    """
    context = click.get_current_context()
    words = [
        word
        for option in context.command.params
        if isinstance(option, click.Option) and option.name is not None and option.name not in _OF_ONE_RUN
        if context.get_parameter_source(option.name) is ParameterSource.COMMANDLINE
        for word in _words(option, context.params[option.name])
    ]
    if output != STANDARD:
        words += ["--output", str(output if context.params["to"] == "parquet" else _free_beside(output))]
    return "".join(f" {shlex.quote(word)}" for word in words)


def _words(option: click.Option, value: Any) -> Iterator[str]:
    name = max(option.opts, key=len)
    if value is True:
        yield name
        return
    for each in value if isinstance(value, tuple) else [value]:
        yield from (name, f"{each:g}" if isinstance(each, float) else str(each))


def _free_beside(path: Path) -> Path:
    return next(other for n in count(1) if not (other := path.with_suffix(f".{n}{path.suffix}")).exists())
