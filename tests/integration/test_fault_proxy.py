"""The proxy that faults are tried with: what it does to a client, and what the server saw of it."""

import http.client

import pytest
from fault_proxy import Fault, fault_proxy
from servers import Client

_LOST = (OSError, http.client.HTTPException)


def test_request_passes_and_is_remembered(opensearch_url: str) -> None:
    with fault_proxy(opensearch_url) as proxy:
        answer = Client(proxy.url).request("GET", "/_cluster/health?level=cluster")
        assert answer.status == 200
        assert answer.body["status"] in ("green", "yellow")
    assert [(seen.method, seen.path, seen.fault) for seen in proxy.seen] == [
        ("GET", "/_cluster/health?level=cluster", Fault.PASS)
    ]


def test_faults_strike_one_request_each_and_then_end(opensearch_url: str) -> None:
    with fault_proxy(opensearch_url, [Fault.TOO_MANY, Fault.UNAVAILABLE]) as proxy:
        client = Client(proxy.url)
        assert [client.request("GET", "/").status for _ in range(4)] == [429, 503, 200, 200]


@pytest.mark.parametrize(
    ("fault", "done"), [(Fault.CUT_BEFORE, False), (Fault.CUT_AFTER, True), (Fault.CUT_WITHIN, True)]
)
def test_cut_connection_is_an_error_whether_or_not_the_server_acted(
    opensearch_url: str, fault: Fault, done: bool
) -> None:
    index = f"/server-proxy-{fault.name.lower()}"
    direct = Client(opensearch_url)
    try:
        with (
            fault_proxy(opensearch_url, [fault]) as proxy,
            pytest.raises(_LOST),
        ):
            Client(proxy.url).request("PUT", index)
        assert direct.request("HEAD", index).status == (200 if done else 404)
    finally:
        direct.request("DELETE", f"{index}?ignore_unavailable=true")


def test_stalled_request_has_no_answer_and_does_not_hold_up_the_proxy(opensearch_url: str) -> None:
    with fault_proxy(opensearch_url, [Fault.STALL]) as proxy:
        client = Client(proxy.url)
        with pytest.raises(TimeoutError):
            client.request("GET", "/", seconds=0.5)
        assert client.request("GET", "/").status == 200


def test_garbage_is_not_http_and_a_gateway_page_is_not_json(opensearch_url: str) -> None:
    with fault_proxy(opensearch_url, [Fault.GARBAGE, Fault.NOT_JSON]) as proxy:
        client = Client(proxy.url)
        with pytest.raises(http.client.BadStatusLine):
            client.request("GET", "/")
        assert client.request("GET", "/").body == "<html>a gateway's page</html>"


def test_choice_sees_method_path_and_body(opensearch_url: str) -> None:
    def choose(method: str, path: str, body: bytes) -> Fault:
        return Fault.TOO_MANY if method == "POST" and path == "/_bulk" and b"poison" in body else Fault.PASS

    with fault_proxy(opensearch_url, choose=choose) as proxy:
        client = Client(proxy.url)
        assert client.request("POST", "/_bulk", b'{"delete":{"_index":"poison","_id":"1"}}\n').status == 429
        assert client.request("GET", "/").status == 200


def test_server_that_is_down_is_seen_as_a_lost_connection() -> None:
    with fault_proxy("http://127.0.0.1:9") as proxy, pytest.raises(_LOST):
        Client(proxy.url).request("GET", "/")
