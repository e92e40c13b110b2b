"""A command of commands, which says what was probably meant where there is none of that name."""

import difflib
from pathlib import Path

import click


class Group(click.Group):
    """Names the commands that are like a wrong one, and says where options belong."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read what stands before the command. Raises UsageError that says where its options belong."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            raise click.UsageError(
                f"no such option: {error.option_name}; options of a command come after its name: "
                f"{ctx.command_path} COMMAND {error.option_name}",
                ctx,
            ) from error

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command. Raises UsageError that says what to write instead."""
        name = args[0]
        if self.get_command(ctx, name) is not None or ctx.resilient_parsing:
            return super().resolve_command(ctx, args)
        raise click.UsageError(f"no such command {name!r}{self._advice(ctx, name)}", ctx)

    def _advice(self, ctx: click.Context, name: str) -> str:
        known = self.list_commands(ctx)
        if close := difflib.get_close_matches(name.lower(), known, cutoff=0.7):
            return f"; did you mean {' or '.join(close)}?"
        if "filter" in known and Path(name).exists():
            return f"; to enrich what is in it: {ctx.command_path} filter {name}"
        return f"; there are {', '.join(known)}"
