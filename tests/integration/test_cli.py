"""The command line: every command, its exit status, its outputs; what it keeps, asks and refuses."""

import fcntl
import io
import json
import os
import pathlib
import pty
import re
import select
import signal
import stat
import subprocess
import tarfile
import termios
import zipfile

import pytest
import yaml

from client import config
from command import Command
from node import ADMIN_PASSWORD, BINARY, PATIENCE, free_port, wait_until

CONTENT = "server:\n  port: 8080\n"


@pytest.fixture
def cli(command, tmp_path):
    """The command line, logged in as the administrator."""
    password = tmp_path / "password"
    password.write_text(ADMIN_PASSWORD + "\n")
    command("login", "--username", "admin", "--password-file", password)
    return command


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "application.yaml"
    path.write_text(CONTENT)
    return path


def commands_below(command, *path):
    """All commands, found as a person would: by --help."""
    text = command(*path, "--help").stdout
    section = re.search(r"^Subcommands:\n((?:  .*\n)+)", text, re.M)
    if not section:
        return [path]
    names = [line.split()[0] for line in section[1].splitlines() if re.match(r"  \S", line)]
    return [each for name in names for each in commands_below(command, *path, name)]


# --- help, usage, exit statuses ---

def test_every_command_has_help_with_examples(command):
    every = commands_below(command)
    assert len(every) > 40
    for path in every:
        text = command(*path, "--help").stdout
        examples = text.partition("\nExamples:\n")[2]
        assert re.search(rf"(^|[ (]){re.escape('config-center')} ([^|]* )?{path[0]}\b", examples, re.M), path
    top = {path[0] for path in every}
    assert top >= {"serve", "login", "logout", "whoami", "publish", "get", "draft", "diff", "history", "rollback", "watch", "list",
                   "delete", "export", "import", "app", "env", "user", "role", "key", "config", "cluster", "audit", "bench", "completion"}


def test_every_command_is_run_by_these_tests(command):
    source = "".join(path.read_text() for path in pathlib.Path(__file__).parent.glob("test_*.py"))
    for path in commands_below(command):
        words = ", ".join(f'"{word}"' for word in path)
        assert words in source, f"config-center {' '.join(path)} is run nowhere"


def test_nothing_and_nonsense_are_wrong_usage(command):
    assert "serve" in command(expect=2).stderr
    done = command("pubish", expect=2)
    assert "publish" in done.stderr and not done.stdout
    assert "--file" in command("publish", "dev/a/b/c", "--flie", "x", expect=2).stderr
    command("get", expect=2)
    command("get", "dev/shop", expect=2)
    command("get", "dev/shop/default/a", "-o", "xml", expect=2)
    command("history", "dev/shop/default/a", "one-too-many", expect=2)
    command("rollback", "dev/shop/default/a", "minus-one", expect=2)
    command("diff", "dev/shop/default/a", "0..1", expect=2)
    command("publish", "dev/shop/default/a", "--from-draft", "--format", "json", expect=2)
    command("list", "--limit", "-1", expect=2)
    command("get", "dev/shop/default/a", "--if-none-match", "-1", expect=2)
    command("delete", "dev/shop/default/a", "--if-match", "-1", "--yes", expect=2)
    command("export", "dev/shop", "", expect=2)
    command("import", "dev/shop", "", expect=2)
    for nothing in ("", "/", "dev//a", "//"):
        command("watch", nothing, expect=2)
    command("watch", "dev/shop", "--timeout", "9999999999d", expect=2)


def test_help_is_also_a_word(command):
    assert command("help", "draft", "save").stdout == command("draft", "save", "--help").stdout
    assert command("help").stdout == command("--help").stdout


def test_failures_are_1_and_say_what_to_do(cli, command, key, tmp_path):
    assert key in cli("get", key, expect=1).stderr
    stranger = Command(tmp_path / "stranger", command.node)
    assert "login" in stranger("get", key, expect=1).stderr
    stranger.variables["CONFIG_CENTER_TOKEN"] = "nonsense"
    assert "CONFIG_CENTER_TOKEN" in stranger("whoami", expect=1).stderr
    stranger.variables = {"CONFIG_CENTER_SERVER": "http://127.0.0.1:1"}
    nobody = Command(tmp_path / "nobody", None, CONFIG_CENTER_SERVER="http://127.0.0.1:1")
    assert "127.0.0.1:1" in nobody("list", expect=1).stderr
    assert "nonsense://" in Command(tmp_path / "nobody", None, CONFIG_CENTER_SERVER="nonsense://x")("list", expect=2).stderr


def test_version(command):
    assert re.fullmatch(r"config-center \d+\.\d+\.\d+\n", command("version").stdout)
    assert command("--version").stdout == command("version").stdout


# --- health ---

def test_anyone_may_ask_how_a_server_is(tmp_path, node):
    stranger = Command(tmp_path / "stranger", node)
    assert stranger("health").stdout == "ok\n"
    assert stranger("health", "--ready").stdout == "ok\n"
    assert stranger.json("health", "--for-writes") == {"healthy": True, "message": "ok"}


def test_a_server_that_is_not_ready_says_why_and_one_that_is_gone_is_not_healthy(tmp_path, make_node):
    port = free_port()
    joining = make_node(start=False, server_port=port, raft_node_id=2, raft_address=f"127.0.0.1:{free_port()}",
                        raft_join="true", raft_secret="s" * 32)
    joining.port = port
    joining.start(wait=False)
    wait_until(lambda: joining.probe("/livez") == 200, "the node is alive")
    ask = Command(tmp_path / "asking", joining)
    assert ask("health").stdout == "ok\n"
    assert "does not serve yet" in ask("health", "--ready", expect=1).stdout
    joining.close()
    assert "127.0.0.1" in ask("health", expect=1).stderr


