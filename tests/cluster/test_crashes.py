"""Random schedules of nodes that die, hang, have a wrong clock, no room, a damaged log or no data."""

import faults
from nemesis import disturb, plan, seed_of_run

KINDS = [faults.Kill, faults.Restart, faults.Pause, faults.Clock, faults.FullDisk, faults.Wipe, faults.DamagedTail]


def test_three_nodes_of_which_two_are_well(make_group):
    seed = seed_of_run()
    group = make_group(clocks=True, disks="96m", raft_snapshot_entries=500)
    verdict = disturb(group, seed, plan(seed, group, 49, KINDS))
    assert len(verdict.faults) == len(KINDS)


def test_three_nodes_of_which_any_number_is_disturbed(make_group):
    """Changes need not go on; but nothing is lost."""
    seed = seed_of_run()
    group = make_group(clocks=True, disks="96m", raft_snapshot_entries=500)
    disturb(group, seed, plan(seed, group, 21, KINDS, widely=0.7))
