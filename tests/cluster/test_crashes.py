"""Random schedules of nodes that die, hang, have a wrong clock, no room, a damaged log or no data."""

import faults
from nemesis import disturb, plan
from promised import FAULTS

KINDS = [faults.Kill, faults.Restart, faults.Pause, faults.Clock, faults.FullDisk, faults.Wipe, faults.DamagedTail, faults.TornTail]


def test_three_nodes_of_which_two_are_well(make_group, seed):
    group = make_group(clocks=True, disks="96m", raft_snapshot_entries=500)
    verdict = disturb(group, seed, plan(seed, group, FAULTS["crashes"], KINDS))
    assert verdict.hit_leaders_and_followers(KINDS)
    assert verdict.faults.total() == FAULTS["crashes"]


def test_three_nodes_of_which_any_number_is_disturbed(make_group, seed):
    """Changes need not go on; but nothing is lost."""
    group = make_group(clocks=True, disks="96m", raft_snapshot_entries=500)
    verdict = disturb(group, seed, plan(seed, group, FAULTS["crashes of any number"], KINDS, widely=0.7))
    assert verdict.faults.total() == FAULTS["crashes of any number"]
