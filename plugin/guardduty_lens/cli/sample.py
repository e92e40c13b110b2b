"""`guardduty-lens sample`: realistic findings, made offline."""

from datetime import UTC, datetime
from typing import BinaryIO

import click

from guardduty_lens.samples import END, SHAPES, generate_payloads


@click.command("sample")
@click.option(
    "-n", "--count", type=click.IntRange(min=0), default=100, show_default=True, help="How many findings."
)
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same bytes.")
@click.option(
    "--shape", type=click.Choice(SHAPES), default="eventbridge", show_default=True, help="How they arrive."
)
@click.option(
    "--until",
    metavar="DATE|now",
    help="Spread them over the 30 days before this, such as 2026-03-01 or 2026-03-01T12:00:00Z. "
    "[default: 2026-02-14]",
)
@click.option(
    "-o", "--output", type=click.File("wb", lazy=False), default="-", help="Where they go. [default: -]"
)
def command(count: int, seed: int, shape: str, until: str | None, output: BinaryIO) -> None:
    """Make realistic, varied findings of every active type, updates of the same finding among them.

    Accounts, addresses and names are those reserved for documentation.
    """
    for payload in generate_payloads(count, seed, shape, END if until is None else _milliseconds(until)):
        output.write(payload + b"\n")


def _milliseconds(until: str) -> int:
    """Read a date, in UTC unless it says otherwise. Raises click.BadParameter."""
    if until == "now":
        return int(datetime.now(UTC).timestamp() * 1000)
    try:
        moment = datetime.fromisoformat(until)
    except ValueError as error:
        raise click.BadParameter(f"{until!r} is neither a date nor now", param_hint="--until") from error
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
