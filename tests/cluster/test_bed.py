"""The tests' own networks and proxies do to traffic what they say."""

import contextlib
import socket
import subprocess
import sys
import threading
import time

import pytest

from bed import ALIAS, Bed, run
from node import free_port, wait_until
from proxy import Proxy

COUNT = """
import socket, sys
listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
listener.bind((sys.argv[1], 4000))
print("ready", flush=True)
count = 0
while listener.recv(10) != b"end":
    count += 1
print(count, flush=True)
"""
SEND = """
import socket, sys
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for _ in range(int(sys.argv[2])):
    sender.sendto(b"x", (sys.argv[1], 4000))
"""


def arrived(bed, sender, receiver, count):
    """How many of so many packets arrive."""
    python = [sys.executable, "-c"]
    with subprocess.Popen([*bed.inside(receiver), *python, COUNT, bed.host(receiver)], stdout=subprocess.PIPE, text=True) as counting:
        assert counting.stdout.readline() == "ready\n"
        subprocess.run([*bed.inside(sender), *python, SEND, bed.host(receiver), str(count)], check=True)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:  # from outside nothing is lost
            end.sendto(b"end", (bed.host(receiver), 4000))
        return int(counting.stdout.readline())


@pytest.fixture
def three(bed):
    for node in (1, 2, 3):
        bed.host(node)
    return bed


def test_a_partition_cuts_both_ways_and_heals(three):
    assert arrived(three, 1, 2, 20) == 20
    three.isolate([1])
    assert [arrived(three, *way, 20) for way in ((1, 2), (2, 1), (1, 3), (2, 3), (3, 2))] == [0, 0, 0, 20, 20]
    three.heal()
    assert [arrived(three, *way, 20) for way in ((1, 2), (2, 1), (1, 3))] == [20, 20, 20]


def test_one_way_loss_leaves_the_other_way(three):
    three.lose([1], [2, 3])
    assert [arrived(three, *way, 20) for way in ((1, 2), (1, 3), (2, 1), (3, 1), (2, 3))] == [0, 0, 20, 20, 20]


def test_some_packets_are_lost(three):
    three.lose([1], [2], 30)
    assert 100 < arrived(three, 1, 2, 200) < 180  # more at once than its buffer holds would be lost by the receiver
    assert arrived(three, 2, 1, 100) == 100


def test_beds_stand_beside_each_other_and_leave_nothing(bed):
    with Bed() as other:
        assert other.host(1) != bed.host(1)
        name = other._bridge
        assert name in run("ip", "link").stdout and f"{name}-1" in run("ip", "netns").stdout
    assert name not in run("ip", "link").stdout and name not in run("ip", "netns").stdout


def test_what_a_killed_test_left_is_cleared_away(bed):
    gone = subprocess.Popen(["true"])
    gone.wait()
    with contextlib.suppress(AssertionError):
        run("ip", "link", "del", "cc-left")
    run("ip", "link", "add", "cc-left", "type", "bridge")
    run("ip", "link", "set", "cc-left", "alias", f"{ALIAS}{gone.pid}")
    with Bed():
        assert "cc-left" not in run("ip", "link").stdout


@pytest.fixture
def echo():
    """The port of a server that sends back what it gets."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=answer, args=(connection,), daemon=True).start()

    def answer(connection):
        with connection:
            while data := connection.recv(1 << 16):
                connection.sendall(data)

    threading.Thread(target=serve, daemon=True).start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


@pytest.fixture
def proxy(echo, tmp_path):
    port = free_port()
    proxy = Proxy(f"127.0.0.1:{port}", f"127.0.0.1:{echo}", record=tmp_path)
    yield proxy, port
    proxy.close()


def exchange(connection, data):
    """Sends it, and returns what has come back and after how many seconds."""
    began = time.monotonic()
    sending = threading.Thread(target=connection.sendall, args=(data,))
    sending.start()
    back = b""
    while len(back) < len(data):
        back += connection.recv(1 << 16)
    sending.join()
    return back, time.monotonic() - began


def test_a_proxy_forwards_everything_in_order_and_later(proxy):
    proxy, port = proxy
    data = b"".join(number.to_bytes(4, "big") for number in range(500_000))
    with socket.create_connection(("127.0.0.1", port)) as connection:
        assert exchange(connection, data)[0] == data
        proxy.delay(200)
        back, took = exchange(connection, data)
        assert back == data
        assert took >= 0.4
        proxy.delay(0)
        assert exchange(connection, data)[0] == data


def test_a_proxy_passes_on_that_a_connection_ended_and_keeps_its_beginning(proxy, tmp_path):
    _, port = proxy
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"hello")
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(10) == b"hello"
        assert connection.recv(10) == b""
    assert wait_until(lambda: [file.read_bytes() for file in tmp_path.glob("*/*")], "it is recorded") == [b"hello"]
