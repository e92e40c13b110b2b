"""What goes wrong on the way to a running server."""


class ServerError(Exception):
    """A test server can't be had or did not come up; the message says what to do or shows the log's end."""


class MissingError(ServerError):
    """The machine lacks a program: `needs NAME: what to do`."""

    def __init__(self, name: str, advice: str) -> None:
        super().__init__(f"needs {name}: {advice}")
        self.name = name
