"""The Notifications plugin: channels, by state. What a channel's test sends is the test's own to deliver."""

import re
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from plugins.refusals import UnrecordedError, no_body, refusal
from plugins.requests import Request, Route, routed

ROOT = "/_plugins/_notifications/"
_ILLEGAL = "illegal_argument_exception"
_KINDS = {
    *("slack", "chime", "microsoft_teams", "webhook", "email", "sns"),
    *("ses_account", "smtp_account", "email_group"),
}
_CHANNELS = ("slack", "chime", "microsoft_teams", "webhook", "email", "sns")
_FEATURES = {
    "allowed_config_type_list": [
        *("slack", "chime", "microsoft_teams", "webhook", "email", "sns"),
        *("ses_account", "smtp_account", "email_group"),
    ],
    "plugin_features": {"tooltip_support": "true"},
}
_HOSTS = {
    "slack": (
        r"https://(hooks\.slack\.com|hooks\.gov-slack\.com)/services/",
        'Wrong Slack url. Should contain "hooks.slack.com/services/" or "hooks.gov-slack.com/services/"',
    ),
    "chime": (
        r"https://hooks\.chime\.aws/incomingwebhooks/.*\?token=",
        'Wrong Chime url. Should contain "hooks.chime.aws/incomingwebhooks/" and "?token="',
    ),
    "microsoft_teams": (
        r"https://[^/]*webhook\.office\.com",
        'Wrong Microsoft Teams url. Should contain "webhook.office.com"',
    ),
}
_READ = ("slack", "chime", "microsoft_teams", "webhook")
"""Kinds of which it was recorded how they are given back, or that have the form of such a one."""

Deliver = Callable[[dict[str, Any]], tuple[int, str]]
"""Sends a test message by a channel: the status and words of the delivery."""


def _now() -> int:
    return int(time.time() * 1000)


def _undelivered(config: dict[str, Any]) -> tuple[int, str]:
    raise UnrecordedError(f"a test message by {config['name']}: the test gave nothing that delivers it")


