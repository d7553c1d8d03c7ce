"""A node whose group has no cluster yet: it listens, says whom it waits for, and stops when it is asked to."""

import http.client
import signal
import socket

import pytest

from node import PATIENCE, free_port, wait_until

SECRET = "the nodes of one group know this, and nobody else"


@pytest.fixture
def waiting(make_node):
    """waiting(**settings) → one of two nodes, of which the other never comes."""

    def make(**more):
        other = f"127.0.0.1:{free_port()}"
        settings = {"raft_peers": f"1@127.0.0.1:{free_port()},2@{other}", "raft_secret": SECRET, **more}
        node = make_node(start=False, **settings)
        node.start(wait=False)
        record = wait_until(lambda: next((r for r in node.records() if r["message"].startswith("listening, and not")), None),
                            "it says that it waits")
        node.port, node.metrics_port = int(record["address"].rsplit(":", 1)[1]), record["metrics_port"]
        node.other, node.waits_for = other, record["waits_for"]
        return node

    return make


def ask(node, method, path, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=30)
    connection.request(method, path, body=body, headers={"Authorization": "Bearer whatever"})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, answer.headers, text


def test_it_lives_is_not_ready_and_says_why(waiting):
    node = waiting()
    assert f"node 2 at {node.other}" in node.waits_for
    assert node.probe("/livez") == 200
    status, _, text = ask(node, "GET", "/readyz")
    assert status == 503 and node.other in text
    for method, path, body in (("GET", "/healthz", None), ("GET", "/v1/whoami", None), ("POST", "/v1/login", "{}"),
                               ("PUT", "/v1/configs/dev/a/default/b", "x" * 1_000_000), ("DELETE", "/v1/users/x", None)):
        status, headers, text = ask(node, method, path, body)
        assert status == 503 and int(headers["Retry-After"]) > 0, (path, text)
        assert '"unavailable"' in text and node.other in text
    assert node.metrics()["config_center_revision"] == 0
    assert not (node.data / "admin-password").exists(), "there is no administrator yet"
    node.stop()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_when_it_is_asked_to_and_was_never_ready(waiting, tmp_path, number):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified:
        notified.bind(str(tmp_path / "notify"))
        notified.settimeout(60 * PATIENCE)
        node = waiting(variables={"NOTIFY_SOCKET": str(tmp_path / "notify")})
        node.signal(number)
        assert node.wait_end(60) == 0
        assert notified.recv(4096) == b"STOPPING=1"


def test_an_even_number_of_nodes_is_warned_of(waiting):
    node = waiting()
    assert any(record["level"] == "warn" and "even number" in record["message"] for record in node.records())
    node.stop()
