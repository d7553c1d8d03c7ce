"""The programs that the files of PostgreSQL, Redis and monitoring are for take them, and do with them what they are meant to."""

import concurrent.futures
import contextlib
import json
import os
import re
import shutil
import subprocess
import time

import pytest
import redis

import golden
import pasted
import postgres
import redis_servers
from authority import Authority
from machine import cannot
from node import PATIENCE, environment, wait_until
from scratch import Scratch

SETTINGS = "/etc/postgresql/15/main/conf.d/config-center.conf"
ACCESS = "/etc/postgresql/15/main/pg_hba.conf"
PASSWORDS = "/var/lib/postgresql/config-center.pgpass"
PROGRAMS = {"promtool": "prometheus", "amtool": "prometheus-alertmanager"}


def file_of(host, path):
    return (golden.GOLDEN / host / path.lstrip("/")).read_text()


def output_of(*command, cwd="/"):
    done = subprocess.run(list(map(str, command)), cwd=cwd, env=environment(cwd), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=60 * PATIENCE)
    assert done.returncode == 0, f"{command} ends with status {done.returncode}:\n{done.stdout}"
    return done.stdout


def need(program):
    if program.startswith("/usr/lib/postgresql/"):
        return program if os.path.exists(program) else cannot(f"{program} is not installed: script/bootstrap")
    return shutil.which(program) or cannot(f"{PROGRAMS[program]} is not installed: script/bootstrap")


def checked(component):
    return [file for file in golden.files(component) if file.validator]


# --- each file by its program's own check ---


@pytest.mark.parametrize("file", checked("database") + checked("monitoring"), ids=str)
def test_a_files_own_check_takes_it(file):
    program, *arguments = file.validator.split()
    output_of(need(program), *(argument.replace("{}", str(file.here)) for argument in arguments))


@pytest.mark.parametrize("line", ["wal_levle = 'replica'", "max_wal_senders = 'many'", "synchronous_standby_names = 'ANY 1 (a'"])
def test_the_check_of_postgresqls_settings_notices_what_is_wrong(line, tmp_path):
    [file] = [file for file in checked("database") if file.host == "db1"]
    wrong = tmp_path / "config-center.conf"
    wrong.write_text(file.here.read_text() + line + "\n")
    program, *arguments = file.validator.replace("{}", str(wrong)).split()
    done = subprocess.run([need(program), *arguments], capture_output=True, text=True)
    assert done.returncode != 0 and line.split()[0] in done.stderr


# --- Prometheus and Alertmanager ---


@pytest.fixture
def prometheus_folder(tmp_path):
    """/etc/prometheus of the host with Prometheus, with paths that lead there."""
    shutil.copytree(golden.GOLDEN / "monitor1/etc/prometheus", tmp_path / "prometheus")
    settings = tmp_path / "prometheus/prometheus.yml"
    settings.write_text(settings.read_text().replace("/etc/prometheus", str(tmp_path / "prometheus")))
    return tmp_path / "prometheus"


def test_prometheus_finds_its_rules_and_targets(prometheus_folder):
    output = output_of(need("promtool"), "check", "config", "--lint=all", "--lint-fatal", prometheus_folder / "prometheus.yml")
    rules = sorted([*(path.name for path in (pasted.ROOT / "monitoring/rules").iterdir()), "topology.rules.yml"])
    assert sorted(re.findall(r"Checking .*/(\S+\.rules\.yml)", output)) == rules and output.count("rules found") == len(rules)
    assert re.findall(r"WARNING: file .*/(\S+)\"", output) == ["*.targets.json"], output  # the operator's own, of which there are none


def test_prometheus_takes_the_operators_own_rules_and_targets(prometheus_folder):
    (prometheus_folder / "custom.d/own.rules.yml").write_text("groups: [{name: own, rules: [{record: 'own:up:sum', expr: sum(up)}]}]\n")
    (prometheus_folder / "custom.d/own.targets.json").write_text('[{"targets": ["10.0.0.99:80"]}]\n')
    output = output_of(need("promtool"), "check", "config", prometheus_folder / "prometheus.yml")
    assert "own.rules.yml" in output and "WARNING" not in output


