"""Where nodes stand: all on 127.0.0.1, or each in a network of its own, whose cables can be cut.

A bed's networks are Linux network namespaces on one bridge. What is lost on the way is lost at the receiving end, by
nftables rules in the receiver's own namespace, so that nothing of it outlives the namespace."""

import contextlib
import os
import random
import re
import subprocess

from machine import cannot
from ports import Ports


class Loopback:
    """What a bed offers, without cables to cut; needs no privilege."""

    cuttable = False

    def __init__(self):
        self._ports = Ports()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def host(self, node):
        return "127.0.0.1"

    def port(self, node, what):
        return self._ports.take()

    def inside(self, node):
        return []


class Bed:
    """Node i has the address 10.213.NUMBER.i; clients reach it from the machine itself."""

    cuttable = True
    PORTS = {"http": 8848, "raft": 7848, "raft_behind": 7948}

    def __init__(self):
        self._nodes = set()
        self._lost = {}  # (from, to) → percent

    def __enter__(self):
        if os.getuid() != 0 or run("nft", "list", "ruleset", check=False).returncode != 0:
            cannot("cutting networks needs root and nftables")
        clear_away_what_others_left()
        for number in random.sample(range(1, 255), 254):
            # The name of the bridge is what keeps beds apart that are made at the same time.
            if run("ip", "link", "add", f"cc{number}", "type", "bridge", check=False).returncode == 0:
                break
        else:
            cannot("no room for a bridge: ip link del those named cc…")
        self._number, self._bridge = number, f"cc{number}"
        try:
            run("ip", "link", "set", self._bridge, "alias", f"{ALIAS}{os.getpid()}")
            run("ip", "addr", "add", f"10.213.{number}.254/24", "dev", self._bridge)
            run("ip", "link", "set", self._bridge, "up")
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        remove(self._bridge)

    def host(self, node):
        if node not in self._nodes:
            self._add(node)
        return f"10.213.{self._number}.{node}"

    @property
    def host_outside(self):
        """The machine itself, to which no cable is cut."""
        return f"10.213.{self._number}.254"

    def port(self, node, what):
        return self.PORTS[what]

    def inside(self, node):
        """What a command begins with that is to run there."""
        self.host(node)
        return ["nsenter", f"--net=/run/netns/{self._bridge}-{node}", "--"]

    def _add(self, node):
        name, outside = f"{self._bridge}-{node}", f"{self._bridge}.{node}"
        run("ip", "netns", "add", name)
        run("ip", "link", "add", outside, "type", "veth", "peer", "name", "eth0", "netns", name)
        run("ip", "link", "set", outside, "master", self._bridge, "up")
        run("ip", "-n", name, "addr", "add", f"10.213.{self._number}.{node}/24", "dev", "eth0")
        run("ip", "-n", name, "link", "set", "eth0", "up")
        run("ip", "-n", name, "link", "set", "lo", "up")
        self._nodes.add(node)

    # --- what is lost between nodes; never between a node and its clients ---

    def lose(self, senders, receivers, percent=100):
        """Packets from each of `senders` to each of `receivers`."""
        for sender in senders:
            for receiver in receivers:
                if sender != receiver:
                    self._lost[sender, receiver] = percent
        self._apply(receivers)

    def isolate(self, nodes):
        """Nothing passes between these and the others."""
        others = self._nodes - set(nodes)
        self.lose(nodes, others)
        self.lose(others, nodes)

    def packets_lost(self):
        """How many, by the rules that hold now."""
        tables = [run(*self.inside(receiver), "nft", "list", "table", "inet", "lost").stdout for receiver in {to for _, to in self._lost}]
        return sum(int(count) for table in tables for count in re.findall(r"counter packets (\d+)", table))

    def heal(self):
        receivers = {receiver for _, receiver in self._lost}
        self._lost.clear()
        self._apply(receivers)

    def _apply(self, receivers):
        for receiver in receivers:
            rules = [f"ip saddr {self.host(sender)} " + ("counter drop" if percent == 100 else f"numgen random mod 100 < {percent} counter drop")
                     for (sender, to), percent in sorted(self._lost.items()) if to == receiver]
            table = "table inet lost\ndelete table inet lost\n"  # also when there is none
            if rules:
                table += "\n".join(["table inet lost {", "chain in {", "type filter hook input priority 0;", *rules, "}", "}", ""])
            run(*self.inside(receiver), "nft", "-f", "-", input=table)


ALIAS = "networks of config-center's test, process "


def run(*command, check=True, **more):
    done = subprocess.run(command, capture_output=True, text=True, **more)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: {done.stderr}")
    return done


def remove(bridge):
    names = [line.split()[0] for line in run("ip", "netns", "list", check=False).stdout.splitlines()]
    for name in names:
        if name.startswith(bridge + "-"):
            run("ip", "netns", "del", name, check=False)
    run("ip", "link", "del", bridge, check=False)


def clear_away_what_others_left():
    """A test that was killed cannot."""
    for folder in os.scandir("/sys/class/net"):
        with contextlib.suppress(OSError, ValueError):
            with open(os.path.join(folder.path, "ifalias")) as file:
                alias = file.read().strip()
            if alias.startswith(ALIAS) and not os.path.exists(f"/proc/{int(alias.removeprefix(ALIAS))}"):
                remove(folder.name)
