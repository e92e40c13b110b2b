import os
from collections.abc import Iterator

import pytest
from servers import start_opensearch


@pytest.fixture(scope="session")
def opensearch_url() -> Iterator[str]:
    """URL of a plain OpenSearch without security; OPENSEARCH_URL points at another."""
    given = os.environ.get("OPENSEARCH_URL")
    if given:
        yield given.rstrip("/")
        return
    with start_opensearch() as server:
        yield server.url
