"""Settings: file, environment, flags; checking and showing them; secrets in production; reloading; systemd."""

import json
import os
import pathlib
import pty
import re
import signal
import socket
import subprocess

import pytest
import yaml

from client import Client
from command import Command
from conftest import log_in
from machine import in_own_network
from node import BINARY, PATIENCE, StartFailed, environment, free_port, wait_until

DOCS = pathlib.Path(__file__).parents[2] / "docs"
SECRET = "a long enough secret, made by nobody else 1"


@pytest.fixture
def command(tmp_path):
    """Without a server: nothing here asks one."""
    return Command(tmp_path / "home")


@pytest.fixture
def file(tmp_path):
    def write(text):
        path = tmp_path / "settings.yaml"
        path.write_text(text)
        return path
    return write


def shown(command, path=None, **variables):
    command.variables = variables
    return yaml.safe_load(command("config", "show", *([path] if path else [])).stdout)


# --- config check and config show ---

def test_a_valid_file_is_valid(command, file):
    done = command("config", "check", file("server:\n  port: 9000\n  tls:\n    certificate_file: ''\nlog:\n  level: debug\n"))
    assert "valid" in done.stdout


@pytest.mark.parametrize("text,line,told", [
    ("server:\n  prot: 9000\n", 2, "port"),
    ("sever:\n  port: 9000\n", 1, "sever"),
    ("server:\n  port: 9000\n  port: 9001\n", 3, "duplicate"),
    ("server:\n  host: x\n  port: many\n", 3, "many"),
    ("server:\n  port: 70000\n", 2, "70000"),
    ("server:\n  timeout: 30\n", 2, "timeout"),
    ("raft:\n  peers: [1@a:1]\n\nsecurity:\n  jwt_expirations: 1h\n", 5, "jwt_expiration"),
    ("log:\n  level: loud\n", 2, "loud"),
    ("server:\n  host:\n", 2, "0.0.0.0"),
    ("server:\n  port: {a: 1}\n", 2, "takes a value"),
    ("server.port: 1\nserver: {port: 2}\n", 2, "twice"),
    ("server: {port: 1}\n---\nserver: {port: 2}\n", 3, "second document"),
    ("backup:\n  schedule:\n    cron: nonsense\n", 3, "cron"),
    ("server: [1\n", None, "line"),
    ("- server\n", 1, "section"),
])
def test_what_is_wrong_in_a_file_is_told_with_its_line(command, file, text, line, told):
    path = file(text)
    done = command("config", "check", path, expect=2)
    assert told in done.stderr and str(path) in done.stderr
    if line:
        assert f"line {line}" in done.stderr
    serve = command("serve", "--config", path, expect=2)  # the node refuses the same file with the same words
    assert told in serve.stderr


@pytest.mark.parametrize("text,told", [
    ("raft: {peers: junk}", "raft.peers"), ("server: {host: no-such-host.invalid}", "no-such-host.invalid"),
    ("server: {tls: {certificate_file: /nowhere, key_file: /nowhere}}", "/nowhere"),
    ("security: {jwt_secret: short}", "32"), ("raft: {peers: [1@a:1, 2@b:1]}", "raft.secret"), ("raft: {join: true}", "openssl rand -hex 32"),
    (f"raft: {{address: 'a:2', peers: [1@a:1, 2@b:1], secret: '{SECRET}'}}", "a:2"), ("monitoring: {alert_rules: /nowhere}", "/nowhere")])
def test_what_serve_refuses_is_not_valid(command, file, text, told):
    path = file(text)
    for arguments in (("config", "check", path), ("serve", "--config", path)):
        refused = command(*arguments, expect=2)
        assert told in refused.stderr
    assert not (command.home / "config-center-data").exists()


