"""A real Prometheus and a real Alertmanager, with the files that config-center monitoring render makes of a topology."""

import json
import re
import shutil
import subprocess
import urllib.parse
import urllib.request

from daemon import Daemon
from machine import cannot
from node import BINARY, environment

PLACE = "/etc/prometheus/"


def need(program):
    return shutil.which(program) or cannot(f"{program} is not installed (script/bootstrap)")


def fetch(url, **arguments):
    query = "?" + urllib.parse.urlencode(arguments) if arguments else ""
    with urllib.request.urlopen(url + query, timeout=30) as answer:
        return answer.read()


def post(url, body):
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return answer.read()


class Program(Daemon):
    def __init__(self, name, folder, arguments):
        super().__init__(name, folder)
        self._arguments = arguments
        self.url = f"http://{self.address}"

    def _command(self):
        return [need(self.name), f"--web.listen-address={self.address}", *self._arguments]

    def _ready(self):
        try:
            return fetch(f"{self.url}/-/ready")
        except OSError:
            return False


class Stack:
    """`monitoring`: that section of the topology, as YAML. Paths lead into the folder, and rules wait `waits` instead of
    minutes."""

    def __init__(self, folder, monitoring, nodes=(), waits="2s"):
        self.folder = folder
        self.prometheus = Program("prometheus", folder / "prometheus", [
            f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/prometheus/data",
            # What is said before Alertmanager was found is lost, and said again after a minute.
            "--rules.alert.resend-delay=5s"])
        self.alertmanager = Program("prometheus-alertmanager", folder / "alertmanager", [
            f"--config.file={folder}/alertmanager.yml", f"--storage.path={folder}/alertmanager/data", "--cluster.listen-address="])
        self.topology = folder / "topology.yaml"
        self.topology.write_text(f"""
name: shop
hosts:
  app1: {{address: 127.0.0.1}}
  monitor1: {{address: 127.0.0.2}}
components:
  app: {{hosts: [app1]}}
  prometheus: {{host: monitor1, port: {self.prometheus.own_port}}}
  alertmanager: {{host: monitor1, port: {self.alertmanager.own_port}}}
monitoring:
{monitoring}""")
        self.command("monitoring", "render", "-o", folder / "rendered")
        rendered = folder / "rendered/monitor1" / PLACE.lstrip("/")
        for path in sorted(rendered.rglob("*")):
            if path.is_file():
                self._adapt(path, folder / path.relative_to(rendered), waits)
        (folder / "targets/config-center.json").write_text(json.dumps(
            [{"targets": [f"127.0.0.1:{port}"], "labels": {"host": host}} for host, port in nodes]))

    def _adapt(self, path, to, waits):
        to.parent.mkdir(exist_ok=True)
        text = path.read_text().replace(PLACE, f"{self.folder}/").replace("127.0.0.2:", "127.0.0.1:")
        if path.name.endswith(".rules.yml"):
            text = re.sub(r"^( +for:) [1-9]\d*[smh]$", rf"\1 {waits}", text, flags=re.M)
        to.write_text(text)

    def command(self, *arguments, expect=0):
        done = subprocess.run([BINARY, *map(str, arguments)], capture_output=True, text=True, timeout=120, cwd=self.folder,
                              env=environment(self.folder))
        assert done.returncode == expect, f"{arguments}: exit status {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def start(self, *programs):
        for each in programs or (self.alertmanager, self.prometheus):
            each.start()
        return self

    def post_alerts(self, alerts):
        """As Prometheus does: pairs of labels and annotations."""
        post(f"{self.alertmanager.url}/api/v2/alerts", [{"labels": {"installation": "shop", **labels}, "annotations": annotations}
                                                        for labels, annotations in alerts])

    def close(self):
        for each in (self.prometheus, self.alertmanager):
            each.close()
