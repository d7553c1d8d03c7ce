"""Alerts reach people: rules, routes and receivers as they come out of a topology, in a real Prometheus and a real
Alertmanager, with real nodes that die."""

import contextlib
import json
import os
import pathlib
import re
import signal

import pytest

import rules
from command import Command
from meanwhile import Meanwhile
from node import wait_until
from receivers import Endpoint, MailServer
from stack import Stack, fetch
from test_playground import home, play  # noqa: F401 (fixtures)

MONITORING = """
  metrics: {{scrape_interval: 1s}}
  alerts:
    receivers:
      - {{name: operators, type: webhook, config: {{url: '{http}/operators'}}}}
      - {{name: chat, type: slack, config: {{api_url_file: '{folder}/slack_url', channel: '#operators'}}}}
      - {{name: on-call, type: pagerduty, config: {{routing_key_file: '{folder}/pagerduty_key', url: '{http}/pagerduty'}}}}
      - {{name: mail, type: email, config: {{to: operators@example.org, from: alerts@example.org, smarthost: '{smtp}',
                                            require_tls: 'false', hello: localhost}}}}
      - {{name: watchdog, type: webhook, config: {{url: '{http}/watchdog'}}}}
    routes:
      - {{receiver: chat, matchers: ['team="chat"'], group_wait: 1s, group_interval: 2s}}
      - {{receiver: on-call, matchers: ['team="on-call"'], group_wait: 1s, group_interval: 2s}}
      - {{receiver: mail, matchers: ['team="mail"'], group_wait: 1s, group_interval: 2s}}
      - {{receiver: operators, matchers: ['severity=~"critical|warning"'], group_wait: 2s, group_interval: 2s}}
"""


@pytest.fixture
def endpoint():
    with contextlib.closing(Endpoint()) as endpoint:
        yield endpoint


@pytest.fixture
def mail_server():
    with contextlib.closing(MailServer()) as server:
        yield server


@pytest.fixture
def make_stack(tmp_path, endpoint, mail_server):
    """make_stack(nodes) → Prometheus and Alertmanager, not started yet, whose receivers are the test's."""
    stacks = []

    def make(nodes=()):
        folder = tmp_path / "stack"
        folder.mkdir()
        (folder / "slack_url").write_text(f"{endpoint.url}/slack")
        (folder / "pagerduty_key").write_text("a-routing-key")
        stacks.append(Stack(folder, MONITORING.format(http=endpoint.url, smtp=mail_server.address, folder=folder), nodes))
        return stacks[-1]

    yield make
    for each in stacks:
        each.close()


@pytest.fixture
def alertmanager(make_stack):
    """Alone: the test posts its alerts."""
    stack = make_stack()
    return stack.start(stack.alertmanager)


def is_of(name, status="firing"):
    return lambda body: body["status"] == status and body["commonLabels"]["alertname"] == name


def alert_of(name, **labels):
    """As the rule says it, with its own labels."""
    rule = next(each for each in rules.alerts() if each["alert"] == name)
    annotations = {key: text.replace("{{ $labels.host }}", labels.get("host", "")) for key, text in rule["annotations"].items()}
    return {"alertname": name, **rule["labels"], **labels}, annotations


# --- from a node that dies to a person, and back ---


def kill_all_in(folder):
    for each in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if os.readlink(each / "cwd") == folder:
                os.kill(int(each.name), signal.SIGKILL)


def metrics_port(log):
    return next(record["metrics_port"] for record in map(json.loads, log.read_text().splitlines()) if record["message"] == "serving")


def test_a_node_that_dies_is_told_of_and_that_it_is_back(play, make_stack, endpoint):  # noqa: F811
    cluster = play("--nodes", 3)
    logs = pathlib.Path(cluster.told["logs"])
    stack = make_stack([(f"app{number}", metrics_port(logs / f"node{number}.log")) for number in (1, 2, 3)]).start()
    wait_until(lambda: b'"value"' in fetch(f"{stack.prometheus.url}/api/v1/query", query='sum(up{job="config-center"}) == 3'), "all are up")
    endpoint.wait_at("/watchdog", is_of("Watchdog"), "that alerts arrive is told")
    assert endpoint.at("/operators") == []

    # It is started again half a second later, and killed before it serves.
    with Meanwhile(0.02, lambda: kill_all_in(f"{cluster.folder}/node2")):
        told = endpoint.wait_at("/operators", is_of("ConfigCenterNodeDown"), "the alert arrives", 30)
    [alert] = told["alerts"]
    assert alert["labels"]["host"] == "app2" and alert["labels"]["severity"] == "critical" and alert["labels"]["installation"] == "shop"
    assert alert["annotations"]["summary"] == "The node on app2 is down"
    assert alert["annotations"]["runbook"] == "docs/runbooks/ConfigCenterNodeDown.md"

    endpoint.wait_at("/operators", is_of("ConfigCenterNodeDown", "resolved"), "that it is back is told", 60)
    of_it = [body for body in endpoint.at("/operators") if body["commonLabels"]["alertname"] == "ConfigCenterNodeDown"]
    assert [body["status"] for body in of_it] == ["firing", "resolved"]
    cluster.stop()