# --- a playground: what it does is in tests/deploy ---

def test_a_playground_of_an_even_number_of_nodes_is_refused(command):
    assert "odd number" in command("playground", "--nodes", "2", expect=2).stderr


# --- containers ---

def test_containers_of_one_node_need_no_topology(command, tmp_path):
    dockerfile = command("container", "dockerfile").stdout
    assert dockerfile.startswith("# Made by: config-center container dockerfile\n") and "\nHEALTHCHECK " in dockerfile
    compose = yaml.safe_load(command("container", "compose").stdout)
    assert list(compose["services"]) == ["config-center"]
    assert "CONFIG_CENTER_IMAGE=config-center:" in command("container", "env").stdout
    assert "nowhere.yaml" in command("container", "compose", "-t", "nowhere.yaml", expect=2).stderr


def test_containers_are_those_of_the_topology(command, tmp_path):
    file = tmp_path / "topology.yaml"
    command("topology", "init", "--template", "full", "-t", file)
    compose = yaml.safe_load(command("container", "compose", "-t", file).stdout)
    assert set(compose["services"]) == {
        "haproxy-lb1", "haproxy-lb2", "config-center-app1", "config-center-app2", "config-center-app3", "postgresql-db1",
        "postgresql-db2", "postgresql-db3", "redis-cache1", "redis-cache2", "sentinel-cache1", "sentinel-cache2",
        "sentinel-monitor1", "prometheus", "alertmanager"}
    told = command.json("container", "write", tmp_path / "shop", "-t", file)
    assert str(tmp_path / "shop/config/haproxy/haproxy.cfg") in told["written"]
    file.write_text("name: shop\ncontaner: {}\n")
    assert "contaner" in command("container", "env", "-t", file, expect=2).stderr


def test_the_folder_of_containers_keeps_what_is_filled_in_by_hand(command, tmp_path):
    folder = tmp_path / "shop"
    assert "would write" in command("container", "write", folder, "--dry-run").stdout and not folder.exists()
    told = command.json("container", "write", folder)
    assert {pathlib.Path(path).name for path in told["written"]} == {"Dockerfile", "compose.yaml", ".env"}
    (folder / ".env").write_text("CONFIG_CENTER_IMAGE=mine\n")
    (folder / "compose.yaml").write_text("spoiled")
    assert command.json("container", "write", folder)["kept"] == [str(folder / ".env")]
    assert (folder / ".env").read_text() == "CONFIG_CENTER_IMAGE=mine\n"
    assert (folder / "compose.yaml").read_text() == command("container", "compose").stdout


# --- who ---

def test_login_keeps_the_token_closed_to_others_and_logout_ends_it(command, tmp_path, admin):
    (tmp_path / "password").write_text(ADMIN_PASSWORD)
    command("login", "--username", "admin", "--password-file", tmp_path / "password")
    kept = command.home / ".config/config-center/credentials.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert ADMIN_PASSWORD not in kept.read_text()
    assert command.json("whoami")["name"] == "admin"
    token = re.search(r"eyJ[\w.-]+", kept.read_text())[0]
    command("logout")
    assert token not in kept.read_text()
    command("whoami", expect=1)
    command.variables["CONFIG_CENTER_TOKEN"] = token
    command("whoami", expect=1)  # revoked on the server, too


def test_login_takes_the_password_from_standard_input(command):
    command("login", "--username", "admin", "--password-stdin", input=ADMIN_PASSWORD)
    command("whoami")


def test_a_wrong_password_fails_and_keeps_nothing(command):
    command("login", "--username", "admin", "--password-stdin", input="wrong password", expect=1)
    assert not (command.home / ".config/config-center/credentials.json").exists()


def test_a_password_is_never_an_argument(command):
    assert "--password " not in command("login", "--help").stdout.replace("--password-", "")


def test_the_server_that_was_logged_in_to_is_the_default(command, tmp_path):
    url = command.node.url
    command("--server", url, "login", "--username", "admin", "--password-stdin", input=ADMIN_PASSWORD)
    elsewhere = Command(command.home, None)
    assert elsewhere.json("whoami")["name"] == "admin"


def test_a_login_that_cannot_be_kept_is_refused_before_the_password_is_asked_for(command):
    folder = command.home / ".config/config-center"
    folder.mkdir(parents=True)
    (folder / "credentials.json").write_text("{")
    (folder / "credentials.json").chmod(0o600)
    assert "log in again" in command("login", "--username", "admin", "--password-stdin", input=ADMIN_PASSWORD, expect=1).stderr


def test_login_says_what_to_do_when_there_is_no_server(tmp_path):
    nobody = Command(tmp_path / "nobody", None, CONFIG_CENTER_SERVER="http://127.0.0.1:1")
    assert "config-center serve" in nobody("login", "-u", "a", "--password-stdin", input="x", expect=1).stderr


# --- configs ---

def test_publish_get_history_diff_rollback_delete(cli, key, file, tmp_path):
    first = cli.json("publish", key, "--file", file, "-m", "the first")
    assert (first["key"], first["version"]) == (key, 1)
    assert cli("get", key).stdout == CONTENT
    file.write_text(CONTENT.replace("8080", "9090"))
    assert "version 2" in cli("publish", key, "-f", file, "-m", "another port").stdout
    history = cli.json("history", key)
    assert [(r["version"], r["comment"]) for r in history] == [(2, "another port"), (1, "the first")]
    difference = cli("diff", key, "1..2").stdout
    assert "-  port: 8080" in difference and "+  port: 9090" in difference
    assert cli("get", key, "--version", "1").stdout == CONTENT
    cli("rollback", key, "1", "-m", "back")
    assert cli("get", key).stdout == CONTENT
    cli("delete", key, "--yes")
    cli("get", key, expect=1)