def test_targets_are_all_hosts_by_name():
    targets = {path.stem: [(group["targets"], group["labels"]) for group in json.loads(path.read_text())]
               for path in (golden.GOLDEN / "monitor1/etc/prometheus/targets").iterdir()}
    assert targets["config-center"] == [([f"10.0.0.2{number}:8849"], {"host": f"app{number}"}) for number in (1, 2, 3)]
    assert targets["haproxy"] == [([f"10.0.0.1{number}:8404"], {"host": f"lb{number}"}) for number in (1, 2)]
    assert len(targets["node"]) == 11


def test_all_alerts_reach_the_operators():
    settings = golden.GOLDEN / "monitor1/etc/prometheus/alertmanager.yml"
    for severity in ("warning", "critical"):
        assert output_of(need("amtool"), "config", "routes", "test", f"--config.file={settings}",
                         f"severity={severity}").splitlines()[-1] == "operators"


# --- PostgreSQL ---


class RenderedPostgres(postgres.Server):
    """With the files of a host, adapted to a folder and to ports of a test's own."""

    def __init__(self, host, folder, certificate):
        super().__init__(host, folder)
        self.disk.mkdir()
        self.settings_file = folder / "postgresql.conf"
        self.passwords = folder / "pgpass"
        key = folder / "server.key"
        shutil.copy(certificate[1], key)
        key.chmod(0o600)
        for path in (self.disk, key):
            postgres.give_to_owner(path)
        shutil.copy(certificate[0], folder / "server.pem")

    def configure(self, ports):
        """`ports`: of the other servers, by their address in the files."""
        settings = file_of(self.name, SETTINGS)
        settings = self._adapt(settings, "listen_addresses = '*'", "listen_addresses = '127.0.0.1'")
        settings = self._adapt(settings, "port = '5432'", f"port = '{self.own_port}'")
        settings = settings.replace(PASSWORDS, str(self.passwords))
        for address, port in ports.items():
            settings = settings.replace(f"host={address} port=5432", f"host=127.0.0.1 port={port}")
        (self.folder / "config-center.conf").write_text(settings)
        # Nobody but postgres may come in by the socket, and the test is somebody else.
        access = re.sub(r"\b10\.0\.0\.\d+/32", "127.0.0.1/32", self._adapt(file_of(self.name, ACCESS), "peer ", "trust"))
        (self.folder / "pg_hba.conf").write_text(access)
        passwords = file_of(self.name, PASSWORDS)
        for address, port in ports.items():
            passwords = passwords.replace(f"{address}:5432", f"127.0.0.1:{port}")
        self.passwords.write_text(passwords)
        self.passwords.chmod(0o600)
        postgres.give_to_owner(self.passwords)
        (self.folder / "pg_ident.conf").touch()
        # What Debian's own file has, or a test.
        self.settings_file.write_text(f"""
data_directory = '{self.data}'
hba_file = '{self.folder}/pg_hba.conf'
ident_file = '{self.folder}/pg_ident.conf'
unix_socket_directories = '{self.folder}'
ssl = on
ssl_cert_file = '{self.folder}/server.pem'
ssl_key_file = '{self.folder}/server.key'
fsync = off
shared_buffers = 32MB
dynamic_shared_memory_type = mmap
include '{self.folder}/config-center.conf'
""")

    @staticmethod
    def _adapt(text, what, to):
        assert what in text
        return text.replace(what, to)

    def copy_from(self, primary):
        """As a deployment does it: pg_basebackup without -R, since the files tell whom it follows."""
        primary.make_slot(self.name)
        postgres.run_as_owner("pg_basebackup", "-D", self.data, "-X", "stream", "-c", "fast", "-S", self.name, "-d",
                              f"host=127.0.0.1 port={primary.own_port} user=replicator passfile={self.passwords} sslmode=require",
                              cwd=self.folder)
        (self.data / "standby.signal").touch()

    def connect(self, user, password, database, sslmode="prefer"):
        """Over the network; returns what psql says."""
        done = subprocess.run([postgres.program("psql"), "-X", "-A", "-t", "-c", "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()", "-d",
                               f"host=127.0.0.1 port={self.own_port} user={user} dbname={database} sslmode={sslmode}"],
                              env=environment(self.folder, PGPASSWORD=password), capture_output=True, text=True, timeout=60 * PATIENCE)
        return done.stdout.strip() or done.stderr

    def _command(self):
        return [postgres.program("postgres"), "-c", f"config_file={self.settings_file}"]


