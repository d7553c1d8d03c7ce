"""The way from a topology to a running installation and back, on this machine: one node and a load balancer, as root, in which
nothing of it stays. Hosts of their own with systemd are tests/hosts; here the services are run by a stand-in."""

import http.client
import json
import os
import pathlib
import subprocess
import sys

import pytest

from machine import LOOPBACK_UP, cannot
from node import BINARY, SANITIZER, wait_until

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent.parent
TOPOLOGY = """name: small
hosts: {here: {address: 127.0.0.1, local: true, sudo: false}}
components:
  load_balancer: {hosts: [here], port: 8080}
  app: {hosts: [here]}
"""

pytestmark = pytest.mark.skipif(bool(SANITIZER), reason="a program with sanitizers is not what is packed")

# A view of the machine's files that is private, and in which a deployment may write: /etc as it is, and folders that are empty.
PRIVATE = """set -e
mount --make-rprivate /
new=$1; shift
mount -t tmpfs -o mode=755 none "$new"
mkdir "$new/lib" "$new/lib/apt" "$new/lib/apt/lists" "$new/lib/haproxy" "$new/etc" "$new/opt" "$new/run" "$new/run/haproxy"
cp -a /etc/. "$new/etc"
cp -a /var/lib/dpkg "$new/lib/dpkg"
for each in etc opt run; do mount --bind "$new/$each" "/$each"; done
mount --bind "$new/lib" /var/lib
mount -t tmpfs none /var/tmp
mkdir -p /run/stand-in /run/bin
cp "$STAND_IN_PROGRAM" /run/bin/systemctl; chmod 755 /run/bin/systemctl
printf '#!/bin/sh\\nexit 0\\n' >/run/bin/journalctl; chmod 755 /run/bin/journalctl
/usr/bin/python3 -c "$LOOPBACK_UP"
export PATH=/run/bin:$PATH STAND_IN=/run/stand-in
exec "$@"
"""


