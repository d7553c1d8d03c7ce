"""An installation on hosts of the bed, as its operator has it: a topology, packages, and the command line."""

import http.client
import json
import os
import pathlib
import signal
import subprocess
import time

from bed import NETWORK, REPOSITORY

BINARY = pathlib.Path(os.environ.get("CONFIG_CENTER_BINARY", REPOSITORY / "build" / "release" / "config-center")).resolve()
VIRTUAL = f"{NETWORK}.100"

BROKEN = """#!/bin/sh
# Says that it is what it should be, and does not run.
case "$1" in version) echo "config-center @VERSION@"; exit 0 ;; config) exit 0 ;; esac
echo "this version is broken" >&2; exit 1
"""


# Grafana is in no Debian release. This is what of it a deployment sees: a user, a unit, a page; it wants its password.
GRAFANA = {
    "DEBIAN/control": "Package: grafana\nVersion: 12.0.0\nArchitecture: all\nMaintainer: tests <tests@example>\nDescription: stand-in\n",
    "DEBIAN/postinst": "#!/bin/sh\nid grafana >/dev/null 2>&1 || useradd --system --user-group --home-dir /usr/share/grafana grafana\n",
    "lib/systemd/system/grafana-server.service": "[Service]\nUser=grafana\nExecStart=/usr/share/grafana/serve\n[Install]\nWantedBy=multi-user.target\n",
    "usr/share/grafana/serve": """#!/usr/bin/python3
import os, re, socket
[password] = re.findall(r"^\\$__file\\{(.*)\\}$", os.environ["GF_SECURITY_ADMIN_PASSWORD"])
assert open(password).read().strip()
with socket.create_server((os.environ["GF_SERVER_HTTP_ADDR"], int(os.environ["GF_SERVER_HTTP_PORT"]))) as server:
    while True:
        client, _ = server.accept()
        try:
            asked = b""
            while b"\\r\\n\\r\\n" not in asked and (part := client.recv(4096)):
                asked += part
            path = (asked.split() + [b"", b""])[1]
            client.sendall(b"HTTP/1.0 200 OK\\r\\n\\r\\ngrafana_up 1\\n" if path in (b"/api/health", b"/metrics") else b"HTTP/1.0 404 No\\r\\n\\r\\n")
        except OSError:
            pass  # who asked has gone
        client.close()
""",
}


class Packages:
    """A good one in both its forms, another good one, one that does not run; and a stand-in for Grafana's."""

    def __init__(self, folder):
        subprocess.run([REPOSITORY / "script" / "package", "--binary", BINARY, "--output", folder], check=True, capture_output=True)
        [self.good] = folder.glob("*.deb")
        [self.archive] = folder.glob("*.tar.gz")
        version = (REPOSITORY / "VERSION").read_text().split()[0]
        self.other = self._variant(folder, "other", lambda tree: (tree / "usr/share/doc/config-center/other").write_text("other\n"))
        self.broken = self._variant(folder, "broken", lambda tree: (tree / "usr/bin/config-center").write_text(BROKEN.replace("@VERSION@", version)))

        for name, content in GRAFANA.items():
            file = folder / "grafana" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)
            file.chmod(0o755)
        self.grafana = folder / "grafana.deb"
        subprocess.run(["dpkg-deb", "--root-owner-group", "-b", folder / "grafana", self.grafana], check=True, capture_output=True)

    def _variant(self, folder, name, change):
        tree, package = folder / name, folder / f"{name}.deb"
        subprocess.run(["dpkg-deb", "-R", self.good, tree], check=True)
        change(tree)
        subprocess.run(["dpkg-deb", "--root-owner-group", "-Zgzip", "-b", tree, package], check=True, capture_output=True)
        return package


class Installation:
    def __init__(self, bed, folder, components, hosts=None):
        self.bed, self.folder = bed, folder
        self.file = folder / "topology.yaml"
        hosts = "".join(f"  {name}: {{address: {bed.address(name)}}}\n" for name in hosts or bed.names)
        self.file.write_text(f"name: shop\nssh: {{user: deploy, sudo: true}}\nhosts:\n{hosts}components:\n{components}")

    def __call__(self, *words, expect=0, timeout=300):
        done = subprocess.run([BINARY, *map(str, words), "-t", self.file], env=self.bed.environment(), cwd=self.folder,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout)
        self.assert_tells_no_secret(done.stdout + done.stderr)
        assert expect is None or done.returncode == expect, f"{' '.join(map(str, words))}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def json(self, *words, expect=0):
        # Progress follows, of standard error.
        told, _ = json.JSONDecoder().raw_decode(self(*words, "-o", "json", expect=expect))
        return told

    def start(self, *words):
        return subprocess.Popen([BINARY, *map(str, words), "-t", self.file], env=self.bed.environment(), cwd=self.folder,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler))

    def to_do(self, *words):
        """The steps that a deployment would take."""
        return [(change["host"], change["step"]) for change in self.json("plan", *words)["changes"]]

    def secrets(self):
        folder = self.folder / "secrets"
        return [file.read_text().strip() for file in folder.iterdir()] if folder.exists() else []

    def assert_tells_no_secret(self, text):
        for secret in self.secrets():
            assert secret not in text

    def request(self, method, path, body=None, expect=(200, 201)):
        """By the administrator, through the load balancers: (revision, body)."""
        connection = http.client.HTTPConnection(VIRTUAL, timeout=30)
        login = {"username": "admin", "password": (self.folder / "secrets" / "admin").read_text().strip()}
        connection.request("POST", "/v1/login", json.dumps(login), {"Content-Type": "application/json"})
        token = json.loads(connection.getresponse().read())["token"]
        connection.request(method, path, body, {"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        content = answer.read()
        assert answer.status in (expect if isinstance(expect, tuple) else (expect,)), (method, path, answer.status, content)
        return json.loads(content)["revision"] if method == "PUT" else None, content

    def wait_for_the_virtual_address(self):
        """keepalived takes a moment to decide who has it."""
        deadline = time.monotonic() + 30
        while True:
            try:
                return http.client.HTTPConnection(VIRTUAL, timeout=2).connect()
            except OSError:
                assert time.monotonic() < deadline, "nobody took the virtual address"
                time.sleep(0.2)

    def releases(self):
        return [(record["operation"], record["release"], record["result"]) for record in self.json("deployment", "list")]

    def replace(self, old, new):
        text = self.file.read_text()
        assert old in text
        self.file.write_text(text.replace(old, new))
