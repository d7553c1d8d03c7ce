"""What a single node shows of being a member of a group: fresh reads, what it says of itself, and the commands for it."""

import threading

import pytest

from client import Client
from command import Command
from conftest import log_in
from node import ADMIN_PASSWORD, PATIENCE, free_port

KEY = "dev/fresh/default/a"


@pytest.fixture
def cli(tmp_path, node, admin):
    return Command(tmp_path / "home", node, CONFIG_CENTER_TOKEN=admin.token)


# --- reads ---

def test_a_read_waits_for_the_revision_that_the_client_has_seen(node, admin):
    has = admin.publish(KEY, b"1")["revision"]
    assert admin.read(KEY, min_revision=has).body == b"1"
    answers = []
    reading = threading.Thread(target=lambda: answers.append(
        Client(node, admin.token).get(f"/v1/configs/{KEY}", query={"min_revision": has + 1}, expect=200)))
    reading.start()
    published = admin.publish(KEY, b"2")["revision"]
    reading.join(60 * PATIENCE)
    assert published == has + 1
    assert answers[0].body == b"2" and answers[0].revision == published


def test_a_revision_that_does_not_come_is_504_with_the_nodes_own(make_node):
    node = make_node(server_timeout="300ms")
    admin = log_in(node, checked=False)
    own = admin.get("/v1/cluster", expect=200).json()["revision"]
    for path in ("/v1/configs/dev/a/b/c", "/v1/configs", "/v1/users"):
        answer = admin.get(path, query={"min_revision": own + 100}, expect=504)
        assert answer.headers["Retry-After"] == "1"
        assert answer.json()["error"]["details"]["revision"] == own


def test_a_strong_read_has_what_was_acknowledged(node, admin):
    for number in range(20):
        content = f"{number}".encode()
        admin.publish(KEY, content)
        assert Client(node, admin.token).get(f"/v1/configs/{KEY}", query={"consistency": "strong"}, expect=200).body == content
    listed = admin.get("/v1/configs", query={"consistency": "strong", "prefix": "a"}, expect=200).json()["items"]
    assert KEY in [each["key"] for each in listed]
    code, message = admin.get(f"/v1/configs/{KEY}", query={"consistency": "weak"}, expect=400).error
    assert code == "invalid_argument" and "strong" in message


def test_a_watch_that_is_ahead_is_not_sent_back(admin):
    revision = admin.publish(KEY, b"x")["revision"]
    answer = admin.get(f"/v1/configs/{KEY}", query={"after": revision + 50}, expect=304)
    assert answer.revision == revision + 50


# --- how it is ---

def test_a_node_with_a_leader_is_ready_for_everything_and_not_stale(admin, anyone):
    anyone.get("/readyz", query={"for": "writes"}, expect=200)
    anyone.get("/readyz", query={"for": "reads"}, expect=200)
    anyone.get("/readyz", query={"for": "lunch"}, expect=400)
    told = anyone.get("/healthz", expect=200).json()["checks"]
    assert all(each["message"] for each in told)
    checks = {each["name"]: each["status"] for each in told}
    assert checks == {"reads": "ok", "writes": "ok", "freshness": "ok"}
    assert "X-Config-Stale" not in admin.get("/v1/configs", expect=200).headers
    cluster = admin.get("/v1/cluster", expect=200).json()
    assert not cluster["stale"]
    assert [(each["node"], each["membership"], each["leads"], each["behind"]) for each in cluster["members"]] == [(1, "voter", True, 0)]


def test_a_node_whose_disk_is_full_is_ready_for_reads_only(make_node):
    node = make_node()
    admin = log_in(node)
    node.restart(server_min_free_disk="1000000GiB")
    anyone = Client(node)
    anyone.get("/readyz", expect=200)
    assert anyone.get("/readyz", query={"for": "writes"}, expect=503).headers["Retry-After"] == "1"
    assert Client(node, admin.token).get("/v1/configs", expect=200)


# --- the commands ---

def test_reading_commands_say_how_new(cli, admin):
    revision = admin.publish(KEY, b"x")["revision"]
    for how in (("--consistency", "strong"), ("--min-revision", revision)):
        assert cli("get", KEY, *how).stdout == "x"
        assert KEY in cli("list", "dev/fresh", *how).stdout
        assert cli.json("history", KEY, *how)[0]["revision"] == revision
        cli("draft", "list", *how)
        cli("diff", KEY, "1..published", *how)
    cli("get", KEY, "--consistency", "weak", expect=2)
    cli("get", KEY, "--min-revision", "-1", expect=2)


