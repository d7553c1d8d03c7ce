"""Three nodes on this machine: against three of etcd's, against one of ours, and while some of them are gone."""

import json
import os
import shutil
import statistics
import threading
import time

from harness import CLIENTS, CONFIGS, CONTENT, SIZE, Bar, etcd, etcd_load, import_configs, per_second, ratio, say, wrk
from client import Client, config
from command import Command
from conftest import log_in
from node import Node, free_port, wait_until

ELECTION = 1.0  # seconds: raft.election_timeout, its default


class Cluster:
    """Nodes of one group, on ports that stay theirs."""

    def __init__(self, folder, nodes=3):
        peers = ",".join(f"{number}@127.0.0.1:{free_port()}" for number in range(1, nodes + 1))
        secret = os.urandom(32).hex()
        self.nodes = {number: Node(folder / f"node{number}", raft_node_id=number, raft_peers=peers, raft_secret=secret,
                                   server_port=free_port(), monitoring_prometheus_port=free_port())
                      for number in range(1, nodes + 1)}
        for node in self.nodes.values():
            node.start(wait=False)
        for node in self.nodes.values():
            node.wait_ready()
        self.token = log_in(self.nodes[1], checked=False).token

    def client(self, number):
        return Client(self.nodes[number], self.token, checked=False)

    def status(self, number, **query):
        return self.client(number).get("/v1/cluster", query=query, expect=200).json()

    def leader(self, ask):
        return wait_until(lambda: self.status(ask)["leader_id"], "there is a leader")

    def others(self, number):
        return [each for each in self.nodes if each != number]

    def wait_for_revision(self, number, revision):
        wait_until(lambda: self.status(number)["revision"] >= revision, f"node {number} has revision {revision}", 120)

    def stop(self):
        for node in self.nodes.values():
            if node.process is not None:
                node.stop(60)


def publish_through_all(cluster, seconds):
    """Publishes a second of 64 clients, a third of them at each node."""
    shares = [CLIENTS // 3 + (1 if number <= CLIENTS % 3 else 0) for number in cluster.nodes]
    loads = [Command(node.folder / "home", node, CONFIG_CENTER_TOKEN=cluster.token)
             .start("bench", "publish", "--connections", clients, "--size", SIZE, "--duration", f"{seconds}s", "-o", "json")
             for node, clients in zip(cluster.nodes.values(), shares)]
    total = 0
    for load in loads:
        output, errors = load.communicate(timeout=300)
        assert load.returncode == 0, errors
        total += json.loads(output)["per_second"]
    return total


def measure_publishes(folder, options):
    cluster = Cluster(folder / "publishes")
    ours, theirs = [], []
    with etcd(folder / "etcd-publishes", 3) as other:
        for _ in range(options.rounds):
            theirs.append(etcd_load(other.target, "put", options.seconds)["per_second"])
            ours.append(publish_through_all(cluster, options.seconds))
            say(f"  publishes: {ours[-1]:,.0f}/s, etcd {theirs[-1]:,.0f}/s")
    cluster.stop()
    return [Bar("three nodes: publish, 256 bytes, 64 clients over all of them, fsync, against three of etcd's Put", per_second(ours),
                per_second(theirs), ratio(ours, theirs), least=2, unit="×")]


def measure_reads(folder, options):
    """There: one node alone."""
    cluster, single = Cluster(folder / "reads"), Node(folder / "single").start()
    key = "dev/bench/default/read.txt"
    alone = log_in(single, checked=False)
    alone.publish(key, CONTENT)
    revision = cluster.client(1).publish(key, CONTENT)["revision"]
    follower = cluster.others(cluster.leader(1))[0]
    cluster.wait_for_revision(follower, revision)
    ours, theirs = [], []
    sides = ((ours, cluster.nodes[follower], cluster.token), (theirs, single, alone.token))
    for _, node, token in sides:
        wrk(node.url + config(key), 1, token)
    for _ in range(options.rounds):
        for rates, node, token in sides:
            rates.append(wrk(node.url + config(key), options.seconds, token))
        say(f"  reads: {ours[-1]:,.0f}/s through a follower, {theirs[-1]:,.0f}/s alone")
    single.stop()
    cluster.stop()
    return [Bar("three nodes: read through a follower, against a node alone", per_second(ours), per_second(theirs), ratio(ours, theirs),
                least=0.9, unit="×")]


def measure_failover(folder, options):
    """From kill -9 of the leader until a write that was sent afterwards is acknowledged by another node, and the third one
    has told whoever waits there."""
    cluster = Cluster(folder / "failover")
    key = "dev/bench/default/failover.txt"
    took = []
    revision = cluster.client(1).publish(key, CONTENT)["revision"]
    for number in range(options.kills):
        for node in cluster.nodes:
            cluster.wait_for_revision(node, revision)
        leader = cluster.leader(1)
        writer, watcher = cluster.others(leader)
        told = []
        waiting = threading.Thread(target=lambda: told.append(cluster.client(watcher).get(
            config(key), query={"after": revision, "wait": "60s"}, expect=200)))
        waiting.start()
        client = cluster.client(writer)
        client.get("/readyz", expect=200)  # its connection is open
        before = cluster.nodes[leader]
        began = time.monotonic()
        before.process.kill()
        revision = wait_until(lambda: (answer := client.put(config(key), b"%06d " % number + CONTENT[7:])).status in (200, 201)
                              and answer.json()["revision"], "a write is acknowledged", 60)
        took.append(time.monotonic() - began)
        waiting.join(60)
        assert told and told[0].revision == revision, "a watcher of another node missed the change"
        before.kill()
        before.start()
    say(f"  failover: {min(took):.2f} to {max(took):.2f} s")
    cluster.stop()
    return [Bar(f"three nodes: kill -9 of the leader to the next acknowledged write, median of {options.kills}",
                f"{min(took):.2f} to {max(took):.2f} s", "", statistics.median(took), most=2 * ELECTION, unit="s")]


def measure_wiped(folder, options):
    cluster = Cluster(folder / "wiped")
    import_configs(cluster.client(1))
    leader = cluster.leader(1)
    wiped = cluster.others(leader)[0]
    node = cluster.nodes[wiped]
    node.kill()
    shutil.rmtree(node.data)
    writing, written = threading.Event(), []

    def write():
        client = cluster.client(leader)
        while not writing.is_set():
            written.append(client.publish(f"dev/bench/default/{len(written) % 100}.txt", b"%06d " % len(written) + CONTENT[7:])["revision"])

    writer = threading.Thread(target=write)
    writer.start()
    wait_until(lambda: written, "the others take writes")
    began = time.monotonic()
    node.start()
    cluster.wait_for_revision(wiped, written[-1])
    took = time.monotonic() - began
    writing.set()
    writer.join()
    for number in cluster.nodes:
        cluster.wait_for_revision(number, written[-1])
    sums = {number: cluster.status(number, checksum="true")["checksum"] for number in cluster.nodes}
    assert len({json.dumps(each, sort_keys=True) for each in sums.values()}) == 1, f"the nodes differ: {sums}"
    say(f"  wiped: back after {took:.2f} s, {len(written):,} writes meanwhile")
    cluster.stop()
    return [Bar(f"three nodes: one is wiped, and back with {CONFIGS:,} configs, identical, while the others take writes",
                f"{len(written):,} writes meanwhile", "", took, most=10, unit="s")]


MEASUREMENTS = {"publishes": measure_publishes, "reads": measure_reads, "failover": measure_failover, "wiped": measure_wiped}
