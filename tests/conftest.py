"""What tests of several folders ask for: an OpenSearch, an AWS account, and a browser."""

import os
from collections.abc import Generator, Iterator

import pytest
from aws_account import environment, moto_server, reset
from playwright.sync_api import Browser, sync_playwright
from programs import extend_path, program, skipped_where_missing
from servers import start_container, start_opensearch

# Nothing of a browser's own may look like the page's doing.
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

extend_path()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Generator[None, object, object]:
    return (yield from skipped_where_missing())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, object, object]:
    return (yield from skipped_where_missing())


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    path = program("chromium", "chromium")
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=path, args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def opensearch_url() -> Iterator[str]:
    """URL of a plain OpenSearch without security.

    OPENSEARCH_URL points at another; OPENSEARCH_IMAGE names an image for a Docker engine to run instead.
    """
    url, image = os.environ.get("OPENSEARCH_URL"), os.environ.get("OPENSEARCH_IMAGE")
    if url:
        yield url.rstrip("/")
    elif image:
        with start_container(image) as started:
            yield started
    else:
        with start_opensearch() as server:
            yield server.url


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    """URL of moto's server."""
    with moto_server() as url:
        yield url


@pytest.fixture
def account(moto_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """An AWS account with nothing in it, by the environment's variables."""
    variables = environment(moto_url)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    yield variables
    reset(moto_url)
