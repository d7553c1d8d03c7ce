"""Whatever happens to the nodes that write the archive, it has everything once, in order."""

import random
import signal

import pytest

from archived import FORGETFUL
from node import wait_until


def test_the_leader_dies_in_the_middle_of_a_batch(archived):
    """It is undone with its connection, and the next leader writes it."""
    it = archived()
    with it.load(nodes_fail=True):
        for _ in range(4):
            leader = it.group.wait_leader()
            with it.postgres.primary.holding("LOCK TABLE config_center.release IN SHARE MODE"):
                wait_until(it.postgres.primary.somebody_waits, "a batch waits in its middle")
                it.group[leader].kill()
            it.wait_caught_up()
            it.group[leader].start(wait=False)
            it.group.wait_caught_up()
    it.check()


def test_the_leader_dies_at_any_moment(archived, seed):
    it = archived(settings=FORGETFUL)
    dice = random.Random(seed)
    with it.load(nodes_fail=True):
        for _ in range(6):
            it.hold(dice.uniform(0, 0.5))
            leader = it.group.wait_leader()
            it.group[leader].kill()
            it.goes_on()
            it.group[leader].start(wait=False)
            it.group.wait_caught_up()
    it.check()


def test_a_leader_that_was_paused_writes_nothing_twice(archived):
    """In the middle of a batch; when it goes on, another one leads and writes."""
    it = archived()
    with it.load(nodes_fail=True):
        for _ in range(2):
            leader = it.group.wait_leader()
            with it.postgres.primary.holding("LOCK TABLE config_center.release IN SHARE MODE"):
                wait_until(it.postgres.primary.somebody_waits, "a batch waits in its middle")
                it.group[leader].pause()
            it.group.wait_leader(other_than=leader)
            it.goes_on()
            it.wait_caught_up()
            it.group[leader].resume()
            it.group.wait_caught_up()
            it.wait_caught_up()
    it.check()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_all_nodes_are_restarted(archived, how):
    it = archived(replicas=1, settings=FORGETFUL)
    with it.load(nodes_fail=True):
        for _ in range(3):
            it.hold(1)
            if how == signal.SIGTERM:
                it.group.stop()
            else:
                for node in it.group:
                    node.kill()
            it.group.start()
    it.check()
