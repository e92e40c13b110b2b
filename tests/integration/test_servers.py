"""The servers that the other tests rely on."""

from servers import Client


def test_plain_server_is_the_pinned_opensearch(opensearch_url: str) -> None:
    answer = Client(opensearch_url).request("GET", "/")
    assert answer.status == 200
    assert answer.body["version"]["distribution"] == "opensearch"
    assert answer.body["version"]["number"].startswith("3.")
