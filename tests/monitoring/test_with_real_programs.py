"""A whole installation with its real Prometheus: everything that rules name is there, and they can be worked out.

With WRITE_OTHERS_METRICS=1 it writes down what the programs around the nodes export, into data/, from which the names in
rules are checked without them."""

import json
import os
import time
import urllib.parse
import urllib.request

import pytest

import rules
from node import wait_until
from promql import named_in
from test_dashboards import TARGETS, worked_out
from test_playground import home, play  # noqa: F401 (fixtures)

# Nothing has these when all is well, and why.
SILENT = {
    "config_center_tls_certificate_expiry_timestamp_seconds": "the playground has no TLS",
    "config_center_virtual_address_held": "the playground has no virtual address",
    "config_center_backup_last_success_timestamp_seconds": "the playground makes no backups",
    "config_center_backup_last_attempt_timestamp_seconds": "the playground makes no backups",
    "config_center_backup_last_verified_timestamp_seconds": "the playground makes no backups",
    "config_center_backup_failures_total": "the playground makes no backups",
    "config_center_backup_success_total": "the playground makes no backups",
    "config_center_backup_last_bytes": "the playground makes no backups",
    "config_center_backup_last_duration_seconds": "the playground makes no backups",
    "config_center_maintenance_of_hosts_last_success_timestamp_seconds": "nobody maintains a playground",
}
# The machine may have files of others there.
UNKNOWN = {"node_textfile_mtime_seconds"}
# Recordings that have nothing to work with.
SILENT_RECORDINGS = set()
# Panels that show nothing as long as nothing is wrong, or nothing has happened.
SILENT_PANELS = {
    "Errors by route": "no request failed",
    "Refused by a limit": "nobody was held back",
    "Age of the last backup": "the playground makes no backups",
    "Since one was verified": "the playground makes no backups",
    "Size of backups": "the playground makes no backups",
    "Time that backups take": "the playground makes no backups",
    "Backups made and failed": "the playground makes no backups",
    "Since maintenance": "nobody maintains a playground",
}
OTHERS = ("node", "postgres", "redis", "sentinel", "haproxy", "prometheus", "alertmanager")


class Prometheus:
    def __init__(self, url):
        self.url = url

    def ask(self, path, **arguments):
        with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(arguments)}", timeout=60) as answer:
            return json.load(answer)["data"]

    def query(self, expression):
        return self.ask("query", query=expression)["result"]

    def are_all_up(self):
        targets = self.ask("targets", state="active")["activeTargets"]
        return len(targets) == 16 and all(target["health"] == "up" for target in targets)


@pytest.fixture
def prometheus(play):  # noqa: F811
    """Of an installation that has been used a little, and scraped often enough for rates."""
    full = play("--full")
    full.log_in()
    full.command("app", "add", "shop")
    for number in range(3):
        full.publish(f"a: {number}\n")
        full.command("get", "dev/shop/default/application.yaml")
    found = Prometheus(full.told["prometheus"])
    wait_until(found.are_all_up, "Prometheus reaches all", 60)
    wait_until(lambda: found.query("min(count_over_time(up[5m])) >= 4"), "each was asked four times", 60)
    time.sleep(5)  # one evaluation more
    yield found
    full.stop()


def test_rules_work_with_the_real_prometheus(prometheus):
    write_down_what_others_export(prometheus)

    groups = prometheus.ask("rules")["groups"]
    unwell = [(rule["name"], rule.get("lastError")) for group in groups for rule in group["rules"] if rule["health"] != "ok"]
    assert unwell == []
    assert {rule["name"] for group in groups for rule in group["rules"]} == \
           {rule.get("alert") or rule["record"] for rule in rules.all_rules()}

    named = {metric for rule in rules.all_rules() for metric in named_in(rule["expr"]).metrics}
    empty = {metric for metric in named if not prometheus.query(f"count({metric})")}
    assert empty - UNKNOWN == SILENT.keys() & named, "these return nothing, or are listed as silent and are not"
    nothing = {rule["record"] for rule in rules.recordings() if not prometheus.query(rule["expr"])}
    assert nothing == SILENT_RECORDINGS

    silent = {title for _, title, target in TARGETS if not prometheus.query(worked_out(target["expr"]))}
    silent.discard("Alerts that fire")  # some may, of this machine: see below
    assert silent == SILENT_PANELS.keys()

    # Of the alerts only those fire, or would if it went on, that tell of this machine and of how fast its disk and
    # processors are, and the one that always does.
    firing = {alert["labels"]["alertname"] for alert in prometheus.ask("alerts")["alerts"]}
    assert firing >= {"Watchdog"}
    about_the_machine = {"HostBusy", "HostMemoryLow", "HostClockNotSynchronised", "DiskNearlyFull", "DiskFillingUp",
                         "ConfigCenterLogWriteSlow", "ConfigCenterCommitSlow", "ConfigCenterSlowRequests",
                         "ConfigCenterWatchersLate"}
    assert firing - {"Watchdog"} <= about_the_machine


def write_down_what_others_export(prometheus):
    if not os.environ.get("WRITE_OTHERS_METRICS"):
        return
    rules.DATA.mkdir(exist_ok=True)
    for job in OTHERS:
        labels = {}
        for series in prometheus.ask("series", **{"match[]": f'{{job="{job}"}}'}):
            names = series.keys() - {"__name__"} - rules.TARGET
            labels.setdefault(series["__name__"], set()).update(names)
        lines = [" ".join([name, *sorted(labels[name])]) for name in sorted(labels)]
        head = "# Written by test_with_real_programs.py: what the job has, with its labels.\n"
        (rules.DATA / f"{job}.metrics").write_text(head + "\n".join(lines) + "\n")


def test_what_was_written_down_is_what_rules_are_checked_against():
    assert sorted(path.stem for path in rules.DATA.glob("*.metrics")) == sorted(OTHERS)
