"""Random schedules of everything that can happen to a group of five, in which two may be hit at once; some hit more."""

import faults
from nemesis import disturb, plan, seed_of_run


def test_five_nodes(make_group, bed):
    seed = seed_of_run()
    group = make_group(5, place=bed, delayed=True, clocks=True, disks="96m", raft_snapshot_entries=500)
    verdict = disturb(group, seed, plan(seed, group, 48, widely=0.1))
    assert len(verdict.faults) == len(faults.ALL)
