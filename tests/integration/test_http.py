"""HTTP as such: connections, bodies, limits, hostile clients, stopping, TLS."""

import json
import random
import resource
import signal
import socket
import ssl
import threading
import time

import pytest

from authority import Authority
from client import Client, config
from conftest import log_in
from node import PATIENCE, SANITIZER, free_port, wait_until
from raw import Closed, Raw, connect_when_there_is_room, request
from test_watch import InBackground, poll, wait_for_watchers

KEY = "dev/http/default/a.yaml"
PATH = config(KEY)


@pytest.fixture(scope="module", autouse=True)
def published(admin):
    admin.publish(KEY, b"a: 1\n")


# --- connections ---

def test_a_connection_serves_many_requests(node, admin):
    with Raw(node) as raw:
        for _ in range(100):
            assert raw.send(request("GET", PATH, admin.token)).answer()[2] == b"a: 1\n"


def test_connection_close_is_honoured(node, admin):
    with Raw(node) as raw:
        status, headers, _ = raw.send(request("GET", PATH, admin.token, Connection="close")).answer()
        assert (status, headers["connection"].lower()) == (200, "close")
        assert raw.closed()


def test_http_1_0_is_answered_and_closed(node):
    with Raw(node) as raw:
        raw.send(b"GET /livez HTTP/1.0\r\n\r\n")
        raw.socket.settimeout(30)
        data = b""
        while more := raw.socket.recv(4096):
            data += more
        assert b" 200 " in data.split(b"\r\n")[0]


def test_pipelined_requests_are_answered_in_order(node, admin):
    key = "dev/http/default/pipelined"
    path = config(key)
    burst = b"".join(request("PUT", path, admin.token, b"%d" % n) + request("GET", path, admin.token) for n in range(50))
    with Raw(node) as raw:
        raw.send(burst)
        for n in range(50):
            assert raw.answer()[0] in (200, 201)
            assert raw.answer()[2] == b"%d" % n


def test_a_request_may_come_byte_by_byte(node, admin):
    with Raw(node) as raw:
        for byte in request("PUT", config("dev/http/default/slow"), admin.token, b"in pieces"):
            raw.send(bytes([byte]))
        assert raw.answer()[0] == 201
    assert admin.read("dev/http/default/slow").body == b"in pieces"


def test_half_a_pipelined_request_waits_for_its_rest(node, admin):
    one = request("GET", PATH, admin.token)
    with Raw(node) as raw:
        raw.send(one + one[:20])
        assert raw.answer()[0] == 200
        raw.send(one[20:])
        assert raw.answer()[0] == 200


# --- bodies ---

def chunked(method, target, token, *chunks, trailer=b""):
    head = request(method, target, token, Transfer_Encoding="chunked")
    return head + b"".join(b"%x\r\n%s\r\n" % (len(c), c) for c in chunks) + b"0\r\n" + trailer + b"\r\n"


def test_a_chunked_body_is_put_together(node, admin):
    key = "dev/http/default/chunked"
    with Raw(node) as raw:
        assert raw.send(chunked("PUT", config(key), admin.token, b"one ", b"two ", b"three")).answer()[0] == 201
        assert raw.send(chunked("PUT", config(key), admin.token, b"with ", b"trailer", trailer=b"X-Sum: 1\r\n")).answer()[0] == 200
        assert raw.send(request("GET", config(key), admin.token)).answer()[2] == b"with trailer"


def test_a_broken_chunk_is_400(node, admin):
    with Raw(node) as raw:
        raw.send(request("PUT", PATH, admin.token, Transfer_Encoding="chunked") + b"xyz\r\nabc\r\n0\r\n\r\n")
        assert raw.answer()[0] == 400
    assert admin.read(KEY).body == b"a: 1\n"


def test_expect_100_continue(node, admin):
    key = "dev/http/default/expected"
    with Raw(node) as raw:
        raw.send(request("PUT", config(key), admin.token, Expect="100-continue", Content_Length="5"))
        assert raw.head()[0] == 100
        raw.send(b"later")
        assert raw.answer()[0] == 201
    assert admin.read(key).body == b"later"


