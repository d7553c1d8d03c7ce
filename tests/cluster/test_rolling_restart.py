"""All nodes are restarted one after another, behind a load balancer, and no client notices."""

import collections
import shutil
import subprocess

import pytest

from client import Client
from machine import cannot
from nemesis import judge, wait_for_changes
from node import wait_until
from promised import FAULTS
from workload import Workload

CONFIGURATION = """
global
  maxconn 1000
defaults
  mode http
  timeout connect 1s
  timeout client 60s
  timeout server 60s
  retries 5
  option redispatch 1
  option httpchk GET /readyz
  default-server check inter 100ms fall 1 rise 1
frontend clients
  bind 127.0.0.1:{port}
  default_backend nodes
backend nodes
  balance roundrobin
{servers}
"""


class Balancer:
    """HAProxy before a group, which to clients is one node."""

    number, host = 0, "127.0.0.1"
    starts = None  # nobody knows who answers

    def __init__(self, group, folder):
        program = shutil.which("haproxy") or "/usr/sbin/haproxy"
        if shutil.which(program) is None:
            cannot("haproxy is not installed: script/bootstrap")
        self.port = group.place.port(None, "balancer")
        self.nodes, self.token = {0: self}, group.token
        servers = "\n".join(f"  server node{node.number} {node.host}:{node.port}" for node in group)
        file = folder / "haproxy.cfg"
        file.write_text(CONFIGURATION.format(port=self.port, servers=servers))
        self.process = subprocess.Popen([program, "-db", "-q", "-f", str(file)])

    def client(self, number=0, **more):
        return Client(self, self.token, checked=False, **more)

    def ready(self):
        try:
            return self.client().get("/readyz").status == 200
        except OSError:
            return False

    def close(self):
        self.process.terminate()
        self.process.wait()


@pytest.fixture
def balancer(make_group, tmp_path):
    group = make_group(server_drain="2s")
    balancer = Balancer(group, tmp_path)
    yield group, balancer
    balancer.close()


def assert_handed_over(node):
    """A node that led when it was told to stop led no more when it began to wait for load balancers."""
    records = node.records(since_start=True)
    stopping, waiting = ([each["message"].startswith(words) for each in records].index(True) for words in ("stopping", "serving on until"))
    before, after = ([each["role"] for each in part if each["message"] == "role changed"]
                     for part in (records[:stopping], records[stopping:waiting]))
    if before[-1:] == ["leader"]:
        assert after and after[-1] != "leader", f"node {node.number} led to its end:\n{node.log()[-4000:]}"


def test_a_rolling_restart_fails_no_request(balancer, seed):
    group, balancer = balancer
    wait_until(balancer.ready, "the balancer has found the nodes")
    workload = Workload(balancer, seed, writers=6, readers=4, watchers=4, patient=60).start()
    done = collections.Counter()
    try:
        for round in range(2):
            for node in list(group):
                done["Restart", "leader" if node.number == group.wait_leader() else "follower"] += 1
                node.stop()
                assert_handed_over(node)
                node.start()
                group.wait_caught_up()
                wait_for_changes(workload)
    finally:
        workload.stopping.set()
    workload.stop()
    assert workload.unanswered == []
    workload.group = group  # the nodes themselves are asked what they have
    verdict = judge(group, workload, done)
    assert verdict.faults.total() == FAULTS["a rolling restart"] and verdict.faults["Restart", "leader"] > 0
