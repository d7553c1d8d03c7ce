"""Redis as the edge copy's cache: a primary, a replica and three Sentinels that watch them, all of a test's own.

    redis = make_redis(replica=True, sentinels=True)
    node = make_node(**redis.settings())
    redis.primary.kill()
    redis.wait_failover()
"""

import contextlib
import shutil

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from daemon import Daemon
from machine import cannot
from node import PATIENCE, wait_until
from scratch import Scratch

PASSWORD = "p@ss:w0rd/%25&+=?"  # no blanks and quotes: Sentinel cannot read them in the file that it has written itself
NAME = "mymaster"  # what the Sentinels call the primary
SENTINELS, QUORUM = 3, 2
DOWN_AFTER = 1000 * PATIENCE  # milliseconds


class Redis:
    """Its servers are `primary` and `replicas`; `sentinels` watch them, if asked for. With `proxied` everybody, also the
    Sentinels and the replica, reaches each server through a proxy, and its network can be cut. All are at `host`. Without
    a `password` anybody may come in. Other settings are those of Redis."""

    def __init__(self, replica=False, sentinels=False, proxied=False, host="127.0.0.1", password=PASSWORD, sentinel_password=None,
                 **settings):
        self._scratch = Scratch("redis")
        self.password, self.sentinel_password = password, sentinel_password
        self.servers = [Server(f"redis{number}", self._scratch.path / f"redis{number}", proxied, host, password, **settings)
                        for number in range(2 if replica else 1)]
        self.primary = self.servers[0]
        self.sentinels = [Sentinel(f"sentinel{number}", self._scratch.path / f"sentinel{number}", self.primary, sentinel_password)
                          for number in range(SENTINELS if sentinels else 0)]

    @property
    def replicas(self):
        return [server for server in self.servers if server is not self.primary]

    # --- life ---

    def start(self):
        for server in self.servers:
            server.start()
        for replica in self.replicas:
            replica.follow(self.primary)
        self.wait_replicas()
        for sentinel in self.sentinels:
            sentinel.start()
        self.wait_sentinels()
        return self

    def close(self):
        with contextlib.ExitStack() as closing:  # one that fails keeps none of the others from it
            closing.callback(self._scratch.close)
            for each in (*self.servers, *self.sentinels):
                closing.callback(each.close)

    def wait_replicas(self):
        """Those that run have all that the primary has."""

        def there():
            primary = self.primary.info("replication")
            return primary and all(seen and seen["role"] == "slave" and seen["master_link_status"] == "up"
                                   and seen["slave_repl_offset"] >= primary["master_repl_offset"]
                                   for seen in (replica.info("replication") for replica in self.replicas if replica.alive))

        wait_until(there, "the replica has all that the primary has", 60)

    def promote(self, replica):
        """By hand, where there are no Sentinels. The old primary is not told of it."""
        assert not self.sentinels
        replica.client().replicaof("NO", "ONE")
        self.primary = replica

    # --- the Sentinels ---

    def wait_sentinels(self):
        """Those that run know of each other and of the replica, and agree on the primary."""
        running = [sentinel for sentinel in self.sentinels if sentinel.alive]

        def agreed():
            for sentinel in running:
                seen = sentinel.primary()
                if (seen is None or (seen["ip"], seen["port"]) != (self.primary.host, self.primary.port) or seen["flags"] != "master"
                        or seen["num-other-sentinels"] < len(running) - 1 or seen["num-slaves"] != len(self.replicas)):
                    return False
            return True

        wait_until(agreed, "the Sentinels know of each other", 60)

    def failover(self):
        """Asks a Sentinel for one, again when it gives up, and waits for it."""

        def moved():
            seen = self.sentinels[0].primary()
            if seen and seen["port"] == self.primary.port and "failover_in_progress" not in seen["flags"]:
                with contextlib.suppress(redis.exceptions.ResponseError):  # it does not know yet that the replica is well
                    self.sentinels[0].client().execute_command("SENTINEL", "FAILOVER", NAME)
            return self._other_primary()

        self.primary = wait_until(moved, "the Sentinels have made another server the primary", 60)
        return self.primary

    def wait_failover(self):
        """Until all Sentinels have made another server the primary than it was when this was called; that server."""
        self.primary = wait_until(self._other_primary, "the Sentinels have made another server the primary", 60)
        return self.primary

    def wait_one_primary(self):
        """Until one server is the primary, for all Sentinels and for itself, and the others that run follow it; that server.
        One that comes back takes itself for the primary until a Sentinel has told it."""

        def one():
            roles = [server.role() for server in self.servers if server.alive]
            return roles.count("primary") == 1 and roles.count("replica") == len(roles) - 1 and self._agreed()

        self.primary = wait_until(one, "one server is the primary", 60)
        self.wait_replicas()
        return self.primary

    def _other_primary(self):
        found = self._named()  # the old one may be there and not answer
        return found if found and found is not self.primary and found.role() == "primary" else None

    def _agreed(self):
        """The server that all Sentinels have as the primary, when it is one."""
        found = self._named()
        return found if found and found.role() == "primary" else None

    def _named(self):
        """The server that all Sentinels have as the primary."""
        seen = [sentinel.primary() for sentinel in self.sentinels if sentinel.alive]
        addresses = {each and (each["ip"], each["port"]) for each in seen}
        return next((server for server in self.servers if addresses == {(server.host, server.port)}), None)

    def sentinel_addresses(self):
        return ",".join(sentinel.address for sentinel in self.sentinels)

    # --- what is asked of it ---

    def client(self, **more):
        """Of the primary."""
        return self.primary.client(**more)

    def settings(self):
        """What a node needs to have it as its cache."""
        where = ({"cache_sentinels": self.sentinel_addresses()} if self.sentinels
                 else {"cache_host": self.primary.host, "cache_port": self.primary.port})
        passwords = {"cache_password": self.password, "cache_sentinel_password": self.sentinel_password}
        return {**where, **{name: value for name, value in passwords.items() if value}}


