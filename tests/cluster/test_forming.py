"""How nodes become a group, and who is kept out of it."""

import concurrent.futures
import itertools
import random
import shutil
import socket

import pytest

from node import wait_until
from publishing import publish


def form(group, order):
    """Starts the nodes in this order, each when the one before it is at work."""
    for number in order:
        group[number].start(wait=False)
        wait_until(lambda: answers(group.raft_addresses[number]), f"node {number} listens for the others")
    group.start()


def answers(address):
    host, _, port = address.rpartition(":")
    with socket.socket() as connection:
        return connection.connect_ex((host, int(port))) == 0


@pytest.mark.parametrize("order", itertools.permutations([1, 2, 3]), ids=str)
def test_nodes_form_a_group_in_any_order(make_group, order):
    group = make_group(start=False)
    form(group, order)
    for number in order:
        publish(group, number, f"by {number}")
    group.wait_one()
    assert len({group.ask(number)["cluster_id"] for number in order}) == 1


@pytest.mark.parametrize("size", [2, 5])
def test_groups_of_other_sizes(make_group, size):
    group = make_group(size)
    for number in group.nodes:
        publish(group, number, f"by {number}")
    group.wait_one()


def test_a_group_that_was_stopped_comes_back_in_any_order(make_group):
    group = make_group()
    revision = publish(group, 1, "before")
    cluster = group.ask(1)["cluster_id"]
    for order in ([3, 1, 2], [2, 3, 1]):
        group.stop()
        form(group, order)
        assert group.ask(order[-1])["cluster_id"] == cluster
        assert group.wait_one() >= revision
        revision = publish(group, order[0], f"after {order}")


def test_a_node_with_the_data_of_another_group_is_refused(make_group):
    ours, others = make_group(), make_group()
    publish(ours, 1, "ours")
    publish(others, 1, "theirs")
    others.stop()
    node = ours[2]
    node.kill()
    node.wipe()
    shutil.copytree(others[2].data, node.data, dirs_exist_ok=True)
    reason = node.refusal()
    assert "another group" in reason or "other group" in reason, reason
    publish(ours, 3, "ours goes on")
    node.wipe()
    ours.start()
    ours.wait_one()


def test_a_second_node_with_the_same_number_is_refused(make_group):
    group = make_group()
    second = group[2]
    intruder = group.prepare(2, folder=group.folder / "intruder", raft_peers=group.peers(),
                             raft_listen=f"127.0.0.1:{group.place.port(2, 'raft')}")
    try:
        reason = intruder.refusal()
    finally:
        group.nodes[2] = second
        intruder.close()
    assert "2" in reason and ("taken" in reason or "node_id" in reason or "another" in reason), reason
    publish(group, 2, "the first goes on")
    group.wait_one()


def test_a_node_with_another_secret_is_refused(make_group):
    group = make_group()
    revision = publish(group, 1, "before")
    node = group[3]
    node.kill()
    node.settings["raft_secret"] = "some other secret, which is as long as it must be"
    node.start(wait=False)
    wait_until(lambda: "it has another raft.secret" in node.log(), "it is told why")
    assert "some other secret, which" not in node.log()
    publish(group, 2, "goes on")
    node.kill()
    node.settings["raft_secret"] = group[1].settings["raft_secret"]
    group.start()
    assert group.wait_one() > revision


# --- strangers ---

def garbage(dice):
    yield b""
    yield b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    yield b"\0" * 4096
    yield b"\xff" * 4096
    for size in (1, 3, 100, 5000, 1 << 20):
        yield dice.randbytes(size)
    for prefix in (b"\xff\xff\xff\x7f", b"\x7f\xff\xff\xff"):  # as if much were to come
        yield prefix + dice.randbytes(100)


def say(address, data):
    """Says it on a connection of its own, and waits for the end of that; or leaves when the other is patient."""
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=2) as connection:
        try:
            connection.sendall(data)
            while connection.recv(1 << 16):
                pass
        except OSError:
            pass


def say_all(sayings):
    with concurrent.futures.ThreadPoolExecutor(16) as saying:
        for done in [saying.submit(say, *each) for each in sayings]:
            done.result()


def test_a_stranger_who_knows_no_secret_gets_nowhere(make_group, seed):
    group = make_group(raft_election_timeout="5s")  # so that a new term is somebody's doing
    publish(group, 1, "before")
    before = group.ask(1)
    say_all(itertools.product(group.raft_addresses.values(), garbage(random.Random(seed))))
    assert_unmoved(group, before)


def test_who_repeats_what_nodes_said_gets_nowhere(make_group, tmp_path):
    said = tmp_path / "said"
    said.mkdir()
    group = make_group(delayed=True, recorded=said, raft_election_timeout="5s")
    for number in range(20):
        publish(group, 1 + number % 3, f"before {number}")
    group.wait_one()
    before = group.ask(1)
    recorded = {number: [file.read_bytes() for file in (said / address).iterdir()] for number, address in group.raft_addresses.items()}
    for number, data in recorded.items():
        assert sum(map(len, data)) > 1000, f"hardly anything was said to node {number}"
    say_all((node.settings["raft_listen"], data[:much]) for node in group  # to whom it was said, and to the others
            for each in recorded.values() for data in each for much in (len(data), len(data) // 2))
    assert_unmoved(group, before)


def assert_unmoved(group, before):
    group.check_running()
    after = group.ask(1)
    unmoved = ("term", "leader_id", "revision", "cluster_id")
    assert {name: after[name] for name in unmoved} == {name: before[name] for name in unmoved}
    assert [member["node"] for member in after["members"]] == [member["node"] for member in before["members"]]
    publish(group, 2, "goes on")
    group.wait_one()
