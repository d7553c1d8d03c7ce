"""Nodes come and go while the group is used: the commands that an operator types."""

import pytest

from command import Command
from nemesis import disturb, judge, seed_of_run, wait_for_changes
from node import wait_until
from test_reading import KEY, publish
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


def test_nodes_come_and_go_under_load(make_group, cluster):
    seed = seed_of_run()
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
    judge(group, workload, {}, workload.now() - workload.began)


def test_an_observer_does_not_vote(make_group, cluster):
    group = make_group()
    add(group, cluster, 4, "--observer")
    revision = publish(group, 4, "through the observer")
    for number in (1, 2, 3):
        wait_until(lambda: group.client(number).read(KEY).revision == revision, "it is everywhere")
    for number in (1, 2):
        group[number].kill()
    refused = group.client(4).put(f"/v1/configs/{KEY}", b"two of four, and one that votes")
    assert refused.status in (503, 504)
    assert group.client(4).read(KEY).revision == revision
    group.start()
    group.wait_one()


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
    group = make_group()
    leader = group.wait_leader()
    gone = next(number for number in group.nodes if number != leader)
    cluster(group, leader, "remove", gone, "--yes")
    node = group.nodes[gone]
    node.kill()
    node.start(wait=False)
    term = group.ask(leader)["term"]
    for content in range(20):
        publish(group, leader, content)
    assert gone not in memberships(group, leader)
    assert group.ask(leader)["term"] == term, "it disturbs those that are left"
    node.kill()
    node.wipe()
    group.forget(gone)
    group.wait_one()


def test_recovery_when_the_majority_is_lost_for_ever(make_group, cluster, tmp_path):
    seed = seed_of_run()
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
    Command(tmp_path / "home")("cluster", "recover", "--data-dir", str(left.data), "--node-id", 1, "--address", group.raft_addresses[1], "--yes")
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
