"""Backups of a node, and nodes made from backups: by the commands, with the real server."""

import datetime
import json
import random
import subprocess
import time

import pytest

from client import Client, log_in
from command import Command
from node import SANITIZER, wait_until
from test_recovery import publish_some
from test_watch import poll


@pytest.fixture
def cli(tmp_path):
    return Command(tmp_path / "home")


@pytest.fixture
def node(make_node):
    return make_node()


def contents(client):
    """What can be read: {key: (content, format)}."""
    return {item["key"]: client.read(item["key"]).body for item in client.items("/v1/configs", environment="dev")}


def back_up(cli, node, folder):
    folder.mkdir(exist_ok=True)
    return cli.json("backup", "create", folder, "--data-dir", node.data)


def test_a_backup_is_made_of_a_running_node_shown_and_verified(cli, node, tmp_path):
    admin = log_in(node)
    publish_some(admin, 30)
    made = back_up(cli, node, tmp_path / "backups")
    assert made["configs"] == 20 and made["revision"] == 31
    shown = cli.json("backup", "show", made["file"], "--data-dir", node.data)
    assert {name: made[name] for name in shown} == shown
    assert "is good" in cli("backup", "verify", made["file"], "--data-dir", node.data).stdout
    assert cli.json("backup", "verify", made["file"], "--data-dir", node.data, "--level", "checksums")["verified"] == "checksums"
    again = cli("backup", "create", made["file"], "--data-dir", node.data, expect=1).stderr
    assert "overwrites nothing" in again
    assert publish_some(admin, 1), "the node did not notice"


def test_a_node_is_made_of_it_that_starts_and_answers(cli, node, tmp_path):
    """Of one that lies where backups are kept that is noted, and nothing stays of the node."""
    publish_some(log_in(node), 30)
    made = cli.json("backup", "create", "--data-dir", node.data)
    told = cli("backup", "verify", made["name"], "--level", "restored", "--data-dir", node.data)
    assert "a node that was restored from it started and answered" in told.stdout
    listed = cli.json("backup", "list", "--data-dir", node.data)[0]
    assert listed["restored"] and listed["verified"]
    assert not (node.data / "tmp").exists() or not list((node.data / "tmp").iterdir())
    assert publish_some(log_in(node), 1), "the node did not notice"


def test_it_is_sealed_unless_asked_otherwise(cli, node, tmp_path):
    admin = log_in(node)
    admin.publish("dev/shop/default/a", b"the content of a config that is secret " * 50)
    made = back_up(cli, node, tmp_path / "backups")
    assert "sealed: give the settings" in cli("backup", "show", made["file"], expect=1).stderr
    other = Command(tmp_path / "other", CONFIG_CENTER_SECURITY_ENCRYPTION_KEY="the key of another installation altogether")
    assert "another key" in other("backup", "verify", made["file"], expect=1).stderr
    cli("backup", "create", tmp_path / "open.tar.zst", "--data-dir", node.data, "--unsealed")
    unpacked = subprocess.run(["tar", "--zstd", "-xOf", tmp_path / "open.tar.zst", "manifest.json"], capture_output=True, check=True)
    assert json.loads(unpacked.stdout)["configs"] == 1


