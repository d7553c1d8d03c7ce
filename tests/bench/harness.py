"""What the benches share: the bars, the other sides, the loads."""

import io
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import time
import urllib.request
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("BENCH_BUILD", ROOT / "build/release"))
os.environ["CONFIG_CENTER_BINARY"] = str(BUILD / "config-center")
sys.dont_write_bytecode = True
sys.path[:0] = [str(ROOT / "tests/integration"), str(ROOT / "tests/cluster")]

from command import Command  # noqa: E402
from node import free_port, wait_until  # noqa: E402

CLIENTS = 64
SIZE = 256
CONFIGS = 100_000
CONTENT = b"x" * (SIZE - 1) + b"\n"


class Bar:
    """One line of the table: what was measured on both sides (or on ours alone), and what it must come to."""

    def __init__(self, what, ours, theirs, figure, least=None, most=None, unit=""):
        self.what, self.ours, self.theirs, self.figure = what, ours, theirs, figure
        self.least, self.most, self.unit = least, most, unit

    @property
    def met(self):
        return self.figure >= self.least if self.least is not None else self.figure <= self.most

    def cells(self):
        bar = f"≥ {self.least:g}" if self.least is not None else f"≤ {self.most:g}"
        figure = f"{self.figure:.2f}" if self.figure < 100 else f"{self.figure:,.0f}"
        return [self.what, self.ours, self.theirs, f"{figure} {self.unit}".strip(), f"{bar} {self.unit}".strip(),
                "met" if self.met else "MISSED"]


def say(text):
    print(text, file=sys.stderr, flush=True)


def per_second(rates):
    return f"{statistics.median(rates):,.0f}/s"


def ratio(ours, theirs):
    """Of pairs taken one after the other, the median of the ratios."""
    return statistics.median(a / b for a, b in zip(ours, theirs))


# --- the other sides ---

class Process:
    def __init__(self, arguments, folder, url):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.url = folder, url
        with open(folder / "log", "ab") as log:
            self.process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder)

    def wait_ready(self):
        wait_until(self._answers, f"{self.process.args[0]} serves (see {self.folder}/log)")
        return self

    def _answers(self):
        assert self.process.poll() is None, f"{self.process.args[0]} has ended with status {self.process.returncode}"
        try:
            return urllib.request.urlopen(self.url, timeout=5).status == 200
        except OSError:
            return False

    def stop(self):
        self.process.terminate()
        self.process.wait(30)


class Processes:
    """Run until the end of the block."""

    def __init__(self, processes):
        self.processes = processes

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for each in self.processes:
            each.stop()


def etcd(folder, members=1):
    """So many members on this machine, which are one cluster. `target` has all their addresses, for etcd_load."""
    ports = [(free_port(), free_port()) for _ in range(members)]
    cluster = ",".join(f"m{number}=http://127.0.0.1:{peer}" for number, (_, peer) in enumerate(ports))
    starting = [subprocess_of_etcd(folder / f"m{number}", f"m{number}", port, peer, cluster) for number, (port, peer) in enumerate(ports)]
    for each in starting:
        each.wait_ready()
    processes = Processes(starting)
    processes.target = ",".join(f"127.0.0.1:{port}" for port, _ in ports)
    return processes


def subprocess_of_etcd(folder, name, port, peer, cluster):
    return Process(["etcd", "--name", name, "--data-dir", str(folder / "data"), "--log-level", "warn",
                    "--listen-client-urls", f"http://127.0.0.1:{port}", "--advertise-client-urls", f"http://127.0.0.1:{port}",
                    "--listen-peer-urls", f"http://127.0.0.1:{peer}", "--initial-advertise-peer-urls", f"http://127.0.0.1:{peer}",
                    "--initial-cluster", cluster], folder, f"http://127.0.0.1:{port}/health")


# --- loads ---

def wrk(url, seconds, token=None):
    """Answers a second over 64 kept connections; any answer but 200 is an error."""
    header = ["-H", f"Authorization: Bearer {token}"] if token else []
    text = subprocess.run(["wrk", "-t", "2", "-c", str(CLIENTS), "-d", f"{seconds}s", *header, url],
                          capture_output=True, text=True, check=True).stdout
    assert "Non-2xx" not in text and "Socket errors" not in text, text
    return float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1])


def etcd_load(target, operation, seconds):
    text = subprocess.run([str(BUILD / "tests/bench/etcd_load"), "--target", target, "--operation", operation, "--clients", str(CLIENTS),
                           "--size", str(SIZE), "--seconds", str(seconds)], capture_output=True, text=True, check=True).stdout
    return json.loads(text)


def own_load(node, token, what, *arguments):
    command = Command(node.folder / "home", node, CONFIG_CENTER_TOKEN=token)
    return command.json("bench", what, *arguments, timeout=300)


def import_configs(admin):
    """CONFIGS of them, of SIZE bytes each."""
    began, batch = time.monotonic(), 5000
    for first in range(0, CONFIGS, batch):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            for number in range(first, first + batch):
                archive.writestr(f"application{number // 1000}/default/{number}.txt", b"%06d " % number + CONTENT[7:])
        admin.post("/v1/import/dev", out.getvalue(), expect=200)
    say(f"  {CONFIGS:,} configs imported in {time.monotonic() - began:.1f} s")
