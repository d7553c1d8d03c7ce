"""A group of real nodes, and what can be done to them."""

import contextlib
import http.client
import os
import shutil
import signal

from client import Client, log_in
from machine import mounted_disk
from node import ADMIN_PASSWORD, BINARY, PATIENCE, Node, wait_until
from proxy import Proxy

ELECTION_TIMEOUT = 300 * PATIENCE  # milliseconds
CLOCK = os.environ.get("CONFIG_CENTER_TEST_CLOCK") or os.path.join(os.path.dirname(BINARY), "tests/libshifted_clock.so")
SECRETS = {"raft_secret": "the secret of the nodes of one group, in tests",
           "security_jwt_secret": "signs the tokens of one group, in tests",
           "security_encryption_key": "seals what the nodes of one group keep, in tests",
           "security_jwt_expiration": "8760h"}  # clocks jump


class Member(Node):
    """A node of a group: its ports stay the same, and it may have a disk, a clock and a slow network of its own."""

    def __init__(self, folder, number, host, port, inside, variables, **settings):
        super().__init__(folder, variables=variables, server_host=host, server_port=port, raft_node_id=number, **settings)
        self.number, self.host, self.port, self._inside = number, host, port, inside
        self.proxy = self.clock = self.disk = None
        self.paused = False

    def start(self, wait=True, **more):
        return super().start(wait, wrapper=self._inside, **more)

    @property
    def running(self):
        return self.process is not None

    def pause(self):
        self.signal(signal.SIGSTOP)
        self.paused = True

    def resume(self):
        self.signal(signal.SIGCONT)
        self.paused = False

    def kill(self):
        self.paused = False
        super().kill()

    def check_running(self):
        """It has not ended by itself, but for want of room on its disk when it was started."""
        if not self._found_no_room():
            super().check_running()

    def _found_no_room(self):
        if not (self.running and self.process.poll() == 1 and self.disk):
            return False
        reason = next(iter(self.records(since_start=True)[-1:]), {}).get("reason", "")
        return "disk" in reason and "full" in reason

    def close(self):
        """Also when it is paused; its proxy ends with it."""
        try:
            if self.running and self.paused:
                self.resume()
            super().close()
        finally:
            if self.proxy:
                self.proxy.close()

    def wipe(self):
        """Deletes the data folder's content; the folder itself may be a disk."""
        assert not self.running
        for each in self.data.iterdir():
            shutil.rmtree(each) if each.is_dir() and not each.is_symlink() else each.unlink()

    def refusal(self):
        """Why it does not run: it must end by itself, in error."""
        self.start(wait=False)
        status = self.wait_end(60)
        assert status == 1, f"status {status}"
        return self.log_since_start().lower()

    def log_since_start(self):
        return self.log_file.read_bytes()[self._log_begin:].decode(errors="replace")

    def state(self):
        """Of its process, as the system calls it: R and S run, T is stopped."""
        with open(f"/proc/{self.process.pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0]

    def set_clock(self, seconds):
        """Its wall clock is off by so much from now on."""
        with open(self.clock, "r+b" if self.clock.exists() else "wb") as file:
            file.write(seconds.to_bytes(8, "little", signed=True))


class Group:
    """Nodes 1 to `size`. `delayed` puts a proxy before each node, which keeps in the folder `recorded` what others say to
    it; `clocks` lets their clocks be set, `disks` (like "96m") gives each a small disk of its own. `settings` are those of
    every node."""

    def __init__(self, folder, size=3, *, place, delayed=False, recorded=None, clocks=False, disks=None, **settings):
        self.folder, self.place = folder, place
        self._delayed, self._recorded, self._clocks, self._disks = delayed, recorded, clocks, disks
        self._settings = {"raft_election_timeout": f"{ELECTION_TIMEOUT}ms", "raft_heartbeat_interval": f"{ELECTION_TIMEOUT // 6}ms",
                          "server_timeout": f"{10 * PATIENCE}s", **SECRETS, **settings}
        if size > 1:
            self._settings = {"server_drain": "0s", **self._settings}
        else:
            self._settings.pop("raft_secret")
        self._disks_mounted = contextlib.ExitStack()
        self.raft_addresses, self.nodes = {}, {}
        self.token = None
        for number in range(1, size + 1):
            self._address(number)
        for number in range(1, size + 1):
            self.prepare(number, raft_peers=self.peers() if size > 1 else None)

    def _address(self, number):
        return self.raft_addresses.setdefault(number, f"{self.place.host(number)}:{self.place.port(number, 'raft')}")

    def peers(self):
        return ",".join(f"{number}@{address}" for number, address in self.raft_addresses.items())

    def prepare(self, number, folder=None, **settings):
        """One more node, which is not started yet. `raft_peers` or `raft_join` says how it comes to its group."""
        host, address = self.place.host(number), self._address(number)
        settings = {name: value for name, value in {**self._settings, "raft_address": address, **settings}.items() if value is not None}
        behind = f"{host}:{self.place.port(number, 'raft_behind')}" if self._delayed else None
        if behind:
            settings["raft_listen"] = behind
        folder = folder or self.folder / f"node{number}"
        node = Member(folder, number, host, self.place.port(number, "http"), self.place.inside(number), self._variables(folder), **settings)
        if self._clocks:
            assert os.path.exists(CLOCK), f"{CLOCK} is not built"
            node.clock = folder / "clock"
            node.set_clock(0)
        if self._disks:
            node.disk = self._disks_mounted.enter_context(mounted_disk(node.data, self._disks))
        if behind:
            node.proxy = Proxy(address, behind, self.place.inside(number), self._recorded)
        self.nodes[number] = node
        return node

    def _variables(self, folder):
        return {"LD_PRELOAD": CLOCK, "SHIFTED_CLOCK": str(folder / "clock")} if self._clocks else {}

    # --- life ---

    def __iter__(self):
        return iter(self.nodes.values())

    def __getitem__(self, number):
        return self.nodes[number]

    def start(self):
        for node in self:
            if not node.running:
                node.start(wait=False)
        for node in self:
            node.wait_ready()
        if self.token is None:
            self.token = log_in(next(iter(self)), "admin", ADMIN_PASSWORD, checked=False).token
        return self

    def stop(self):
        for node in self:
            if node.running:
                node.signal(signal.SIGTERM)
        for node in self:
            if node.running:
                node.wait_end()

    def close(self):
        """For the end of a test, whatever state it left things in."""
        with self._disks_mounted, contextlib.ExitStack() as closing:  # one that fails keeps none of the others from it
            for node in self:
                closing.callback(node.close)

    def forget(self, number):
        """The node is gone for good."""
        self.raft_addresses.pop(number)
        self.nodes.pop(number).close()

    def check_running(self):
        """No node ends by itself, but for one that is started without room on its disk. That is started again, as a
        supervisor does."""
        for node in self:
            node.check_running()
            if node.running and node.process.poll() is not None:
                node.wait_end()
                node.start(wait=False)

    # --- what it says ---

    def client(self, number, **more):
        return Client(self.nodes[number], self.token, checked=False, **more)

    def ask(self, number, checksum=False):
        """What a node says of the group; None while it does not."""
        client = self.client(number, timeout=5)
        try:
            answer = client.get("/v1/cluster", query={"checksum": "true"} if checksum else {})
            return answer.json() if answer.status == 200 else None
        except (OSError, http.client.HTTPException):
            return None
        finally:
            client.close()

    def _up(self):
        return [node.number for node in self if node.running and not node.paused]

    def leader(self):
        """The node that leads, as most see it and it itself does; None while there is no such node."""
        told = [told for number in self._up() if (told := self.ask(number))]
        for each in sorted(told, key=lambda each: each["term"], reverse=True):
            if each["role"] == "leader" and sum(other["leader_id"] == each["node_id"] for other in told) > len(self.nodes) // 2:
                return each["node_id"]
        return None

    def wait_leader(self, other_than=None):
        return wait_until(lambda: (leader := self.leader()) != other_than and leader, "the group has a leader", 60)

    def wait_serving(self, numbers):
        """These nodes have started, and know who leads."""

        def serve():
            self.check_running()
            return all((told := self.ask(number)) and told["leader_id"] for number in numbers)

        wait_until(serve, f"nodes {numbers} serve", 60)

    def newest(self):
        """The newest revision that any node has that can be asked."""
        return max((told["revision"] for number in self._up() if (told := self.ask(number))), default=0)

    def wait_caught_up(self):
        """Every node is a full member again and has what any node had when this was called; the group may be under load."""
        newest = self.newest()

        def caught_up():
            self.check_running()
            told = [self.ask(node.number) for node in self]
            if not all(told) or any(each["revision"] < newest or not each["leader_id"] for each in told):
                return False
            return all(member["membership"] != "joining" for each in told for member in each["members"])

        wait_until(caught_up, "all nodes have caught up", 120)

    def wait_one(self):
        """All nodes are at one revision, and what they hold is identical; nothing changes meanwhile."""

        def at_one_revision():
            self.check_running()
            told = [self.ask(node.number, checksum=True) for node in self]
            sums = [each and each["checksum"] for each in told]
            return sums if all(sums) and len({(each["revision"], each["applied"]) for each in sums}) == 1 else None

        sums = wait_until(at_one_revision, "all nodes are at one revision", 120)
        assert len({each["sha256"] for each in sums}) == 1, f"nodes differ: {dict(zip(self.nodes, sums))}"
        return sums[0]["revision"]