class NotificationsPlugin:
    """Channels and accounts by their ids, each with its `config`."""

    def __init__(self, deliver: Deliver = _undelivered, now: Callable[[], int] = _now) -> None:
        self.configs: dict[str, dict[str, Any]] = {}
        self.requests: list[tuple[str, str]] = []
        self._deliver, self._now, self._ids = deliver, now, 0
        one = {"GET": self._get, "PUT": self._put, "DELETE": self._delete}
        listing = frozenset({"config_id_list", "config_type", "is_enabled"})
        self._routes = [
            Route("features", {"GET": lambda request, name: (200, _FEATURES)}),
            Route("channels", {"GET": self._channels}),
            Route("configs", {"GET": self._list, "POST": self._post, "DELETE": self._delete}, listing),
            Route("configs/*", one),
            Route("feature/test/*", {"GET": self._test, "POST": self._test}),
        ]

    def answer(self, request: Request) -> tuple[int, Any]:
        self.requests.append((request.method, request.path))
        return routed(request, ROOT, self._routes, set())

    def _post(self, request: Request, _: str) -> tuple[int, Any]:
        if not request.body:
            raise no_body()
        body = request.json
        identifier = body.get("config_id")
        if identifier is not None:
            wrong = "".join(dict.fromkeys(re.findall(r"[^\w+/=-]", identifier)))
            if wrong or not identifier:
                raise refusal(_ILLEGAL, f"Invalid characters in id : {wrong}")
        config = self._read(body)
        if identifier is None:
            self._ids += 1
            identifier = f"channels-{self._ids:011}"
        if identifier in self.configs:
            said = f"Document version conflict putting {identifier} in index .opensearch-notifications-config"
            raise refusal("status_exception", said, 409)
        now = self._now()
        self.configs[identifier] = {"last_updated_time_ms": now, "created_time_ms": now, "config": config}
        return 200, {"config_id": identifier}

    def _put(self, request: Request, identifier: str) -> tuple[int, Any]:
        config = self._read(request.json)
        there = self._present([identifier], "NotificationConfig {} not found")[identifier]
        if there["config"]["config_type"] != config["config_type"]:
            raise refusal("status_exception", "Config type cannot be changed after creation", 409)
        there |= {"config": config, "last_updated_time_ms": self._now()}
        return 200, {"config_id": identifier}

    def _read(self, body: dict[str, Any]) -> dict[str, Any]:
        """Read a channel. Raises RefusalError, UnrecordedError."""
        config = body.get("config")
        if config is None:
            raise refusal(_ILLEGAL, "config field absent")
        if "name" not in config:
            raise refusal(_ILLEGAL, "name field absent")
        kind = config.get("config_type")
        if kind is None or kind in ("ses_account", "email_group"):
            raise UnrecordedError(f"a channel of the kind {kind}")
        if kind not in _KINDS:
            raise refusal("status_exception", "NotificationConfig with type NONE is not acceptable", 406)
        if kind not in config:
            raise refusal(_ILLEGAL, f"ConfigType: {kind} and data doesn't match")
        inner = self._inner(kind, config[kind])
        about = {"name": config["name"], "description": config.get("description", ""), "config_type": kind}
        return about | {"is_enabled": config.get("is_enabled", True), kind: inner}

    def _inner(self, kind: str, given: dict[str, Any]) -> dict[str, Any]:
        if kind in _READ:
            _check_url(kind, given)
            written = {"header_params": {}, "method": "POST"} if kind == "webhook" else {}
            return written | given
        if kind == "sns" and not re.fullmatch(r"arn:aws[\w-]*:sns:[\w-]+:\d{12}:[\w.-]+", given["topic_arn"]):
            raise refusal(_ILLEGAL, f"Invalid AWS SNS topic ARN: {given['topic_arn']}")
        addresses = [each["recipient"] for each in given.get("recipient_list", ())]
        if "from_address" in given:
            addresses.append(given["from_address"])
        if not all(re.fullmatch(r"[^@\s]+@[^@\s]+", each) for each in addresses):
            raise refusal(_ILLEGAL, "Invalid email address")
        account = given.get("email_account_id")
        if kind == "email" and account not in self.configs:
            raise refusal("status_exception", f"Config IDs not found:[{account}]", 404)
        return given

    def _present(self, identifiers: list[str], said: str) -> dict[str, dict[str, Any]]:
        missing = [each for each in identifiers if each not in self.configs]
        if missing:
            raise refusal("status_exception", said.format(", ".join(missing)), 404)
        return {each: self.configs[each] for each in identifiers}

    def _chosen(self, request: Request) -> dict[str, dict[str, Any]]:
        query = request.query
        if "config_id_list" in query:
            return self._present(query["config_id_list"].split(","), "NotificationConfig [{}] not found")
        return {
            name: each
            for name, each in self.configs.items()
            if each["config"]["config_type"] == query.get("config_type", each["config"]["config_type"])
            and str(each["config"]["is_enabled"]).lower() in query.get("is_enabled", "true,false")
        }

    def _list(self, request: Request, _: str) -> tuple[int, Any]:
        return 200, _told("config_list", [_shown(name, each) for name, each in self._chosen(request).items()])

    def _get(self, _: Request, identifier: str) -> tuple[int, Any]:
        there = self._present([identifier], "NotificationConfig {} not found")
        return 200, _told("config_list", [_shown(identifier, there[identifier])])

    def _channels(self, request: Request, _: str) -> tuple[int, Any]:
        members = ("name", "description", "config_type", "is_enabled")
        channels = [
            {"config_id": name} | {member: each["config"][member] for member in members}
            for name, each in self.configs.items()
            if each["config"]["config_type"] in _CHANNELS
        ]
        return 200, _told("channel_list", channels)

    def _delete(self, request: Request, identifier: str) -> tuple[int, Any]:
        if identifier:
            there = self._present([identifier], "NotificationConfig {} not found")
        elif "config_id_list" in request.query:
            there = self._chosen(request)
        else:
            raise UnrecordedError("deleting channels without ids")
        for each in there:
            del self.configs[each]
        return 200, {"delete_response_list": dict.fromkeys(there, "OK")}

    def _test(self, _: Request, identifier: str) -> tuple[int, Any]:
        there = self.configs.get(identifier)
        if there is None:
            raise _failed(identifier, "none", "invalid-config", 404, f"Channel {identifier} not found")
        config = there["config"]
        if not config["is_enabled"]:
            raise refusal("status_exception", 'For input string: "LOCKED"')
        if config["config_type"] not in _READ:
            raise UnrecordedError(f"a test message by {config['config_type']}")
        status, words = self._deliver(config)
        if status != 200:
            raise _failed(identifier, config["config_type"], config["name"], status, words)
        source = {"title": f"Test Message Title-{identifier}", "reference_id": identifier}
        told = {"config_id": identifier, "config_type": config["config_type"], "config_name": config["name"]}
        told |= {
            "email_recipient_status": [],
            "delivery_status": {"status_code": "200", "status_text": words},
        }
        return 200, {"event_source": source | {"severity": "info", "tags": []}, "status_list": [told]}


def _check_url(kind: str, given: dict[str, Any]) -> None:
    if "url" not in given:
        raise refusal(_ILLEGAL, "url field absent")
    url = given["url"]
    if not url:
        raise refusal(_ILLEGAL, "URL is null or empty")
    scheme = urlsplit(url).scheme
    if not scheme:
        raise refusal("malformed_u_r_l_exception", f"no protocol: {url}", 500)
    if scheme not in ("http", "https"):
        raise refusal(_ILLEGAL, "Invalid URL or unsupported")
    pattern, said = _HOSTS.get(kind, ("", ""))
    if not re.match(pattern, url):
        raise refusal("status_exception", said)


def _failed(identifier: str, kind: str, name: str, status: int, words: str) -> Exception:
    delivery = f'{{"status_code":"{status}","status_text":"{words}"}}'
    about = f'"config_id":"{identifier}","config_type":"{kind}","config_name":"{name}"'
    said = f'{{{about},"email_recipient_status":[],"delivery_status":{delivery}}}'
    return refusal("status_exception", f'{{"event_status_list": [{said}]}}', status)


def _shown(identifier: str, there: dict[str, Any]) -> dict[str, Any]:
    kind = there["config"]["config_type"]
    if kind not in _READ:
        raise UnrecordedError(f"reading a channel of the kind {kind}")
    return {"config_id": identifier, **there}


def _told(name: str, listed: list[dict[str, Any]]) -> dict[str, Any]:
    return {"start_index": 0, "total_hits": len(listed), "total_hit_relation": "eq", name: listed}
