"""Random schedules of networks that are cut, lose packets, or are slow, and of nodes that die meanwhile."""

import faults
from nemesis import disturb, plan
from promised import FAULTS

KINDS = [faults.Partition, faults.Deaf, faults.Mute, faults.Loss, faults.Kill, faults.Pause]


def test_three_nodes_of_which_one_is_cut_off(make_group, bed, seed):
    group = make_group(place=bed, raft_snapshot_entries=500)
    verdict = disturb(group, seed, plan(seed, group, FAULTS["cuts"], KINDS))
    assert verdict.hit_leaders_and_followers(KINDS)
    assert verdict.faults.total() == FAULTS["cuts"]


def test_three_nodes_in_a_slow_network(make_group, bed, seed):
    group = make_group(place=bed, delayed=True, raft_snapshot_entries=500)
    kinds = [faults.Delay, faults.Loss, faults.Partition, faults.Kill]
    verdict = disturb(group, seed, plan(seed, group, FAULTS["a slow network"], kinds, widely=0.4))
    assert verdict.faults.total() == FAULTS["a slow network"]
