"""PostgreSQL and Redis, as tests start them, do what tests of the archive and the edge copy need of them."""

import os
import subprocess
import sys

import pytest
import redis

from daemon import lives
from node import wait_until
from postgres import PASSWORD, Refused


def rows(server):
    return [int(row) for row, in server.sql("SELECT n FROM t ORDER BY n")]


def insert(server, number, **more):
    server.sql(f"INSERT INTO t VALUES ({number})", **more)


@pytest.fixture
def table():
    """Makes a table, and returns the database."""

    def make(postgres):
        postgres.sql("CREATE TABLE t (n int PRIMARY KEY)", as_client=True)
        return postgres

    return make


# --- PostgreSQL ---


def test_clients_come_in_with_their_password_alone(make_postgres):
    postgres = make_postgres()
    assert postgres.sql("SELECT current_user, current_database(), NULL, ''", as_client=True) == [("config_center", "config_center", None, "")]
    assert postgres.rows("SELECT 1 AS one, 'a\nb' AS text, '\\x00ff'::bytea AS bytes") == [{"one": 1, "text": "a\nb", "bytes": "\\x00ff"}]
    assert postgres.sql("SELECT WHERE false") == []
    assert postgres.settings()["database_password"] == PASSWORD
    with pytest.raises(Refused, match="no such table|does not exist"):
        postgres.sql("SELECT * FROM nothing")


def test_replicas_stream_and_one_of_them_becomes_the_primary(make_postgres, table):
    postgres = table(make_postgres(replicas=2))
    old, first, second = postgres.servers
    insert(postgres, 1)
    postgres.wait_replicas()
    assert [rows(server) for server in postgres.servers] == [[1]] * 3
    assert [server.role() for server in postgres.servers] == ["primary", "replica", "replica"]
    with pytest.raises(Refused, match="read-only"):
        insert(first, 2)

    old.kill()
    postgres.promote(first)
    assert (postgres.primary, first.role(), rows(first)) == (first, "primary", [1])
    insert(postgres, 2, as_client=True)
    postgres.wait_replicas()
    assert rows(second) == [1, 2]

    postgres.rejoin(old)
    assert (old.role(), rows(old)) == ("replica", [1, 2])


def test_it_comes_back_after_a_kill_and_a_stop_with_what_it_had(make_postgres, table):
    postgres = table(make_postgres())
    server = postgres.primary
    insert(server, 1)
    processes = server.processes()
    assert len(processes) > 3
    server.kill()
    assert not any(map(lives, processes))
    server.start()
    insert(server, 2)
    server.stop()
    server.save()
    server.start()
    assert rows(server) == [1, 2]
    insert(server, 3)
    server.stop()
    server.restore()
    server.start()
    assert rows(server) == [1, 2]


def assert_waits(what):
    with pytest.raises(subprocess.TimeoutExpired):
        what(timeout=0.5)


def test_it_hangs_while_it_is_paused(make_postgres):
    server = make_postgres().primary
    server.pause()
    assert_waits(lambda **more: server.sql("SELECT 1", **more))
    server.resume()
    assert server.sql("SELECT 1") == [("1",)]


def test_its_network_is_cut_refused_and_healed(make_postgres, table):
    server = table(make_postgres(proxied=True)).primary
    server.cut()
    assert_waits(lambda **more: server.sql("SELECT 1", as_client=True, **more))
    insert(server, 1)  # not by the network
    server.heal()
    assert server.sql("SELECT n FROM t", as_client=True) == [("1",)]
    server.refuse()
    with pytest.raises(Refused, match="Connection refused"):
        server.sql("SELECT 1", as_client=True)
    server.heal()
    insert(server, 2, as_client=True)
    assert rows(server) == [1, 2]


def test_its_disk_is_full_and_has_room_again(make_postgres, table):
    server = table(make_postgres(disk="96m")).primary
    insert(server, 1)
    server.fill_disk()
    with pytest.raises(Refused, match="No space left"):
        server.sql("INSERT INTO t SELECT generate_series(10, 1000000)")
    with pytest.raises(Refused, match="server closed the connection"):  # its log has no room either: it ends
        server.sql("SELECT pg_logical_emit_message(false, '', repeat('x', 1000000)) FROM generate_series(1, 300)")
    server.free_disk()
    insert(server, 2)
    assert rows(server) == [1, 2]


def test_its_log_has_a_disk_of_its_own(make_postgres, table):
    """It runs on until its next checkpoint, and refuses what needs room."""
    server = table(make_postgres(disk="96m", log_apart=True)).primary
    server.fill_disk()
    with pytest.raises(Refused, match="No space left"):
        server.sql("INSERT INTO t SELECT generate_series(10, 1000000)")
    server.sql("DELETE FROM t")
    server.free_disk()
    insert(server, 1)
    assert rows(server) == [1]


# --- Redis ---


def test_sentinels_move_the_primary(make_redis):
    servers = make_redis(replica=True, sentinels=True)
    old, new = servers.servers
    servers.client().set("key", "value")
    servers.wait_replicas()
    assert new.client().get("key") == "value"
    with pytest.raises(redis.exceptions.ReadOnlyError):
        new.client().set("key", "other")

    old.kill()
    assert servers.wait_failover() is new
    servers.client().set("key", "other")
    old.start()
    primary = servers.wait_one_primary()
    assert [server.client().get("key") for server in servers.servers] == ["other", "other"]

    assert servers.failover() is not primary
    assert len(servers.settings()["cache_sentinels"].split(",")) == 3


def test_redis_comes_back_with_what_it_had_or_with_nothing(make_redis):
    server = make_redis().primary
    server.client().set("key", "value")
    server.kill()
    server.start()
    server.restart()
    assert server.client().get("key") == "value"
    server.restart(keep=False)
    assert server.client().keys() == []
    server.client().set("key", "value")
    server.flush()
    assert server.client().keys() == []


def test_the_network_of_redis_is_cut_and_healed(make_redis):
    servers = make_redis(replica=True, sentinels=True, proxied=True)
    old, new = servers.servers
    with redis.Redis(old.host, old.port, password=servers.password, socket_timeout=0.5) as client:
        client.set("key", "value")
        servers.wait_replicas()
        old.cut()
        with pytest.raises(redis.exceptions.TimeoutError):
            client.get("key")
        assert servers.wait_failover() is new
        old.heal()
        servers.wait_one_primary()


# --- both ---


def test_two_of_each_run_side_by_side(make_postgres, make_redis, table):
    for number, postgres in enumerate([table(make_postgres()), table(make_postgres())]):
        insert(postgres, number)
        assert rows(postgres.primary) == [number]
    first, second = make_redis(), make_redis()
    first.client().set("key", "value")
    assert second.client().get("key") is None


KILLED = """
import sys, time
sys.path.insert(0, sys.argv[1])
from postgres import Postgres
from redis_servers import Redis
postgres, redis = Postgres(proxied=True).start(), Redis(proxied=True).start()
postgres.primary.pause()
print(postgres.primary.folder, redis.primary.folder, *postgres.primary.processes(), *redis.primary.processes(), flush=True)
time.sleep(1000)
"""


def test_nothing_is_left_of_a_test_that_is_killed():
    """Not even of what was paused."""
    with subprocess.Popen([sys.executable, "-c", KILLED, os.path.dirname(__file__)], stdout=subprocess.PIPE, text=True) as test:
        postgres, redis, *processes = test.stdout.readline().split()
        test.kill()
    wait_until(lambda: not os.path.exists(postgres) and not os.path.exists(redis), "the folders are gone")
    assert not any(map(lives, processes))