@pytest.fixture
def databases(tmp_path):
    """The primary with its roles, and one of two replicas; neither is started."""
    postgres.program("postgres")
    scratch = postgres.scratch()
    certificate = Authority(tmp_path).issue("postgres")
    servers = [RenderedPostgres(host, scratch.path / host, certificate) for host in ("db1", "db2")]
    ports = {"10.0.0.31": servers[0].own_port, "10.0.0.32": servers[1].own_port}
    for server in servers:
        server.configure(ports)
    servers[0].take_template()
    yield servers
    with contextlib.ExitStack() as closing:
        closing.callback(scratch.close)
        for server in servers:
            closing.callback(server.close)


def make_roles(primary):
    passwords = {fields[3]: fields[4] for line in primary.passwords.read_text().splitlines() if len(fields := line.split(":")) == 5}
    primary.sql("SET synchronous_commit = local;"
                f"CREATE ROLE replicator LOGIN REPLICATION PASSWORD '{passwords['replicator']}';"
                f"CREATE ROLE rewind LOGIN PASSWORD '{passwords['rewind']}';"
                "CREATE ROLE prometheus LOGIN; GRANT pg_monitor TO prometheus")
    return passwords


def test_a_replica_follows_the_primary_and_has_what_was_committed(databases):
    primary, replica = databases
    primary.start()
    make_roles(primary)
    replica.copy_from(primary)
    replica.start()
    wait_until(lambda: primary.sql("SELECT application_name, sync_state FROM pg_stat_replication") == [("db2", "quorum")], "the replica streams")
    assert primary.sql("SELECT slot_name FROM pg_replication_slots WHERE active") == [("db2",)]
    assert primary.sql("SELECT ssl FROM pg_stat_ssl JOIN pg_stat_replication USING (pid)") == [("t",)]
    primary.sql("CREATE TABLE committed AS SELECT 42 AS answer")
    wait_until(lambda: replica.position() >= primary.position(), "the replica has replayed it")
    assert replica.sql("SELECT answer FROM committed") == [("42",)]
    assert replica.role() == "replica"


