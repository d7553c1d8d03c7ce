"""Whatever happens to the database, clients of the group do not notice, and the archive has everything once, in order."""

import pytest

from archived import FORGETFUL
from under_load import AWAY


def test_each_server_of_the_database_is_killed(archived):
    it = archived(replicas=2, settings=FORGETFUL)
    with it.load():
        for server in it.postgres.servers:
            server.kill()
            it.hold(1)
            server.start()
            it.postgres.wait_replicas()
            it.wait_caught_up()
    it.check()


def test_a_replica_is_promoted(archived):
    """The nodes find it; the old primary comes back as a replica."""
    it = archived(replicas=2)
    old, first, second = it.postgres.servers
    with it.load():
        it.postgres.wait_replicas()
        old.kill()
        it.hold(1)
        it.postgres.promote(first)
        it.wait_caught_up()
        it.postgres.rejoin(old)
        first.stop()
        it.postgres.promote(second)
        it.wait_caught_up()
    it.check()


def test_a_replica_that_lacks_the_last_commits_is_promoted(archived):
    """What was lost with the old primary is written again, and that is not kept quiet."""
    it = archived(replicas=1)
    old, replica = it.postgres.servers
    with it.load():
        replica.stop()
        it.wait_caught_up()
        it.goes_on()
        it.wait_caught_up()
        old.kill()
        replica.start()
        it.postgres.promote(replica)
        it.wait_caught_up()
        assert sum(it.status(number)["went_back"] for number in it.group.nodes) >= 1
    it.check()


def test_the_old_primary_runs_on_for_a_while(archived):
    """What only that was told the new one is told again when it is alone."""
    it = archived(replicas=1)
    old, replica = it.postgres.servers
    with it.load():
        it.postgres.promote(replica)
        it.hold(2)
        old.kill()
        it.wait_caught_up()
    it.check()


def test_the_database_is_restored_to_an_earlier_time(archived):
    it = archived()
    server = it.postgres.primary
    with it.load():
        server.stop()
        server.save()
        server.start()
        it.goes_on()
        it.wait_caught_up()
        server.stop()
        server.restore()
        server.start()
        it.wait_caught_up()
    it.check()


@pytest.mark.parametrize("how", ["cut", "refuse", "pause"])
def test_the_database_is_out_of_reach(archived, how):
    """Its packets are lost, its port is closed, or it hangs: all its servers at once."""
    it = archived(replicas=2, proxied=True, settings=FORGETFUL)
    with it.load():
        for server in it.postgres.servers:
            getattr(server, how)()
        it.hold(AWAY)
        it.wait_behind()
        for server in it.postgres.servers:
            server.resume() if how == "pause" else server.heal()
        it.wait_caught_up()
    it.check()


def test_the_disk_of_the_database_is_full(archived):
    it = archived(disk="192m", settings=FORGETFUL)
    with it.load():
        it.wait_caught_up()
        it.postgres.primary.fill_disk()
        it.wait_behind()
        it.hold(AWAY)
        it.postgres.primary.free_disk()
        it.wait_caught_up()
    it.check()