def test_show_prints_what_check_takes_and_every_setting_is_in_it(command, file, tmp_path):
    text = command("config", "show").stdout
    again = tmp_path / "again.yaml"
    again.write_text(text)
    assert command("config", "show", again).stdout.split("\n")[0]
    sections = yaml.safe_load(text)
    assert sections["server"]["port"] == 8848
    assert set(sections) >= {"server", "database", "cache", "raft", "security", "monitoring", "backup", "log"}
    expected = {
        "server": {"host", "port", "workers", "max_connections", "timeout", "tls"},
        "database": {"host", "port", "username", "password", "database", "pool_size", "max_lifetime"},
        "cache": {"host", "port", "password", "pool_size", "key_prefix", "sentinels", "sentinel_primary", "sentinel_password"},
        "raft": {"node_id", "address", "peers", "election_timeout", "heartbeat_interval"},
        "security": {"jwt_secret", "jwt_expiration", "encryption_key"},
        "monitoring": {"prometheus_port", "metrics_path", "alert_rules"},
        "backup": {"schedule", "retention", "storage"},
    }
    for section, keys in expected.items():
        assert set(sections[section]) >= keys


def test_the_reference_is_what_the_documentation_ends_with(command):
    assert (DOCS / "settings.md").read_text().endswith(command("config", "reference").stdout)


def test_a_program_gets_settings_as_json(command, file):
    path = file(f"server: {{port: 9000}}\nsecurity: {{jwt_secret: \"{SECRET}\"}}\n")
    settings = command.json("config", "show", path)
    assert settings["server.port"] == {"value": "9000", "origin": f"{path} line 1"}
    assert settings["security.jwt_secret"]["value"] == "***" and settings["log.level"]["origin"] == "default"
    reference = {each["name"]: each for each in command.json("config", "reference")}
    assert reference.keys() == settings.keys()
    assert reference["data_dir"]["variables"] == ["DATA_DIR", "CONFIG_CENTER_DATA_DIR"]
    assert reference["server.workers"]["default"] == "cores" and "[cores]" in command("serve", "--help").stdout
    assert "[config-center:]" in command("serve", "--help").stdout
    assert command("config", "check", path, "-o", "json").stdout


def test_the_chinese_page_has_the_same_settings_and_defaults():
    rows = {name: re.findall(r"^\| (`[a-z._]+`(?: \(`\w+`\))?) \| (.*?) \| .+ \|$", (DOCS / name).read_text(), re.M)
            for name in ("settings.md", "settings.zh-CN.md")}
    assert len(rows["settings.md"]) > 50
    assert rows["settings.zh-CN.md"] == [(name, default.replace("cores", "核数")) for name, default in rows["settings.md"]]


def test_the_later_source_wins(command, file):
    path = file("server:\n  port: 1001\n  host: from-file\n  timeout: 11s\n")
    sections = shown(command, path, CONFIG_CENTER_SERVER_PORT="1002", CONFIG_CENTER_SERVER_TIMEOUT="12s")
    assert (sections["server"]["port"], sections["server"]["host"], sections["server"]["timeout"]) == (1002, "from-file", "12s")
    assert shown(command, None, CONFIG_PATH=str(path))["server"]["port"] == 1001


def test_flags_win_over_everything(make_node, tmp_path):
    port = free_port()
    path = tmp_path / "settings.yaml"
    path.write_text("server:\n  port: 1\n")
    node = make_node(start=False, server_port=2, flags=["--config", str(path), "--server-port", str(port), "--log-level", "debug"])
    node.settings["server_port"] = 2
    node.start(wait=False)
    wait_until(lambda: any(r["message"] == "serving" for r in node.records()), "it serves")
    node.port = port
    assert node.probe("/livez") == 200


def test_secrets_are_masked(command, file, tmp_path):
    secret_file = tmp_path / "secret"
    secret_file.write_text("password-from-a-file\n")
    path = file(f"security:\n  jwt_secret: {SECRET}\n  encryption_key_file: {secret_file}\ndatabase:\n  password: hunter2-hunter2\n")
    command.variables = {"CONFIG_CENTER_CACHE_PASSWORD": "redis-password"}
    text = command("config", "show", path).stdout
    for secret in (SECRET, "password-from-a-file", "hunter2-hunter2", "redis-password"):
        assert secret not in text
    assert text.count("***") == 4
    refused = subprocess.run([BINARY, "config", "check", str(file("security:\n  jwt_secrett: " + SECRET + "\n"))],
                             env=command.environment(), capture_output=True, text=True)
    assert refused.returncode != 0 and SECRET not in refused.stderr


# --- starting ---

