import os
from collections.abc import Iterator

import pytest
from servers import Secured, start_container, start_elasticsearch, start_opensearch, start_secured


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
def secured() -> Iterator[Secured]:
    """OpenSearch with TLS, basic auth, client certificates and roles."""
    with start_secured() as server:
        yield server


@pytest.fixture(scope="session")
def elasticsearch_url() -> Iterator[str]:
    """URL of an Elasticsearch without security; it lacks ingest-common, painless and mapper-extras."""
    with start_elasticsearch() as server:
        yield server.url
