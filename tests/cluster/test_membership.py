"""Nodes come and go while the group is used: the commands that an operator types."""

import time

import pytest

from client import config
from command import Command
from group import ELECTION_TIMEOUT
from nemesis import disturb, judge, wait_for_changes
from node import wait_until
from publishing import KEY, publish
from workload import Workload


@pytest.fixture
def cluster(tmp_path):
    """cluster(group, number, "add", …): `config-center cluster add …` against that node."""

    def run(group, number, *arguments, **more):
        command = Command(tmp_path / "home", group[number], CONFIG_CENTER_TOKEN=group.token)
        return command("cluster", *arguments, **more)

    return run


def memberships(group, number):
    return {member["node"]: member["membership"] for member in group.ask(number)["members"]}


def add(group, cluster, number, *flags, by=1):
    """Prepares and starts a node that joins, and adds it; it has caught up then."""
    node = group.prepare(number, raft_join="true")
    node.start(wait=False)
    cluster(group, by, "add", f"{number}@{group.raft_addresses[number]}", *flags)
    node.wait_ready()
    return node


def settle(group, wanted):
    for number in group.nodes:
        wait_until(lambda: memberships(group, number) == wanted, f"node {number} knows who is in the group")


def test_nodes_come_and_go_under_load(make_group, cluster, seed):
    group = make_group(raft_snapshot_entries=200)
    workload = Workload(group, seed).start()
    try:
        add(group, cluster, 4)
        settle(group, {1: "voter", 2: "voter", 3: "voter", 4: "voter"})
        wait_for_changes(workload)
        add(group, cluster, 5, "--observer", by=2)
        settle(group, {1: "voter", 2: "voter", 3: "voter", 4: "voter", 5: "observer"})
        wait_for_changes(workload)
        cluster(group, 5, "demote", 2)
        cluster(group, 5, "promote", 5)
        settle(group, {1: "voter", 2: "observer", 3: "voter", 4: "voter", 5: "voter"})
        wait_for_changes(workload)
        for to in (5, 3, 4):
            cluster(group, 2, "transfer", to)
            assert group.wait_leader() == to
            wait_for_changes(workload)
        leader = group.wait_leader()
        cluster(group, 2, "remove", leader, "--yes")
        group.nodes[leader].kill()
        group.forget(leader)
        wait_for_changes(workload)
        settle(group, {1: "voter", 2: "observer", 3: "voter", 5: "voter"})
    finally:
        workload.stopping.set()
    workload.stop()
    judge(group, workload)


def test_an_observer_does_not_vote(make_group, cluster):
    """Two of three are there, but one of two voters."""
    group = make_group(2, server_timeout="3s")
    add(group, cluster, 3, "--observer")
    revision = publish(group, 3, "through the observer")
    for number in group.nodes:
        wait_until(lambda: group.client(number).read(KEY).revision == revision, "it is everywhere")
    group[2].kill()
    for number in (1, 3):
        refused = group.client(number).put(config(KEY), b"by one of two")
        assert refused.status in (503, 504), refused
        assert group.client(number).read(KEY).revision == revision
    group.start()
    group.wait_one()


def test_an_observer_is_not_needed(make_group, cluster):
    """Two of four are there, but two of three voters."""
    group = make_group()
    add(group, cluster, 4, "--observer")
    leader = group.wait_leader()
    group[4].kill()
    group[leader].kill()
    left = next(number for number in group.nodes if group[number].running)
    wait_until(lambda: group.client(left).put(config(KEY), b"by two of three").status in (200, 201), "changes go on", 60)
    group.start()
    group.wait_one()


