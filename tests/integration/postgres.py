"""PostgreSQL as an archive's database: a primary and replicas that stream from it, all of a test's own.

    postgres = make_postgres(replicas=2)
    node = make_node(**postgres.settings())
    postgres.primary.kill()
    postgres.promote(postgres.replicas[0])
"""

import contextlib
import functools
import json
import os
import pathlib
import pwd
import shutil
import signal
import subprocess

from daemon import Daemon
from machine import cannot, fill, mounted_disk
from node import DIES_WITH_THE_TEST, PATIENCE, environment, wait_until
from scratch import Scratch

DATABASE = ROLE = "config_center"
PASSWORD = """it's a "pass word" \\ with 100% of what needs care"""

SETTINGS = {
    "fsync": "off",  # what a killed process has written is there all the same
    "listen_addresses": "127.0.0.1",
    "shared_buffers": "32MB",
    "dynamic_shared_memory_type": "mmap",  # in the data folder: nothing is left in /dev/shm by who is killed
    "wal_level": "replica",
    "wal_log_hints": "on",
    "max_wal_size": "256MB",
    "hot_standby": "on",
    "wal_receiver_status_interval": "1s",
    "wal_retrieve_retry_interval": "100ms",
    "log_line_prefix": "%m [%p] %q%a ",
    "timezone": "UTC",
}

# What is left of one that was killed: the segment that tells whether somebody still works with its data.
FORGET_SEGMENTS = """for file in */disk/data/postmaster.pid; do ipcrm -m "$(sed -n '7s/.* //p' "$file")"; done; umount -l */disk"""
FIELD, RECORD, NULL = "\x1f", "\x1e", "\x01"


class Refused(Exception):
    """PostgreSQL's own words."""


class Postgres:
    """Its servers are `primary` and `replicas`. With `proxied`, clients (not the replicas) reach each of them through a proxy,
    and its network can be cut. `disk`, like "64m", gives each a small disk, for all that it writes or, with `log_apart`, for all
    but its log; needs root. Other settings are PostgreSQL's own."""

    def __init__(self, replicas=0, proxied=False, disk=None, log_apart=False, **settings):
        self._scratch = scratch()
        self._disks = contextlib.ExitStack()
        self.servers = []
        for number in range(1 + replicas):
            server = Server(f"postgres{number}", self._scratch.path / f"postgres{number}", proxied, log_apart, **settings)
            self.servers.append(server)
            if disk:
                self._disks.enter_context(mounted_disk(server.disk, disk))
            else:
                server.disk.mkdir()
        self.primary = self.servers[0]

    @property
    def replicas(self):
        return [server for server in self.servers if server is not self.primary]

    # --- life ---

    def start(self):
        self.primary.take_template()
        self.primary.start()
        for replica in self.replicas:
            replica.clone(self.primary)
            replica.start()
        self.wait_replicas()
        return self

    def close(self):
        with contextlib.ExitStack() as closing:  # one that fails keeps none of the others from it
            closing.callback(self._scratch.close)
            closing.push(self._disks)
            for server in self.servers:
                closing.callback(server.close)

    def wait_replicas(self):
        """Those that run stream, and have replayed what the primary had when this was called."""
        position = self.primary.position()
        running = [replica for replica in self.replicas if replica.alive]

        def there():
            streaming = {slot for slot, in self.primary.sql(
                "SELECT slot_name FROM pg_stat_replication JOIN pg_replication_slots ON active_pid = pid WHERE state = 'streaming'")}
            return all(replica.name in streaming and replica.position() >= position for replica in running)

        wait_until(there, "the replicas stream and have replayed", 60)

    def promote(self, replica):
        """It is the primary from now on, and the replicas that run follow it. The old primary is not told of it."""
        replica.sql("SELECT pg_promote(true, 60)")
        self.primary = replica
        for other in self.replicas:
            if other.alive and other.role() == "replica":
                other.follow(replica)

    def rejoin(self, server):
        """One that is stopped starts again as a replica of the primary, with a copy of all that that has."""
        server.clone(self.primary)
        server.start()
        self.wait_replicas()

    # --- what is asked of it ---

    def sql(self, text, **more):
        return self.primary.sql(text, **more)

    def rows(self, query, **more):
        return self.primary.rows(query, **more)

    @property
    def hosts(self):
        return ",".join(server.address for server in self.servers)

    def settings(self):
        """What a node needs to have it as its archive."""
        return {"database_host": self.hosts, "database_username": ROLE, "database_password": PASSWORD, "database_database": DATABASE}


