from collections.abc import Iterator

import pytest
from servers import Secured, start_elasticsearch, start_secured


@pytest.fixture(scope="session")
def secured() -> Iterator[Secured]:
    """OpenSearch with TLS, basic auth, client certificates and roles."""
    with start_secured() as server:
        yield server


@pytest.fixture(scope="session")
def elasticsearch_url() -> Iterator[str]:
    """URL of an Elasticsearch without security; it lacks ingest-common, painless and mapper-extras."""
    with start_elasticsearch() as server:
        yield server.url