def test_serve_with_nothing_else_works(tmp_path):
    """In a folder of its own and on the default ports, in a network of its own."""
    script = (
        "import subprocess, sys, time, urllib.request\n"
        f"server = subprocess.Popen([{BINARY!r}, 'serve'])\n"
        "for _ in range(3000):\n"
        "    time.sleep(0.02)\n"
        "    try:\n"
        "        print(urllib.request.urlopen('http://127.0.0.1:8848/readyz').status)\n"
        "        print(urllib.request.urlopen('http://127.0.0.1:8849/metrics').status)\n"
        "        break\n"
        "    except OSError:\n"
        "        pass\n"
        "server.terminate()\n"
        "sys.exit(server.wait())\n")
    done = subprocess.run(in_own_network("/usr/bin/python3", "-c", script), cwd=tmp_path, env=environment(tmp_path),
                          capture_output=True, text=True, timeout=90 * PATIENCE)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("200") >= 2
    assert (tmp_path / "config-center-data").is_dir()


@pytest.mark.parametrize("given,told", [
    ({}, "jwt_secret"),
    ({"security_jwt_secret": "short"}, "jwt_secret"),
    ({"security_jwt_secret": "x" * 64}, "jwt_secret"),
    ({"security_jwt_secret": "please-changeme-please-changeme-please"}, "jwt_secret"),
    ({"security_jwt_secret": SECRET}, "encryption_key"),
    ({"security_jwt_secret": SECRET, "security_encryption_key": "short"}, "encryption_key"),
])
def test_production_refuses_missing_short_and_well_known_secrets(make_node, given, told):
    node = make_node(start=False, variables={"APP_ENV": "production"}, **given)
    with pytest.raises(StartFailed) as failed:
        node.start()
    assert told in failed.value.output
    assert failed.value.status == 2
    assert not (node.data / "secrets").exists(), "it must not make its own"


def test_production_starts_with_good_secrets_from_files(make_node, tmp_path):
    (tmp_path / "jwt").write_text(SECRET + "\n")
    (tmp_path / "key").write_text(SECRET[::-1] + "\n")
    node = make_node(variables={"APP_ENV": "production"}, security_jwt_secret_file=tmp_path / "jwt",
                     security_encryption_key_file=tmp_path / "key")
    log_in(node)
    assert not (node.data / "secrets").exists()


def test_development_makes_its_secrets_once(make_node):
    node = make_node()
    client = log_in(node)
    secrets = {path.name: path.read_bytes() for path in (node.data / "secrets").iterdir()}
    assert "jwt_secret" in secrets
    node.restart()
    assert {path.name: path.read_bytes() for path in (node.data / "secrets").iterdir()} == secrets
    client.get("/v1/whoami", expect=200)  # the token is still ours


def password_shown(node):
    shown = re.findall(r"password +(\S+) ", node.output())
    return shown[0] if shown else None


@pytest.mark.parametrize("what,setting,other", [
    ("server_port", "server.port", "prometheus_port"), ("monitoring_prometheus_port", "monitoring.prometheus_port", "server.port")])
def test_a_first_start_that_cannot_listen_names_the_setting_and_the_next_one_greets(make_node, what, setting, other):
    node = make_node(start=False, admin_password=None)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        node.settings[what] = taken.getsockname()[1]
        with pytest.raises(StartFailed) as failed:
            node.start()
    assert failed.value.status == 1
    assert setting in failed.value.output and other not in failed.value.output
    assert password_shown(node) is None
    node.settings[what] = 0
    node.start()
    log_in(node, password=password_shown(node))
    greeted = node.output()
    node.restart()
    assert node.output() == greeted, "the password is shown once"


def test_a_first_start_with_wrong_tls_files_is_none(make_node, tmp_path):
    node = make_node(start=False, admin_password=None, server_tls_certificate_file=tmp_path / "no", server_tls_key_file=tmp_path / "no")
    with pytest.raises(StartFailed):
        node.start()
    node.settings.update(server_tls_certificate_file="", server_tls_key_file="")
    node.start()
    log_in(node, password=password_shown(node))


def test_a_password_that_could_not_be_shown_is_shown_by_the_next_start(make_node):
    node = make_node(start=False, admin_password=None)
    real, node.output_file = node.output_file, pathlib.Path("/dev/full")
    node.start()
    node.stop()
    node.output_file = real
    node.start()
    log_in(node, password=password_shown(node))


