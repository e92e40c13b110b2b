"""What goes wrong on the way to a running server."""


class ServerError(Exception):
    """A test server can't be had or did not come up; the message says what to do or shows the log's end."""
