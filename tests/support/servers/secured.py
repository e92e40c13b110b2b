"""OpenSearch with TLS, basic auth, client certificates and roles.

For 3.8.0 Maven Central's newest security plugin is one made for 3.4.0, which the server takes once its
descriptor says 3.8.0 and its copies of the BouncyCastle jars, which the server has itself, are gone. Good
enough for tests.
"""

import functools
import re
import secrets
import ssl
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from servers.artifacts import obtain
from servers.certificates import Authority, Pair
from servers.client import CLUSTER_HEALTH, Answer, Client
from servers.failures import ServerError
from servers.lines import Line, chosen_line
from servers.opensearch import distribution
from servers.server import Server

_SETTINGS: dict[str, object] = {
    **{
        f"plugins.security.ssl.{layer}.{setting}": file
        for layer in ("transport", "http")
        for setting, file in (
            ("pemcert_filepath", "node.pem"),
            ("pemkey_filepath", "node.key.pem"),
            ("pemtrustedcas_filepath", "authority.pem"),
        )
    },
    "plugins.security.ssl.http.enabled": True,
    "plugins.security.ssl.http.clientauth_mode": "OPTIONAL",
    "plugins.security.ssl.transport.enforce_hostname_verification": False,
    "plugins.security.nodes_dn": ["CN=node"],
    "plugins.security.authcz.admin_dn": ["CN=superuser"],
    "plugins.security.restapi.roles_enabled": ["all_access"],
    "plugins.security.allow_default_init_securityindex": True,
    "plugins.security.audit.type": "noop",
}


class Secured:
    """The secured server: `url`, `ca` (path of the authority's certificate), `admin` (user and password)."""

    def __init__(self) -> None:
        line = chosen_line()
        secured = distribution(
            line,
            settings=_SETTINGS,
            prepare=functools.partial(self._prepare, line),
            scheme="https",
            up_paths=(CLUSTER_HEALTH, "/_plugins/_security/health?mode=strict"),
        )
        self.admin = ("admin", secrets.token_urlsafe(24))
        self.server = Server(secured, self._connect)
        self.url = self.server.url

    @property
    def ca(self) -> Path:
        """PEM file that a client has to trust."""
        return self._authority.certificate

    def start(self) -> None:
        """Start it, and give `admin` its password; the server is gone if this fails."""
        self.server.start()
        try:
            self._must("PUT", "/internalusers/admin", {"password": self.admin[1], "backend_roles": ["admin"]})
        except BaseException:
            self.server.stop()
            raise

    def request(
        self, method: str, path: str, body: object = None, *, user: tuple[str, str] | None = None
    ) -> Answer:
        """One request with TLS verified, as `user` (name, password), by default the admin."""
        return Client(self.url, self._trust(), user or self.admin).request(method, path, body)

    def put_role(self, name: str, role: dict[str, Any]) -> None:
        """Make or replace a role; `role` is the body of the security API."""
        self._must("PUT", f"/roles/{name}", role)

    def put_user(self, name: str, roles: Sequence[str]) -> tuple[str, str]:
        """Make or replace a user with these roles; returns name and a new password."""
        password = secrets.token_urlsafe(24)
        self._must(
            "PUT", f"/internalusers/{name}", {"password": password, "opendistro_security_roles": list(roles)}
        )
        return name, password

    def put_certificate(self, name: str, roles: Sequence[str]) -> Pair:
        """A client certificate `CN=name`, whose bearer has these roles, which nobody else then has."""
        for role in roles:
            self._must("PUT", f"/rolesmapping/{role}", {"users": [name]})
        return self._authority.issue(name)

    def _prepare(self, line: Line, home: Path) -> None:
        self._authority = Authority(home / "config")
        self._authority.issue("node")
        self._superuser = self._authority.issue("superuser")
        _install_plugin(line, home)

    def _connect(self, url: str) -> Client:
        """The superuser's certificate may do what no user may, such as give the first password."""
        context = self._trust()
        context.load_cert_chain(self._superuser.certificate, self._superuser.key)
        return Client(url, context)

    def _trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.ca))

    def _must(self, method: str, path: str, body: object) -> None:
        answer = self.server.client.request(method, f"/_plugins/_security/api{path}", body)
        if answer.status not in (200, 201):
            raise ServerError(f"{method} {path}: {answer.status} {answer.body}")


@contextmanager
def start_secured() -> Iterator[Secured]:
    """A secured OpenSearch of its own, up; removed afterwards."""
    secured = Secured()
    secured.start()
    try:
        yield secured
    finally:
        secured.server.stop()


def _install_plugin(line: Line, home: Path) -> None:
    """What `opensearch-plugin install` does with the zip; it would refuse that of 3.8.0 for its version."""
    plugin = home / "plugins" / "opensearch-security"
    config = home / "config" / "opensearch-security"
    with zipfile.ZipFile(obtain(line.security)) as archive:
        for name in archive.namelist():
            if not re.fullmatch(r"bc.*-fips-.*\.jar", name):
                archive.extract(name, plugin)
    (plugin / "config").rename(config)
    descriptor = plugin / "plugin-descriptor.properties"
    accepted = f"opensearch.version={line.version}"
    descriptor.write_text(re.sub(r"(?m)^opensearch\.version=.*$", accepted, descriptor.read_text()))
    _enable_client_certificates(config / "config.yml")


def _enable_client_certificates(file: Path) -> None:
    text, count = re.subn(
        r"(clientcert_auth_domain:.*?http_enabled: )false", r"\1true", file.read_text(), count=1, flags=re.S
    )
    assert count == 1, "the plugin's config.yml has no clientcert_auth_domain"
    file.write_text(text)
