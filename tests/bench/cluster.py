"""Three nodes on this machine: against three of etcd's, against one of ours, and while some of them are gone."""

import json
import statistics
import threading
import time

from harness import CLIENTS, CONFIGS, CONTENT, SIZE, Bar, etcd, etcd_load, import_configs, per_second, ratio, say, wrk
from bed import Loopback
from client import config, log_in
from command import Command
from group import Group
from node import Node, wait_until

ELECTION = 1.0  # seconds: raft.election_timeout


def started(folder, **settings):
    """Three nodes that are one group, with timeouts as they are by default."""
    return Group(folder, place=Loopback(), raft_election_timeout=f"{ELECTION * 1000:.0f}ms", raft_heartbeat_interval="100ms", **settings).start()


def others(group, number):
    return [each for each in group.nodes if each != number]


def wait_for_revision(group, number, revision):
    wait_until(lambda: (told := group.ask(number)) and told["revision"] >= revision, f"node {number} has revision {revision}", 120)


def publish_through_all(group, seconds, clients=CLIENTS):
    """Publishes a second of so many clients, a third of them at each node."""
    shares = [clients // 3 + (1 if number <= clients % 3 else 0) for number in group.nodes]
    loads = [Command(node.folder / "home", node, CONFIG_CENTER_TOKEN=group.token)
             .start("bench", "publish", "--connections", clients, "--size", SIZE, "--duration", f"{seconds}s", "-o", "json")
             for node, clients in zip(group, shares)]
    total = 0
    for load in loads:
        output, errors = load.communicate(timeout=300)
        assert load.returncode == 0, errors
        total += json.loads(output)["per_second"]
    return total


def measure_publishes(folder, options):
    group = started(folder / "publishes")
    ours, theirs = [], []
    with etcd(folder / "etcd-publishes", 3) as other:
        sides = [(ours, lambda: publish_through_all(group, options.seconds)),
                 (theirs, lambda: etcd_load(other.target, "put", options.seconds)["per_second"])]
        for _ in range(options.rounds):
            for rates, load in sides:
                rates.append(load())
            sides.reverse()  # what one leaves to be done to the disk shall not always hurt the same
            say(f"  publishes: {ours[-1]:,.0f}/s, etcd {theirs[-1]:,.0f}/s")
    group.stop()
    return [Bar("three nodes: publish, 256 bytes, 64 clients over all of them, fsync, against three of etcd's Put", per_second(ours),
                per_second(theirs), ratio(ours, theirs), least=2, unit="×")]


def measure_reads(folder, options):
    """There: one node alone. Here: the one of the three that is the slowest."""
    group, single = started(folder / "reads"), Node(folder / "single").start()
    key = "dev/bench/default/read.txt"
    alone = log_in(single, checked=False)
    alone.publish(key, CONTENT)
    revision = group.client(1).publish(key, CONTENT)["revision"]
    wrk(single.url + config(key), 1, alone.token)
    found = []
    for node in group:
        wait_for_revision(group, node.number, revision)
        wrk(node.url + config(key), 1, group.token)
        ours, theirs = [], []
        sides = [(ours, node, group.token), (theirs, single, alone.token)]
        for _ in range(options.rounds):
            for rates, one, token in sides:
                rates.append(wrk(one.url + config(key), options.seconds, token))
            sides.reverse()
        found.append((ratio(ours, theirs), per_second(ours), per_second(theirs)))
        say(f"  reads: {found[-1][1]} through node {node.number}, {found[-1][2]} alone")
    single.stop()
    group.stop()
    figure, here, there = min(found)
    return [Bar("three nodes: read through the slowest of them, against a node alone", here, there, figure, least=0.9, unit="×")]


def measure_failover(folder, options):
    """From kill -9 of the leader until a write that was sent afterwards is acknowledged by another node, and the third one
    has told whoever waits there."""
    group = started(folder / "failover")
    key = "dev/bench/default/failover.txt"
    took = []
    revision = group.client(1).publish(key, CONTENT)["revision"]
    for number in range(options.kills):
        for each in group.nodes:
            wait_for_revision(group, each, revision)
        leader = group.wait_leader()
        writer, watcher = others(group, leader)
        told = []
        waiting = threading.Thread(target=lambda: told.append(group.client(watcher).get(
            config(key), query={"after": revision, "wait": "60s"}, expect=200)))
        waiting.start()
        client = group.client(writer)
        client.get("/readyz", expect=200)  # its connection is open
        before = group[leader]
        began = time.monotonic()
        before.process.kill()
        revision = wait_until(lambda: (answer := client.put(config(key), b"%06d " % number + CONTENT[7:])).status in (200, 201)
                              and answer.json()["revision"], "a write is acknowledged", 60)
        took.append(time.monotonic() - began)
        waiting.join(60)
        assert told and told[0].revision == revision, "a watcher of another node missed the change"
        before.wait_end()
        before.start()
    say(f"  failover: {min(took):.2f} to {max(took):.2f} s")
    group.stop()
    return [Bar(f"three nodes: kill -9 of the leader to the next acknowledged write, median of {options.kills}",
                f"{min(took):.2f} to {max(took):.2f} s", "", statistics.median(took), most=2 * ELECTION, unit="s")]


class Writer(threading.Thread):
    """Publishes one after the other through a node, until it is stopped."""

    def __init__(self, client, name):
        super().__init__()
        self._client, self._place, self._stopping = client, f"dev/bench/{name}", threading.Event()
        self.revisions, self.failure = [], None
        self.start()

    def run(self):
        try:
            while not self._stopping.is_set():
                count = len(self.revisions)
                self.revisions.append(self._client.publish(f"{self._place}/{count % 100}.txt", b"%06d " % count + CONTENT[7:])["revision"])
        except Exception as failure:
            self.failure = failure

    def stop(self):
        self._stopping.set()
        self.join()
        assert self.failure is None, f"a write failed: {self.failure}"
        return len(self.revisions)


def measure_wiped(folder, options):
    group = started(folder / "wiped")
    import_configs(group.client(1))
    leader = group.wait_leader()
    wiped, survivor = others(group, leader)
    node = group[wiped]
    node.kill()
    node.wipe()
    writers = [Writer(group.client(number), f"writer{number}") for number in (leader, survivor)]
    wait_until(lambda: all(each.revisions for each in writers), "the others take writes")
    before = [len(each.revisions) for each in writers]
    began = time.monotonic()
    node.start()
    wait_for_revision(group, wiped, max(each.revisions[-1] for each in writers))
    took = time.monotonic() - began
    during = [len(each.revisions) - count for each, count in zip(writers, before)]
    for each in writers:
        each.stop()
    assert min(during) > 0, "the others took no writes meanwhile"
    group.wait_one()  # the same checksum everywhere
    say(f"  wiped: back after {took:.2f} s, {sum(during):,} writes meanwhile")
    group.stop()
    return [Bar(f"three nodes: one is wiped, and back with {CONFIGS:,} configs, identical, while the others take writes",
                f"{sum(during):,} writes meanwhile", "", took, most=10, unit="s")]


MEASUREMENTS = {"publishes": measure_publishes, "reads": measure_reads, "failover": measure_failover, "wiped": measure_wiped}