def test_expect_of_what_is_too_large_is_refused_without_the_body(node, admin):
    with Raw(node) as raw:
        raw.send(request("PUT", PATH, admin.token, Expect="100-continue", Content_Length=str(1 << 30)))
        assert raw.head()[0] == 413


@pytest.mark.parametrize("target,status", [(PATH, 200), ("/v1/configs/dev/http/default/none", 404), ("/livez", 200), ("/nowhere", 404),
                                           ("/openapi.json", 200)])
def test_head_has_no_body(node, admin, target, status):
    with Raw(node) as raw:
        for _ in range(2):  # a body would be taken for the start of the second answer
            got, headers, _ = raw.send(request("HEAD", target, admin.token)).answer("HEAD")
            assert got == status


# --- compression ---

@pytest.fixture(scope="module")
def large(admin):
    content = b"".join(b"key.%d: the same words again and again\n" % n for n in range(2000))
    admin.publish("dev/http/default/large.yaml", content)
    return "dev/http/default/large.yaml", content


@pytest.mark.parametrize("accept,encoding", [("gzip", "gzip"), ("zstd", "zstd"), ("gzip, zstd", "zstd"), ("br, gzip;q=0.5", "gzip"),
                                             ("identity", None), ("gzip;q=0", None), ("", None)])
def test_content_is_compressed_when_the_client_asks(admin, large, accept, encoding):
    key, content = large
    answer = admin.get(config(key), headers={"Accept-Encoding": accept}, expect=200)
    assert answer.headers["Content-Encoding"] == encoding
    assert answer.content == content
    if encoding:
        assert len(answer.body) < len(content) / 2
        assert "accept-encoding" in answer.headers["Vary"].lower()


def test_what_is_small_is_not_compressed(admin):
    assert admin.get(PATH, headers={"Accept-Encoding": "gzip, zstd"}, expect=200).headers["Content-Encoding"] is None


def test_json_is_compressed_too(admin):
    for number in range(10):
        admin.publish(f"dev/http-list/default/{number}", b"x")
    answer = admin.get("/v1/configs", query={"application": "http-list"}, headers={"Accept-Encoding": "gzip"}, expect=200)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert len(answer.json()["items"]) == 10
    answer = admin.get("/openapi.json", headers={"Accept-Encoding": "gzip"}, expect=200)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.json()["openapi"].startswith("3.1")


def test_compressed_answers_keep_the_connection_whole(node, admin, large):
    with Raw(node) as raw:
        for encoding in ("gzip", "zstd", "identity") * 5:
            status, _, body = raw.send(request("GET", config(large[0]), admin.token, Accept_Encoding=encoding)).answer()
            assert status == 200 and body


# --- limits ---

def test_a_header_that_is_too_large_is_431(node, admin):
    with Raw(node) as raw:
        raw.send(request("GET", PATH, admin.token, X_Large="x" * 40_000))
        assert raw.answer()[0] == 431
    with Raw(node) as raw:
        raw.send(request("GET", "/v1/" + "x" * 20_000))
        assert raw.answer()[0] == 414
    with Raw(node) as raw:  # no end of header at all
        raw.send(b"GET / HTTP/1.1\r\n")
        for number in range(3000):
            raw.send(b"X-%d: y\r\n" % number)
        assert raw.answer()[0] == 431


@pytest.mark.parametrize("how", ["declared", "chunked"])
def test_a_body_that_is_too_large_is_413(node, admin, how):
    with Raw(node) as raw:
        if how == "declared":
            raw.send(request("PUT", PATH, admin.token, Content_Length=str(9 << 20)))
        else:
            raw.send(request("PUT", PATH, admin.token, Transfer_Encoding="chunked"))
            for _ in range(20):
                raw.send(b"80000\r\n" + b"x" * 0x80000 + b"\r\n")
        assert raw.answer()[0] == 413
    assert admin.read(KEY).body == b"a: 1\n"


