"""A parser for syslog-ng's `python()` parser: GuardDuty's fields as name-value pairs of the message.

    parser p_guardduty { python(class("guardduty_lens.shippers.syslog_ng.LensParser") options("prefix"
    "gd.")); };

Options: `prefix` (before every name, default `gd.`), `fields` (a folder of your own), `severity_scheme`,
`key` (what is read, default MESSAGE). Values are text: numbers and booleans as JSON writes them, lists as
JSON arrays. The whole record, as JSON, is in `<prefix>record`.
"""

import logging
from collections.abc import Mapping
from typing import Any

import msgspec

from guardduty_lens.lens import Lens
from guardduty_lens.record import Record

DEFAULT_PREFIX = "gd."
_log = logging.getLogger(__name__)


class LensParser:
    """What syslog-ng makes once, asks to `init`, and gives each message to `parse`."""

    def init(self, options: Mapping[Any, Any]) -> bool:
        """Read the options. False, with a line in the log, makes syslog-ng refuse the configuration."""
        given = {_text(key): _text(value) for key, value in options.items()}
        self._prefix = given.get("prefix", DEFAULT_PREFIX)
        self._key = given.get("key", "MESSAGE")
        try:
            self._lens = Lens(
                fields=given.get("fields"),
                severity_scheme=given.get("severity_scheme", "aws"),
                extractors=None,
            )
        except ValueError as error:
            _log.error("guardduty-lens: %s", error)
            return False
        return True

    def deinit(self) -> None:
        """End; there is nothing to let go."""

    def parse(self, message: Any) -> bool:
        """Add the fields to a message; what holds not exactly one event is left as it is, and passes."""
        found = list(self._lens.process(_text(message[self._key]).strip(), "syslog-ng"))
        if len(found) != 1 or not isinstance(found[0], Record):
            return True
        record = found[0]
        for name, value in record.fields.items():
            message[self._prefix + name] = value if isinstance(value, str) else _json(value)
        message[f"{self._prefix}record"] = record.to_json().decode()
        return True


def _text(value: Any) -> str:
    """Give text: syslog-ng 3 hands bytes over, syslog-ng 4 text."""
    return value.decode(errors="surrogateescape") if isinstance(value, bytes) else str(value)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