def test_nobody_says_that_an_observer_which_was_never_started_has_caught_up(make_group, cluster):
    group = make_group()
    leader = group.wait_leader()
    follower = next(number for number in group.nodes if number != leader)
    added = cluster(group, follower, "add", f"4@{group.place.host(1)}:1", "--observer", "--wait", "5s")
    assert "added node 4" in added.stdout and "has caught up\n" not in added.stdout
    assert f"the leader, node {leader}" in added.stderr
    again = cluster(group, leader, "add", f"4@{group.place.host(1)}:1", "--observer", "--wait", "1s", expect=1)
    assert "is in the group already" in again.stdout and "is it started?" in again.stderr
    assert "is now joining" in cluster(group, follower, "promote", 4).stdout


def test_what_makes_no_sense_is_refused(make_group, cluster):
    group = make_group()
    for arguments in (["add", f"2@{group.place.host(1)}:1"], ["remove", "9", "--yes"], ["promote", "9"],
                      ["demote", "9"], ["transfer", "9"]):
        cluster(group, 2, *arguments, expect=1)
    assert memberships(group, 1) == {1: "voter", 2: "voter", 3: "voter"}
    publish(group, 1, "goes on")


def test_the_last_voter_stays(make_group, cluster):
    group = make_group(2)
    cluster(group, 1, "remove", 2, "--yes")
    group.nodes[2].kill()
    group.forget(2)
    publish(group, 1, "alone")
    cluster(group, 1, "remove", 1, "--yes", expect=1)
    cluster(group, 1, "demote", 1, expect=1)
    publish(group, 1, "still there")


def test_a_removed_node_does_not_come_back_by_itself(make_group, cluster):
    group = make_group(raft_election_timeout="5s")  # so that a new term is somebody's doing
    leader = group.wait_leader()
    gone = next(number for number in group.nodes if number != leader)
    left = [number for number in group.nodes if number != gone]
    cluster(group, leader, "remove", gone, "--yes")
    node = group.nodes[gone]
    node.kill()
    node.settings["raft_election_timeout"] = f"{ELECTION_TIMEOUT}ms"  # it has reason to stand for election often
    node.start()
    before = [group.ask(number) for number in left]
    end = time.monotonic() + 10 * ELECTION_TIMEOUT / 1000
    while time.monotonic() < end:
        publish(group, leader, "meanwhile")
    for number, then in zip(left, before):
        told = group.ask(number)
        assert (told["term"], told["leader_id"]) == (then["term"], leader), "it disturbs those that are left"
        assert memberships(group, number) == {number: "voter" for number in left}
    node.kill()
    node.wipe()
    group.forget(gone)
    group.wait_one()


def test_recovery_when_the_majority_is_lost_for_ever(make_group, cluster, tmp_path, seed):
    group = make_group()
    workload = Workload(group, seed).start()
    wait_for_changes(workload)
    workload.stopping.set()
    workload.stop()
    before = group.wait_one()
    for number in (2, 3):
        group[number].kill()
        group[number].wipe()
    left = group[1]
    left.kill()
    recover = ("cluster", "recover", "--data-dir", left.data, "--address", group.raft_addresses[1])
    command = Command(tmp_path / "home")
    assert "belongs to node 1" in command(*recover, "--node-id", 2, "--dry-run", expect=1).stderr
    looked = command.json(*recover, "--node-id", 1, "--dry-run")
    recovered = command.json(*recover, "--node-id", 1, "--yes")
    assert looked["last_term"] >= 1 and {name: looked[name] for name in ("last", "last_term")} == {
        name: recovered[name] for name in ("last", "last_term")}
    del left.settings["raft_peers"]
    left.start()
    assert group.ask(1)["revision"] >= before
    assert publish(group, 1, "alone") > before
    for number in (2, 3):
        node = group[number]
        del node.settings["raft_peers"]
        node.settings["raft_join"] = "true"
        node.start(wait=False)
        cluster(group, 1, "add", f"{number}@{group.raft_addresses[number]}")
        node.wait_ready()
    settle(group, {1: "voter", 2: "voter", 3: "voter"})
    disturb(group, seed, [], folder="dev/afterwards/default/")