class _Program(Daemon):
    password = None

    def client(self, **more):
        """Answers are texts. It connects again when it is sent away, as Sentinels do with the clients of whom they promote."""
        return redis.Redis(self.host, self.own_port, **{"password": self.password, "socket_timeout": 10 * PATIENCE, "decode_responses": True,
                                                        "retry": Retry(NoBackoff(), 3), "retry_on_error": [redis.ConnectionError], **more})

    def _ready(self):
        try:
            with self.client() as client:
                return client.ping()
        except redis.exceptions.RedisError:  # not there yet, or still loading
            return False

    def _write(self, *lines):
        self._file = self.folder / "conf"
        self._file.write_text("\n".join([f"bind {self.host}", f"port {self.own_port}", f"dir {self.folder}", *lines, ""]))


class Server(_Program):
    """One Redis. What it was told is in its append-only file, also when it is killed."""

    def __init__(self, name, folder, proxied=False, host="127.0.0.1", password=None, **settings):
        super().__init__(name, folder, proxied, host)
        self.password = password
        asks_password = [f'requirepass "{password}"', f'masterauth "{password}"'] if password else ["protected-mode no"]
        self._write("appendonly yes", "appendfsync no", 'save ""', "repl-diskless-sync-delay 0", "repl-ping-replica-period 1",
                    f"replica-announce-ip {self.host}", f"replica-announce-port {self.port}", *asks_password,
                    *(f"{setting.replace('_', '-')} {value}" for setting, value in settings.items()))

    def restart(self, keep=True):
        """Cleanly; with all that it had or, as one without a disk does, with nothing."""
        self.stop()
        if not keep:
            self.forget()
        return self.start()

    def forget(self):
        """Whatever it had is gone when it is started again, as with one without a disk."""
        assert not self.alive
        shutil.rmtree(self.folder / "appendonlydir")
        (self.folder / "dump.rdb").unlink(missing_ok=True)

    def flush(self):
        self.client().flushall()

    def follow(self, primary):
        self.client().replicaof(primary.host, primary.port)

    def info(self, section):
        """None while it does not answer, or hangs up, as when a Sentinel gives it another role."""
        try:
            with self.client() as client:
                return client.info(section)
        except redis.exceptions.RedisError:
            return None

    def role(self):
        seen = self.info("replication")
        return seen and {"master": "primary", "slave": "replica"}[seen["role"]]

    def _command(self):
        return [program("redis-server", "valkey-server"), str(self._file)]


class Sentinel(_Program):
    def __init__(self, name, folder, primary, password=None):
        super().__init__(name, folder, host=primary.host)
        self.password = password
        asks_password = [f'requirepass "{password}"', f'sentinel sentinel-pass "{password}"'] if password else []
        self._write(f"sentinel monitor {NAME} {primary.host} {primary.port} {QUORUM}",
                    f"sentinel down-after-milliseconds {NAME} {DOWN_AFTER}",
                    f"sentinel failover-timeout {NAME} {3 * DOWN_AFTER}",
                    f"sentinel parallel-syncs {NAME} 1",
                    *([f'sentinel auth-pass {NAME} "{primary.password}"'] if primary.password else []), *asks_password)

    def primary(self):
        """What it says of the primary; None while it says nothing."""
        try:
            with self.client() as client:
                return client.sentinel_master(NAME)
        except redis.exceptions.RedisError:
            return None

    def wait_ready(self):
        """It looks at the servers more often than it does by itself: every ten seconds for their roles, and every second for
        whether they answer, which is too seldom for one second without an answer to mean anything."""
        super().wait_ready()
        with self.client() as client:
            client.execute_command("SENTINEL", "DEBUG", "INFO-PERIOD", 500, "PUBLISH-PERIOD", 500, "PING-PERIOD", 200)
        return self

    def _command(self):
        return [program("redis-server", "valkey-server"), str(self._file), "--sentinel"]


def program(*names):
    found = next((path for name in names if (path := shutil.which(name))), None)
    return found or cannot("Redis is not installed: script/bootstrap")
