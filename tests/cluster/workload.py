"""Clients that use a group while it is disturbed, and write down what they did and were told."""

import http.client
import itertools
import random
import threading
import time
import uuid

from client import Client, config, releases
from history import ABSENT, FAILED, OK, UNKNOWN, Operation, Release, digest
from node import PATIENCE

FOLDER = "dev/workload/default/"
PAUSE = 0.02  # seconds between two calls of one client, on average
PATIENT = 1.5  # seconds for one attempt
WATCHED = 0.5  # seconds for one long poll

# What a group in trouble may answer; anything else that is no answer to the question is a fault.
NOT_NOW = (429, 503, 504)


class Workload:
    """Starts on start(); stop() ends all clients and waits for them. The operations are complete then."""

    def __init__(self, group, seed, keys=8, writers=5, readers=2, watchers=3, folder=FOLDER, patient=PATIENT):
        self.group, self.folder, self.patient = group, folder, patient
        self.keys = [f"{folder}k{number}" for number in range(keys)]
        self.run = uuid.uuid4().hex[:8]  # so that no request id comes twice
        self.stopping = threading.Event()
        self.unanswered = []  # (node, what was asked, the answer or error) of each attempt without an answer to it
        self.unexpected = []  # (operation, status, body)
        self.began = time.monotonic()
        kinds = [Writer] * writers + [Reader] * readers + [Watcher] * watchers
        self.clients = [kind(self, number, random.Random(f"{seed} {number}")) for number, kind in enumerate(kinds)]

    @property
    def operations(self):
        return [op for client in self.clients for op in client.operations]

    @staticmethod
    def now():
        return time.monotonic()

    def start(self):
        for client in self.clients:
            client.start()
        return self

    def stop(self):
        self.stopping.set()
        for client in self.clients:
            client.join()
        assert not self.unexpected, "\n".join(f"{status} {body[:300]!r} to {op}" for op, status, body in self.unexpected[:10])
        return self

    def drain(self):
        """When all nodes are one again: every watcher sees what is left, on every node; each node is read once."""
        for client in self.clients:
            if isinstance(client, Watcher):
                for number in self.group.nodes:
                    client.watch(number, wait="0s")
        reader = Reader(self, len(self.clients), random.Random(0))
        self.clients.append(reader)
        for number, key in itertools.product(self.group.nodes, self.keys):
            reader.read(key, number)

    def final(self):
        """{key: releases, oldest first} of the whole history."""
        client = self.group.client(next(iter(self.group.nodes)))
        final = {}
        for key in self.keys:
            if client.get(releases(key)).status == 404:
                continue
            final[key] = [Release(key, item["version"], item["revision"], None if item["deleted"] else item["sha256"],
                                  item["comment"]) for item in reversed(client.items(releases(key), limit=1000))]
        return final

    def acknowledged(self, since=0):
        return sum(op.mutates and op.outcome == OK and op.end > since for op in self.operations)

    def longest_silence(self):
        """Seconds that the group took at most between two acknowledged changes."""
        ends = sorted(op.end for op in self.operations if op.mutates and op.outcome == OK)
        return max((b - a for a, b in zip([self.began, *ends], ends)), default=0)


class _Client:
    """One client: one operation at a time, on a thread of its own."""

    def __init__(self, workload, number, dice):
        self.workload, self.number, self.dice = workload, number, dice
        self.operations = []
        self.failure = None
        self._newest = 0  # of the revisions that it has seen
        self._http = {}
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self._thread.start()

    def join(self):
        self._thread.join(60 * PATIENCE)
        assert not self._thread.is_alive(), f"client {self.number} hangs"
        for client in self._http.values():
            client.close()
        if self.failure:
            raise self.failure

    def _run(self):
        try:
            while not self.workload.stopping.wait(self.dice.uniform(0, 2 * PAUSE * PATIENCE)):
                self.act()
        except BaseException as error:
            self.failure = error

    def _begin(self, kind, key, **fields):
        op = Operation(f"{self.workload.run}-{self.number}-{len(self.operations)}", self.number, kind, key, time.monotonic(), **fields)
        self.operations.append(op)
        return op

    def _end(self, op, outcome):
        op.end, op.outcome = time.monotonic(), outcome
        self._newest = max([self._newest, op.revision or 0, op.until or 0, *(change.revision for change in op.changes)])

    def _node(self, other_than=None):
        return self.dice.choice([number for number in list(self.workload.group.nodes) if number != other_than] or [other_than])

    def _send(self, number, method, path, body=b"", **more):
        """The answer; None when there was none, for whatever happened to the request; False when it was never sent."""
        node = self.workload.group.nodes.get(number)
        if node is None:  # it has left the group meanwhile
            return False
        client = self._http.get(node)
        if client is None:
            client = self._http[node] = Client(node, self.workload.group.token, checked=False, timeout=self.workload.patient)
        try:
            answer = client.send(method, path, body, **more)
        except (OSError, http.client.HTTPException) as error:
            self.workload.unanswered.append((number, f"{method} {path}", repr(error)))
            return False if isinstance(error, ConnectionRefusedError) else None
        if answer.status in NOT_NOW:
            self.workload.unanswered.append((number, f"{method} {path}", f"{answer.status} {answer.body[:300]!r}"))
        return answer

    def _wrong(self, op, answer):
        self.workload.unexpected.append((op, answer.status, answer.body))