class Server(Daemon):
    """One PostgreSQL. Its superuser comes in by a socket in its folder, clients with a password."""

    def __init__(self, name, folder, proxied=False, log_apart=False, **settings):
        super().__init__(name, folder, proxied)
        give_to_owner(folder)
        self.as_user = as_owner()
        self.disk = folder / "disk"
        self.data = self.disk / "data"
        self.log_apart = folder / "pg_wal" if log_apart else None
        self._filler = None
        self.settings = {**SETTINGS, "port": self.own_port, "unix_socket_directories": folder, "cluster_name": name, **settings}

    # --- life ---

    def take_template(self):
        """A database that was just made."""
        copy(template(), self.data)
        if self.log_apart:
            subprocess.run(["mv", str(self.data / "pg_wal"), str(self.log_apart)], check=True)
            (self.data / "pg_wal").symlink_to(self.log_apart)

    def clone(self, primary):
        """A copy of what the primary has, which streams from it once it is started."""
        self._make_room()
        primary.make_slot(self.name)
        run_as_owner("pg_basebackup", "-D", self.data, *(["--waldir", self.log_apart] if self.log_apart else []), "-R", "-X", "stream",
                     "-c", "fast", "-S", self.name, "-d", primary.conninfo(self.name), cwd=self.folder)

    def make_slot(self, name):
        self.sql(f"SELECT pg_create_physical_replication_slot({literal(name)}) WHERE NOT EXISTS "
                 f"(SELECT FROM pg_replication_slots WHERE slot_name = {literal(name)})")

    def conninfo(self, name):
        """How another one, of that name, connects to it in order to replicate."""
        return f"host={self.folder} port={self.own_port} user=postgres application_name={name}"

    def follow(self, primary):
        primary.make_slot(self.name)
        self.sql(f"ALTER SYSTEM SET primary_conninfo = {literal(primary.conninfo(self.name))}")
        self.sql(f"ALTER SYSTEM SET primary_slot_name = {literal(self.name)}")
        self.sql("SELECT pg_reload_conf()")

    def stop(self):
        """Cleanly; who is connected is not waited for."""
        super().stop(signal.SIGINT)

    def _kill(self):
        super()._kill()
        lock = self.data / "postmaster.pid"
        with contextlib.suppress(OSError, IndexError):  # a segment that tells whether somebody still works with the data
            subprocess.run(["ipcrm", "-m", lock.read_text().split("\n")[6].split()[1]], capture_output=True)
            lock.unlink()

    def save(self):
        """A copy of its data, taken while it is stopped, for restore()."""
        assert not self.alive and not self.log_apart
        shutil.rmtree(self.folder / "saved", ignore_errors=True)
        copy(self.data, self.folder / "saved")

    def restore(self):
        """It has what it had then, and nothing that came later."""
        self._make_room()
        copy(self.folder / "saved", self.data)

    def _make_room(self):
        assert not self.alive
        give_to_owner(self.disk)
        for folder in (self.data, self.log_apart):
            if folder and folder.exists():
                shutil.rmtree(folder)

    def fill_disk(self):
        """Not a byte is left. PostgreSQL ends by itself when it cannot write its log."""
        self._filler = fill(self.disk)

    def free_disk(self):
        """It is started again if it has ended by itself, as a supervisor does."""
        self._filler.unlink()
        if not self.alive:
            self.start(wait=False)
        wait_until(self._serves, f"{self.name} serves again", 60)

    def _serves(self):
        if not self.alive:  # it had not ended yet
            self.start(wait=False)
        try:
            self.sql("CHECKPOINT")  # one that is about to find that a process of it has died does not get through it
            return True
        except Refused:
            return False

    # --- what is asked of it ---

    def sql(self, text, as_client=False, database=DATABASE, timeout=60):
        """Rows of texts, of which None is NULL. Asked by the superuser; `as_client`: over the network, with the password."""
        who = ["-h", self.host, "-p", self.port, "-U", ROLE] if as_client else ["-h", self.folder, "-p", self.own_port, "-U", "postgres"]
        done = subprocess.run([*map(str, [program("psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-P", f"null={NULL}", "-F", FIELD,
                                          "-R", RECORD, *who, "-d", database, "-c", text])],
                              env=environment(self.folder, PGPASSWORD=PASSWORD), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=timeout * PATIENCE)
        if done.returncode != 0:
            raise Refused(done.stderr)
        if not done.stdout:
            return []
        return [tuple(None if field == NULL else field for field in record.split(FIELD))
                for record in done.stdout.removesuffix("\n").split(RECORD)]

    def rows(self, query, **more):
        """Of a SELECT, each {column: value}; times are texts, and so are bytes, as \\x…"""
        return [json.loads(row) for row, in self.sql(f"SELECT row_to_json(q) FROM ({query}) q", **more)]

    @contextlib.contextmanager
    def holding(self, statement):
        """What the statement takes, as a lock, is held meanwhile by a transaction, which is undone then."""
        with subprocess.Popen([program("psql"), "-X", "-q", "-h", str(self.folder), "-p", str(self.own_port), "-U", "postgres", "-d", DATABASE],
                              env=environment(self.folder), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as session:
            session.stdin.write(f"BEGIN;\n{statement};\n\\echo held\n")
            session.stdin.flush()
            assert session.stdout.readline() == "held\n"
            yield
            session.stdin.close()

    def somebody_waits(self):
        """For a lock that somebody else has."""
        return self.sql("SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'")

    def role(self):
        return "replica" if self.sql("SELECT pg_is_in_recovery()") == [("t",)] else "primary"

    def position(self):
        """In its log: up to where it has written, or replayed."""
        function = "pg_last_wal_replay_lsn()" if self.role() == "replica" else "pg_current_wal_lsn()"
        [[position]] = self.sql(f"SELECT {function} - '0/0'::pg_lsn")
        return int(position or 0)

    def _command(self):
        words = [word for name, value in self.settings.items() for word in ("-c", f"{name}={value}")]
        return [program("postgres"), "-D", str(self.data), *words]

    def _ready(self):
        """As pg_ctl sees it: by the process that the data folder's lock names, and its state."""
        with contextlib.suppress(OSError):
            lines = (self.data / "postmaster.pid").read_text().split("\n")
            return len(lines) > 7 and int(lines[0]) == self.process.pid and lines[7].strip() == "ready"
        return False


# --- PostgreSQL's programs, and who runs them ---


@functools.cache
def program(name):
    """In the newest version that is installed."""
    folders = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not folders:
        cannot("PostgreSQL is not installed: script/bootstrap")
    return str(folders[-1].parent / name)


@functools.cache
def owner():
    """Who runs it for root, whom PostgreSQL refuses; None for anybody else."""
    if os.getuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


def as_owner():
    """What a command begins with that its owner is to run."""
    if owner() is None:
        return []
    return ["setpriv", f"--reuid={owner().pw_uid}", f"--regid={owner().pw_gid}", "--clear-groups", "--"]


def run_as_owner(name, *arguments, cwd):
    done = subprocess.run([*as_owner(), *DIES_WITH_THE_TEST, program(name), *map(str, arguments)], cwd=cwd, env=environment(cwd),
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 0, f"{name}: {done.stderr}"


def give_to_owner(path):
    if owner():
        os.chown(path, owner().pw_uid, owner().pw_gid)


def copy(path, to):
    subprocess.run(["cp", "-a", str(path), str(to)], check=True)


def scratch():
    return Scratch("postgres", owner(), FORGET_SEGMENTS)


@functools.cache
def template_folder():
    """Until the tests end."""
    return scratch()


@functools.cache
def template():
    """The data of a new database with its role; making it takes longer than copying it."""
    server = Server("template", template_folder().path / "template")
    server.disk.mkdir()
    give_to_owner(server.disk)
    run_as_owner("initdb", "-D", server.data, "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--data-checksums",
                 "--wal-segsize=1", "--auth-local=trust", "--auth-host=scram-sha-256", cwd=server.folder)
    server.start()
    for statement in (f"CREATE ROLE {ROLE} LOGIN PASSWORD {literal(PASSWORD)}", f"CREATE DATABASE {DATABASE} OWNER {ROLE}"):
        server.sql(statement, database="postgres")
    server.stop()
    return server.data


def literal(text):
    return "'" + text.replace("'", "''") + "'"
