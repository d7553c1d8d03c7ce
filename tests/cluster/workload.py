"""Clients that use a group while it is disturbed, and write down what they did and were told."""

import contextlib
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
UNDISTURBED = 60  # the same, when nothing happens to the group any more
WATCHED = 0.5  # seconds for one long poll

# What a group in trouble may answer; anything else that is no answer to the question is a fault.
NOT_NOW = (429, 503, 504)


class Workload:
    """Starts on start(); stop() ends all clients and waits for them. The operations are complete then."""

    def __init__(self, group, seed, keys=8, writers=5, readers=2, watchers=3, streamers=2, folder=FOLDER, patient=PATIENT):
        self.group, self.folder, self.patient = group, folder, patient
        self.keys = [f"{folder}k{number}" for number in range(keys)]
        self.run = uuid.uuid4().hex[:8]  # so that no request id comes twice
        self.stopping = threading.Event()
        self.unanswered = []  # (node, what was asked, the answer or error) of each attempt without an answer to it
        self.unexpected = []  # (operation, status, body)
        self.began = time.monotonic()
        kinds = [Writer] * writers + [Reader] * readers + [Watcher] * watchers + [Streamer] * streamers
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
        self.took = self.now() - self.began
        self._check_answers()
        self.patient = UNDISTURBED
        return self

    def drain(self, revision):
        """When all nodes are one again, at least at that revision: each of them tells every watcher what that has not seen
        yet, tells a new one everything, and is read, plainly and strongly. Nothing excuses them from answering now."""
        watchers = [client for client in self.clients if isinstance(client, Watcher)]
        reader, anew = self._one_more(Reader), self._one_more(Watcher)
        asked = []
        for number in self.group.nodes:
            asked += (left := [client.catch_up(number) for client in watchers])
            whole = anew.look(number, self.folder)
            assert whole.outcome == OK and whole.until >= revision, f"revision {revision} is there: {whole}"
            asked += [reader.read(key, number, strong, after=revision) for key in self.keys for strong in (False, True)]
        for client, rest in zip(watchers, left):
            if isinstance(client, Streamer):
                client.conclude(rest, revision)
        for client in self.clients:
            client.hang_up()
        self._check_answers()
        unanswered = [str(op) for op in asked if op.outcome != OK]
        assert not unanswered, "the group is whole and does not answer:\n" + "\n".join(unanswered[:10])

    def _one_more(self, kind):
        client = kind(self, len(self.clients), random.Random(0))
        self.clients.append(client)
        return client

    def _check_answers(self):
        assert not self.unexpected, "\n".join(f"{status} {body[:300]!r} to {op}" for op, status, body in self.unexpected[:10])

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
        """How many changes that began after that."""
        return sum(op.mutates and op.outcome == OK for client in self.clients
                   for op in itertools.takewhile(lambda op: op.start > since, reversed(client.operations)))

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
        self.hang_up()
        if self.failure:
            raise self.failure

    def hang_up(self):
        for client in self._http.values():
            client.close()
        self._http.clear()

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

    def _end(self, op, outcome, answer):
        op.end, op.outcome, op.node, op.run = time.monotonic(), outcome, answer.node, answer.run
        self._newest = max([self._newest, op.revision or 0, op.until or 0, *(change.revision for change in op.changes)])

    def _node(self, other_than=None):
        return self.dice.choice([number for number in list(self.workload.group.nodes) if number != other_than] or [other_than])

    def _send(self, number, method, path, body=b"", **more):
        """The answer; None when there was none, for whatever happened to the request; False when it was never sent."""
        return self._ask(number, f"{method} {path}", lambda client: client.send(method, path, body, **more))

    def _ask(self, number, what, ask):
        node = self.workload.group.nodes.get(number)
        if node is None:  # it has left the group meanwhile
            return False
        run = node.starts
        client = self._http.get(node)
        if client is None:
            client = self._http[node] = Client(node, self.workload.group.token, checked=False, timeout=self.workload.patient)
        try:
            answer = ask(client)
        except (OSError, http.client.HTTPException) as error:
            self.workload.unanswered.append((number, what, repr(error)))
            return False if isinstance(error, ConnectionRefusedError) else None
        answer.node, answer.run = number, run if run == node.starts else None
        if answer.status in NOT_NOW:
            self.workload.unanswered.append((number, what, f"{answer.status} {answer.headers}"))
        return answer

    def _wrong(self, op, answer):
        self.workload.unexpected.append((op, answer.status, getattr(answer, "body", b"")))


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
                return self._answered(op, answer, was_sent)
            was_sent = was_sent or answer is not False
            if self.workload.stopping.wait(0.05):
                break
            number = self._node(other_than=number)

    def _answered(self, op, answer, was_sent):
        if answer.status in (200, 201):
            body = answer.json()
            op.version, op.revision = body["version"], body["revision"]
            self._end(op, OK, answer)
            self._read[op.key] = op.revision if op.kind == "publish" else None
        elif answer.status == 412 or answer.status == 404 and op.kind == "delete":
            # An earlier attempt may still be on its way, and find what this one did not. A revision never comes back.
            self._end(op, UNKNOWN if was_sent and not isinstance(op.precondition, int) else FAILED, answer)
            self._read.pop(op.key, None)
        else:
            self._wrong(op, answer)