@pytest.mark.parametrize("rude", [
    b"\r\n\r\n\r\n\r\n", b"\0" * 1000, b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET / HTTP/1.1\nHost: x\n\n", b"get / http/1.1\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x55" * 500, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n",
    b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
    b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
    b"GET / HTTP/1.1\r\nHost : x\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\nBad\0Name: y\r\n\r\n", b"GET / HTTP/1.1\r\nX: a\r\n b\r\n\r\n",
    b"GET /\x01 HTTP/1.1\r\nHost: x\r\n\r\n", b"GET http:// HTTP/1.1\r\nHost: x\r\n\r\n", b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"TRACE / HTTP/1.1\r\nHost: x\r\n\r\n", b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", b"BREW /pot HTTP/1.1\r\nHost: x\r\n\r\n",
], ids=lambda rude: rude[:24].decode("latin-1").encode("unicode_escape").decode())
def test_garbage_is_refused_and_harms_nobody(node, admin, rude):
    with Raw(node, timeout=15) as raw:
        raw.send(rude)
        raw.socket.shutdown(socket.SHUT_WR)
        try:
            status = raw.answer()[0]
            assert 400 <= status < 500 or status in (501, 505), status
        except Closed:
            pass
    assert admin.read(KEY).body == b"a: 1\n"


def test_random_bytes_harm_nobody(node, admin):
    seed = random.randrange(1 << 32)
    print("seed", seed)
    dice = random.Random(seed)
    good = request("PUT", PATH + "?comment=x", "nonsense", b"a: 2\n", If_Match='"1"', X_Request_Id="x")
    for _ in range(300):
        data = bytearray(good) if dice.random() < 0.7 else bytearray(dice.randbytes(dice.randrange(1, 600)))
        for _ in range(dice.randrange(1, 6)):
            data[dice.randrange(len(data))] = dice.randrange(256)
        with Raw(node, timeout=15) as raw:
            raw.send(bytes(data))
            try:
                raw.socket.shutdown(socket.SHUT_WR)
                status = raw.answer()[0]
                assert status < 500 or status in (501, 505), (status, bytes(data))
            except (Closed, OSError, AssertionError) as error:
                if isinstance(error, AssertionError):
                    raise
    assert admin.read(KEY).body == b"a: 1\n"


def test_unknown_routes_are_404_and_unknown_methods_405(anyone, admin):
    for path in ("/", "/v1", "/v1/", "/v1/nothing", "/v1/configs/dev", "/v2/configs", "/%", "//", "/livez/x"):
        answer = admin.get(path)
        assert answer.status in (404, 400), path
        assert answer.error[0] in ("not_found", "invalid_argument")
    for method, path, allowed in (("POST", PATH, {"GET", "HEAD", "PUT", "DELETE"}), ("PUT", "/livez", {"GET", "HEAD"}),
                                  ("DELETE", "/v1/login", {"POST"})):
        answer = admin.send(method, path, expect=405)
        assert set(answer.headers["Allow"].replace(" ", "").split(",")) >= allowed - {"HEAD"}


# --- hostile clients ---

def test_a_header_that_never_ends_is_cut_off_and_others_are_served(make_node):
    node = make_node(server_header_timeout="500ms")
    admin = log_in(node)
    admin.publish(KEY, b"a: 1\n")
    slow = [Raw(node) for _ in range(50)]
    for raw in slow:
        raw.send(b"GET /livez HTTP/1.1\r\nX: ")
    dripping = threading.Event()

    def drip():
        while not dripping.wait(0.1):
            for raw in slow:
                raw.send(b"x")

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        for _ in range(20):
            assert admin.read(KEY).status == 200
        for raw in slow:
            try:
                assert raw.answer()[0] == 408
            except Closed:
                pass  # a byte that came after the end resets the connection, and the answer with it
            assert raw.closed()
    finally:
        dripping.set()
        thread.join()


def test_a_body_that_never_comes_is_cut_off(make_node):
    node = make_node()
    token = log_in(node).token
    node.restart(server_timeout="500ms")  # a login of a slow machine does not meet this limit
    with Raw(node) as raw:
        raw.send(request("PUT", PATH, token, Content_Length="100") + b"only this")
        assert raw.answer()[0] == 408
        assert raw.closed()