class Writer(_Client):
    """Publishes and deletes, and now and then reads what to put into If-Match."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self._read = {}  # key → revision of what it last saw, None when there was nothing

    def act(self):
        key = self.dice.choice(self.workload.keys)
        kind = self.dice.choices(["publish", "if_match", "make", "delete"], [60, 25, 5, 10])[0]
        if kind == "delete":
            self._change(self._begin("delete", key))
        elif kind == "make":
            self._publish(key, ABSENT)
        elif kind == "if_match" and self._read.get(key):
            self._publish(key, self._read[key])
        else:
            self._publish(key, None)

    def _publish(self, key, precondition):
        content = f"client {self.number}, operation {len(self.operations)} of {self.workload.run}\n".encode() * self.dice.randrange(1, 20)
        self._change(self._begin("publish", key, content=digest(content), precondition=precondition), content)

    def _change(self, op, content=b""):
        """What stays unknown is asked again of another node, mostly, under the same id: that is the same operation."""
        headers = {"X-Request-Id": op.id}
        if op.precondition == ABSENT:
            headers["If-None-Match"] = "*"
        elif op.precondition is not None:
            headers["If-Match"] = f'"{op.precondition}"'
        method = "PUT" if op.kind == "publish" else "DELETE"
        number, was_sent = self._node(), False
        for _ in range(self.dice.choice([1, 3, 6, 6])):
            answer = self._send(number, method, config(op.key), content, headers=headers, query={"comment": op.id})
            if answer and answer.status not in NOT_NOW:
                op.node = number
                return self._answered(op, answer, was_sent)
            was_sent = was_sent or answer is not False
            if self.workload.stopping.wait(0.05):
                break
            number = self._node(other_than=number)

    def _answered(self, op, answer, was_sent):
        if answer.status in (200, 201):
            body = answer.json()
            op.version, op.revision = body["version"], body["revision"]
            self._end(op, OK)
            self._read[op.key] = op.revision if op.kind == "publish" else None
        elif answer.status == 412 or answer.status == 404 and op.kind == "delete":
            # An earlier attempt may still be on its way, and find what this one did not. A revision never comes back.
            self._end(op, UNKNOWN if was_sent and not isinstance(op.precondition, int) else FAILED)
            self._read.pop(op.key, None)
        else:
            self._wrong(op, answer)


class Reader(_Client):
    """Reads strongly, or at least what it has seen before; on any node."""

    def act(self):
        key = self.dice.choice(self.workload.keys)
        self.read(key, self._node(), strong=self.dice.random() < 0.6)

    def read(self, key, number, strong=True):
        op = self._begin("read" if strong else "read_at", key, after=0 if strong else self._newest, node=number)
        query = {"consistency": "strong"} if strong else {"min_revision": op.after}
        answer = self._send(number, "GET", config(key), query=query)
        if not answer or answer.status in NOT_NOW:
            return
        if answer.status == 200:
            op.version, op.revision, op.content = answer.version, answer.revision, digest(answer.body)
        elif answer.status == 404:
            op.revision = int(answer.headers.get("X-Config-Revision", 0))
        else:
            return self._wrong(op, answer)
        self._end(op, OK)


class Watcher(_Client):
    """Follows all configs, or every other one of them a single one, from node to node."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self._watched = self.workload.folder if self.number % 2 else self.dice.choice(self.workload.keys)
        self._after = 0

    def act(self):
        self.watch(self._node(), f"{int(WATCHED * 1000)}ms")

    def watch(self, number, wait):
        op = self._begin("watch", self._watched, after=self._after, node=number)
        answer = self._of_all(op, number, wait) if op.key.endswith("/") else self._of_one(op, number, wait)
        if answer and answer.status not in (200, 304, 404, *NOT_NOW):
            self._wrong(op, answer)
        elif answer and answer.status not in NOT_NOW:
            self._end(op, OK)
            self._after = max([self._after, op.until or 0, *(change.revision for change in op.changes)])

    def _of_one(self, op, number, wait):
        answer = self._send(number, "GET", config(op.key), query={"after": op.after, "wait": wait})
        if answer and answer.status == 304:
            op.until = answer.revision
        elif answer and answer.status == 200:
            op.changes = [Release(op.key, answer.version, answer.revision, digest(answer.body))]
        elif answer and answer.status == 404 and "X-Config-Deleted" in answer.headers:
            op.changes = [Release(op.key, None, answer.revision, None)]
        elif answer and answer.status == 404:  # there is nothing to wait for yet, and no wait was asked for
            return None
        return answer

    def _of_all(self, op, number, wait):
        answer = self._send(number, "POST", "/v1/watch", {"wait": wait, "items": [{"prefix": op.key, "revision": op.after}]})
        if answer and answer.status == 200:
            told = answer.json()
            op.until = told["revision"]
            op.changes = [Release(change["key"], change["version"], change["revision"],
                                  None if change["deleted"] else change["sha256"]) for change in told["changes"]]
        return answer
