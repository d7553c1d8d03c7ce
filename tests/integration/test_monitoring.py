"""config-center monitoring: what comes out of a topology, and who is told. With the real programs: tests/monitoring."""

import http.server
import json
import threading

import pytest
import yaml

from command import Command
from machine import cannot
from node import free_port

TOPOLOGY = """
name: shop
hosts: {app1: {address: 10.0.0.1}, monitor1: {address: 127.0.0.1}}
components:
  app: {hosts: [app1]}
  prometheus: {host: monitor1}
  alertmanager: {host: monitor1, port: %d}
monitoring:
  alerts:
    receivers: [{name: operators, type: webhook, config: {url: 'http://127.0.0.1:1/'}}]
"""


@pytest.fixture
def command(tmp_path):
    (tmp_path / "topology.yaml").write_text(TOPOLOGY % free_port())
    return Command(tmp_path)


def lacks_programs(command):
    """As on a machine without Prometheus's and Alertmanager's packages."""
    (command.home / "empty").mkdir()
    command.variables["PATH"] = str(command.home / "empty")
    return command


def test_render_writes_what_the_programs_read(command, tmp_path):
    said = command("monitoring", "render", "-o", "rendered").stdout
    assert "/etc/prometheus/prometheus.yml" in said and "below rendered" in said
    place = tmp_path / "rendered/monitor1/etc/prometheus"
    assert yaml.safe_load((place / "prometheus.yml").read_text())["global"]["external_labels"] == {"installation": "shop"}
    assert {each["name"] for each in yaml.safe_load((place / "alertmanager.yml").read_text())["receivers"]} == {"nobody", "operators"}
    assert json.loads((place / "targets/config-center.json").read_text())[0]["targets"] == ["10.0.0.1:8849"]
    told = json.loads(command("-o", "json", "monitoring", "render", "-o", "again").stdout)
    assert told["folder"] == "again" and {"host": "monitor1", "file": "/etc/prometheus/prometheus.yml", "mode": "0644", "owner": "root"} in told["files"]


def test_render_and_check_say_what_is_missing(command):
    assert "--folder" in command("monitoring", "render", expect=2).stderr
    assert "nowhere.yaml" in command("monitoring", "check", "-t", "nowhere.yaml", expect=2).stderr


def test_check_says_which_program_is_missing_and_who_has_it(command):
    done = lacks_programs(command)("monitoring", "check", expect=1)
    assert "not tested" in done.stdout and "promtool is not installed here: apt-get install prometheus" in done.stdout
    assert "amtool is not installed here: apt-get install prometheus-alertmanager" in done.stdout
    assert "apt-get install prometheus" in done.stderr


def test_check_finds_what_is_wrong(command, tmp_path):
    file = tmp_path / "topology.yaml"
    file.write_text(file.read_text() + "    rules: [{name: Slow, expr: 'sum(x', duration: 5m}]\n"
                                       "    routes: [{receiver: operators, matchers: ['severity']}]\n")
    done = command("monitoring", "check", expect=1)
    if "is not installed here" in done.stdout:
        cannot("promtool or amtool is not installed (script/bootstrap)")
    wrong = {line.split()[1]: line for line in done.stdout.splitlines() if " fail " in line}
    assert wrong.keys() == {"/etc/prometheus/rules/topology.rules.yml", "/etc/prometheus/prometheus.yml", "/etc/prometheus/alertmanager.yml"}
    assert "unclosed left parenthesis" in wrong["/etc/prometheus/rules/topology.rules.yml"]


def test_routes_says_who_is_told_and_how(command, tmp_path):
    done = command("monitoring", "routes", "severity=critical")
    assert done.stdout.split() == ["RECEIVER", "TOLD", "BY", "operators", "webhook"]
    (tmp_path / "own.yml").write_text("route: {receiver: me}\nreceivers: [{name: me}]\n")
    assert "me" in command("monitoring", "routes", "--settings", "own.yml").stdout
    done = lacks_programs(command)("monitoring", "routes", expect=1)
    assert "apt-get install prometheus-alertmanager" in done.stderr


def test_a_test_alert_needs_an_alertmanager(command):
    assert "127.0.0.1:" in command("monitoring", "test-alert", "operators", expect=1).stderr


def test_a_test_alert_says_so_when_it_is_told_to_somebody_else(command):
    """By an Alertmanager whose routes are not ours."""
    settings = "route: {receiver: everybody}\nreceivers: [{name: everybody, webhook_configs: [{url: 'http://a'}]}, " \
               "{name: operators, webhook_configs: [{url: 'http://b'}]}]\n"
    answers = {"/api/v2/status": {"config": {"original": settings}}, "/api/v2/alerts": [{"receivers": [{"name": "everybody"}]}]}

    class Answering(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.rfile.read(int(self.headers["Content-Length"] or 0))
            path = self.path.split("?")[0]
            body = b"" if path == "/metrics" else json.dumps(answers[path]).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        done = command("monitoring", "test-alert", "operators", "--alertmanager", url, expect=1)
        server.shutdown()
        thread.join()
    assert 'send the test to "everybody"' in done.stderr and 'alertname="ConfigCenterTest"' in done.stderr
