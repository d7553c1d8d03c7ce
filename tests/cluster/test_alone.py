"""A group of one: what the tests of groups are made of, tried where nothing else can be at fault."""

import faults
from nemesis import disturb, plan, seed_of_run


def test_a_node_alone_under_load(make_group):
    seed = seed_of_run()
    group = make_group(1, clocks=True, disks="96m", raft_snapshot_entries=500)
    verdict = disturb(group, seed, plan(seed, group, 12, faults.HARMLESS))
    assert set(verdict.faults) == {"Kill", "Restart", "Pause", "Clock", "FullDisk"}
