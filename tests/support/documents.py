"""The fenced blocks of the documents, and the commands in them.

An HTML comment directly before a block may say `not run: WHY`, or `file: NAME`, under which a sample is
written before the commands that follow are run. A command that ends with another exit code than 0 says so
itself, in a comment behind it: `# exit code 1`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
SHELL = frozenset({"console", "sh", "bash", "shell"})

_FENCE = re.compile(r"\s*```(?P<language>\S*)\s*$")
_COMMENT = re.compile(r"<!-- (?P<key>not run|file): (?P<value>.+) -->$")
_EXIT_CODE = re.compile(r"\s#.*\bexit code (\d)")


@dataclass
class Command:
    """A command as a reader would copy it, and what the document shows of its output."""

    path: Path
    line: int
    text: str
    shown: list[str] = field(default_factory=list)

    @property
    def place(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line}"

    @property
    def code(self) -> int:
        found = _EXIT_CODE.search(self.text)
        return int(found[1]) if found else 0


@dataclass
class Block:
    """A fenced block; `line` is that of its first line of content."""

    path: Path
    line: int
    language: str
    lines: list[str]
    not_run: str | None = None
    file: str | None = None

    @property
    def place(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line}"

    @property
    def text(self) -> str:
        return "".join(f"{line}\n" for line in self.lines)

    def commands(self) -> list[Command]:
        """Give the commands of a shell's block, continued lines joined."""
        found: list[Command] = []
        continued = False
        for number, line in enumerate(self.lines, self.line):
            if continued or (found and line.startswith("> ")):
                found[-1].text += "\n" + (line.removeprefix("> ") if not continued else line)
            elif self.language != "console" and line.strip() and not line.startswith("#"):
                found.append(Command(self.path, number, line))
            elif line.startswith("$ "):
                found.append(Command(self.path, number, line[2:]))
            elif line.strip() and self.language == "console":
                assert found, f"{self.place}: output of no command"
                found[-1].shown.append(line)
            continued = line.endswith("\\")
        return found


def documents() -> list[Path]:
    """Give the documents whose commands are for people to type."""
    folders = (
        ROOT.glob("docs/**/*.md"),
        ROOT.glob("examples/**/README.md"),
        ROOT.glob("pipelines/**/README.md"),
    )
    return [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *sorted(path for folder in folders for path in folder),
    ]


def blocks(path: Path) -> Iterator[Block]:
    """Give the fenced blocks of a document, in their order."""
    block: Block | None = None
    before = ""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        fence = _FENCE.match(line)
        if fence and block is None:
            block = Block(path, number + 1, fence["language"], [])
            if comment := _COMMENT.match(before):
                setattr(block, comment["key"].replace(" ", "_"), comment["value"])
        elif fence and block is not None:
            yield block
            block = None
        elif block is not None:
            block.lines.append(line)
        before = line
    assert block is None, f"{path}: a block without an end"


def outside(path: Path) -> Iterator[tuple[int, str]]:
    """Give the lines outside fenced blocks, with their numbers."""
    inside = False
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if _FENCE.match(line):
            inside = not inside
        elif not inside:
            yield number, line
