"""Writing Python: lines at a depth, fresh variables, and constants by number."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class SourceWriter:
    """The body of a function, and the constants that it names."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.constants: dict[str, Any] = {}
        self._depth = 1
        self._numbers: dict[str, int] = {}

    def __call__(self, line: str) -> None:
        """Write a line at the current depth."""
        self.lines.append("    " * self._depth + line)

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """Write a compound statement; what is written inside is its body. Without a body it is left out."""
        start = len(self.lines)
        self(head)
        self._depth += 1
        yield
        self._depth -= 1
        if len(self.lines) == start + 1:
            self.lines.pop()

    def name(self, kind: str) -> str:
        """Give a new variable's name, such as `n0`."""
        self._numbers[kind] = number = self._numbers.get(kind, -1) + 1
        return f"{kind}{number}"

    def constant(self, value: Any) -> str:
        """Give the name under which the function finds a value."""
        name = self.name("k")
        self.constants[name] = value
        return name

    def function(self, name: str, arguments: str, **known: Any) -> Any:
        """Compile what has been written as the body of a function, and give it."""
        namespace = dict(self.constants) | known
        # What is run is our own text: constants, and so all text from outside, are named by number.
        exec(compile(self.source(name, arguments), f"<{name}>", "exec"), namespace)  # noqa: S102
        return namespace[name]

    def source(self, name: str, arguments: str) -> str:
        """Give the text of the function."""
        return "\n".join([f"def {name}({arguments}):", *self.lines, ""])