def test_a_flood_of_one_cause_is_one_notification(alertmanager, endpoint):
    services = [alert_of("ComponentDown", host="db1", job=f"exporter{number}") for number in range(20)]
    hosts = [alert_of("ConfigCenterNodeDown", host=f"app{number}", job="config-center") for number in range(40)]
    alertmanager.post_alerts([alert_of("HostDown", host="db1", job="node")])
    alertmanager.post_alerts(services + hosts)
    # What begins later is told later: all the others have had their time when this arrives.
    endpoint.wait_at("/operators", is_of("HostDown"), "the dead host is told of")
    alertmanager.post_alerts([alert_of("ConfigCenterNoLeader", host="app1", job="config-center")])
    endpoint.wait_at("/operators", is_of("ConfigCenterNoLeader"), "the last one is told of")
    told = {body["commonLabels"]["alertname"]: len(body["alerts"]) for body in endpoint.at("/operators")}
    assert told == {"HostDown": 1, "ConfigCenterNodeDown": 40, "ConfigCenterNoLeader": 1}
    assert len(endpoint.at("/operators")) == 3


# --- what people are told, by each way ---

DISK = ("DiskNearlyFull", "app1")


def has_what_a_person_needs(text):
    assert DISK[1] in text and f"docs/runbooks/{DISK[0]}.md" in text and "warning" in text and DISK[0] in text


def test_an_email_says_what_a_person_needs(alertmanager, mail_server):
    labels, annotations = alert_of("DiskNearlyFull", host="app1", team="mail")
    alertmanager.post_alerts([(labels, annotations)])
    message = mail_server.wait_for(lambda _: True, "the mail arrives")
    assert message["To"] == "operators@example.org" and message["From"] == "alerts@example.org"
    assert message["Subject"] == f"FIRING (warning): {annotations['summary']}"
    has_what_a_person_needs(message.get_body(("html", "plain")).get_content())


def test_slack_is_sent_what_a_person_needs(alertmanager, endpoint):
    labels, annotations = alert_of("DiskNearlyFull", host="app1", team="chat")
    alertmanager.post_alerts([(labels, annotations)])
    body = endpoint.wait_at("/slack", lambda _: True, "Slack is told")
    [shown] = body["attachments"]
    assert body["channel"] == "#operators"
    assert shown["title"] == "FIRING (warning): DiskNearlyFull, shop" and annotations["summary"] in shown["text"]
    has_what_a_person_needs(shown["title"] + shown["text"])


def test_pagerduty_is_sent_what_a_person_needs(alertmanager, endpoint):
    labels, annotations = alert_of("DiskNearlyFull", host="app1", team="on-call")
    alertmanager.post_alerts([(labels, annotations)])
    body = endpoint.wait_at("/pagerduty", lambda _: True, "PagerDuty is told")
    assert (body["routing_key"], body["event_action"]) == ("a-routing-key", "trigger")
    assert body["payload"]["summary"] == annotations["summary"] and body["payload"]["severity"] == "warning"
    assert body["payload"]["custom_details"]["runbook"] == "docs/runbooks/DiskNearlyFull.md"
    has_what_a_person_needs(json.dumps(body))


# --- the tools ---


@pytest.mark.parametrize("receiver, way", [("operators", "webhook"), ("chat", "slack"), ("on-call", "pagerduty"), ("mail", "email")])
def test_a_test_reaches_the_receiver_and_nobody_else(alertmanager, endpoint, mail_server, receiver, way):
    told = json.loads(alertmanager.command("monitoring", "test-alert", receiver, "--alertmanager", alertmanager.alertmanager.url, "-o", "json"))
    assert told["receiver"] == receiver and told["by"] == [way]
    paths = {path for path, _ in endpoint.received}
    assert paths == {"operators": {"/operators"}, "chat": {"/slack"}, "on-call": {"/pagerduty"}, "mail": set()}[receiver]
    assert len(mail_server.received) == (receiver == "mail")
    # Another one is sent again, though it is the same.
    alertmanager.command("monitoring", "test-alert", receiver, "--alertmanager", alertmanager.alertmanager.url)
    assert len(endpoint.received) + len(mail_server.received) == 2


def test_a_test_that_does_not_arrive_fails(alertmanager, endpoint):
    endpoint.status = 400
    said = alertmanager.command("monitoring", "test-alert", "operators", "--alertmanager", alertmanager.alertmanager.url, "--timeout", "3s",
                                expect=1)
    assert "it fails by webhook" in said
    said = alertmanager.command("monitoring", "test-alert", "opreators", "--alertmanager", alertmanager.alertmanager.url, expect=1)
    assert 'no receiver "opreators"; it has: nobody, operators, chat, on-call, mail, watchdog' in said


def test_the_example_of_the_documentation_is_taken(tmp_path):
    section = re.search(r"```yaml\n(monitoring:.*?)```", (rules.ROOT / "docs/monitoring.md").read_text(), re.S)[1]
    (tmp_path / "topology.yaml").write_text("name: shop\nhosts: {one: {address: 10.0.0.1}}\ncomponents: {app: {hosts: [one]}, "
                                            "prometheus: {host: one}, alertmanager: {host: one}, grafana: {host: one}}\n" + section)
    assert " 0 failed, 0 not tested" in Command(tmp_path)("monitoring", "check").stdout


def test_check_and_routes_know_what_the_programs_do(alertmanager):
    assert "0 failed, 0 not tested" in alertmanager.command("monitoring", "check")
    for labels, receivers in ((["severity=critical"], ["operators"]), (["team=chat"], ["chat"]), (["team=on-call"], ["on-call"]),
                              (["team=mail", "severity=critical"], ["mail"]),
                              (["alertname=Watchdog"], ["watchdog"]), (["severity=none"], ["operators"]),
                              (["alertname=ConfigCenterTest", "receiver=chat"], ["chat"]),
                              (["alertname=ConfigCenterTest", "receiver=another"], ["nobody"])):
        told = json.loads(alertmanager.command("monitoring", "routes", *labels, "-o", "json"))
        assert [each["receiver"] for each in told["receivers"]] == receivers, labels
        assert told["labels"] == [*labels, "installation=shop"]
