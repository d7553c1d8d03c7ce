"""monitoring.alert_rules: a node looks at its own metrics, and tells webhooks what Alertmanager would."""

import contextlib
import re
import socket

import pytest

import pasted
from client import config, log_in
from command import Command
from node import StartFailed, wait_until
from receivers import Endpoint

RULES = """
interval: 1s
webhooks: ['{url}/alerts']
rules:
  - name: SomethingPublished
    expr: config_center_configs > 0
    duration: 1s
    labels: {{severity: warning}}
    annotations: {{summary: '{{{{ $labels.host }}}} has {{{{ $value }}}} configs', runbook: docs/runbooks/own.md}}
  - name: NoLeader
    expr: config_center_raft_has_leader == 0
    labels: {{severity: critical}}
"""


@pytest.fixture
def endpoint():
    with contextlib.closing(Endpoint()) as endpoint:
        yield endpoint


@pytest.fixture
def make_alerting(make_node, tmp_path):
    def make(url, **settings):
        file = tmp_path / "alerts.yml"
        file.write_text(RULES.format(url=url))
        return make_node(monitoring_alert_rules=file, **settings)

    return make


def told(endpoint, status, seconds=60):
    return endpoint.wait_at("/alerts", lambda body: body["status"] == status, f"it is told to be {status}", seconds)


def test_what_begins_and_what_ends_is_told_once(make_alerting, endpoint):
    node = make_alerting(endpoint.url)
    admin = log_in(node)
    admin.publish("dev/shop/default/a.txt", b"a")
    firing = told(endpoint, "firing")
    assert (firing["version"], firing["groupLabels"], firing["truncatedAlerts"]) == ("4", {"alertname": "SomethingPublished"}, 0)
    [alert] = firing["alerts"]
    assert alert["labels"] == {"alertname": "SomethingPublished", "severity": "warning", "host": socket.gethostname(),
                               "instance": f"127.0.0.1:{node.port}"}
    assert alert["annotations"] == {"summary": f"{socket.gethostname()} has 1 configs", "runbook": "docs/runbooks/own.md"}
    admin.delete(config("dev/shop/default/a.txt"), expect=200)
    [ended] = told(endpoint, "resolved")["alerts"]
    assert ended["status"] == "resolved" and ended["endsAt"] > ended["startsAt"] == alert["startsAt"]
    assert ended["fingerprint"] == alert["fingerprint"]
    assert [body["status"] for body in endpoint.at("/alerts")] == ["firing", "resolved"]


@pytest.mark.parametrize("status", [503, 429])
def test_what_a_webhook_does_not_take_is_told_again_in_order(make_alerting, endpoint, status):
    endpoint.status = status
    node = make_alerting(endpoint.url)
    admin = log_in(node)
    admin.publish("dev/shop/default/a.txt", b"a")
    wait_until(lambda: any(each["message"] == "an alert was not told yet; it is tried again" for each in node.records()), "it is tried again", 60)
    admin.delete(config("dev/shop/default/a.txt"), expect=200)
    wait_until(lambda: any(each["message"] == "an alert has ended" for each in node.records()), "it has ended", 60)
    endpoint.status = 200
    told(endpoint, "resolved")
    assert [body["status"] for body in endpoint.at("/alerts")] == ["firing", "resolved"]


def test_a_webhook_that_hangs_does_not_hold_a_node_that_stops(make_alerting):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        node = make_alerting("http://127.0.0.1:%d" % silent.getsockname()[1])
        admin = log_in(node)
        admin.publish("dev/shop/default/a.txt", b"a")
        silent.accept()
        node.stop()


def test_it_needs_no_metrics_port(make_alerting, endpoint):
    node = make_alerting(endpoint.url, monitoring_enabled="false")
    admin = log_in(node)
    admin.publish("dev/shop/default/a.txt", b"a")
    told(endpoint, "firing")


@pytest.mark.parametrize("text, said", [
    ("webhooks: ['http://a']\nrules: [{name: A, expr: 'nothing > 1'}]", "line 2: no node has a metric"),
    ("webhooks: ['http://a:b']\nrules: []", "alerts.yml"), ("rules: []", "who is to be told?")])
def test_a_file_that_is_wrong_is_refused_with_its_line(make_node, tmp_path, text, said):
    file = tmp_path / "alerts.yml"
    file.write_text(text)
    with pytest.raises(StartFailed) as failed:
        make_node(monitoring_alert_rules=file)
    assert said in failed.value.output and "monitoring.alert_rules" in failed.value.output


def test_the_example_of_the_documentation_is_taken(tmp_path):
    command = Command(tmp_path)
    text = (pasted.ROOT / "docs/monitoring.md").read_text().partition("## Without Prometheus")[2]
    (tmp_path / "alerts.yml").write_text(re.search(r"```yaml\n(.*?)```", text, re.S)[1])
    (tmp_path / "config.yaml").write_text(f"monitoring: {{alert_rules: {tmp_path}/alerts.yml}}\n")
    command("config", "check", tmp_path / "config.yaml")