def test_a_stranger_sends_small_bodies_only(node, admin):
    large = b"x" * 100_000
    for token in (None, "nonsense"):
        for body in ({"Content_Length": "100000"}, {"Content_Length": "100000", "Expect": "100-continue"}):
            with Raw(node) as raw:
                raw.send(request("PUT", PATH, token, **body))
                assert raw.answer()[0] == 401  # before any of it came
        with Raw(node) as raw:
            raw.send(request("PUT", PATH, token, Transfer_Encoding="chunked") + b"186a0\r\n" + large)
            assert raw.answer()[0] == 401
    with Raw(node) as raw:
        assert raw.send(request("PUT", config("dev/http/default/from-who-is-known"), admin.token, large)).answer()[0] == 201
    wait_until(lambda: [r for r in admin.items("/v1/audit", action="authenticate") if r["target"] == f"PUT {PATH}"],
               "it is recorded")


def test_json_bodies_are_limited(admin):
    refused = admin.put("/v1/users/large", {"password": "x" * 70_000}, expect=413)
    assert refused.json()["error"]["details"]["limit_bytes"] == 64 << 10
    refused = admin.post("/v1/watch", b'{"items":[' + b'{"prefix":"a"},' * 500_000 + b"{}]}", headers={"Content-Type": "application/json"})
    assert refused.status == 400 and "values" in refused.error[1]


def test_idle_connections_are_closed_after_their_time(make_node):
    node = make_node(server_idle_timeout=f"{2 * PATIENCE}s")
    with Raw(node) as fresh, Raw(node) as used:
        assert used.send(request("GET", "/livez")).answer()[0] == 200
        assert fresh.closed() and used.closed()


