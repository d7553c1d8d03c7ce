"""Whatever happens to Redis or to the nodes that write to it, clients of the group do not notice what becomes of Redis, and
the copy is what is published; where Redis stays, each change has its message once, in order."""

import signal

import pytest

from under_load import AWAY


@pytest.mark.parametrize("how", ["kill", "pause", "cut"])
def test_a_failover_is_followed(edged, how):
    """The old primary comes back when another one is, and is its replica then."""
    it = edged(proxied=True)
    old = it.redis.primary
    with it.load():
        getattr(old, how)()
        it.redis.wait_failover()
        it.wait_caught_up()
        it.subscribe()
        {"kill": old.start, "pause": old.resume, "cut": old.heal}[how]()
        assert it.redis.wait_one_primary() is not old
        it.wait_caught_up()
    it.check()


def test_redis_comes_back_with_nothing(edged):
    """It is filled again, while clients go on to change what it is filled with."""
    it = edged()
    with it.load(keys=100):
        for server in it.redis.servers:
            server.kill()
            server.forget()
        it.wait_behind()
        it.goes_on()
        for server in it.redis.servers:
            server.start()
        it.redis.wait_one_primary()
        it.wait_caught_up()
        it.subscribe()
        it.goes_on()
    it.check()


@pytest.mark.parametrize("how", ["cut", "refuse", "pause"])
def test_redis_is_out_of_reach(edged, how):
    """Its packets are lost, its port is closed, or it hangs: all its servers at once, so that there is no failover."""
    it = edged(proxied=True)
    it.subscribe()
    with it.load():
        for server in it.redis.servers:
            getattr(server, how)()
        it.hold(AWAY)
        it.wait_behind()
        for server in it.redis.servers:  # the primary first
            server.resume() if how == "pause" else server.heal()
            it.redis.wait_sentinels()
        it.wait_caught_up()
    it.check()


def test_the_leader_dies(edged):
    it = edged()
    it.subscribe()
    with it.load(nodes_fail=True):
        for _ in range(3):
            leader = it.group.wait_leader()
            it.group[leader].kill()
            it.goes_on()
            it.group[leader].start(wait=False)
            it.group.wait_caught_up()
    it.check()


def test_all_nodes_are_restarted(edged):
    it = edged()
    it.subscribe()
    with it.load(nodes_fail=True):
        for how in (signal.SIGKILL, signal.SIGTERM):
            it.hold(1)
            if how == signal.SIGTERM:
                it.group.stop()
            else:
                for node in it.group:
                    node.kill()
            it.group.start()
            it.wait_caught_up()
    it.check()