def test_a_commit_waits_for_a_replica(databases):
    primary, _ = databases
    primary.start()
    with concurrent.futures.ThreadPoolExecutor() as others:
        committing = others.submit(primary.sql, "CREATE TABLE committed ()")
        wait_until(lambda: primary.sql("SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'"), "a commit waits")
        assert not committing.done()
        primary.sql("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
        committing.result()


def test_the_primary_is_as_its_files_say(databases):
    primary, _ = databases
    primary.start()
    assert primary.sql("SELECT * FROM pg_hba_file_rules WHERE error IS NOT NULL") == []
    assert primary.sql("SELECT * FROM pg_file_settings WHERE error IS NOT NULL") == []
    assert primary.sql("SELECT name FROM pg_settings WHERE pending_restart") == []
    settings = dict(primary.sql("SELECT name, setting FROM pg_settings WHERE sourcefile LIKE '%config-center.conf'"))
    assert settings["wal_log_hints"] == "on" and settings["max_slot_wal_keep_size"] == "8192"


def test_only_those_of_the_installation_get_in_and_by_tls_alone(databases):
    primary, _ = databases
    primary.start()
    passwords = make_roles(primary)
    assert primary.connect(postgres.ROLE, postgres.PASSWORD, postgres.DATABASE) == "t"
    assert primary.connect("rewind", passwords["rewind"], "postgres") == "t"
    assert "no pg_hba.conf entry" in primary.connect(postgres.ROLE, postgres.PASSWORD, postgres.DATABASE, sslmode="disable")
    assert "no pg_hba.conf entry" in primary.connect(postgres.ROLE, postgres.PASSWORD, "postgres")
    assert "no pg_hba.conf entry" in primary.connect("postgres", "", "postgres")
    assert "password authentication failed" in primary.connect(postgres.ROLE, "wrong", postgres.DATABASE)


# --- Redis ---


class RenderedRedis(redis_servers._Program):
    """With the file of a host, adapted to a folder and to ports of a test's own."""

    def __init__(self, host, folder, path="/etc/redis/redis.conf"):
        super().__init__(host, folder)
        self.text = file_of(host, path)
        self.password = re.search(r"^requirepass (\S+)$", self.text, re.M)[1]
        self.sentinel = path.endswith("sentinel.conf")
        self.file = folder / "redis.conf"

    def configure(self, ports):
        """`ports`: of the servers of Redis, by their address in the files."""
        text = re.sub(r"^bind .*$", "bind 127.0.0.1", self.text, flags=re.M)
        text = re.sub(r"^port \d+$", f"port {self.own_port}", text, flags=re.M)
        text = text.replace("dir /var/lib/redis", f"dir {self.folder}").replace("/var/log/redis/", f"{self.folder}/")
        text = re.sub(r"^(replica-announce|sentinel announce)-port \d+$", rf"\1-port {self.own_port}", text, flags=re.M)
        for address, port in ports.items():
            text = text.replace(f"{address} 6379", f"127.0.0.1 {port}")
        text = re.sub(r"\b10\.0\.0\.\d+\b", "127.0.0.1", text)
        self.file.write_text(text)

    def _command(self):
        return [redis_servers.program("redis-server"), str(self.file), *(["--sentinel"] if self.sentinel else [])]


@pytest.fixture
def caches():
    """The primary, its replica and the Sentinels by host; none is started."""
    redis_servers.program("redis-server")
    scratch = Scratch("rendered-redis")
    servers = {host: RenderedRedis(host, scratch.path / host) for host in ("cache1", "cache2")}
    for host in ("cache1", "cache2", "monitor1"):
        servers[f"sentinel on {host}"] = RenderedRedis(host, scratch.path / f"sentinel-{host}", "/etc/redis/sentinel.conf")
    ports = {"10.0.0.41": servers["cache1"].own_port, "10.0.0.42": servers["cache2"].own_port}
    for server in servers.values():
        server.configure(ports)
    yield servers
    with contextlib.ExitStack() as closing:
        closing.callback(scratch.close)
        for server in servers.values():
            closing.callback(server.close)


def replicates(primary):
    return primary.info("replication").get("slave0", {}).get("state") == "online"


def test_redis_is_as_its_file_says(caches):
    with caches["cache1"].start().client() as client:
        for name, value in {"maxmemory": str(512 << 20), "maxmemory-policy": "noeviction", "appendonly": "yes", "protected-mode": "yes",
                            "min-replicas-to-write": "1"}.items():
            assert client.config_get(name) == {name: value}
    with caches["cache1"].client(password=None) as stranger, pytest.raises(redis.exceptions.AuthenticationError):
        stranger.get("a")


def test_redis_takes_nothing_until_the_replica_has_it_too(caches):
    primary, replica = caches["cache1"].start().client(), caches["cache2"]
    with pytest.raises(redis.exceptions.ResponseError, match="NOREPLICAS"):
        primary.set("a", "1")
    replica.start()
    wait_until(lambda: replicates(primary), "the replica follows")
    primary.set("a", "2")
    assert primary.wait(1, 30_000 * PATIENCE) == 1
    assert replica.client().get("a") == "2"


def test_sentinels_find_each_other_and_make_the_replica_the_primary(caches):
    primary = caches["cache1"].start().client()
    caches["cache2"].start()
    wait_until(lambda: replicates(primary), "the replica follows")
    sentinels = [server.start().client() for name, server in caches.items() if name.startswith("sentinel")]

    def agree():
        seen = [sentinel.sentinel_master("config-center") for sentinel in sentinels]
        return all(each["num-other-sentinels"] == 2 and each["num-slaves"] == 1 for each in seen)

    wait_until(agree, "the Sentinels know of each other", 60)
    assert sentinels[0].execute_command("SENTINEL", "CKQUORUM", "config-center")

    def moved():
        with contextlib.suppress(redis.exceptions.ResponseError):  # not yet, or already
            sentinels[0].execute_command("SENTINEL", "FAILOVER", "config-center")
        time.sleep(0.2)
        return sentinels[0].sentinel_get_master_addr_by_name("config-center")[1] == caches["cache2"].own_port

    wait_until(moved, "the replica is the primary", 60)
    wait_until(lambda: "replicaof" not in caches["cache2"].file.read_text(), "Sentinel has written it into the server's own file")
