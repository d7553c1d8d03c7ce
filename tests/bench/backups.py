"""What backups cost: a gigabyte of state backed up and restored, and publishes meanwhile."""

import base64
import contextlib
import io
import os
import random
import signal
import subprocess
import threading
import time
import zipfile
from statistics import mean

from client import log_in
from command import Command
from harness import CLIENTS, CONFIGS, SIZE, Bar, say
from node import BINARY, Node, wait_until

EACH = 10_000  # bytes
BATCH = 500
PAIRS = 10  # of a second beside a backup and one without, in each round: what is published in one second and in the next differs


def import_large(admin):
    """CONFIGS of EACH bytes, lines as of a settings file. What they say is random, so that they do not compress well."""
    began, source = time.monotonic(), random.Random(7)
    for first in range(0, CONFIGS, BATCH):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            for number in range(first, first + BATCH):
                text = base64.b64encode(source.randbytes(EACH)).decode()
                lines = (f"service.{number}.option.{at // 64}: {text[at:at + 64]}\n" for at in range(0, len(text), 64))
                archive.writestr(f"application{number // 1000}/default/{number}.txt", "".join(lines)[:EACH - 1] + "\n")
        admin.post("/v1/import/dev", out.getvalue(), expect=200)
    say(f"  {CONFIGS:,} configs of {EACH:,} bytes imported in {time.monotonic() - began:.1f} s")


class Run:
    """A command that runs on its own, and what it took when it has ended: seconds, and resident memory at most."""

    def __init__(self, home, *arguments):
        self._what, self._began = arguments, time.monotonic()
        self._process = subprocess.Popen([BINARY, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                         stderr=subprocess.PIPE, cwd=home.home, env=home.environment())
        self._waiting = threading.Thread(target=self._wait)
        self._waiting.start()

    def _wait(self):
        self._errors = self._process.stderr.read().decode(errors="replace")
        _, status, used = os.wait4(self._process.pid, 0)
        self._process.returncode = os.waitstatus_to_exitcode(status)
        self.seconds, self.mebibytes = time.monotonic() - self._began, used.ru_maxrss / 1024

    @property
    def runs(self):
        return self._waiting.is_alive()

    def send(self, number):
        """A signal; it may have ended before."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._process.pid, number)

    def end(self):
        self._waiting.join()
        assert self._process.returncode == 0, f"{self._what}: {self._errors}"
        return self


def published(node):
    return sum(value for name, value in node.metrics().items() if name.startswith("config_center_publishes_total"))


def rate_within(node, seconds):
    before, began = published(node), time.monotonic()
    time.sleep(seconds)
    return (published(node) - before) / (time.monotonic() - began)


class EndlessLoad:
    """Until the end of the block."""

    def __init__(self, home):
        self._home = home

    def __enter__(self):
        self._process = self._home.start("bench", "publish", "--connections", CLIENTS, "--size", SIZE, "--duration", "1h")

    def __exit__(self, *_):
        self._process.kill()
        self._process.communicate()


def rates_beside(node, home, options):
    """Rates of publishes while a backup is made, and while it is stopped, each of a second, in turn."""
    backup, making = node.folder / "beside.ccbackup", None
    beside, without = [], []
    while len(beside) < options.rounds * PAIRS:
        if making is None or not making.runs:
            if making:
                making.end()
                backup.unlink()
            making = Run(home, "backup", "create", backup, "--data-dir", node.data)
        rates = {}
        for goes in (True, False) if len(beside) % 2 else (False, True):  # what drifts hurts both
            making.send(signal.SIGCONT if goes else signal.SIGSTOP)
            rates[goes] = rate_within(node, 1)
        if making.runs:  # or it ended within
            beside.append(rates[True])
            without.append(rates[False])
    making.send(signal.SIGKILL)
    return beside, without


def measure_backup(folder, options):
    node = Node(folder / "source").start()
    admin = log_in(node, checked=False)
    import_large(admin)
    wait_until(lambda: node.metrics()["config_center_configs"] == CONFIGS, "all of them are there", 60)
    home = Command(folder / "home", node, CONFIG_CENTER_TOKEN=admin.token)

    backup = folder / "all.ccbackup"
    created = Run(home, "backup", "create", backup, "--data-dir", node.data).end()
    state, size = (node.data / "state.db").stat().st_size / 1e9, backup.stat().st_size / 1e9
    say(f"  made in {created.seconds:.1f} s with {created.mebibytes:.0f} MiB: {state:.2f} GB of state, {size:.2f} GB of backup")

    with EndlessLoad(home):
        time.sleep(2)
        slow = Run(home, "backup", "create", folder / "under_load.ccbackup", "--data-dir", node.data).end()
        say(f"  made in {slow.seconds:.1f} s while publishes take all that the processors have")
        beside, without = rates_beside(node, home, options)
    say(f"  publishes: {mean(beside):,.0f}/s while a backup is made, {mean(without):,.0f}/s without")
    node.stop()

    other = Node(folder / "restored")
    home.variables["CONFIG_CENTER_SECURITY_ENCRYPTION_KEY"] = (node.data / "secrets/encryption_key").read_text().strip()
    restored = Run(home, "restore", backup, "--data-dir", other.data, "--nothing-newer", "--yes").end()
    say(f"  restored in {restored.seconds:.1f} s with {restored.mebibytes:.0f} MiB")
    began = time.monotonic()
    other.start()
    ready = time.monotonic() - began
    assert other.metrics()["config_center_configs"] >= CONFIGS
    other.stop()
    what = f"{CONFIGS:,} configs of {EACH:,} bytes"
    return [Bar(f"a backup of {what}, beside the running node", f"{state:.2f} GB of state, {size:.2f} GB of backup", "", created.seconds, most=30, unit="s"),
            Bar("its memory", "", "", created.mebibytes, most=200, unit="MiB"),
            Bar("a node restored from it", f"ready {ready:.1f} s after its start", "", restored.seconds, most=60, unit="s"),
            Bar("its memory", "", "", restored.mebibytes, most=200, unit="MiB"),
            Bar(f"publish, {CLIENTS} clients, while a backup is made, which takes {slow.seconds:.0f} s then, against without",
                f"{mean(beside):,.0f}/s", f"{mean(without):,.0f}/s", mean(beside) / mean(without), least=0.9, unit="×")]


MEASUREMENTS = {"backup": measure_backup}
