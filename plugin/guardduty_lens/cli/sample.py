"""`guardduty-lens sample`: realistic findings, made offline."""

from typing import BinaryIO

import click

from guardduty_lens.samples import SHAPES, generate_payloads


@click.command("sample")
@click.option(
    "-n", "--count", type=click.IntRange(min=0), default=100, show_default=True, help="How many findings."
)
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same bytes.")
@click.option(
    "--shape", type=click.Choice(SHAPES), default="eventbridge", show_default=True, help="How they arrive."
)
@click.option(
    "-o", "--output", type=click.File("wb", lazy=False), default="-", help="Where they go. [default: -]"
)
def command(count: int, seed: int, shape: str, output: BinaryIO) -> None:
    """Make realistic, varied findings of every active type, updates of the same finding among them.

    Accounts, addresses and names are those reserved for documentation.
    """
    for payload in generate_payloads(count, seed, shape):
        output.write(payload + b"\n")