def test_content_is_passed_through_byte_for_byte(cli, app, tmp_path):
    content = bytes("\ufeff中文\r\nno newline at the end", "utf-8")
    key = f"dev/{app}/default/a.txt"
    cli("publish", key, "--file", "-", input=content)
    assert cli("get", key, binary=True).stdout == content
    cli("get", key, "--output-file", tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == content


def test_guards_of_publish(cli, key, file):
    first = cli.json("publish", key, "-f", file, "--new")
    cli("publish", key, "-f", file, "--new", expect=1)
    cli("publish", key, "-f", file, "--if-match", first["revision"])
    assert "revision" in cli("publish", key, "-f", file, "--if-match", first["revision"], expect=1).stderr


def test_a_secret_config_is_one_until_it_is_said_not_to_be(cli, key, file, tmp_path):
    def is_secret():
        where = "/".join(key.split("/")[:2])
        [shown] = [line for line in cli("list", where).stdout.splitlines() if line.startswith(key)]
        [item] = cli.json("list", where)
        assert (" yes " in shown) == item["secret"] == cli.json("get", key)["secret"] == cli.json("history", key)[0]["secret"]
        return item["secret"]

    cli("publish", key, "--file", file, "--secret")
    assert is_secret()
    assert ", secret)" in cli("publish", key, "--file", file, "--dry-run").stdout
    cli("publish", key, "--file", file)
    assert is_secret()
    # It is also where it is moved to.
    there = key.replace("dev/", "staging/", 1)
    cli("export", "/".join(key.split("/")[:2]), tmp_path / "out")
    cli("import", "/".join(there.split("/")[:2]), tmp_path / "out")
    assert cli.json("get", there)["secret"]
    cli("publish", key, "--file", file, "--not-secret")
    assert not is_secret()
    cli("publish", key, "--file", file, "--secret", "--not-secret", expect=2)


def test_a_topology_is_begun_and_checked(command, tmp_path):
    file = tmp_path / "topology.yaml"
    for template in ("single", "three", "full"):
        assert "config-center topology check" in command("topology", "init", "--template", template, "-t", file).stdout
        told = command.json("topology", "check", "-t", file)
        assert [each for each in told["components"] if each["component"] == "app"]
        file.unlink()
    file.write_text(command("topology", "init", "-t", "-").stdout)
    assert "is there already" in command("topology", "init", "-t", file, expect=1).stderr
    assert "load_balancer  lb1, lb2" in command("topology", "check", "-t", file).stdout
    rendered = command.json("topology", "render", tmp_path / "rendered", "-t", file)["files"]
    assert {"host": "lb1", "file": "/etc/haproxy/haproxy.cfg", "mode": "0640", "owner": "haproxy"} in rendered
    assert all((tmp_path / "rendered" / each["host"] / each["file"][1:]).is_file() for each in rendered)
    assert stat.S_IMODE((tmp_path / "secrets" / "raft").stat().st_mode) == 0o600
    first = (tmp_path / "secrets" / "raft").read_text()
    command("topology", "render", tmp_path / "rendered", "-t", file)
    assert (tmp_path / "secrets" / "raft").read_text() == first
    text = file.read_text()
    file.write_text(text.replace("interface: eth0\n", "interface: eth0\n    prot: 81\n").replace("[app1, app2, app3]", "[app1, app2, app4]"))
    mistakes = command("topology", "check", "-t", file, expect=2).stderr
    assert "did you mean" in mistakes and 'there is no host "app4"' in mistakes
    file.write_text(text.replace("# settings:             # of all nodes: config-center config reference", "settings: {server.timout: 1s}"))
    assert 'did you mean "server.timeout"' in command("topology", "check", "-t", file, expect=2).stderr
    file.write_text(text.replace("# settings:             # of all nodes: config-center config reference", "settings: {raft.node_id: 3}"))
    assert "leave it out" in command("topology", "check", "-t", file, expect=2).stderr
    assert "config-center topology init" in command("topology", "check", "-t", tmp_path / "none.yaml", expect=2).stderr


@pytest.fixture
def unreachable(command, tmp_path):
    """A topology of one host, where nobody listens; and a command line that names it."""
    file = tmp_path / "topology.yaml"
    file.write_text(f"name: shop\nhosts: {{a: {{address: 127.0.0.1, ssh: {{port: {free_port()}}}}}}}\ncomponents: {{app: {{hosts: [a]}}}}\n")
    return lambda *words, **more: command(*words, "-t", file, **more)


def test_an_installation_that_is_not_reached_is_not_changed(unreachable, tmp_path):
    """What they do on hosts is tested on hosts: tests/hosts."""
    package = tmp_path / "other.deb"
    package.write_bytes(b"no package")
    assert "script/package" in unreachable("plan", "--package", package, expect=1).stderr
    assert "name the package" in unreachable("plan", expect=2).stderr
    assert "name the package" in unreachable("deploy", expect=2).stderr
    assert "a cannot be reached" in unreachable("verify", expect=1).stdout
    assert "a cannot be reached" in unreachable("status", expect=1).stdout
    assert "components: app" in unreachable("status", "--component", "database", expect=2).stderr
    assert 'no host "b"' in unreachable("restart", "--host", "b", expect=2).stderr
    for change in ("start", "restart"):
        assert "no earlier deployment" in unreachable(change, expect=1).stderr
    assert "no earlier deployment" in unreachable("stop", "--yes", expect=1).stderr
    assert "no earlier deployment" in unreachable("reload", expect=1).stderr
    assert "a cannot be reached" in unreachable("logs", expect=1).stderr
    assert "a cannot be reached" in unreachable("exec", "uptime", expect=1).stdout
    assert 'called shop, and not "shp"' in unreachable("destroy", "--name", "shp", expect=2).stderr
    assert "a cannot be reached" in unreachable("destroy", "--name", "shop", expect=1).stderr
    assert "a cannot be reached" in unreachable("deployment", "unlock", expect=1).stderr
    assert "nothing was deployed yet" in unreachable("deployment", "list").stdout
    assert "no record" in unreachable("deployment", "show", "1", expect=1).stderr
    assert "no earlier deployment" in unreachable("deployment", "rollback", expect=1).stderr
    assert "no earlier deployment" in unreachable("deployment", "restore", package, expect=1).stderr
    assert "no node could make a backup:\n  a:" in unreachable("deployment", "backup", expect=1).stderr
    assert "has a already" in unreachable("scale", "out", "--host", "a", expect=2).stderr
    assert "by hand" in unreachable("scale", "in", "--host", "b", expect=2).stderr
    assert "no replica" in unreachable("failover", "database", expect=2).stderr
    assert "no Sentinels" in unreachable("failover", "cache", expect=2).stderr
    unreachable("diagnose", "--output-file", tmp_path / "diagnosis.tar.gz")
    told = subprocess.run(["tar", "-xzOf", tmp_path / "diagnosis.tar.gz", "--wildcards", "*/a.txt"], capture_output=True, check=True).stdout
    assert b"a cannot be reached" in told


def test_a_package_that_is_none_is_refused_with_the_reason(unreachable, tmp_path):
    archive = tmp_path / "other.tar.gz"
    archive.write_bytes(b"no package")
    assert "is no package of config-center's" in unreachable("plan", "--package", archive, expect=1).stderr
    with tarfile.open(archive, "w:gz") as packing:
        manifest = json.dumps({"name": "config-center", "version": "1"}).encode()
        entry = tarfile.TarInfo("config-center-1/manifest.json")
        entry.size = len(manifest)
        packing.addfile(entry, io.BytesIO(manifest))
    assert "its manifest has no depends" in unreachable("plan", "--package", archive, expect=1).stderr


def test_a_package_is_built_where_the_source_is(unreachable, tmp_path):
    assert "no script/package here" in unreachable("deploy", "--build", expect=2, cwd=tmp_path).stderr
    script = tmp_path / "script" / "package"
    script.parent.mkdir()
    script.write_text("#!/bin/sh\necho 'the tests fail' >&2\nexit 3\n")
    script.chmod(0o755)
    failed = unreachable("deploy", "--build", expect=1, cwd=tmp_path).stderr
    assert "ended with 3" in failed and "the tests fail" in failed
    (tmp_path / "tree" / "DEBIAN").mkdir(parents=True)
    (tmp_path / "tree" / "DEBIAN" / "control").write_text(
        "Package: config-center\nVersion: 1\nArchitecture: all\nDepends: libc6\nMaintainer: tests <tests@example>\nDescription: none\n")
    script.write_text("#!/bin/sh\nset -e\nmkdir -p build/packages\ndpkg-deb -b tree build/packages/made.deb\n"
                      "cd build/packages; sha256sum made.deb >SHA256SUMS\n")
    assert "a cannot be reached" in unreachable("deploy", "--build", "--no-check", expect=1, cwd=tmp_path).stderr
    assert "excludes" in unreachable("deploy", "--build", "--package", script, expect=2, cwd=tmp_path).stderr


def test_a_refused_format_names_the_place(cli, key, tmp_path):
    bad = tmp_path / "bad.yaml"
    bad.write_text("a: 1\na: 2\n")
    assert "line 2" in cli("publish", key, "-f", bad, expect=1).stderr
    assert str(tmp_path / "none") in cli("publish", key, "-f", tmp_path / "none", expect=1).stderr


@pytest.mark.parametrize("command_line", [
    lambda key, file: ("publish", key, "-f", file), lambda key, file: ("delete", key),
    lambda key, file: ("rollback", key, "1"), lambda key, file: ("draft", "save", key, "-f", file)])
def test_a_dry_run_shows_and_changes_nothing(cli, admin, key, file, command_line):
    admin.publish(key, b"a: 1\n")
    admin.publish(key, b"a: 2\n")
    before = admin.read(key).revision, cli.json("cluster", "status")["revision"]
    cli(*command_line(key, file), "--dry-run")
    assert (admin.read(key).revision, cli.json("cluster", "status")["revision"]) == before


def test_drafts(cli, admin, key, file):
    admin.publish(key, b"a: 1\n")
    cli("draft", "save", key, "--file", file)
    assert cli("draft", "show", key).stdout == CONTENT
    assert key in [d["key"] for d in cli.json("draft", "list", "/".join(key.split("/")[:2]))]
    assert "+server:" in cli("diff", key).stdout
    cli("draft", "publish", key, "-m", "from the draft")
    assert cli("get", key).stdout == CONTENT
    cli("draft", "save", key, "--file", file)
    cli("draft", "discard", key, "--yes")
    cli("draft", "show", key, expect=1)


def test_an_unfinished_draft_is_kept_with_a_warning(cli, admin, key):
    saved = cli("draft", "save", key, "--file", "-", input="a: 1\na: 2\n")
    assert "warning" in saved.stderr and "line 2" in saved.stderr
    assert cli("draft", "show", key).stdout == "a: 1\na: 2\n"
    assert cli("draft", "save", key, "--file", "-", input="a: 1\n").stderr == ""


def test_a_draft_is_published_only_as_it_was_reviewed(cli, admin, key):
    reviewed = cli.json("draft", "save", key, "--file", "-", input="a: 1\n")["revision"]
    newer = cli.json("draft", "save", key, "--file", "-", input="a: 2\n")["revision"]
    cli("draft", "publish", key, "--draft-revision", reviewed, expect=1)
    cli("draft", "publish", key, "--draft-revision", newer)
    assert cli("get", key).stdout == "a: 2\n"


def test_destructive_commands_ask_and_without_a_terminal_refuse(cli, admin, key):
    admin.publish(key, b"a: 1\n")
    assert "--yes" in cli("delete", key, expect=2).stderr
    assert admin.read(key).body == b"a: 1\n"


def on_terminal(cli, *arguments, prompt, answer):
    """Runs it on a terminal and types `answer` when `prompt` is shown. (exit status, what was shown)"""
    master, slave = pty.openpty()
    process = subprocess.Popen([BINARY, *arguments], stdin=slave, stdout=slave, stderr=slave, env=cli.environment(), cwd=cli.home,
                               start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
    os.close(slave)
    shown = b""
    try:
        while select.select([master], [], [], 60 * PATIENCE)[0] and (data := os.read(master, 4096)):
            asked_before = prompt in shown.decode(errors="replace")
            shown += data
            if not asked_before and prompt in shown.decode(errors="replace"):
                os.write(master, answer.encode())
    except OSError:
        pass  # the end of a terminal
    os.close(master)
    return process.wait(60 * PATIENCE), shown.decode()


def test_a_person_is_asked(cli, admin, key):
    admin.publish(key, b"a: 1\n")
    status, shown = on_terminal(cli, "delete", key, prompt=key, answer="n\n")
    assert status == 1 and key in shown
    assert admin.read(key).body == b"a: 1\n"
    status, shown = on_terminal(cli, "delete", key, prompt=key, answer="y\n")
    assert status == 0
    admin.get(config(key), expect=404)


def test_a_password_that_is_typed_is_not_shown(command):
    status, shown = on_terminal(command, "login", "--username", "admin", prompt="assword", answer=ADMIN_PASSWORD + "\n")
    assert status == 0 and ADMIN_PASSWORD not in shown
    command("whoami")


def test_lists_pages_and_search(cli, admin, app):
    for number in range(7):
        admin.publish(f"dev/{app}/default/{number}.txt", f"needle {number}")
    assert len(cli.json("list", f"dev/{app}")) == 7
    done = cli("list", f"dev/{app}", "--limit", "3", "-o", "json")
    assert len(json.loads(done.stdout)) == 3 and "--cursor" in done.stderr
    cursor = re.search(r"--cursor (\S+)", done.stderr)[1].strip("'\"")
    assert len(cli.json("list", f"dev/{app}", "--cursor", cursor)) == 4
    assert [i["name"] for i in cli.json("list", f"dev/{app}", "--search", "needle 4", "--content")] == ["4.txt"]
    assert len(cli.json("list", f"dev/{app}/default/3")) == 1
    assert cli("list", f"dev/{app}-none").returncode == 0


def test_outputs(cli, admin, key):
    admin.publish(key, b"a: 1\n", comment="with: colon, \"quotes\"\nand a line")
    as_json = cli.json("history", key)
    as_yaml = yaml.safe_load(cli("history", key, "-o", "yaml").stdout)
    assert as_yaml == as_json
    table = cli("history", key).stdout.splitlines()
    assert table[0].split()[0] == "VERSION"
    assert yaml.safe_load(cli("get", key, "-o", "yaml").stdout)["content"] == "a: 1\n"


def test_output_is_plain_off_a_terminal(cli, admin, key):
    admin.publish(key, b"a: 1\n")
    admin.publish(key, b"a: 2\n")
    for arguments in (("diff", key, "1..2"), ("list",), ("history", key)):
        done = cli(*arguments)
        assert "\x1b" not in done.stdout + done.stderr


def test_export_and_import_of_folders_and_zips(cli, admin, app, tmp_path):
    files = {"default/application.yaml": CONTENT.encode(), "default/conf.d/中文.txt": "中文\r\n".encode(), "beijing/a.txt": b""}
    for name, content in files.items():
        admin.publish(f"dev/{app}/{name}", content)
    cli("export", f"dev/{app}", tmp_path / "out")
    assert {p.relative_to(tmp_path / "out").as_posix(): p.read_bytes() for p in (tmp_path / "out").rglob("*") if p.is_file()} == files
    cli("export", f"dev/{app}", tmp_path / "out.zip")
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")} == files
    shown = cli("import", f"staging/{app}", tmp_path / "out", "--dry-run").stdout
    assert "would publish 3" in shown
    cli("get", f"staging/{app}/beijing/a.txt", expect=1)
    outcome = cli.json("import", f"staging/{app}", tmp_path / "out", "-m", "copied")
    assert len(outcome["published"]) == 3
    again = cli.json("import", f"staging/{app}", tmp_path / "out.zip")
    assert all(p["unchanged"] for p in again["published"])
    for name, content in files.items():
        assert admin.read(f"staging/{app}/{name}").body == content


# --- watching ---

def test_watch_prints_each_change(cli, admin, key):
    admin.publish(key, b"a: 1\n")
    watching = cli.start("watch", key, "--initial", "-o", "json")
    try:
        assert json.loads(watching.stdout.readline())["version"] == 1
        admin.publish(key, b"a: 2\n")
        assert json.loads(watching.stdout.readline())["version"] == 2
        admin.delete(config(key), expect=200)
        assert json.loads(watching.stdout.readline())["deleted"] is True
    finally:
        watching.send_signal(signal.SIGINT)
        watching.communicate(timeout=30 * PATIENCE)


def test_watch_runs_a_command_with_the_content(cli, admin, key, tmp_path):
    out = tmp_path / "out"
    admin.publish(key, b"a: 1\n")
    script = f'cat >> {out}; echo "$CONFIG_CENTER_KEY $CONFIG_CENTER_VERSION $CONFIG_CENTER_DELETED" >> {out}; cat "$CONFIG_CENTER_FILE" >> {out}'
    cli("watch", key, "--initial", "--once", "--exec", script)
    assert out.read_text() == f"a: 1\n{key} 1 false\na: 1\n"


def test_a_failing_command_fails_a_watch_once(cli, admin, key):
    admin.publish(key, b"a: 1\n")
    assert "status 7" in cli("watch", key, "--initial", "--once", "--exec", "exit 7", expect=1).stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_watch_that_is_interrupted_leaves_no_content_behind(cli, admin, key, tmp_path, number):
    """The hook has the content in a file; it is asked to end as well, and waited for."""
    admin.publish(key, b"secret: 1\n")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    cli.variables["TMPDIR"] = str(temporary)
    hook = f"trap 'echo asked > {tmp_path}/asked; exit 0' INT TERM; cp $CONFIG_CENTER_FILE {tmp_path}/seen; while :; do sleep 0.05; done"
    watching = cli.start("watch", key, "--initial", "--exec", hook)
    wait_until(lambda: (tmp_path / "seen").exists(), "the hook runs")
    assert list(temporary.iterdir())
    watching.send_signal(number)
    assert watching.wait(60 * PATIENCE) == -number
    watching.communicate()
    assert (tmp_path / "asked").exists()
    assert not list(temporary.iterdir())


def test_watch_says_where_its_file_cannot_be(cli, admin, key):
    admin.publish(key, b"a: 1\n")
    cli.variables["TMPDIR"] = "/nonexistent"
    assert "/nonexistent" in cli("watch", key, "--initial", "--once", "--exec", "true", expect=1).stderr


def test_watch_of_an_environment_that_is_none_ends(cli):
    assert "nosuchenv" in cli("watch", "nosuchenv/shop", expect=1).stderr


def test_watch_ends_at_its_time(cli, admin, key):
    admin.publish(key, b"a: 1\n")
    cli("watch", key, "--timeout", "200ms")
    cli("watch", key, "--timeout", "200ms", "--once", expect=1)
    cli("watch", key, "--timeout", "soon", expect=2)


def test_watch_outlives_a_restart_of_its_server(make_node, tmp_path):
    from conftest import log_in
    from node import free_port
    node = make_node(server_port=free_port())
    admin = log_in(node)
    key = "dev/shop/default/a.txt"
    admin.publish(key, b"1")
    cli = Command(tmp_path / "home", node, CONFIG_CENTER_TOKEN=admin.token)
    watching = cli.start("watch", key, "--initial", "-o", "json")
    try:
        assert json.loads(watching.stdout.readline())["version"] == 1
        node.kill()
        node.start()
        admin.publish(key, b"2")
        assert json.loads(watching.stdout.readline())["version"] == 2
    finally:
        watching.send_signal(signal.SIGINT)
        watching.communicate(timeout=30 * PATIENCE)


# --- administering ---

def test_environments(cli, app):
    cli("env", "add", f"env-{app}", "--description", "one")
    cli("env", "add", f"env-{app}", expect=1)
    cli("env", "set", f"env-{app}", "--description", "two")
    assert cli.json("env", "show", f"env-{app}")["description"] == "two"
    assert f"env-{app}" in cli("env", "list").stdout
    cli("env", "delete", f"env-{app}", expect=2)
    cli("env", "delete", f"env-{app}", "--yes")
    cli("env", "show", f"env-{app}", expect=1)


def test_applications_and_clusters(cli, app):
    cli("app", "add", app, "--department", "sales", "--owner", "lilei")
    cli("app", "set", app, "--owner", "hanmeimei")
    shown = cli.json("app", "show", app)
    assert (shown["department"], shown["owner"]) == ("sales", "hanmeimei")
    assert app in cli("app", "list").stdout
    cli("app", "cluster", "set", "dev", app, "beijing", "--description", "too early", expect=1)
    cli("app", "cluster", "add", "dev", app, "beijing", "--description", "x")
    assert "app cluster set" in cli("app", "cluster", "add", "dev", app, "beijing", expect=1).stderr
    assert [c["description"] for c in cli.json("app", "cluster", "list", f"dev/{app}")] == ["x"]
    cli("app", "cluster", "list", f"dev/{app}/beijing", expect=2)
    cli("app", "cluster", "set", "dev", app, "beijing", "--description", "y")
    assert [c["cluster"] for c in cli.json("app", "cluster", "list", f"dev/{app}")] == ["beijing"]
    cli("app", "cluster", "delete", "dev", app, "beijing", "--yes")
    cli("app", "delete", app, "--yes")
    cli("app", "show", app, expect=1)


def test_users_grants_and_passwords(cli, command, app, tmp_path):
    name = f"user-{app}"
    (tmp_path / "first").write_text("the first password")
    (tmp_path / "second").write_text("the second password")
    cli("user", "add", name, "--display-name", "Li Lei", "--password-file", tmp_path / "first")
    cli("user", "set", name, "--display-name", "李雷")
    cli("user", "grant", name, "publisher", "--environment", "dev", "--application", app)
    shown = cli.json("user", "show", name)
    assert (shown["display_name"], shown["grants"][0]["role"]) == ("李雷", "publisher")
    assert name in cli("user", "list").stdout
    own = Command(tmp_path / "own", command.node)
    own("login", "-u", name, "--password-file", tmp_path / "first")
    own("publish", f"dev/{app}/default/a.txt", "--file", "-", input="x")
    assert "publish" in own("publish", f"prod/{app}/default/a.txt", "--file", "-", input="x", expect=1).stderr
    own("user", "password", "--password-file", tmp_path / "second", "--current-password-file", tmp_path / "first")
    own("login", "-u", name, "--password-file", tmp_path / "second")
    cli("user", "revoke", name, "publisher", "--environment", "dev", "--application", app, expect=2)
    cli("user", "revoke", name, "publisher", "--environment", "dev", "--application", app, "--yes")
    own("publish", f"dev/{app}/default/a.txt", "--file", "-", input="x", expect=1)
    cli("user", "disable", name, expect=2)
    own("whoami")
    cli("user", "disable", name, "--yes")
    own("whoami", expect=1)
    cli("user", "enable", name)
    own("login", "-u", name, "--password-file", tmp_path / "second")
    cli("user", "delete", name, "--yes")
    own("whoami", expect=1)


def test_a_generated_password_is_shown_once_and_works(cli, command, app, tmp_path):
    made = cli.json("user", "add", f"generated-{app}", "--generate")
    own = Command(tmp_path / "own", command.node)
    own("login", "-u", f"generated-{app}", "--password-stdin", input=made["password"])


def test_roles(cli):
    assert {"admin", "developer", "publisher", "operator", "viewer"} <= set(cli("role", "list").stdout.split())


def test_access_keys(cli, command, admin, key, app, tmp_path):
    admin.publish(key, b"a: 1\n")
    made = cli.json("key", "create", app, "--environment", "dev", "--expires", "1d", "--address", "127.0.0.0/8", "--description", "x")
    program = Command(tmp_path / "program", command.node, CONFIG_CENTER_TOKEN=made["key"])
    assert program("get", key).stdout == "a: 1\n"
    program("publish", key, "--file", "-", input="a: 2\n", expect=1)
    listed = cli("key", "list").stdout
    assert made["id"] in listed and made["key"] not in listed
    cli("key", "revoke", made["id"], "--yes")
    program("get", key, expect=1)


@pytest.mark.parametrize("arguments", [
    ("publish", "nosuchenv/a/default/x", "--file", "-"), ("publish", "KEY", "--file", "-", "--new"),
    ("publish", "KEY", "--file", "-", "--if-match", "99999"), ("delete", "KEY", "--if-match", "99999"),
    ("rollback", "KEY", "1", "--if-match", "99999"), ("delete", "dev/no/such/x"), ("draft", "discard", "dev/no/such/x"),
    ("draft", "save", "nosuchenv/a/default/x", "--file", "-"), ("draft", "save", "KEY", "--file", "-", "--if-match", "7"),
    ("draft", "publish", "KEY"), ("env", "add", "dev"), ("env", "set", "nosuch", "--description", "x"), ("env", "delete", "nosuch"),
    ("env", "delete", "dev"), ("app", "delete", "APP"), ("app", "cluster", "delete", "dev", "APP", "default"),
    ("app", "add", "APP"), ("app", "set", "nosuch", "--owner", "x"), ("app", "delete", "nosuch"),
    ("app", "cluster", "add", "dev", "APP", "default"), ("app", "cluster", "add", "nosuch", "APP", "beijing"),
    ("app", "cluster", "add", "dev", "nosuch", "beijing"), ("app", "cluster", "set", "dev", "APP", "typo", "--description", "x"),
    ("app", "cluster", "delete", "dev", "nosuch", "nosuch"), ("key", "create", "APP", "--expires", "2020-01-01"),
    ("key", "create", "APP", "--environment", "nosuch"), ("key", "revoke", "ck_nosuch"), ("user", "add", "admin", "--generate"),
    ("user", "set", "nobody", "--display-name", "x"), ("user", "disable", "nobody"), ("user", "enable", "nobody"),
    ("user", "password", "nobody"), ("user", "delete", "nobody"), ("user", "grant", "nobody", "viewer"),
    ("user", "revoke", "nobody", "viewer"), ("user", "revoke", "admin", "viewer"), ("import", "nosuchenv/a/default", "FOLDER")],
    ids=" ".join)
def test_a_dry_run_promises_nothing_that_would_fail(cli, command, admin, key, app, tmp_path, arguments):
    admin.publish(key, b"a: 1\n")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a.txt").write_text("x")
    names = {"KEY": key, "APP": app, "FOLDER": str(tmp_path / "folder")}
    arguments = [names.get(each, each) for each in arguments]
    before = cli.json("cluster", "status")["revision"]
    status = 2 if "2020-01-01" in arguments else 1
    for who in (cli, Command(tmp_path / "nobody", command.node)):
        done = who(*arguments, "--dry-run", expect=status, input="a: 2\n")
        assert "would" not in done.stdout and done.stderr
    assert cli.json("cluster", "status")["revision"] == before


def test_a_dry_run_needs_a_token_as_the_change_does(command, app):
    for arguments in (("env", "add", app), ("app", "add", app), ("app", "cluster", "add", "dev", app, "x"), ("key", "create", app),
                      ("user", "add", app, "--generate"), ("draft", "save", f"dev/{app}/default/x", "--file", "-"),
                      ("publish", f"dev/{app}/default/x", "--file", "-")):
        assert "log in" in command(*arguments, "--dry-run", expect=1, input="x").stderr.lower(), arguments


def test_audit(cli, admin, key, tmp_path):
    admin.publish(key, b"a: 1\n")
    wait_until(lambda: cli.json("audit", "--target", key), "the record is there", 30)
    assert "config.publish" in cli("audit", "--target", key, "--from", "1h").stdout
    assert cli.json("audit", "--target", key, "--to", "1h") == []
    cli("audit", "--target", key, "--export", tmp_path / "audit.ndjson")
    assert [json.loads(line)["target"] for line in (tmp_path / "audit.ndjson").read_text().splitlines()] == [key]


def test_cluster_status(cli):
    status = cli.json("cluster", "status")
    assert (status["role"], status["node_id"], status["leader_id"]) == ("leader", 1, 1)
    assert "leader" in cli("cluster", "status").stdout


# --- completion and bench ---

def test_completion_for_bash(command, tmp_path):
    script = tmp_path / "completion"
    script.write_text(command("completion", "bash").stdout)

    def complete(*words):
        line = " ".join(words)
        program = (f'source {script}; COMP_WORDS=({" ".join(repr(w) for w in words)}); COMP_CWORD={len(words) - 1}; '
                   f'COMP_LINE={line!r}; COMP_POINT={len(line)}; '
                   'function_name=$(complete -p config-center | sed -E "s/.*-F ([^ ]+).*/\\1/"); '
                   '"$function_name" config-center; printf "%s\\n" "${COMPREPLY[@]}"')
        done = subprocess.run(["bash", "-c", program], capture_output=True, text=True, timeout=60 * PATIENCE,
                              env={**command.environment(), "PATH": f"{os.path.dirname(BINARY)}:{os.environ['PATH']}"})
        assert done.returncode == 0, done.stderr
        return set(done.stdout.split())

    assert complete("config-center", "pub") == {"publish"}
    assert {"save", "show", "discard"} <= complete("config-center", "draft", "")
    assert "--from-draft" in complete("config-center", "publish", "--fr")
    assert complete("config-center", "publish", "k", "--format=ya") == {"yaml"}
    assert complete("config-center", "draft", '"sa') == {"save"}
    assert complete("config-center", "draft", "'sa") == {"save"}
    assert complete("config-center", "publish", '"a key with blanks"', "--fr") == {"--from-draft"}


def test_completion_for_zsh_parses(command, tmp_path):
    script = command("completion", "zsh").stdout
    assert script.startswith("#compdef config-center")
    assert "publish" in script
    if subprocess.run(["sh", "-c", "command -v zsh"], capture_output=True).returncode != 0:
        pytest.skip("zsh is not installed on this machine")
    (tmp_path / "script").write_text(script)
    checked = subprocess.run(["zsh", "-n", tmp_path / "script"], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
    command("completion", "fish", expect=2)


def test_completion_asks_the_server(cli, admin, key):
    admin.publish(key, b"a: 1\n")
    environment, app, _, name = key.split("/")
    assert f"dev/{app}/" in cli("__complete", "get", f"dev/{app}"[:-1]).stdout.split()
    assert key in cli("__complete", "get", f"dev/{app}/default/").stdout.split()
    assert cli("__complete", "publish", key, "--format=y").stdout.split() == ["--format=yaml"]
    assert cli("__complete", "user", "show", "adm").stdout.split() == ["admin"]
    assert cli("__complete", "env", "show", "de").stdout.split() == ["dev"]
    assert app in cli("__complete", "app", "show", app[:3]).stdout.split()


@pytest.mark.parametrize("arguments", [
    ("bench", "read", "--connections", "4", "--duration", "300ms", "--warmup", "50ms"),
    ("bench", "publish", "--connections", "4", "--duration", "300ms", "--warmup", "50ms"),
    ("bench", "watch", "--watchers", "50", "--settle", "200ms", "--rounds", "2")], ids=lambda arguments: arguments[1])
def test_bench_tells_throughput_and_latencies_and_cleans_up(cli, arguments):
    told = cli.json(*arguments)
    assert told["requests"] > 0 and told["lost"] == 0
    assert set(told["statuses"]) <= {"200", "201"}
    latency = told["latency_ms"]
    assert 0 < latency["p50"] <= latency["p90"] <= latency["p99"] <= latency["max"]
    text = cli(*arguments).stdout
    for word in ("p50", "p90", "p99", "max"):
        assert word in text
    assert cli.json("list", "dev/config-center-bench") == []
    assert cli.json("app", "cluster", "list", "dev/config-center-bench") == []
    cli("app", "show", "config-center-bench", expect=1)


def test_bench_leaves_an_application_that_was_there(cli, app):
    cli("app", "add", app)
    cli("bench", "publish", "--application", app, "--connections", "2", "--duration", "100ms", "--warmup", "0s")
    assert cli.json("app", "show", app)["name"] == app
    assert cli.json("list", f"dev/{app}") == []


def test_bench_that_is_interrupted_cleans_up(cli, app):
    bench = cli.start("bench", "publish", "--application", app, "--connections", "4", "--duration", "10m")
    wait_until(lambda: len(cli.json("list", f"dev/{app}")) == 5, "it publishes")
    bench.send_signal(signal.SIGINT)
    assert bench.wait(60 * PATIENCE) == -signal.SIGINT
    assert cli.json("list", f"dev/{app}") == []
    cli("app", "show", app, expect=1)


def test_bench_raises_the_limit_of_open_files_once_for_all_threads(cli):
    done = subprocess.run(["sh", "-c", f"ulimit -Sn 256 && exec {BINARY} bench read --threads 2 -c 300 --duration 200ms --warmup 0s"],
                          env=cli.environment(), capture_output=True, text=True, timeout=60 * PATIENCE)
    assert done.returncode == 0, done.stderr
