"""The leader is killed again and again; watchers on the other nodes are told everything."""

import concurrent.futures
import random
import time

from checker import check
from client import config, releases
from history import OK
from node import wait_until
from promised import FAULTS
from publishing import KEY
from workload import Watcher, Workload, Writer

ROUNDS = FAULTS["leaders die"]
FOLDER = "dev/once/default/"


class OnceWriter(Writer):
    """Publishes each config once, so that no watcher may leave anything out."""

    def act(self):
        key = f"{FOLDER}{self.number}-{len(self.operations)}"
        self.workload.keys.append(key)
        self._publish(key, None)


class FaithfulWatcher(Watcher):
    """Watches on one node only, for as long as that is there."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self._watched = FOLDER
        self.home = 1 + self.number % 3

    def _node(self, other_than=None):
        return self.home


class Once(Workload):
    def __init__(self, group, seed):
        super().__init__(group, seed, keys=1, writers=0, readers=0, watchers=0, streamers=0, folder=FOLDER)
        kinds = [OnceWriter] * 4 + [FaithfulWatcher] * 6
        self.clients = [kind(self, number, random.Random(f"{seed} {number}")) for number, kind in enumerate(kinds)]


def test_a_put_through_a_follower_outlives_the_leader(make_group, seed):
    """It is sent once, is answered, and takes effect once: whether the leader has not got it, or has not answered it."""
    dice = random.Random(seed)
    group = make_group()
    with concurrent.futures.ThreadPoolExecutor(1) as sending:
        for round in range(8):
            leader = group.wait_leader()
            follower = dice.choice([number for number in group.nodes if number != leader])
            if round % 2:
                group[leader].pause()
            sent = sending.submit(group.client(follower).put, config(KEY), f"round {round}", query={"comment": f"round {round}"})
            time.sleep(dice.choice([0, 0.001, 0.002, 0.005, 0.02]))
            group[leader].kill()
            answer = sent.result()
            assert answer.status in (200, 201), answer
            made = [item for item in group.client(follower).items(releases(KEY)) if item["comment"] == f"round {round}"]
            assert [item["revision"] for item in made] == [answer.json()["revision"]]
            group.start()
            group.wait_caught_up()
    group.wait_one()


def test_watchers_miss_nothing_while_leaders_die(make_group, seed):
    group = make_group()
    workload = Once(group, seed).start()
    try:
        for _ in range(ROUNDS):
            leader = group.wait_leader()
            killed = workload.now()
            group[leader].kill()
            wait_until(lambda: workload.acknowledged(killed) >= 3, "changes go on", 60)
            group[leader].start(wait=False)
            group.wait_caught_up()
    finally:
        workload.stopping.set()
    workload.stop()
    group.wait_one()
    for watcher in workload.clients:
        if isinstance(watcher, FaithfulWatcher):
            assert watcher.catch_up(watcher.home).outcome == OK
    final = workload.final()
    operations = workload.operations
    assert list(check(operations, final)) == []
    made = sorted(release.revision for releases in final.values() for release in releases)
    assert len(made) >= 3 * ROUNDS
    for watcher in workload.clients:
        if isinstance(watcher, FaithfulWatcher):
            told = [change.revision for op in watcher.operations if op.outcome == OK for change in op.changes]
            assert told == made, f"the watcher at node {watcher.home} was not told what was made"
    print(f"{len(made)} changes over {ROUNDS} kills, all told to 6 watchers; {workload.longest_silence():.2f} s at most without one")