def test_an_address_that_is_none_of_this_machine_names_server_host(make_node):
    with pytest.raises(StartFailed) as failed:
        make_node(server_host="192.0.2.1")
    assert "server.host" in failed.value.output and "server.port" not in failed.value.output


def test_an_ipv6_address_is_greeted_in_brackets(make_node):
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            pytest.skip("this machine has no IPv6")
    node = make_node(start=False, server_host="::1", admin_password=None)
    node.start(wait=False)
    wait_until(lambda: "http://[::1]:" in node.output(), "it greets")
    url = re.search(r"--server (\S+) ", node.output())[1]
    own = Command(node.folder / "home", CONFIG_CENTER_SERVER=url)
    own("login", "--username", "admin", "--password-file", node.data / "admin-password")


@pytest.mark.parametrize("name,told", [("CONFIG_CENTER_SERVER_HOST", "0.0.0.0"), ("DATA_DIR", "data_dir")])
def test_an_empty_variable_does_not_open_the_node_to_the_network_or_write_elsewhere(make_node, name, told):
    node = make_node(start=False, variables={name: ""})
    with pytest.raises(StartFailed) as failed:
        node.start()
    assert failed.value.status == 2
    assert name in failed.value.output and told in failed.value.output
    assert sorted(path.name for path in node.folder.iterdir()) == ["log", "output"]


def test_idle_connections_leave_the_files_that_changes_need(make_node):
    """Whoever holds all connections that there are, users and configs are changed, and the log says how many those are."""
    node = make_node(start=False)
    node.start(wrapper=["bash", "-c", 'ulimit -n 150 && exec "$@"', "bash"])
    admin = log_in(node)
    told, = [r for r in node.records() if "limit of open files" in r["message"]]
    assert (told["connections"], told["open_files"], told["level"]) == (75, 150, "info")
    idle = [socket.create_connection(("127.0.0.1", port)) for port in [node.port] * 150 + [node.metrics_port] * 60]
    wait_until(lambda: Client(node, checked=False).get("/livez").status == 503, "the node is full")
    for number in range(10):
        admin.put(f"/v1/users/user-{number}", {"password": "a long enough password"}, expect=201)
        admin.publish("dev/shop/default/a", str(number))
    for connection in idle:
        connection.close()
    wait_until(lambda: node.probe("/readyz") == 200, "there is room again")


def test_more_connections_than_files_are_warned_of_when_they_were_asked_for(make_node):
    node = make_node(start=False, server_max_connections=1000)
    node.start(wrapper=["bash", "-c", 'ulimit -n 1024 && exec "$@"', "bash"])
    told, = [r for r in node.records() if "limit of open files" in r["message"]]
    assert (told["connections"], told["max_connections"], told["level"]) == (768, 1000, "warn")


def test_the_last_words_of_a_start_that_fails_are_of_the_log(make_node):
    node = make_node(start=False, server_host="192.0.2.1")
    with pytest.raises(StartFailed):
        node.start()
    lines = node.log().splitlines()
    assert all(line.startswith("{") for line in lines)
    assert "192.0.2.1" in json.loads(lines[-1])["reason"]
    text = make_node(start=False, server_host="192.0.2.1", log_format="text")
    with pytest.raises(StartFailed):
        text.start()
    assert text.log().splitlines()[-1].startswith("config-center serve: cannot listen")


def test_a_second_node_is_refused_before_it_looks_at_the_folder(make_node):
    """What it would finish, migrate or repair belongs to the node that runs."""
    node = make_node()
    admin = log_in(node)
    admin.publish("dev/shop/default/a.yaml", b"a: 1\n")
    left = [node.data / "state.db.incoming", node.data / "state.db.restored"]
    for path in left:  # as a crash in the middle of a restore leaves them
        path.write_bytes((node.data / "state.db").read_bytes())

    def files():  # of the folder, but for those that the running node has ready for its log
        return {path: path.stat().st_ino for path in node.data.rglob("*") if not path.name.startswith("open-")}

    before = files()
    second = make_node(start=False, name="second", variables={"DATA_DIR": str(node.data)})
    with pytest.raises(StartFailed) as failed:
        second.start()
    assert failed.value.status == 1
    assert str(node.data) in failed.value.output and str(node.process.pid) in failed.value.output
    assert files() == before
    assert [r["version"] for r in admin.get("/v1/releases/dev/shop/default/a.yaml", expect=200).json()["items"]] == [1]
    for path in left:
        path.unlink()


