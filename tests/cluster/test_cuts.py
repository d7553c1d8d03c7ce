"""Random schedules of networks that are cut, lose packets, or are slow, and of nodes that die meanwhile."""

import faults
from nemesis import disturb, plan, seed_of_run

CUTS = [faults.Partition, faults.Deaf, faults.Mute, faults.Loss]


def test_three_nodes_of_which_one_is_cut_off(make_group, bed):
    seed = seed_of_run()
    group = make_group(place=bed, raft_snapshot_entries=500)
    verdict = disturb(group, seed, plan(seed, group, 40, [*CUTS, faults.Kill, faults.Pause]))
    assert {each.__name__ for each in CUTS} <= set(verdict.faults)


def test_three_nodes_in_a_slow_network(make_group, bed):
    seed = seed_of_run()
    group = make_group(place=bed, delayed=True, raft_snapshot_entries=500)
    disturb(group, seed, plan(seed, group, 16, [faults.Delay, faults.Loss, faults.Partition, faults.Kill], widely=0.4))
