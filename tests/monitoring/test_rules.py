"""The rules: Prometheus takes them, each alert fires when it should and is silent when it should not, and each has a page
that says what to do, with commands that there are."""

import functools
import re
import shutil
import subprocess

import pytest
import yaml

import rules
from machine import cannot
from node import BINARY
from promql import named_in

TESTS = sorted((rules.DATA.parent / "rules").glob("*_test.yml"))
BOOKS = rules.ROOT / "docs/runbooks"


def promtool(*arguments, **more):
    program = shutil.which("promtool") or cannot("promtool is not installed (script/bootstrap)")
    done = subprocess.run([program, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300, **more)
    assert done.returncode == 0, f"promtool ends with status {done.returncode}:\n{done.stdout}"
    return done.stdout


@pytest.mark.parametrize("file", rules.files(), ids=lambda file: file.name)
def test_prometheus_takes_them(file):
    assert "SUCCESS" in promtool("check", "rules", "--lint=all", "--lint-fatal", file)


@pytest.mark.parametrize("file", TESTS, ids=lambda file: file.stem)
def test_alerts_fire_when_they_should(file):
    promtool("test", "rules", file.name, cwd=file.parent)


def test_each_alert_has_a_case_in_which_it_fires_and_one_in_which_it_does_not():
    fires, silent = set(), set()
    for file in TESTS:
        for test in yaml.safe_load(file.read_text())["tests"]:
            for case in test["alert_rule_test"]:
                (fires if case["exp_alerts"] else silent).add(case["alertname"])
    names = {alert["alert"] for alert in rules.alerts()}
    assert names - fires == set()
    assert names - silent == {"Watchdog"}  # which always fires
    assert fires | silent == names, "tests of alerts that there are not"
    assert len(names) == len(rules.alerts())


@pytest.mark.parametrize("alert", rules.alerts(), ids=lambda alert: alert["alert"])
def test_an_alert_says_what_a_person_needs(alert):
    assert alert["labels"]["severity"] in (("none",) if alert["alert"] == "Watchdog" else ("critical", "warning"))
    assert "for" in alert
    assert alert["annotations"].keys() == {"summary", "description", "runbook"}
    assert alert["annotations"]["runbook"] == f"docs/runbooks/{alert['alert']}.md"
    assert re.match(r"[A-Z{/]", alert["annotations"]["summary"])
    # What is of one host, node or environment says of which.
    labels = named_in(alert["expr"]).labels
    for label in labels & {"host", "environment"}:
        assert f"$labels.{label}" in alert["annotations"]["summary"] + alert["annotations"]["description"], label


# --- runbooks ---


def test_each_alert_has_a_runbook_and_no_other_has():
    assert {path.stem for path in BOOKS.iterdir()} == {alert["alert"] for alert in rules.alerts()}


@pytest.mark.parametrize("alert", rules.alerts(), ids=lambda alert: alert["alert"])
def test_a_runbook_is_whole(alert):
    text = (BOOKS / f"{alert['alert']}.md").read_text()
    assert text.startswith(f"# {alert['alert']}\n")
    assert re.findall(r"^## (.*)$", text, re.M) == ["Confirm", "What to do", "When it is false"]
    assert "```sh\n" in text.partition("## What to do")[0]
    assert len(text.splitlines()) <= 40


@functools.cache
def help_of(*command):
    done = subprocess.run([BINARY, *command, "--help"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout


@functools.cache
def shared_options():
    return set(re.findall(r"--[a-z][-a-z]*", help_of()))


def commands_in(text):
    """Of the code and of what stands in `backticks`."""
    code = [line for block in re.findall(r"^```sh\n(.*?)^```", text, re.S | re.M) for line in block.splitlines()]
    for span in code + re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.S | re.M)):
        found = re.match(r"config-center (.*?)(?: -- .*| \|.*)?$", span.strip())
        if found:
            yield found[1]


@pytest.mark.parametrize("path", sorted(BOOKS.iterdir()) + sorted(rules.files()), ids=lambda path: path.stem)
def test_commands_that_people_are_told_to_type_are_there(path):
    text = path.read_text()
    if path.suffix == ".yml":
        text = "\n".join(f"`{command}`" for command in re.findall(r"config-center [a-z][^\";:]*", text))
    for command in commands_in(text):
        words = command.split()
        path_of_it = []
        while words and re.search(rf"^  {re.escape(words[0])} ", help_of(*path_of_it).partition("Subcommands:")[2], re.M):
            path_of_it.append(words.pop(0))
        assert path_of_it, f"there is no command {command!r}"
        known = set(re.findall(r"(?<![\w-])--?[a-z][-a-z]*", help_of(*path_of_it))) | shared_options() | {"--help"}
        assert {word for word in words if word.startswith("-")} <= known, command
        if "Subcommands:" in help_of(*path_of_it):
            assert "--help" in words or not words, f"there is no command {command!r}"


# --- names ---


def recorded():
    """Each recording with the labels that it keeps: those that it groups by, or those of what it is made of."""
    series = {}
    for rule in rules.recordings():
        found = named_in(rule["expr"])
        labels = set(found.labels) or set().union(*(known(metric) for metric in found.metrics))
        series[rule["record"]] = labels - {"le"}
    return series


def known(metric):
    return {**rules.others_metrics(), **rules.own_metrics()}.get(metric)


def complaints_about(expression, series):
    """What it names that nothing exports."""
    found = named_in(expression)
    assert found.metrics or expression == "vector(1)", f"no metric in {expression}"
    for metric, labels in found.metrics.items():
        if metric not in series:
            yield f"nothing exports {metric}"
        else:
            for label in labels - series[metric] - rules.TARGET:
                yield f"{metric} has no label {label}"
    anywhere = rules.TARGET.union(*(series.get(metric, set()) for metric in found.metrics))
    for label in found.labels - anywhere:
        yield f"there is no label {label} to group by"


def all_series():
    return {**rules.others_metrics(), **rules.own_metrics(), **recorded()}


@pytest.mark.parametrize("rule", rules.all_rules(), ids=lambda rule: rule.get("alert") or rule["record"])
def test_rules_name_only_what_is_exported(rule):
    assert list(complaints_about(rule["expr"], all_series())) == []


@pytest.mark.parametrize("expression, complaint", [
    ("config_center_typo > 1", "nothing exports config_center_typo"),
    ("rate(config_center_http_request_duration_seconds[5m])", "nothing exports config_center_http_request_duration_seconds"),
    ("config_center_raft_peer_lag{node=\"2\"} > 1", "config_center_raft_peer_lag has no label node"),
    ("sum by (environment) (rate(config_center_logins_total[5m]))", "there is no label environment to group by"),
    ("up == 0 and on (host, peer) pg_up", "there is no label peer to group by"),
    ("abs(node_timex_offset) > 1", "nothing exports node_timex_offset"),
])
def test_a_wrong_name_is_noticed(expression, complaint):
    assert list(complaints_about(expression, all_series())) == [complaint]


@pytest.mark.parametrize("rule", rules.all_rules(), ids=lambda rule: rule.get("alert") or rule["record"])
def test_annotations_name_only_labels_that_are_there(rule):
    """A label that is left out by aggregation is an empty place in the sentence."""
    found = named_in(rule["expr"])
    there = rules.TARGET.union(found.labels, *(all_series().get(metric, set()) for metric in found.metrics))
    for text in rule.get("annotations", {}).values():
        assert set(re.findall(r"\$labels\.(\w+)", text)) <= there


def test_recorded_series_are_named_for_what_they_are():
    for rule in rules.recordings():
        assert re.fullmatch(r"[a-z_]+:[a-z_]+:[a-z0-9_]+", rule["record"]), rule["record"]