def test_the_next_server_is_asked_when_one_is_not_there(cli, node, admin):
    dead = f"http://127.0.0.1:{free_port()}"
    servers = f"{dead},{node.url}"
    admin.publish(KEY, b"x")
    assert cli("get", KEY, "--server", servers).stdout == "x"
    assert cli("publish", KEY, "--file", "-", "--server", servers, input="y").returncode == 0
    assert admin.read(KEY).body == b"y"
    assert dead in cli("get", KEY, "--server", f"{dead},{dead}", expect=1).stderr
    cli("get", KEY, "--server", f"{node.url},ftp://nowhere", expect=2)


def test_a_login_is_kept_for_the_server_that_answered_and_used_for_the_others(tmp_path, node):
    cli = Command(tmp_path / "home", node)
    dead = f"http://127.0.0.1:{free_port()}"
    servers = f"{dead},{node.url}"
    logged_in = cli("login", "--username", "admin", "--password-stdin", "--server", servers, input=ADMIN_PASSWORD)
    assert node.url in logged_in.stdout and dead not in logged_in.stdout
    assert cli.json("whoami", "--server", servers)["name"] == "admin"
    assert node.url in cli("logout", "--server", servers).stdout


def test_status_tells_the_members_and_the_checksum(cli):
    text = cli("cluster", "status", "--checksum").stdout
    assert "MEMBERSHIP" in text and "voter" in text and "checksum" in text
    first = cli.json("cluster", "status", "--checksum")["checksum"]
    assert len(first["sha256"]) == 64
    assert "checksum" not in cli.json("cluster", "status")


def test_nodes_that_hold_something_else_are_different_and_one_is_not_compared_with_itself(make_node, tmp_path):
    """Two groups of one stand for two nodes that went apart: neither knows of the other."""
    secret = "one secret for both of the nodes of this test"
    nodes = [make_node(security_jwt_secret=secret) for _ in range(2)]
    token = [log_in(each).token for each in nodes][0]
    cli = Command(tmp_path / "home", nodes[0], CONFIG_CENTER_TOKEN=token)
    twice = f"{nodes[0].url},{nodes[0].url.replace('127.0.0.1', 'localhost')}"
    assert "are both node 1" in cli("cluster", "status", "--checksum", "--server", twice, expect=2).stderr
    apart = cli("cluster", "status", "--checksum", "--server", f"{nodes[0].url},{nodes[1].url}", expect=1)
    assert "different at revision" in apart.stdout
    assert "wiping its data folder" in apart.stderr


def test_changes_of_the_group_say_what_they_would_do_and_ask(cli):
    assert "would add node 4 at 10.0.0.4:7848 as an observer" in cli(
        "cluster", "add", "4@10.0.0.4:7848", "--observer", "--dry-run").stdout
    cli("cluster", "add", "1@10.0.0.4:7848", "--dry-run", expect=1)
    for wrong in ("4", "4@host", "4@host:0", "4@host:99999", "x@host:1", "0@host:1", "host:1"):
        assert "4@10.0.0.4:7848" in cli("cluster", "add", wrong, expect=2).stderr
    for command in (("cluster", "remove"), ("cluster", "promote"), ("cluster", "demote"), ("cluster", "transfer")):
        assert "cluster status" in cli(*command, 9, "--dry-run", expect=1).stderr
        assert "nothing was changed" in cli(*command, 1, "--dry-run").stdout
        cli(*command, "x", expect=2)
    assert "--yes" in cli("cluster", "remove", 9, expect=2).stderr
    cli("cluster", "remove", 9, "--yes", expect=1)


def test_recover_is_for_a_node_that_is_stopped(cli, node, tmp_path):
    assert "is in use by another process" in cli("cluster", "recover", "--data-dir", node.data, "--yes", expect=1).stderr
    assert "there is no log" in cli("cluster", "recover", "--data-dir", tmp_path / "mistyped", "--yes", expect=1).stderr
    assert not (tmp_path / "mistyped").exists()
    asked = cli("cluster", "recover", "--data-dir", node.data, expect=2).stderr
    assert "is lost" in asked and "--yes" in asked
    cli("cluster", "recover", "--data-dir", node.data, "--node-id", "0", expect=2)