class Reader(_Client):
    """Reads strongly, or at least what it has seen before, or what there is; on any node."""

    def act(self):
        key, number = self.dice.choice(self.workload.keys), self._node()
        how = self.dice.choices(["strong", "min_revision", "plain"], [50, 30, 20])[0]
        if how == "min_revision":
            self.read(key, number, False, self._newest, {"min_revision": self._newest})
        else:
            self.read(key, number, how == "strong")

    def read(self, key, number, strong, after=0, query=None):
        """The answer must have what was there `after` some revision, also where the query does not ask for that."""
        op = self._begin("read" if strong else "read_at", key, after=after, node=number)
        answer = self._send(number, "GET", config(key), query={"consistency": "strong"} if strong else query)
        if not answer or answer.status in NOT_NOW:
            return op
        if answer.status == 200:
            op.version, op.revision, op.content = answer.version, answer.revision, digest(answer.body)
        elif answer.status == 404:
            op.revision = int(answer.headers.get("X-Config-Revision", 0))
        else:
            self._wrong(op, answer)
            return op
        self._end(op, OK, answer)
        return op


class Watcher(_Client):
    """Follows all configs, or every other one of them a single one, from node to node."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self._watched = self.workload.folder if self.number % 2 else self.dice.choice(self.workload.keys)
        self._after = 0

    def act(self):
        self._told(self.look(self._node(), self._watched, self._after, f"{int(WATCHED * 1000)}ms"))

    def _told(self, op):
        self._after = max([self._after, op.until or 0, *(change.revision for change in op.changes)])

    def catch_up(self, number):
        """What it has not seen yet; any other node may be asked the same afterwards."""
        return self.look(number, self._watched, self._after)

    def look(self, number, watched, after=0, wait="0s"):
        op = self._begin("watch", watched, after=after, node=number)
        answer = self._of_all(op, number, wait) if op.key.endswith("/") else self._of_one(op, number, wait)
        if answer and answer.status not in NOT_NOW:
            self._end(op, OK, answer)
        return op

    def _of_one(self, op, number, wait):
        answer = self._send(number, "GET", config(op.key), query={"after": op.after, "wait": wait})
        if answer and answer.status == 304:
            op.until = answer.revision
        elif answer and answer.status == 200:
            op.changes = [Release(op.key, answer.version, answer.revision, digest(answer.body))]
        elif answer and answer.status == 404 and "X-Config-Deleted" in answer.headers:
            op.changes = [Release(op.key, None, answer.revision, None)]
        elif answer and answer.status not in NOT_NOW:  # a plain 404, too: where nothing is, there is nothing new (304)
            self._wrong(op, answer)
            return None
        return answer

    def _of_all(self, op, number, wait):
        answer = self._send(number, "POST", "/v1/watch", {"wait": wait, "items": [{"prefix": op.key, "revision": op.after}]})
        if answer and answer.status == 200:
            told = answer.json()
            op.until = told["revision"]
            op.changes = [told_release(change) for change in told["changes"]]
        elif answer and answer.status not in NOT_NOW:
            self._wrong(op, answer)
            return None
        return answer


class Streamer(Watcher):
    """The same by event streams, each of which goes on where the one before it ended. What was replaced before it could be
    sent is left out, also of what is older than the newest that was sent: that nothing is missing shows at the end."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self._all = []

    def act(self):
        op = self._begin("watch", self._watched, after=self._after, node=self._node())
        stream = self._ask(op.node, f"a stream of {op.key}", self._open)
        if not stream:
            return
        with stream:
            if stream.status == 200:
                self._follow(stream, op)
                self._end(op, OK, stream)
                self._told(op)
                self._all += op.changes
            elif stream.status not in NOT_NOW:
                self._wrong(op, stream)

    def _open(self, client):
        if self._watched.endswith("/"):
            return client.events("/v1/watch", {"items": [{"prefix": self._watched, "revision": self._after}]}, method="POST")
        return client.events(config(self._watched), headers={"Last-Event-ID": str(self._after)})

    def _follow(self, stream, op):
        """For some events; until nothing comes for a while or the node is gone."""
        if stream.connection.sock:
            stream.connection.sock.settimeout(WATCHED * PATIENCE)
        with contextlib.suppress(OSError, http.client.HTTPException):
            for _ in range(self.dice.randrange(1, 50)):
                event = stream.next()
                if event is None or self.workload.stopping.is_set():
                    return
                assert int(event["id"]) == event["data"]["revision"], event
                op.changes.append(told_release(event["data"]))

    def conclude(self, rest, revision):
        """All that it was told as one operation, with the rest that it was told when the group was at that revision."""
        life = self._begin("watch", self._watched)
        life.changes = self._all + rest.changes
        life.until = rest.until or max([revision, *(change.revision for change in rest.changes)])
        life.end, life.outcome = time.monotonic(), OK


def told_release(change):
    """What a watcher is told of one config."""
    return Release(change["key"], change["version"], change["revision"], None if change["deleted"] else change["sha256"])
