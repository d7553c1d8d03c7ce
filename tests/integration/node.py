"""A real node: the binary in a process of its own, on free ports, with a data folder of its own."""

import http.client
import json
import os
import signal
import socket
import subprocess
import time

BINARY = os.path.abspath(os.environ.get("CONFIG_CENTER_BINARY") or os.path.join(__file__, "../../../build/release/config-center"))
SANITIZER = os.environ.get("CONFIG_CENTER_SANITIZER", "")  # "", "address" or "thread"
PATIENCE = 5 if SANITIZER else 1  # waits that only guard against hanging are this much longer
DIES_WITH_THE_TEST = ["setpriv", "--pdeathsig", "KILL", "--"]  # with the thread that starts it, to be exact
ADMIN_PASSWORD = "correct horse battery staple"

REPORTS = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "WARNING: ThreadSanitizer", "runtime error:",
           "terminate called", "Assertion")


class StartFailed(Exception):
    def __init__(self, status, output):
        super().__init__(f"config-center serve ended with status {status}:\n{output}")
        self.status, self.output = status, output


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def environment(home, **more):
    """A process's environment: nothing of ours but what it needs to run."""
    kept = {name: value for name, value in os.environ.items()
            if name in ("PATH", "LANG", "TZ", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS")}
    kept.setdefault("UBSAN_OPTIONS", "print_stacktrace=1")
    return {**kept, "LANG": "C.UTF-8", "HOME": str(home), **more}


def wait_until(true, what, seconds=30):
    """Waits for a condition that is sure to come true; only a hanging program lets it fail."""
    deadline = time.monotonic() + seconds * PATIENCE
    while not (result := true()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds * PATIENCE} s")
        time.sleep(0.01)
    return result


class Node:
    """Settings are given by name, as keyword arguments: server_port=0, security_login_failures=3."""

    running = []  # all of them, so that a failing test can show their logs

    def __init__(self, folder, flags=(), variables=None, admin_password=ADMIN_PASSWORD, **settings):
        self.folder = folder
        self.data = folder / "data"
        self.log_file = folder / "log"
        self.output_file = folder / "output"
        self.flags = list(flags)
        self.settings = {"server_port": 0, "monitoring_prometheus_port": 0, "server_min_free_disk": "1MiB", **settings}
        self.variables = {"DATA_DIR": str(self.data), **(variables or {})}
        if admin_password:
            self.variables["CONFIG_CENTER_ADMIN_PASSWORD"] = admin_password
        self.process = None
        self.host = "127.0.0.1"  # where it is reached
        self.port = self.metrics_port = None
        self.starts = 0
        folder.mkdir(parents=True, exist_ok=True)

    # --- life ---

    def start(self, wait=True, pass_fds=(), wrapper=()):
        assert self.process is None, "it runs already"
        variables = {f"CONFIG_CENTER_{name.upper()}": str(value) for name, value in self.settings.items()}
        self.starts += 1
        self._log_begin = self.log_file.stat().st_size if self.log_file.exists() else 0
        with open(self.log_file, "ab") as log, open(self.output_file, "ab") as output:
            self.process = subprocess.Popen(
                [*DIES_WITH_THE_TEST, *wrapper, BINARY, "serve", *self.flags], stdin=subprocess.DEVNULL, stdout=output, stderr=log,
                cwd=self.folder, env=environment(self.folder, **variables, **self.variables), pass_fds=pass_fds)
        Node.running.append(self)
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self):
        serving = wait_until(lambda: self._serving() or self._gone(), "the node serves", 60)
        if serving == "gone":
            status = self._reap()
            raise StartFailed(status, self.log()[-4000:])
        self.port = int(serving["address"].rsplit(":", 1)[1])
        self.metrics_port = serving["metrics_port"]
        wait_until(lambda: self.probe("/readyz") == 200, "/readyz answers 200")

    def _serving(self):
        explicit = int(self.settings["server_port"])
        for record in self.records(since_start=True):
            if record.get("message") == "serving":
                return record
        if explicit and self.variables.get("LOG_LEVEL") in ("warn", "error", "off"):
            self.port = explicit
            if self.probe("/readyz") == 200:
                return {"address": f":{explicit}", "metrics_port": int(self.settings["monitoring_prometheus_port"])}
        return None

    def _gone(self):
        return "gone" if self.process.poll() is not None else None

    def probe(self, path, timeout=10):
        """The status of a GET over a new connection, or None when there is none."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout)
        if self.settings.get("server_tls_certificate_file"):
            import ssl
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            connection = http.client.HTTPSConnection(self.host, self.port, timeout=timeout, context=context)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def stop(self, seconds=30):
        """SIGTERM; the node must end by itself, with status 0."""
        self.signal(signal.SIGTERM)
        status = self.wait_end(seconds)
        assert status == 0, f"stopped with status {status}:\n{self.log()[-4000:]}"

    def kill(self):
        """SIGKILL; that a node had ended by itself before must not go unnoticed."""
        self.check_running()
        self.process.kill()
        self._reap()

    def check_running(self):
        if self.process is not None and (status := self.process.poll()) is not None:
            raise AssertionError(f"the node in {self.folder} has ended by itself with status {status}:\n{self.log()[-6000:]}")

    def restart(self, **settings):
        self.stop()
        self.settings.update(settings)
        return self.start()

    def signal(self, number):
        self.process.send_signal(number)

    def wait_end(self, seconds=30):
        try:
            self.process.wait(seconds * PATIENCE)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the node runs on after {seconds * PATIENCE} s") from None
        return self._reap()

    def _reap(self):
        status = self.process.wait()
        self.process = None
        if self in Node.running:
            Node.running.remove(self)
        return status

    def close(self):
        """For the end of a test: stops it hard if the test has not, and holds the log against what must never be there."""
        if self.process is not None:
            if SANITIZER and self.process.poll() is None:
                self.stop()  # leaks are reported at a clean end only
            else:
                self.kill()
        self.check_log()

    def check_log(self):
        text = self.log()
        for report in REPORTS:
            assert report not in text, f"the node's log says:\n{text[text.find(report):][:6000]}"

    # --- what it says ---

    @property
    def url(self):
        scheme = "https" if self.settings.get("server_tls_certificate_file") else "http"
        return f"{scheme}://{self.host}:{self.port}"

    def log(self):
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def output(self):
        return self.output_file.read_text(errors="replace")

    def records(self, since_start=False):
        """The log's lines, parsed."""
        with open(self.log_file, "rb") as file:
            file.seek(self._log_begin if since_start else 0)
            lines = file.read().decode(errors="replace").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]

    # --- what the system says of it ---

    def resident(self):
        """Resident memory, in bytes."""
        with open(f"/proc/{self.process.pid}/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def metrics(self):
        """{name{labels}: value} of the metrics page."""
        connection = http.client.HTTPConnection(self.host, self.metrics_port, timeout=30)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        connection.close()
        return {name: float(value) for name, value in
                (line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#"))}