def test_a_small_topology(tmp_path):
    """Runs what follows below in namespaces of its own: files, network, processes."""
    namespaces = ["unshare", "--mount", "--net", "--pid", "--fork", "--mount-proc", "--kill-child"]
    tried = subprocess.run([*namespaces, "mount", "-t", "tmpfs", "none", "/opt"], capture_output=True, text=True)
    if os.geteuid() != 0 or tried.returncode != 0:
        cannot(f"it deploys to this machine, as root in namespaces of its own: {tried.stderr.strip()}")
    private = tmp_path / "private"
    private.mkdir()
    done = subprocess.run(
        [*namespaces, "sh", "-c", PRIVATE, "sh", private,
         sys.executable, __file__, tmp_path],
        env={**os.environ, "STAND_IN_PROGRAM": str(HERE / "stand_in_systemctl.py"), "CONFIG_CENTER_BINARY": BINARY,
             "LOOPBACK_UP": LOOPBACK_UP, "PYTHONPATH": str(HERE.parent / "integration")},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, f"{done.stdout[-6000:]}\n{done.stderr[-6000:]}"


class Small:
    def __init__(self, folder):
        self.folder = folder
        self.file = folder / "topology.yaml"
        self.file.write_text(TOPOLOGY)

    def __call__(self, *words, expect=0):
        done = subprocess.run([BINARY, *map(str, words), "-t", self.file], cwd=self.folder, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=200)
        assert done.returncode == expect, f"{' '.join(map(str, words))}: {done.returncode}\n{done.stdout}"
        return done.stdout

    def json(self, *words):
        told, _ = json.JSONDecoder().raw_decode(self(*words, "-o", "json"))
        return told

    def to_do(self):
        return self.json("plan")["changes"]

    def request(self, method, path, body=None):
        """Through the load balancer, once that sees that the node is back; (status, body)."""
        wait_until(lambda: self.once("GET", "/readyz")[0] == 200, "the load balancer has a node")
        login = {"username": "admin", "password": (self.folder / "secrets" / "admin").read_text().strip()}
        _, answer = self.once("POST", "/v1/login", json.dumps(login), {"Content-Type": "application/json"})
        return self.once(method, path, body, {"Authorization": f"Bearer {json.loads(answer)['token']}"})

    @staticmethod
    def once(method, path, body=None, headers={}):
        connection = http.client.HTTPConnection("127.0.0.1", 8080, timeout=30)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()


def packages_in(folder):
    """A good one, another, and one that does not run."""
    subprocess.run([ROOT / "script/package", "--binary", BINARY, "--output", folder], check=True, capture_output=True, cwd=ROOT)
    [good] = folder.glob("*.deb")
    for name in ("other", "broken"):
        tree = folder / name
        subprocess.run(["dpkg-deb", "-R", good, tree], check=True)
        (tree / "usr/share/doc/config-center" / name).write_text(name)
        if name == "broken":
            (tree / "usr/bin/config-center").write_text(
                '#!/bin/sh\ncase "$1" in version|config) exit 0 ;; esac\necho "this version is broken" >&2; exit 1\n')
        subprocess.run(["dpkg-deb", "--root-owner-group", "-Zgzip", "-b", tree, folder / f"{name}.deb"], check=True, capture_output=True)
    return good, folder / "other.deb", folder / "broken.deb"


def data_of_another(small, folder, binary):
    """The data folder of a node that was started once, alone; its administrator has the same password."""
    data = folder / "another"
    password = (small.folder / "secrets" / "admin").read_text().strip()
    environment = {**os.environ, "CONFIG_CENTER_ADMIN_PASSWORD": password, "CONFIG_CENTER_MONITORING_ENABLED": "false", "CONFIG_CENTER_RAFT_ADDRESS": "127.0.0.1:7999"}
    node = subprocess.Popen([binary, "serve", "--data-dir", data, "--server-port", "8999"], env=environment,
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(lambda: ready_at(8999), "the other node is ready")
    node.terminate()
    assert node.wait(30) == 0
    return data


def ready_at(port):
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False


def restore_a_backup(small, folder, key):
    """One that the operator has as a file: of this installation, damaged, and of another one."""
    binary = "/opt/config-center/current/bin/config-center"
    taken = small.json("deployment", "backup", folder)
    backup = pathlib.Path(taken["file"])
    assert backup.parent == folder and backup.stat().st_size == taken["bytes"]
    (folder / "more").mkdir()
    assert "made and verified on" in small("deployment", "backup", folder / "more")
    assert list(pathlib.Path("/var/lib/config-center/before-deployments").glob("taken-*")) == []
    assert "is no folder" in small("deployment", "backup", folder / "nowhere", expect=1)
    assert small.request("PUT", key, b"a: 3\n")[0] == 200

    damaged = folder / "damaged.ccbackup"
    damaged.write_bytes(backup.read_bytes()[:-100])
    assert "damaged.ccbackup" in small("deployment", "restore", damaged, "--yes", expect=1)
    assert small.request("GET", key) == (200, b"a: 3\n")

    told = small("deployment", "restore", backup, "--yes")
    assert "dev/shop/default/a.yaml" in told and "backup of the data" in told
    assert small.to_do() == [] and small.request("GET", key) == (200, b"a: 1\n")

    other = folder / "other.ccbackup"
    subprocess.run([binary, "backup", "create", other, "--data-dir", data_of_another(small, folder, binary), "--unsealed"], check=True, capture_output=True)
    assert "--of-another" in small("deployment", "restore", other, "--yes", expect=1)
    small("deployment", "restore", other, "--of-another", "--yes")
    assert small.request("GET", key)[0] == 404


def maintain(small):
    """What is due is told, and done; after that nothing is."""
    releases = pathlib.Path("/opt/config-center/releases")
    for number in range(3):
        (releases / f"0.0.{number}-old").mkdir()
        os.utime(releases / f"0.0.{number}-old", (number, number))
    left = pathlib.Path("/var/lib/config-center/before-restore-old")
    left.mkdir()
    os.utime(left, (1, 1))
    told = small("maintenance", "run", "--dry-run")
    assert "0.0.0-old" in told and str(left) in told and left.exists()
    small("maintenance", "run", "--yes")
    assert not left.exists() and not (releases / "0.0.0-old").exists() and len(list(releases.iterdir())) == 3
    told = small("maintenance", "status")
    assert "nothing is due" in told and "good" in told
    assert small.to_do() == []


def deploy_and_go_back(folder):
    (folder / "packages").mkdir()
    good, other, broken = packages_in(folder / "packages")
    small = Small(folder)
    key = "/v1/configs/dev/shop/default/a.yaml"

    small("deploy", "--package", good, "--no-check")
    assert small.to_do() == []
    assert "nothing to do" in small("deploy")
    assert small.request("PUT", key, b"a: 1\n")[0] == 201

    assert "backup of the data" in small("deploy", "--package", other)
    assert small.request("GET", key) == (200, b"a: 1\n")
    assert small.request("PUT", key, b"a: 2\n")[0] == 200
    assert "was undone" in small("deploy", "--package", broken, expect=1)
    assert small.to_do() == [] and small.request("GET", key) == (200, b"a: 2\n")

    # What is written for the node is too large for it: the data stay as they are, all of them.
    limits = pathlib.Path("/etc/security/limits.d/test.conf")
    limits.write_text("config-center hard fsize 50\n")
    assert "was undone" in small("deployment", "rollback", "--restore-data", "--yes", expect=1)
    limits.unlink()
    assert small.to_do() == [] and small.request("GET", key) == (200, b"a: 2\n")

    told = small("deployment", "rollback", "--restore-data", "--yes")
    assert "dev/shop/default/a.yaml" in told
    assert small.to_do() == [] and small.request("GET", key) == (200, b"a: 1\n")

    restore_a_backup(small, folder, key)
    maintain(small)
    small("stop", "--yes")
    small("destroy", "--name", "small")
    assert not pathlib.Path("/opt/config-center").exists()


if __name__ == "__main__":
    deploy_and_go_back(pathlib.Path(sys.argv[1]))
