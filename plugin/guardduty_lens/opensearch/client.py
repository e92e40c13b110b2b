"""A connection to a cluster: where it is, how we say who we are, and whom we trust.

TLS is always verified. A secret is shown by nothing here: neither by `repr`, nor in a log or an error.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import SplitResult, urlsplit

import msgspec

from guardduty_lens.extras import MissingExtraError, require
from guardduty_lens.version import __version__

if TYPE_CHECKING:
    import ssl

    from opensearchpy import OpenSearch

DEFAULT_TIMEOUT_SECONDS = 60.0
DEFAULT_GIVE_UP_AFTER_SECONDS = 300.0
"""How long a batch is tried again while the cluster does not confirm it."""
DEFAULT_CONNECTIONS = 4
_PORTS = {"http": 9200, "https": 443}
_LONGEST_SECRET = 64 * 1024

AwsService = Literal["es", "aoss"]


class ConnectionOptionsError(ValueError):
    """Options that no connection can be made of; the message names the option, and holds no secret."""


class Secret:
    """A text that is given only to who asks for it by name."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Give the text itself."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(***)"


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """How to reach a cluster: one or several URLs of its nodes, and at most one way to say who we are.

    The ways are `user` with `password`, a bearer `token`, or AWS's signature version 4 for `aws_region`; a
    client certificate (`client_cert`, with its key there or in `client_key`) goes with any of them, or alone.
    `ca` is a PEM file of authorities to trust instead of the system's.
    """

    urls: tuple[str, ...]
    user: str | None = None
    password: Secret | None = None
    token: Secret | None = None
    aws_region: str | None = None
    aws_service: AwsService = "es"
    ca: Path | None = None
    client_cert: Path | None = None
    client_key: Path | None = None
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
    connections: int = DEFAULT_CONNECTIONS

    def __post_init__(self) -> None:
        """Raise ConnectionOptionsError for options that contradict each other."""
        if not self.urls:
            raise ConnectionOptionsError("no URL of a cluster is given (--url)")
        if (self.user is None) != (self.password is None):
            raise ConnectionOptionsError(
                "a user and a password go together: --user, and --password-file or GUARDDUTY_LENS_PASSWORD"
            )
        if sum(way is not None for way in (self.user, self.token, self.aws_region)) > 1:
            raise ConnectionOptionsError("only one of --user, a token and --aws-region can say who we are")
        if self.client_key is not None and self.client_cert is None:
            raise ConnectionOptionsError("--client-key needs --client-cert")
        for url in self.urls:
            _check_url(url, secret=self.password is not None or self.token is not None)


def connect(connection: Connection) -> "OpenSearch":
    """Make a client of opensearch-py; nothing is sent yet, and the client itself retries nothing.

    Raises ConnectionOptionsError: a certificate that cannot be read, no AWS credentials, or opensearch-py
    (for AWS: boto3) is not installed.
    """
    _require(connection)
    from opensearchpy import OpenSearch

    return OpenSearch(
        hosts=[_host(urlsplit(url)) for url in connection.urls],
        http_auth=_auth(connection),
        headers=_headers(connection),
        ssl_context=_tls(connection),
        timeout=connection.timeout_seconds,
        pool_maxsize=connection.connections,
        max_retries=0,
        retry_on_timeout=False,
    )


def read_secret(path: Path, option: str) -> Secret:
    """Read a secret from a file, without the line break at its end. Raises ConnectionOptionsError."""
    try:
        with path.open("rb") as file:
            raw = file.read(_LONGEST_SECRET + 1)
        text = raw.decode().rstrip("\r\n")
    except OSError as error:
        raise ConnectionOptionsError(f"{option} {path}: {error.strerror}") from error
    except UnicodeDecodeError:
        raise ConnectionOptionsError(f"{option} {path}: it is no UTF-8") from None
    if not text or len(raw) > _LONGEST_SECRET or "\n" in text:
        raise ConnectionOptionsError(f"{option} {path}: it must hold one line, the secret")
    return Secret(text)


def _check_url(url: str, *, secret: bool) -> None:
    """Raise ConnectionOptionsError for a URL that is no node's; what may be a secret in it is not shown."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ConnectionOptionsError("--url: it cannot be read as a URL") from None
    if parts.username is not None or parts.password is not None:
        raise ConnectionOptionsError("--url: a user or password does not go into the URL; use --user")
    if parts.scheme not in _PORTS or not host or parts.query or parts.fragment:
        raise ConnectionOptionsError("--url: it must be like https://host:9200 or http://localhost:9200")
    if secret and parts.scheme == "http" and not _is_loopback(host):
        raise ConnectionOptionsError("--url: a password or token is sent over https only")


def _is_loopback(host: str) -> bool:
    from ipaddress import ip_address

    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _host(url: SplitResult) -> dict[str, Any]:
    host: dict[str, Any] = {
        "host": url.hostname,
        "port": url.port or _PORTS[url.scheme],
        "use_ssl": url.scheme == "https",
    }
    if url.path.strip("/"):
        host["url_prefix"] = url.path.strip("/")
    return host


def _headers(connection: Connection) -> dict[str, str]:
    headers = {"user-agent": f"guardduty-lens/{__version__}"}
    if connection.token is not None:
        headers["authorization"] = f"Bearer {connection.token.reveal()}"
    return headers


def _tls(connection: Connection) -> "ssl.SSLContext | None":
    """Make the TLS context, verifying certificates and host names, where a URL is of https."""
    if not any(url.startswith("https:") for url in connection.urls):
        return None
    import ssl

    try:
        context = ssl.create_default_context(cafile=connection.ca)
    except OSError as error:  # ssl.SSLError is one
        raise ConnectionOptionsError(f"--ca {connection.ca}: {_why(error)}") from error
    if connection.client_cert is not None:
        try:
            context.load_cert_chain(connection.client_cert, connection.client_key, password=_no_passphrase)
        except (OSError, ValueError) as error:
            raise ConnectionOptionsError(f"--client-cert {connection.client_cert}: {_why(error)}") from error
    return context


def _require(connection: Connection) -> None:
    wanted = {"opensearch": "a cluster"} | ({"aws": "--aws-region"} if connection.aws_region else {})
    try:
        require(wanted)
    except MissingExtraError as error:
        raise ConnectionOptionsError(str(error)) from error


def _no_passphrase() -> str:
    """Stand in for OpenSSL's prompt, which would wait on a terminal for ever."""
    raise ValueError("the key has a passphrase; give it without one")


def _why(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _auth(connection: Connection) -> Any:
    """Give what opensearch-py takes: a pair, a function that signs a request, or None."""
    if connection.user is not None and connection.password is not None:
        return (connection.user, connection.password.reveal())
    if connection.aws_region is None:
        return None
    import boto3
    from opensearchpy import Urllib3AWSV4SignerAuth

    credentials = boto3.Session().get_credentials()
    if credentials is None:
        raise ConnectionOptionsError("--aws-region: no AWS credentials were found")
    return Urllib3AWSV4SignerAuth(credentials, connection.aws_region, connection.aws_service)
