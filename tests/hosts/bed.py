"""Throw-away hosts with systemd, SSH and addresses of their own, on this machine: ../shared/tools/testhosts, or what
CONFIG_CENTER_TESTHOSTS names."""

import contextlib
import os
import pathlib
import re
import subprocess
import time

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent.parent
TESTHOSTS = pathlib.Path(os.environ.get("CONFIG_CENTER_TESTHOSTS", REPOSITORY.parent / "shared" / "tools" / "testhosts"))
# The tree that the hosts stand on is kept there from run to run.
FOLDER = pathlib.Path(os.environ.get("CONFIG_CENTER_TEST_BED", "/var/tmp/config-center-hosts"))
NETWORK = "10.78.0"
PACKAGES = ["iputils-ping", "postgresql-15", "redis-server", "redis-sentinel", "haproxy", "keepalived", "prometheus",
            "prometheus-alertmanager", "prometheus-node-exporter", "prometheus-postgres-exporter", "prometheus-redis-exporter"]


class Bed:
    """`names` are up; what runs `ssh` under environment() reaches them, and knows no other keys."""

    def __init__(self, names, tmp_path):
        assert os.geteuid() == 0, "the hosts need root: run the tests as root"
        assert TESTHOSTS.exists(), f"there is no {TESTHOSTS}: name the script that makes hosts in CONFIG_CENTER_TESTHOSTS"
        self.names = names
        self._bin = tmp_path / "bin"
        self._bin.mkdir()
        self._sockets = pathlib.Path(subprocess.run(["mktemp", "-d"], check=True, capture_output=True, text=True).stdout.strip())
        ssh = self._bin / "ssh"
        ssh.write_text(f'#!/bin/sh\nexec /usr/bin/ssh -F {FOLDER}/ssh_config -o UserKnownHostsFile={FOLDER}/known_hosts '
                       f'-i {FOLDER}/id_ed25519 -o "ControlPath={self._sockets}/%C" "$@"\n')
        ssh.chmod(0o755)
        whole = FOLDER / "has-packages"  # a base that was broken off has not
        if not whole.exists():
            self("base", *PACKAGES, timeout=900)
            whole.touch()
        self("down")
        try:
            self("up", *names, timeout=180)
        except BaseException:
            self.close()
            raise

    def __call__(self, *words, timeout=120):
        environment = dict(os.environ, TH_DIR=str(FOLDER), TH_BRIDGE="thbrcc", TH_NET=NETWORK, TH_VETH="cc")
        done = subprocess.run([TESTHOSTS, *words], env=environment, capture_output=True, text=True, timeout=timeout)
        assert done.returncode == 0, f"testhosts {' '.join(words)}: {done.stdout}{done.stderr}"
        return done.stdout

    def close(self):
        self("down")
        subprocess.run(["rm", "-rf", self._sockets], check=True)

    def environment(self):
        return dict(os.environ, PATH=f"{self._bin}:{os.environ['PATH']}")

    def address(self, name):
        return (FOLDER / "m" / name / "ip").read_text().strip()

    def run(self, name, script, expect=0):
        """As root, on the host."""
        done = subprocess.run([self._bin / "ssh", f"deploy@{self.address(name)}", "sudo bash -s"], input=script, capture_output=True,
                              text=True, timeout=60)
        assert expect is None or done.returncode == expect, f"{name}: {done.stdout}{done.stderr}"
        return done.stdout

    @contextlib.contextmanager
    def only_newer(self, offers, work):
        """All that hosts know of for a while is a newer version of these packages, {host: package}, with the same content, in
        an archive that says that it is for security."""
        for name in self.names:
            self.run(name, "mkdir -p /srv/newer; mv /etc/apt/sources.list /srv/newer.away; rm -rf /var/lib/apt/lists/*")
        try:
            for name, package in offers.items():
                self._offer(name, package, work / name)
            yield
        finally:
            for name in self.names:
                self.run(name, "mv /srv/newer.away /etc/apt/sources.list; rm -rf /srv/newer /etc/apt/sources.list.d/newer.list /var/lib/apt/lists/*")

    def _offer(self, name, package, work):
        [there] = (FOLDER / "cache" / "archives").glob(f"{package}_*.deb")
        subprocess.run(["dpkg-deb", "-R", there, work], check=True)
        control = work / "DEBIAN" / "control"
        control.write_text(re.sub(r"(?m)^(Version: .*)$", r"\1+newer", control.read_text()))
        subprocess.run(["dpkg-deb", "--root-owner-group", "-Zgzip", "-b", work, f"{work}.deb"], check=True, capture_output=True)
        with open(f"{work}.deb", "rb") as deb:
            subprocess.run([self._bin / "ssh", f"deploy@{self.address(name)}", "cat >/tmp/newer.deb"], stdin=deb, check=True, timeout=60)
        self.run(name, f"""cd /srv/newer && mv /tmp/newer.deb {package}.deb
            {{ dpkg-deb -f {package}.deb; echo "Filename: ./{package}.deb"; echo "Size: $(stat -c %s {package}.deb)"
              echo "SHA256: $(sha256sum {package}.deb | cut -d' ' -f1)"; }} >Packages
            {{ echo 'Label: Debian-Security'; echo 'Suite: stable-security'; echo 'Origin: Debian'; echo 'SHA256:'
              echo " $(sha256sum Packages | cut -d' ' -f1) $(stat -c %s Packages) Packages"; }} >Release
            echo 'deb [trusted=yes] file:/srv/newer ./' >/etc/apt/sources.list.d/newer.list
            apt-get update -q >/dev/null""")

    def wait_up(self, name):
        deadline = time.monotonic() + 60
        while True:
            try:
                return self.run(name, "systemctl is-system-running --wait || true")
            except (AssertionError, subprocess.TimeoutExpired):
                assert time.monotonic() < deadline, f"{name} does not come up"
                time.sleep(1)

    @contextlib.contextmanager
    def unknown_key(self, name):
        """The host's key is known no more, for a while."""
        file = FOLDER / "known_hosts"
        before = file.read_text()
        file.write_text("".join(line + "\n" for line in before.splitlines() if not re.match(rf"{name},", line)))
        try:
            yield
        finally:
            file.write_text(before)

    @contextlib.contextmanager
    def cut(self, name):
        self("cut", name)
        try:
            yield
        finally:
            self("heal", name)

    @contextlib.contextmanager
    def so(self, name, script, afterwards):
        """What a script of root's does on the host, and what undoes it."""
        try:
            self.run(name, script)
            yield
        finally:
            self.run(name, afterwards)
