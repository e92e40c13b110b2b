"""What a plugin refuses, in OpenSearch's form, and what no recording tells of."""

from typing import Any


class UnrecordedError(Exception):
    """A request whose answer by the real plugin nobody has recorded: the stand-in has to learn it first."""


class RefusalError(Exception):
    """An answer that refuses a request."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(str(body))
        self.status, self.body = status, body


def refusal(kind: str, reason: str, status: int = 400, *, java: str = "", **more: Any) -> RefusalError:
    """Make a refusal; `java` names the exception behind one that a plugin wraps in its own."""
    cause = {"type": kind, "reason": reason, **more}
    behind = {"caused_by": {"type": "exception", "reason": f"{java}: {reason}"}} if java else {}
    return RefusalError(status, {"error": {"root_cause": [cause], **cause, **behind}, "status": status})


def no_body() -> RefusalError:
    return refusal("parse_exception", "request body is required")


def missing_index(name: str, kind: str = "index_or_alias") -> RefusalError:
    named = {"index": name, "resource.id": name, "resource.type": kind, "index_uuid": "_na_"}
    return refusal("index_not_found_exception", f"no such index [{name}]", 404, **named)
