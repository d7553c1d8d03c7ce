"""Random schedules of everything that can happen to a group of five, in which two may be hit at once; some hit more."""

import faults
from nemesis import disturb, plan
from promised import FAULTS


def test_five_nodes(make_group, bed, seed):
    group = make_group(5, place=bed, delayed=True, clocks=True, disks="96m", raft_snapshot_entries=500)
    verdict = disturb(group, seed, plan(seed, group, FAULTS["everything"], widely=0.1))
    assert {kind for kind, _ in verdict.faults} == {kind.__name__ for kind in faults.ALL}
    assert verdict.faults.total() == FAULTS["everything"]