def test_an_unknown_variable_of_ours_is_told(make_node):
    """A typing error in a variable must not be lost in silence: refused, or at least told."""
    node = make_node(start=False, variables={"CONFIG_CENTER_SERVER_PROT": "1"})
    try:
        node.start()
    except StartFailed as failed:
        assert "CONFIG_CENTER_SERVER_PROT" in failed.output
    else:
        assert "CONFIG_CENTER_SERVER_PROT" in node.log()


def test_a_variable_with_a_wrong_value_is_named(make_node):
    with pytest.raises(StartFailed) as failed:
        make_node(server_workers="none")
    assert "CONFIG_CENTER_SERVER_WORKERS" in failed.value.output and failed.value.status == 2


# --- signals, logs, systemd ---

def test_sighup_changes_the_log_level(make_node, tmp_path):
    path = tmp_path / "settings.yaml"
    path.write_text("log:\n  level: info\n")
    node = make_node(flags=["--config", str(path)])
    client = Client(node)
    client.get("/livez", expect=200)
    assert not any(r["level"] == "debug" for r in node.records())
    path.write_text("log:\n  level: debug\n")
    node.signal(signal.SIGHUP)

    def debugs():
        client.get("/livez", expect=200)
        return any(r["level"] == "debug" for r in node.records())

    wait_until(debugs, "debug lines are logged")
    path.write_text("log:\n  level: nonsense\n")
    node.signal(signal.SIGHUP)
    wait_until(lambda: any(r["level"] == "error" for r in node.records()), "the mistake is told")
    client.get("/livez", expect=200)


def test_logs_are_json_lines_off_a_terminal_and_text_when_asked(make_node):
    node = make_node()
    lines = [line for line in node.log().splitlines() if line]
    assert lines and all(line.startswith("{") for line in lines)
    for record in node.records():
        assert {"time", "level", "module", "message"} <= set(record)
    port = free_port()
    text = make_node(start=False, server_port=port, log_format="text")
    text.start(wait=False)
    text.port = port
    wait_until(lambda: text.probe("/readyz") == 200, "it serves")
    assert not text.records() and " info " in text.log()


def test_logs_are_text_on_a_terminal(tmp_path):
    master, slave = pty.openpty()
    variables = {"DATA_DIR": str(tmp_path / "data"), "CONFIG_CENTER_SERVER_PORT": "0", "CONFIG_CENTER_MONITORING_PROMETHEUS_PORT": "0"}
    process = subprocess.Popen([BINARY, "serve"], stdin=slave, stdout=slave, stderr=slave, env=environment(tmp_path, **variables))
    os.close(slave)
    seen = b""
    while b"serving" not in seen or b"serves http" not in seen:
        seen += os.read(master, 4096)
    process.terminate()
    try:
        while os.read(master, 4096):
            pass
    except OSError:
        pass  # the end of a terminal
    assert process.wait(30 * PATIENCE) == 0
    assert b'{"time"' not in seen
    os.close(master)


@pytest.mark.parametrize("abstract", [False, True])
def test_systemd_is_told_ready_and_stopping(make_node, tmp_path, abstract):
    name = f"\0config-center-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified:
        notified.bind(name)
        notified.settimeout(60 * PATIENCE)
        node = make_node(start=False, variables={"NOTIFY_SOCKET": name.replace("\0", "@")})
        node.start(wait=False)
        assert b"READY=1" in notified.recv(4096)
        node.wait_ready()
        node.signal(signal.SIGTERM)
        assert b"STOPPING=1" in notified.recv(4096)
        assert node.wait_end() == 0


def test_a_storage_of_backups_that_is_of_no_use_is_refused(make_node):
    node = make_node(start=False, backup_schedule_enabled="true", backup_storage_type="s3")
    with pytest.raises(StartFailed) as failed:
        node.start()
    assert "backup.storage.path is missing" in failed.value.output
