"""A server that a test starts: PostgreSQL, Redis. In the foreground, in a folder of its own, on ports that stay its own."""

import contextlib
import os
import signal
import subprocess

from node import DIES_WITH_THE_TEST, PATIENCE, environment, wait_until
from ports import Ports
from proxy import Proxy


class Daemon:
    """What one of a kind adds: _command(), the command line, and _ready(), whether it serves. With `proxied` everybody
    reaches it through a proxy, and its network can be cut."""

    running = []  # all of them, so that a failing test can show their logs
    as_user = ()  # what its command begins with where somebody else is to run it

    def __init__(self, name, folder, proxied=False, host="127.0.0.1"):
        self.name, self.folder, self.host = name, folder, host
        self.log_file = folder / "log"
        self._ports = Ports()
        self.own_port = self._ports.take()
        self.port = self._ports.take() if proxied else self.own_port  # where it is reached
        self.process = None
        folder.mkdir()
        self.proxy = Proxy(f"{self.host}:{self.port}", f"{self.host}:{self.own_port}") if proxied else None

    @property
    def address(self):
        return f"{self.host}:{self.port}"

    # --- life ---

    def start(self, wait=True):
        if self.process is not None:
            assert self.process.poll() is not None, f"{self.name} runs already"
            self._reap()
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen([*self.as_user, *DIES_WITH_THE_TEST, *self._command()], cwd=self.folder,
                                            env=environment(self.folder), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        Daemon.running.append(self)
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self):
        wait_until(lambda: self._ready() or self._check_running(), f"{self.name} serves", 60)
        return self

    @property
    def alive(self):
        return self.process is not None and self.process.poll() is None

    def _check_running(self):
        assert self.alive, f"{self.name} has ended by itself:\n{self.log()[-4000:]}"

    def stop(self, how=signal.SIGTERM):
        """It ends by itself, cleanly, with status 0."""
        self._check_running()
        self.process.send_signal(how)
        try:
            self.process.wait(60 * PATIENCE)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} runs on after it was told to stop:\n{self.log()[-4000:]}") from None
        status = self._reap()
        assert status == 0, f"{self.name} stopped with status {status}:\n{self.log()[-4000:]}"

    def kill(self):
        """SIGKILL, at once for all its processes; none is left when this returns."""
        self._check_running()
        self._kill()

    def _kill(self):
        processes = self.pause()
        for process in processes:
            _send(process, signal.SIGKILL)
        self._reap()
        wait_until(lambda: not any(map(lives, processes)), f"nothing is left of {self.name}")

    def wait_end(self):
        """Until it has ended by itself; its status."""
        self.process.wait(60 * PATIENCE)
        return self._reap()

    def _reap(self):
        status = self.process.wait()
        self.process = None
        Daemon.running.remove(self)
        return status

    def pause(self):
        """SIGSTOP for all its processes. Returns them."""
        _send(self.process.pid, signal.SIGSTOP)  # first: it starts no more of them then
        wait_until(lambda: _state(self.process.pid) in ("T", "Z"), f"{self.name} is stopped")
        processes = self.processes()
        for process in processes:
            _send(process, signal.SIGSTOP)
        return processes

    def resume(self):
        for process in reversed(self.processes()):
            _send(process, signal.SIGCONT)

    def close(self):
        """For the end of a test, whatever state it left things in."""
        if self.alive:
            self._kill()
        elif self.process is not None:
            self._reap()
        if self.proxy:
            self.proxy.close()
        self._ports.close()

    # --- the network to it ---

    def cut(self):
        """Nothing comes through any more, and nobody is told: what is sent waits, and so does who connects."""
        self.proxy.cut()

    def refuse(self):
        """Connections are reset, and new ones refused."""
        self.proxy.refuse()

    def heal(self):
        """All is as it was; what waited goes on."""
        self.proxy.heal()

    # --- what it says, and what the system says of it ---

    def log(self):
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def processes(self):
        """Itself, and all that it started."""
        parents = {}
        for entry in os.scandir("/proc"):
            if entry.name.isdigit() and (stat := _stat(int(entry.name))):
                parents.setdefault(int(stat[1]), []).append(int(entry.name))
        found = [self.process.pid]
        for process in found:
            found += parents.get(process, [])
        return found

    def _command(self):
        raise NotImplementedError

    def _ready(self):
        raise NotImplementedError


def _send(process, number):
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, number)


def _stat(process):
    """State, parent and so on, as the system has them; none when there is no such process."""
    with contextlib.suppress(OSError), open(f"/proc/{process}/stat") as file:
        return file.read().rpartition(")")[2].split()
    return None


def _state(process):
    stat = _stat(process)
    return stat[0] if stat else None


def lives(process):
    return _state(process) not in (None, "Z")
