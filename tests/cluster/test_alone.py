"""A group of one: what the tests of groups are made of, tried where nothing else can be at fault."""

import datetime

import faults
from client import config, releases
from nemesis import disturb, plan
from promised import FAULTS
from publishing import KEY, publish


KINDS = [faults.Kill, faults.Restart, faults.Pause, faults.Clock, faults.FullDisk]


def test_a_node_alone_under_load(make_group, seed):
    group = make_group(1, clocks=True, disks="96m", raft_snapshot_entries=500)
    verdict = disturb(group, seed, plan(seed, group, FAULTS["a node alone"], KINDS))
    assert verdict.faults.keys() == {(kind.__name__, "leader") for kind in KINDS}
    assert verdict.faults.total() == FAULTS["a node alone"]


def test_clocks_jump(make_group):
    group = make_group(1, clocks=True)
    for shift in (0, 3 * faults.DAY, -3 * faults.DAY):
        group[1].set_clock(shift)
        publish(group, 1, f"shifted by {shift} s")
    back, ahead, right = (datetime.datetime.fromisoformat(item["time"]) for item in group.client(1).items(releases(KEY)))
    assert ahead - right >= datetime.timedelta(days=3)
    assert right - back >= datetime.timedelta(days=2)  # and less than three


def test_a_repeated_request_is_known_although_the_clock_jumped(make_group):
    group = make_group(1, clocks=True)
    def ask():
        return group.client(1).put(config(KEY), b"once", headers={"X-Request-Id": "over-the-jump"}, expect=(200, 201))
    first = ask().json()
    for shift in (3 * faults.DAY, -3 * faults.DAY, 0):
        group[1].set_clock(shift)
        publish(group, 1, f"shifted by {shift} s", KEY + "-other")
        again = ask()
        assert again.headers["X-Config-Repeated"] == "true" and again.json() == first
