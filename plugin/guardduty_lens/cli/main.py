"""The command `guardduty-lens`. Commands are imported when they are called, so that it starts fast."""

import os
import sys
from importlib import import_module
from typing import Any

import click

from guardduty_lens.cli import signals
from guardduty_lens.cli.groups import Group
from guardduty_lens.inputs.files import Unread
from guardduty_lens.version import __version__

EXIT_DONE = 0
EXIT_REJECTED = 1
EXIT_USAGE = 2
EXIT_UNDELIVERED = 3

# name: (module in guardduty_lens.cli, what it does in a line)
COMMANDS = {
    "filter": ("filter", "Enrich findings: JSON in, JSON lines out."),
    "replay": ("replay", "Send dead letters and archives through again."),
    "enqueue": ("enqueue", "Put the keys of an archive in S3 on the index queue."),
    "fields": ("fields", "List, lint, test and document the fields."),
    "compile": ("compile", "Write what other engines run, from the same fields."),
    "report": ("report", "Make the dashboards as one offline page."),
    "tag": ("tag", "Mark a deployment, so that findings are seen beside it."),
    "serve": ("serve", "Run between shippers and outputs, and acknowledge what is delivered."),
    "sample": ("sample", "Make realistic findings, offline."),
    "install": ("install", "Put what the records need into a cluster."),
    "plan": ("plan", "Say what install would do."),
    "status": ("status", "Say what is installed, and whether it is as it was put."),
    "uninstall": ("uninstall", "Take away what install put there."),
    "prune": ("prune", "Delete closed findings from the state."),
}


class _LazyGroup(Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:  # noqa: ARG002
        if name not in COMMANDS:
            return None
        command = import_module(f"guardduty_lens.cli.{COMMANDS[name][0]}").command
        return command if isinstance(command, click.Command) else None

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with signals.handled():
                result = super().invoke(ctx)
                sys.stdout.flush()
        except signals.Stopped as stopped:
            click.echo(f"guardduty-lens: {stopped}", err=True)
            _forget_standard_output()
            ctx.exit(stopped.exit_code)
        except Unread as error:
            click.echo(f"guardduty-lens: could not read {error}", err=True)
            ctx.exit(EXIT_UNDELIVERED)
        except OSError as error:
            click.echo(f"guardduty-lens: could not deliver: {_where(error)}", err=True)
            _forget_standard_output()
            ctx.exit(EXIT_UNDELIVERED)
        return result

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


def _where(error: OSError) -> str:
    """Say what a failure was of: what has no name is standard output."""
    return f"{error.filename or 'standard output'}: {error.strerror or error}"


def _forget_standard_output() -> None:
    """Let what is still buffered go nowhere: Python would try it again, and complain, when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="guardduty-lens")
def main() -> None:
    """Amazon GuardDuty in the log stack you already run.

    Exit codes: 0 done, 1 some input was rejected (it is in the dead letters) or there was nothing to
    read, 2 wrong use or configuration, 3 could not read or deliver, 130 or 143 ended by SIGINT or SIGTERM.
    """