def test_a_damaged_backup_restores_nothing(cli, node, tmp_path):
    publish_some(log_in(node), 20)
    made = back_up(cli, node, tmp_path / "backups")
    node.stop()
    with open(made["file"], "r+b") as file:
        file.seek(made["bytes"] // 2)
        byte = file.read(1)[0]
        file.seek(-1, 1)
        file.write(bytes([byte ^ 1]))
    before = sorted(path.name for path in node.data.iterdir())
    refused = cli("restore", made["file"], "--data-dir", node.data, "--replace", "--yes", expect=1).stderr
    assert "is damaged" in refused
    assert sorted(path.name for path in node.data.iterdir()) == before
    node.start()


def test_going_back_loses_what_it_says_and_watchers_get_the_differences(cli, node, tmp_path):
    admin = log_in(node)
    same, changed, deleted, new = (f"dev/shop/default/{name}" for name in ("same", "changed", "deleted", "new"))
    for key in (same, changed, deleted):
        admin.publish(key, b"a: 1\n")
    made = back_up(cli, node, tmp_path / "backups")
    admin.publish(changed, b"a: 2\n")
    admin.delete("/v1/configs/" + deleted, expect=200)
    admin.publish(new, b"a: 1\n")
    admin.put("/v1/users/li", {"password": "password of li"}, expect=201)
    seen = {key: admin.get("/v1/configs/" + key).revision for key in (same, changed, new)}

    told = cli("backup", "compare", made["file"], "--data-dir", node.data).stdout
    assert "3 configs, 1 other change" in told and deleted in told and "user" in told
    since = tmp_path / "since.json"
    since.write_text(cli("backup", "compare", made["file"], "--data-dir", node.data, "-o", "json").stdout)
    restore = ("restore", made["file"], "--data-dir", node.data, "--since", since)
    assert "is in use" in cli(*restore, "--replace", "--yes", expect=1).stderr
    node.stop()
    assert "with --replace" in cli(*restore, "--yes", expect=1).stderr
    asked = cli(*restore, "--replace", expect=2).stderr
    assert "loses changes of 3 configs and 1 other change" in asked
    assert "would restore" in cli(*restore, "--replace", "--dry-run").stdout
    restored = cli.json(*restore, "--replace", "--yes")
    assert restored["aside"].startswith(str(node.data))
    node.start()

    assert Client(node, admin.token).get("/v1/configs/" + same).status == 401, "sessions ended"
    admin = log_in(node)
    waiting = poll(node, admin, same, seen[same])
    assert admin.read(changed).body == b"a: 1\n" and admin.read(changed).version == 3
    assert admin.read(deleted).body == b"a: 1\n"
    assert poll(node, admin, changed, seen[changed]).result().body == b"a: 1\n"
    assert poll(node, admin, new, seen[new]).result().status == 404
    assert admin.get("/v1/users/li").status == 404
    assert waiting.running(), "what is the same wakes nobody"
    newest = admin.publish(same, b"a: 3\n")["revision"]
    assert newest > restored["restored_revision"] > max(seen.values())
    assert waiting.result().body == b"a: 3\n"


def test_a_backup_is_restored_on_another_machine(cli, node, make_node, tmp_path):
    """Nobody knows there what clients have seen: everything comes anew, above all of it."""
    admin = log_in(node)
    publish_some(admin, 40)
    made = back_up(cli, node, tmp_path / "backups")
    then = contents(admin)
    lost = admin.publish("dev/shop/default/0", b"seen, and lost")["revision"]
    node.kill()
    there = make_node(start=False, name="there")
    key = (node.data / "secrets" / "encryption_key").read_text().strip()
    restoring = Command(tmp_path / "there-home", CONFIG_CENTER_SECURITY_ENCRYPTION_KEY=key)
    restoring("restore", made["file"], "--data-dir", there.data, "--yes")
    there.start()
    admin = log_in(there)
    assert contents(admin) == then
    assert poll(there, admin, "dev/shop/default/0", lost).result().body == then["dev/shop/default/0"]


def test_what_nobody_saw_anything_newer_of_is_as_it_was(cli, node, make_node, tmp_path):
    admin = log_in(node)
    publish_some(admin, 40)
    made = back_up(cli, node, tmp_path / "backups")
    there = make_node(start=False, name="there")
    for name in ("encryption_key", "jwt_secret"):
        (there.data / "secrets").mkdir(parents=True, exist_ok=True)
        (there.data / "secrets" / name).write_text((node.data / "secrets" / name).read_text())
    cli("restore", made["file"], "--data-dir", there.data, "--nothing-newer", "--yes")
    there.start()
    moved = Client(there, admin.token)
    assert contents(moved) == contents(admin)
    assert moved.get("/v1/cluster").json()["revision"] == made["revision"]


def test_wrong_arguments_say_what_is_wrong(cli, node, tmp_path):
    made = back_up(cli, node, tmp_path / "backups")
    (tmp_path / "nothing.json").write_text("{}")
    target = ("--data-dir", tmp_path / "new", "--yes")
    assert "either --since or" in cli("restore", made["file"], *target, "--since", "-", "--nothing-newer", expect=2).stderr
    assert "backup compare" in cli("restore", made["file"], *target, "--since", tmp_path / "nothing.json", expect=2).stderr
    assert "there is no state" in cli("backup", "create", tmp_path / "x", "--data-dir", tmp_path / "nowhere", expect=1).stderr
    (tmp_path / "text").write_text("no backup")
    assert "is not a backup" in cli("backup", "show", tmp_path / "text", "--data-dir", node.data, expect=1).stderr
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("attempt", range(3))
def test_killed_while_it_restores(cli, node, tmp_path, attempt):
    """The node starts with what it had, or with what was restored, wherever the kill struck."""
    admin = log_in(node)
    for number in range(40):
        admin.publish(f"dev/shop/default/{number}", random.randbytes(300_000).hex().encode())
    made = back_up(cli, node, tmp_path / "backups")
    marker = "dev/shop/default/0"
    then = admin.read(marker).body
    admin.publish(marker, b"newer")
    since = tmp_path / "since.json"
    since.write_text(cli("backup", "compare", made["file"], "--data-dir", node.data, "-o", "json").stdout)
    node.stop()
    begun = time.monotonic()
    cli("backup", "verify", made["file"], "--data-dir", node.data)  # takes about as long
    took = time.monotonic() - begun
    for _ in range(2 if SANITIZER else 5):
        process = cli.start("restore", made["file"], "--data-dir", node.data, "--since", since, "--replace", "--yes")
        time.sleep(random.uniform(0, took))
        process.kill()
        process.communicate()
        node.start()
        body = log_in(node).read(marker).body
        node.stop()
        assert not (node.data / "restoring").exists()
        assert body in (then, b"newer")
        if body == then:
            break


def test_killed_while_it_is_made(cli, node, tmp_path):
    """What is there under a backup's name is whole."""
    admin = log_in(node)
    for number in range(20):
        admin.publish(f"dev/shop/default/{number}", random.randbytes(300_000).hex().encode())
    backups = tmp_path / "backups"
    begun = time.monotonic()
    back_up(cli, node, backups)
    took = time.monotonic() - begun
    for _ in range(8):
        process = cli.start("backup", "create", backups, "--data-dir", node.data)
        time.sleep(random.uniform(0, took))
        process.kill()
        process.communicate()
    for file in backups.glob("*.ccbackup"):
        cli("backup", "verify", file, "--data-dir", node.data)
    assert list(backups.glob("*.ccbackup"))
    node.stop()
    node.start()


def backups_in(cli, node):
    return cli.json("backup", "list", "--data-dir", node.data)


def test_backups_are_made_by_the_clock_and_verified(cli, make_node):
    """The newest one's time tells when the next is due: what was missed since is made up for, once."""
    node = make_node(backup_schedule_cron="* * * * *")
    publish_some(log_in(node), 5)
    old = cli.json("backup", "create", "--data-dir", node.data)
    cli("backup", "verify", old["file"], "--data-dir", node.data)
    node.stop()
    wait_until(lambda: time.time() // 60 > int(datetime.datetime.fromisoformat(old["time"]).timestamp()) // 60, "a minute has passed", 90)
    node.settings["backup_schedule_enabled"] = "true"
    node.start()
    newest = wait_until(lambda: (all := backups_in(cli, node)) and len(all) == 2 and all[0]["verified"] and all[0], "one was made", 30)
    assert newest["configs"] == 5 and newest["trouble"] == ""
    wait_until(lambda: node.metrics()["config_center_backup_last_bytes"] == newest["size"], "its metrics tell of it")
    metrics = node.metrics()
    assert metrics["config_center_backup_success_total"] == 1 and metrics["config_center_backup_failures_total"] == 0
    assert metrics["config_center_backup_last_verified_timestamp_seconds"] >= metrics["config_center_backup_last_success_timestamp_seconds"] > 0
    assert [record["file"] for record in node.records() if record["message"] == "made a backup, and verified it"] == [newest["file"]]


def test_what_is_kept_is_listed_and_pruned(cli, node, tmp_path):
    assert "there is no backup" in cli("backup", "list", "--data-dir", node.data).stdout
    files = []
    for _ in range(3):
        files.append(cli.json("backup", "create", "--data-dir", node.data)["file"])
        cli("backup", "verify", files[-1], "--data-dir", node.data)
        time.sleep(1.1)  # they are named by the second
    (node.data / "backups" / "broken.ccbackup").write_text("damaged")
    listed = backups_in(cli, node)
    assert [each["file"] for each in listed[:3]] == files[::-1] and all(each["verified"] for each in listed[:3])
    assert "not a backup" in listed[3]["trouble"]
    settings = tmp_path / "settings.yaml"
    settings.write_text(f"data_dir: {node.data}\nbackup: {{retention: {{max_backups: 2}}}}\n")
    prune = ("backup", "prune", "--config", settings)
    assert files[0] in cli(*prune, "--dry-run").stdout and len(backups_in(cli, node)) == 4
    assert set(cli.json(*prune, "--yes")["removed"]) == {files[0], str(node.data / "backups" / "broken.ccbackup")}
    assert [each["file"] for each in backups_in(cli, node)] == files[:0:-1]


def test_some_configs_are_brought_back_as_new_releases(node, tmp_path):
    admin = log_in(node)
    cli = Command(tmp_path / "home", node, CONFIG_CENTER_TOKEN=admin.token)
    one, other, hidden = "dev/shop/default/one.yaml", "dev/shop/default/other.yaml", "dev/shop/default/.env"
    for key in (one, other, "dev/bank/default/one.yaml"):
        admin.publish(key, b"a: 1\n")
    admin.publish(hidden, b"A=1", secret="true")
    made = back_up(cli, node, tmp_path / "backups")
    admin.publish(one, b"a: 2\n")
    admin.delete("/v1/configs/" + other, expect=200)
    take = ("--data-dir", node.data)
    assert "took 3 configs" in cli("backup", "export", made["file"], "dev/shop", tmp_path / "shop", *take).stdout
    cli("import", "dev/shop", tmp_path / "shop")
    assert admin.read(one).body == b"a: 1\n" and admin.read(one).version == 3
    assert admin.read(other).body == b"a: 1\n" and admin.read(hidden).version == 1, "what is the same makes no release"
    assert cli("backup", "export", made["file"], one, "-", *take).stdout == "a: 1\n"
    assert "there was no config" in cli("backup", "export", made["file"], "dev/nothing", tmp_path / "x", *take, expect=1).stderr
    cli("backup", "export", made["file"], "", tmp_path / "x", *take, expect=2)


def test_the_next_times_are_told(cli, tmp_path):
    settings = tmp_path / "settings.yaml"
    settings.write_text("backup: {schedule: {cron: 'TZ=UTC 0 3 * * *', enabled: true}}\n")
    told = cli.json("backup", "schedule", "--config", settings, "--count", "2")
    assert [time[10:] for time in told["next"]] == ["T03:00:00.000Z"] * 2
    assert "no backups are made" in cli("backup", "schedule").stdout
    settings.write_text("backup: {schedule: {cron: '0 0 31 2 *'}}\n")
    assert "never comes" in cli("backup", "schedule", "--config", settings, expect=2).stderr