def test_ten_thousand_idle_connections_and_others_are_served(make_node):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard < 10_500:
        pytest.skip(f"this machine allows {hard} open files, 10,500 are needed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    node = make_node()
    admin = log_in(node)
    admin.publish(KEY, b"a: 1\n")
    before = node.resident()
    idle = [socket.create_connection(("127.0.0.1", node.port)) for _ in range(10_000)]
    wait_until(lambda: node.metrics()["config_center_http_connections"] >= 10_000, "all are accepted")
    for number in range(50):
        client = Client(node, admin.token)
        assert client.read(KEY).body == b"a: 1\n"
        client.close()
    grown = node.resident() - before
    if not SANITIZER:
        assert grown < 10_000 * 8192, f"{grown // 10_000} bytes for each idle connection"
    for connection in idle[::2]:
        connection.sendall(request("GET", "/livez"))
    for connection in idle[::2]:
        assert connection.recv(100).startswith(b"HTTP/1.1 200 ")
    for connection in idle:
        connection.close()
    wait_until(lambda: node.metrics()["config_center_http_connections"] < 100, "all are closed")


def test_connections_beyond_the_limit_get_503_and_when_to_come_back(make_node):
    node = make_node(server_max_connections=10)
    held = [connect_when_there_is_room(node) for _ in range(10)]
    with Raw(node) as raw:
        raw.send(request("GET", "/livez"))
        status, headers, _ = raw.answer()
        assert status == 503 and int(headers["retry-after"]) > 0
        assert raw.closed()
    for raw in held:
        assert raw.send(request("GET", "/livez")).answer()[0] == 200
        raw.close()
    wait_until(lambda: node.probe("/livez") == 200, "there is room again")


# --- stopping ---

@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopping_node_answers_its_watchers_and_leaves(make_node, number):
    node = make_node()
    admin = log_in(node)
    at = admin.publish(KEY, b"a: 1\n")["revision"]
    poll = InBackground(lambda: Client(node, admin.token).get(PATH, query={"after": at, "wait": "5m"}))
    watching = InBackground(lambda: Client(node, admin.token).post(
        "/v1/watch", {"wait": "5m", "items": [{"key": KEY, "revision": at}]}))
    stream = Client(node, admin.token).events(PATH)
    stream.next()
    wait_for_watchers(node, 3)
    node.signal(number)
    assert poll.result().status in (304, 503)
    assert watching.result().status in (200, 503)
    assert stream.next() is None
    assert node.wait_end(20) == 0


def test_a_stopping_node_finishes_what_runs(make_node):
    """Publishers publish while the node stops: each gets an answer or a closed connection, never half an answer;
    and what was acknowledged is there after the next start."""
    node = make_node()
    admin = log_in(node)
    acknowledged = {}
    stopping = threading.Event()

    def publish(number):
        count = 0
        with Raw(node) as raw:
            while not stopping.is_set() or count < 5:
                count += 1
                key = f"dev/http/default/{number}-{count}"
                try:
                    raw.send(request("PUT", config(key), admin.token, b"x" * 1000))
                    status, headers, body = raw.answer()
                except Closed as closed:
                    assert "closed, after b''" in str(closed) or "reset" in str(closed).lower(), closed
                    return
                if status == 201:
                    acknowledged[key] = json.loads(body)["revision"]
                if headers.get("connection", "").lower() == "close":
                    return

    publishers = [InBackground(lambda n=n: publish(n)) for n in range(4)]
    wait_until(lambda: len(acknowledged) > 20, "publishes go through")
    stopping.set()
    node.stop()
    for each in publishers:
        each.result()
    node.start()
    reader = Client(node, admin.token)
    for key, revision in acknowledged.items():
        assert reader.read(key).revision == revision


def test_a_node_that_leaves_says_so_and_serves_until_load_balancers_have_noticed(make_node):
    node = make_node(server_drain="10m")
    admin = log_in(node)
    at = admin.publish(KEY, b"a: 1\n")["revision"]
    waiting = poll(node, admin, KEY, at)
    wait_for_watchers(node, 1)
    node.signal(signal.SIGTERM)
    wait_until(lambda: node.probe("/readyz") == 503, "/readyz says no")
    assert node.probe("/livez") == 200
    with Raw(node) as raw:  # everything is served, and each answer is the last of its connection
        status, headers, _ = raw.send(request("PUT", PATH, admin.token, b"a: 2\n")).answer()
        assert (status, headers["connection"]) == (200, "close")
    told = waiting.result()
    assert (told.status, told.body, told.headers["Connection"]) == (200, b"a: 2\n", "close")
    node.signal(signal.SIGTERM)  # somebody is in a hurry
    assert node.wait_end(30) == 0


def test_a_group_of_one_has_no_load_balancer_to_wait_for(make_node):
    node = make_node()
    node.stop()
    assert not any("load balancers" in record["message"] for record in node.records())


def test_a_stopped_node_refuses_connections(make_node):
    node = make_node()
    node.stop()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", node.port))


def test_two_nodes_do_not_share_a_port(make_node):
    from node import StartFailed
    port = free_port()
    make_node(server_port=port)
    with pytest.raises(StartFailed) as failed:
        make_node(server_port=port)
    assert str(port) in failed.value.output and failed.value.status == 1


# --- TLS ---

def name_of(raw):
    return dict(pair for part in raw.socket.getpeercert()["subject"] for pair in part)["commonName"]


@pytest.fixture
def tls(make_node, tmp_path):
    authority = Authority(tmp_path / "authority")
    certificate, key = authority.issue("first", into="server")
    node = make_node(server_tls_certificate_file=certificate, server_tls_key_file=key)
    return node, authority


def test_tls_serves_whom_it_can_prove_itself_to(tls, tmp_path):
    node, authority = tls
    with Raw(node, authority.trust()) as raw:
        for _ in range(10):
            assert raw.send(request("GET", "/readyz")).answer()[0] == 200
    stranger = Authority(tmp_path / "stranger")
    with pytest.raises(ssl.SSLCertVerificationError):
        Raw(node, stranger.trust())


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tls_speaks_nothing_older_than_1_2(tls):
    node, authority = tls
    context = authority.trust()
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        Raw(node, context)


def test_large_content_and_waiting_go_through_tls(tls):
    node, authority = tls
    login = json.dumps({"username": "admin", "password": "correct horse battery staple"}).encode()
    with Raw(node, authority.trust()) as raw, Raw(node, authority.trust()) as watcher:
        token = json.loads(raw.send(request("POST", "/v1/login", body=login)).answer()[2])["token"]
        content = random.Random(1).randbytes(400_000).hex().encode()
        watcher.send(request("GET", config("dev/tls/default/large") + "?after=0&wait=60s", token))
        assert raw.send(request("PUT", config("dev/tls/default/large"), token, content)).answer()[0] == 201
        assert watcher.answer()[2] == content


def test_a_stop_waits_for_no_stream_and_no_idle_client_over_tls(make_node, tmp_path):
    authority = Authority(tmp_path / "authority")
    certificate, key = authority.issue("server")
    node = make_node(server_tls_certificate_file=certificate, server_tls_key_file=key, server_stop_timeout="10m")
    login = json.dumps({"username": "admin", "password": "correct horse battery staple"}).encode()
    with Raw(node, authority.trust()) as idle, Raw(node, authority.trust()) as stream:
        token = json.loads(idle.send(request("POST", "/v1/login", body=login)).answer()[2])["token"]
        stream.send(request("GET", config("dev/tls/default/none"), token, Accept="text/event-stream"))
        assert stream.head()[0] == 200
        wait_for_watchers(node, 1)
        node.stop(60)
        assert idle.closed() and stream.closed()


def test_plain_http_on_a_tls_port_and_half_a_handshake_harm_nobody(tls):
    node, authority = tls
    with Raw(node) as raw:
        raw.send(request("GET", "/livez"))
        assert raw.closed()
    half = Raw(node).send(b"\x16\x03\x01\x02\x00")
    with Raw(node, authority.trust()) as raw:
        assert raw.send(request("GET", "/livez")).answer()[0] == 200
    half.close()


def test_half_a_handshake_is_cut_off(make_node, tmp_path):
    certificate, key = Authority(tmp_path / "authority").issue("first", into="server")
    node = make_node(server_tls_certificate_file=certificate, server_tls_key_file=key, server_header_timeout="500ms")
    with Raw(node) as raw:
        raw.send(b"\x16\x03\x01\x02\x00\x01")
        assert raw.closed()


def test_sighup_reads_certificates_again_without_dropping_anybody(tls):
    node, authority = tls
    with Raw(node, authority.trust()) as old:
        assert name_of(old) == "first"
        authority.issue("second", into="server")
        node.signal(signal.SIGHUP)

        def renewed():
            with Raw(node, authority.trust()) as raw:
                return name_of(raw) == "second"

        wait_until(renewed, "new connections get the new certificate")
        assert old.send(request("GET", "/livez")).answer()[0] == 200


def test_sighup_with_a_broken_certificate_keeps_the_old_one_and_says_so(tls):
    node, authority = tls
    (authority.folder / "server.pem").write_text("no certificate\n")
    node.signal(signal.SIGHUP)
    wait_until(lambda: any(r["level"] == "error" for r in node.records()), "an error is logged")
    with Raw(node, authority.trust()) as raw:
        assert name_of(raw) == "first"


def test_clients_must_show_a_certificate_when_asked_to(make_node, tmp_path):
    authority = Authority(tmp_path / "authority")
    certificate, key = authority.issue("server")
    client = authority.issue("client")
    node = make_node(start=False, server_tls_certificate_file=certificate, server_tls_key_file=key,
                     server_tls_client_ca_file=authority.certificate)
    node.start(wait=False)
    wait_until(lambda: node._serving(), "the node serves")
    node.port = int(node._serving()["address"].rsplit(":", 1)[1])
    with Raw(node, authority.trust(client)) as raw:
        assert raw.send(request("GET", "/livez")).answer()[0] == 200
    with pytest.raises((ssl.SSLError, Closed, ConnectionResetError)):
        with Raw(node, authority.trust()) as raw:  # TLS 1.3 tells the client at its first read
            raw.send(request("GET", "/livez")).answer()


@pytest.mark.parametrize("missing", ["certificate", "key", "mismatch"])
def test_a_node_does_not_start_with_tls_files_that_are_none(make_node, tmp_path, missing):
    from node import StartFailed
    authority = Authority(tmp_path / "authority")
    certificate, key = authority.issue("server")
    if missing == "certificate":
        certificate = tmp_path / "none.pem"
    elif missing == "key":
        key.write_text("no key\n")
    else:
        key = authority.issue("other")[1]
    with pytest.raises(StartFailed) as failed:
        make_node(server_tls_certificate_file=certificate, server_tls_key_file=key)
    assert str(certificate if missing == "certificate" else key) in failed.value.output
