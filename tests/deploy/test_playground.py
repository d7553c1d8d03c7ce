"""config-center playground: the processes are there, do together what they are for, come back when they die, and are
gone when it ends."""

import json
import os
import pathlib
import signal
import subprocess
import tempfile
import urllib.request

import pytest

import pasted
from command import Command
from machine import cannot
from node import BINARY, PATIENCE, environment, wait_until
from terminal import Terminal

KEY = "dev/shop/default/application.yaml"


class Playground:
    def __init__(self, home, *arguments):
        self.home = home
        self.errors = home / "errors"
        with open(self.errors, "ab") as errors:
            self.process = subprocess.Popen([BINARY, "playground", "-o", "json", *map(str, arguments)], stdin=subprocess.DEVNULL,
                                            stdout=subprocess.PIPE, stderr=errors, env=environment(home, TMPDIR=str(home)), cwd=home)
        text = b""
        for line in self.process.stdout:
            text += line
            try:
                self.told = json.loads(text)
                break
            except ValueError:
                pass
        else:
            raise AssertionError(f"it ended:\n{self.said()}")
        self.folder = self.told["folder"]

    def said(self):
        return self.errors.read_text()

    def is_ready_again(self, name):
        return self.said().count(f"{name}: ready") >= 2

    def processes_of(self, name):
        return next(each["process"] for each in self.told["components"] if each["name"] == name)

    def kill(self, name):
        os.kill(self.processes_of(name), signal.SIGKILL)
        wait_until(lambda: self.is_ready_again(name), f"{name} is ready again", 60)

    def left(self):
        """Command lines of processes that work in its folder."""
        found = []
        for each in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if os.readlink(each / "cwd").startswith(self.folder):
                    found.append((each / "cmdline").read_text())
            except OSError:
                pass
        return found

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        status = self.process.wait(60 * PATIENCE)
        assert status == 0, f"exit status {status}:\n{self.said()}"
        assert self.left() == []

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
            wait_until(lambda: not self.left(), "all are gone with it", 60)

    # --- its server ---

    def command(self, *arguments, server=None, **more):
        done = subprocess.run([BINARY, *map(str, arguments)], capture_output=True, text=True, timeout=60 * PATIENCE,
                              env=environment(self.home, CONFIG_CENTER_SERVER=server or self.told["nodes"][0]), **more)
        assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"
        return done.stdout

    def log_in(self, server=None):
        who = self.told["administrator"]
        self.command("login", "--username", who["name"], "--password-file", who["password_file"], server=server)

    def publish(self, content, server=None):
        self.command("publish", KEY, "--file", "-", input=content, server=server)


@pytest.fixture
def home():
    """Where also PostgreSQL's user may pass. Not below pytest's folder, which every pytest that starts closes to others."""
    with tempfile.TemporaryDirectory(prefix="config-center-test-") as folder:
        path = pathlib.Path(folder)
        path.chmod(0o711)
        yield path


@pytest.fixture
def play(home):
    all_of_them = []

    def start(*arguments):
        all_of_them.append(Playground(home, *arguments))
        return all_of_them[-1]

    yield start
    for each in all_of_them:
        each.close()


def test_three_nodes_come_back_and_keep_what_they_had(play, home):
    folder = home / "kept"
    one = play("--folder", folder)
    assert len(one.told["nodes"]) == 3
    one.log_in()
    one.command("app", "add", "shop")
    one.publish("a: 1\n")
    one.kill("node2")
    wait_until(lambda: one.command("get", KEY, server=",".join(one.told["nodes"])) == "a: 1\n", "it is read")
    one.stop()
    again = play("--folder", folder)
    assert again.told["nodes"] == one.told["nodes"]
    assert again.command("get", KEY) == "a: 1\n"
    again.stop(signal.SIGINT)


def test_who_is_killed_takes_all_along_and_temporary_folders_are_gone(play):
    killed = play("--nodes", 1)
    killed.process.kill()
    wait_until(lambda: not killed.left(), "all are gone with it")
    one = play("--nodes", 1)
    one.stop()
    assert not os.path.exists(one.folder)


def test_at_a_terminal_there_is_a_table_and_ctrl_c_ends_it(home):
    terminal = Terminal(Command(home), "playground", "--nodes", "1", "--folder", home / "kept")
    terminal.read_until(lambda shown: "Ctrl-C stops it" in shown)
    assert "COMPONENT" in terminal.shown and "administrator   admin" in terminal.shown
    terminal.type("\x03")
    assert terminal.end() == 0
    assert "stopped" in terminal.shown.rpartition("COMPONENT")[2]


def test_a_folder_is_not_of_another_kind_suddenly(play, home):
    one = play("--nodes", 1, "--folder", home / "kept")
    one.stop()
    done = subprocess.run([BINARY, "playground", "--nodes", "3", "--folder", home / "kept"], capture_output=True, text=True, env=environment(home))
    assert done.returncode == 2 and "on other terms" in done.stderr


def test_what_is_missing_is_named_with_its_package(home):
    empty = home / "empty"
    empty.mkdir()
    if os.path.exists("/usr/sbin/haproxy"):
        hidden = subprocess.run(["unshare", "-m", "sh", "-c", f"mount --bind {empty} /usr/sbin && exec {BINARY} playground --full"],
                                capture_output=True, text=True, env=environment(home))
        if "mount" in hidden.stderr or "unshare" in hidden.stderr:
            cannot("a folder cannot be hidden here")
        assert hidden.returncode == 1 and "haproxy, of the package haproxy" in hidden.stderr, hidden.stderr


def test_all_of_an_installation(play):
    full = play("--full")
    balancer = full.told["load_balancers"][1]
    full.log_in(balancer)
    full.command("app", "add", "shop", server=balancer)
    full.publish("a: 1\n", balancer)

    def arrived():
        archive = json.loads(full.command("archive", "status", "-o", "json", server=balancer))
        edge = json.loads(full.command("edge", "status", "-o", "json", server=balancer))
        return archive.get("lag_revisions") == 0 and edge.get("lag_revisions") == 0

    wait_until(arrived, "it is in the archive and in Redis", 60)
    assert [each["package"] for each in full.told["left_out"]] == ["grafana"]  # in no release of Debian

    def targets():
        with urllib.request.urlopen(f"{full.told['prometheus']}/api/v1/targets?state=active") as answer:
            return [target["health"] for target in json.load(answer)["data"]["activeTargets"]]

    wait_until(lambda: targets() == ["up"] * 16, "Prometheus reaches all", 60)
    for name in ("haproxy2", "redis1", "postgres1", "sentinel1", "prometheus"):
        full.kill(name)
    full.publish("a: 2\n", balancer)
    wait_until(arrived, "it is in the archive and in Redis once more", 120)
    full.stop()
    assert not os.path.exists(full.folder)


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md"])
def test_the_readmes_tour_works_as_written(page, home):
    status, output = pasted.run(home, "\n".join(pasted.blocks(page, "playground")), at=pasted.ROOT)
    assert status == 0, f"the tour ends with status {status}:\n{output[-6000:]}"
