"""What a node does for its own folder over the years, by itself and when somebody says so."""

import os
import subprocess
import time

import pytest

from client import log_in
from command import Command
from node import wait_until

DAY = 24 * 3600


@pytest.fixture
def cli(tmp_path):
    return Command(tmp_path / "home")


def left(folder, days):
    folder.mkdir(parents=True)
    (folder / "state.db").write_bytes(b"x" * 1000)
    os.utime(folder, (time.time() - days * DAY,) * 2)
    return folder


def test_what_a_restore_and_a_crash_have_left_goes_after_a_while(cli, make_node):
    node = make_node()
    log_in(node).publish("dev/shop/default/a", b"kept")
    old, new = left(node.data / "before-restore-old", 31), left(node.data / "before-restore-new", 29)
    crashed, working = left(node.data / "tmp" / "backup-1", 2), left(node.data / "tmp" / "backup-2", 0)

    told = cli.json("maintenance", "run", "--data-dir", node.data, "--dry-run")
    assert told["due"] and {each["path"] for each in told["removed"]} == {str(old), str(crashed)}
    assert old.exists() and crashed.exists()
    assert f"removed {old} (1000 B, set aside by a restore)" in cli("maintenance", "run", "--data-dir", node.data).stdout
    assert not old.exists() and not crashed.exists() and new.exists() and working.exists()
    assert not cli.json("maintenance", "run", "--data-dir", node.data, "--dry-run")["due"]
    assert log_in(node).read("dev/shop/default/a").body == b"kept"
    assert "there is no state" in cli("maintenance", "run", "--data-dir", node.data / "nothing", expect=1).stderr


def test_a_node_does_it_by_the_clock(make_node):
    node = make_node(maintenance_schedule_cron="* * * * *")
    old = left(node.data / "before-restore-old", 31)
    wait_until(lambda: not old.exists(), "it was removed", 90)
    wait_until(lambda: node.metrics()["config_center_maintenance_success_total"] >= 1, "it was counted", 10)
    assert node.metrics()["config_center_maintenance_last_success_timestamp_seconds"] > 0
    assert "maintenance is done" in {record["message"] for record in node.records()}


def test_of_an_installation_systemd_is_told_when(cli, tmp_path):
    file = tmp_path / "topology.yaml"
    file.write_text("name: shop\nhosts: {a: {address: 127.0.0.1, local: true}}\ncomponents: {app: {hosts: [a]}}\n")
    written = tmp_path / "units"
    told = cli("maintenance", "schedule", "-t", file, "--calendar", "Mon 02:30", "--to", written).stdout
    assert "config-center-maintenance-shop.timer" in told
    verified = subprocess.run(["systemd-analyze", "verify", *written.iterdir()], capture_output=True, text=True)
    assert verified.returncode == 0, verified.stderr
    assert "OnCalendar=Mon 02:30" in (written / "config-center-maintenance-shop.timer").read_text()
    assert f"maintenance run --yes --topology {file}" in cli("maintenance", "schedule", "-t", file).stdout
    assert "no earlier deployment" in cli("maintenance", "run", "-t", file, expect=1).stderr
    assert "no earlier deployment" in cli("maintenance", "status", "-t", file, expect=1).stderr
    cli("maintenance", "status", "-t", file, "--only", "nonsense", expect=2)
