"""What goes wrong on the way to a running server."""


class ServerError(Exception):
    """A test server can't be had or did not come up; the message says what to do or shows the log's end."""


class MissingError(ServerError):
    """The machine lacks a program, and this process can't install it: `needs NAME: what to do`.

    `packaged` is False where its distribution has no such package, so that root can't install it either.
    """

    def __init__(self, name: str, advice: str, *, packaged: bool = True) -> None:
        super().__init__(f"needs {name}: {advice}")
        self.name = name
        self.packaged = packaged
