"""kill -9 at random moments under load: what was acknowledged is there, whole, once, and revisions only grow.

KILL_ROUNDS and KILL_SEED change how often and which moments; a failure prints both."""

import hashlib
import os
import random
import re
import threading
import uuid

import pytest

from client import Client, config, releases
from conftest import log_in
from node import PATIENCE, SANITIZER
from test_configs import zipped

ROUNDS = int(os.environ.get("KILL_ROUNDS", "30" if SANITIZER else "100"))
SEED = int(os.environ.get("KILL_SEED", str(random.randrange(1 << 32))))


class Attempt:
    """One request to change something: what was asked, and what was answered, if anything was."""

    def __init__(self, client, contents):
        self.client, self.contents = client, contents  # {key: content}, all in one commit
        self.request_id = str(uuid.uuid4())
        self.outcome = None  # [{"key", "version", "revision", …}]

    def send(self, client):
        headers = {"X-Request-Id": self.request_id}
        if len(self.contents) == 1:
            (key, content), = self.contents.items()
            answer = client.put(config(key), content, headers=headers)
        else:
            files = {key.split("/", 2)[2]: content for key, content in self.contents.items()}
            environment, application, _ = next(iter(self.contents)).split("/", 2)
            answer = client.post(f"/v1/import/{environment}/{application}", zipped(files), headers=headers)
        if answer.status in (200, 201):
            body = answer.json()
            self.outcome = body.get("published", [body])
        return answer

    @property
    def revision(self):
        return self.outcome[0]["revision"]


class Publisher:
    """Publishes until its server is gone. Odd ones publish configs of their own and one that all share; even ones
    import three files at a time, which must come whole or not at all."""

    def __init__(self, number, seed, node, token):
        self.number, self.dice = number, random.Random(seed)
        self.client = Client(node, token, checked=False)  # the document is held elsewhere; here each millisecond counts
        self.acknowledged, self.lost, self.failure = [], None, None
        self._thread = threading.Thread(target=self._run)

    def _contents(self):
        marker = f"{self.number} {uuid.uuid4()}\n"
        content = (marker * self.dice.randrange(1, 120)).encode()
        if self.number % 2:
            name = self.dice.choice(["shared", f"own{self.number}-0", f"own{self.number}-1", f"own{self.number}-2"])
            return {f"dev/kill/default/{name}": content}
        return {f"dev/import{self.number}/default/{part}": content for part in ("a", "b", "c")}

    def _run(self):
        try:
            while True:
                attempt = Attempt(self.number, self._contents())
                try:
                    answer = attempt.send(self.client)
                except OSError:  # the connection ended without an answer
                    self.lost = attempt
                    return
                except Exception as error:
                    if type(error).__module__ == "http.client":
                        self.lost = attempt
                        return
                    raise
                assert answer.status in (200, 201), answer
                self.acknowledged.append(attempt)
        except BaseException as error:
            self.failure = error

    def start(self):
        self._thread.start()

    def join(self):
        self._thread.join(60 * PATIENCE)
        assert not self._thread.is_alive(), "a publisher hangs after the server is gone"
        if self.failure:
            raise self.failure


def check_there(reader, attempt):
    """Every config of it has the acknowledged version, byte for byte, and all have one revision."""
    assert len({one["revision"] for one in attempt.outcome}) == 1
    for one in attempt.outcome:
        content = attempt.contents[one["key"]]
        answer = reader.read(one["key"], version=one["version"])
        assert answer.body == content, f"{one['key']} version {one['version']} is not what was acknowledged"
        assert answer.revision == one["revision"]


def check_once(reader, attempt):
    """Its content stands in each config's history exactly once."""
    for key, content in attempt.contents.items():
        digest = hashlib.sha256(content).hexdigest()
        found = [r for r in reader.items(releases(key), limit=1000) if r["sha256"] == digest]
        assert len(found) == 1, f"{key} has the content of one request {len(found)} times"


def check_whole(reader, attempt):
    """Of a request that was never answered: all of it is there, or nothing."""
    there = 0
    for key, content in attempt.contents.items():
        answer = reader.get(releases(key), query={"limit": 1000})
        if answer.status == 200:
            there += hashlib.sha256(content).hexdigest() in {r["sha256"] for r in answer.json()["items"]}
    assert there in (0, len(attempt.contents)), f"{there} of {len(attempt.contents)} configs of one import are there"


def check_histories(reader):
    """Versions without gaps, revisions that only grow, nothing whose checksum is not its content's."""
    for item in reader.items("/v1/configs", limit=1000):
        history = reader.items(releases(item["key"]), limit=1000)
        assert [r["version"] for r in history] == list(range(len(history), 0, -1)), item["key"]
        revisions = [r["revision"] for r in history]
        assert revisions == sorted(set(revisions), reverse=True), item["key"]
        assert item["revision"] == revisions[0]
        content = reader.read(item["key"]).body
        assert hashlib.sha256(content).hexdigest() == history[0]["sha256"] == item["sha256"]


def test_kill_9_at_random_moments_loses_nothing(make_node):
    print(f"KILL_ROUNDS={ROUNDS} KILL_SEED={SEED}")
    dice = random.Random(SEED)
    node = make_node(raft_snapshot_entries=32, variables={"LOG_LEVEL": "info"})
    admin = log_in(node)
    everything, newest = [], 0
    for round in range(ROUNDS):
        publishers = [Publisher(number, dice.random(), node, admin.token) for number in range(4)]
        for publisher in publishers:
            publisher.start()
        threading.Event().wait(dice.uniform(0.01, 0.25) * PATIENCE)
        node.kill()
        for publisher in publishers:
            publisher.join()
        node.start()
        reader = Client(node, admin.token, checked=False)
        acknowledged = [a for publisher in publishers for a in publisher.acknowledged]
        lost = [publisher.lost for publisher in publishers if publisher.lost]
        # per publisher in its order, and all of them after what there was before
        for publisher in publishers:
            revisions = [a.revision for a in publisher.acknowledged]
            assert revisions == sorted(set(revisions)), "a publisher saw revisions go back"
            assert all(revision > newest for revision in revisions), "a revision was given twice"
        revision = reader.get("/v1/cluster", expect=200).json()["revision"]
        newest = max([newest, *(a.revision for a in acknowledged)])
        assert revision >= newest, "the node went back"
        for attempt in acknowledged:
            check_there(reader, attempt)
        # what was in flight came whole or not at all; asked again, it has one outcome
        for attempt in lost:
            check_whole(reader, attempt)
            answer = attempt.send(reader)
            assert answer.status in (200, 201), answer
            check_there(reader, attempt)
            check_once(reader, attempt)
            first = attempt.outcome
            assert attempt.send(reader).headers["X-Config-Repeated"] == "true"
            assert attempt.outcome == first
        newest = max([newest, *(a.revision for a in lost)])
        everything += acknowledged + lost
        for attempt in dice.sample(everything, min(10, len(everything))):
            check_there(reader, attempt)
    assert len(everything) > ROUNDS, "hardly anything was published"
    seen = [a.revision for a in everything]
    assert len(seen) == len(set(seen)), "two commits have one revision"
    check_histories(Client(node, admin.token, checked=False))
    node.stop()
    node.start()
    reader = Client(node, admin.token, checked=False)
    for attempt in everything:
        check_there(reader, attempt)
    taken = len(re.findall(r'"took a snapshot"', node.log()))
    assert taken >= ROUNDS / 10, "hardly any snapshot was taken: a kill in the middle of one is not tried"
    print(f"{len(everything)} commits over {ROUNDS} kills, {taken} snapshots")
