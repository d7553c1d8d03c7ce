"""Histories that are right by construction: clients of a config center that is only simulated, in simulated time."""

import bisect
import heapq
import itertools
import random

from history import ABSENT, FAILED, OK, UNKNOWN, Operation, Release
from register import State, step


class Simulation:
    """run() → (operations, final). Each operation takes effect in one moment between its start and its end; of one whose
    outcome stays unknown that may be long after its client has given up, or never."""

    def __init__(self, seed, clients=8, operations=400, keys=3, unknown=0.05):
        self._dice = random.Random(seed)
        self._clients, self._count, self._unknown = clients, operations, unknown
        self._keys = [f"dev/simulated/default/k{number}" for number in range(keys)]
        self._final = {key: [] for key in self._keys}
        self._states = {key: State() for key in self._keys}
        self._revision = 0
        self._seen = {}  # (client, key) → what its last read told
        self._newest = [0] * clients
        self._operations, self._events, self._ties = [], [], itertools.count()

    def run(self):
        for client in range(self._clients):
            self._at(self._dice.random(), lambda client=client: self._start(client))
        while self._events:
            self._now, _, event = heapq.heappop(self._events)
            event()
        return self._operations, self._final

    def _at(self, time, event):
        heapq.heappush(self._events, (time, next(self._ties), event))

    def _soon(self):
        return self._now + self._dice.expovariate(1)

    def _start(self, client):
        if len(self._operations) == self._count:
            return
        key = self._dice.choice(self._keys)
        kind = self._dice.choices(["publish", "delete", "read", "read_at", "watch"], [10, 2, 8, 4, 4])[0]
        op = Operation(f"op{len(self._operations)}", client, kind, key, self._now)
        if kind == "publish":
            op.content = f"content of {op.id}"
        if op.mutates and self._dice.random() < 0.4:
            op.precondition = self._seen.get((client, key), ABSENT if kind == "publish" else None)
        if kind in ("read_at", "watch"):
            op.after = self._newest[client]
        if kind == "watch" and self._dice.random() < 0.5:
            op.key = key.rsplit("/", 1)[0] + "/"
        self._operations.append(op)
        if op.mutates and self._dice.random() < self._unknown:
            if self._dice.random() < 0.6:
                self._at(self._now + self._dice.expovariate(0.05), lambda: self._mutate(op, told=False))
            self._at(self._now + 10, lambda: self._start(client))
        else:
            self._at(self._soon(), lambda: self._effect(op))

    def _effect(self, op):
        {"publish": self._mutate, "delete": self._mutate, "read": self._read, "read_at": self._read_at,
         "watch": self._watch}[op.kind](op)
        self._at(self._soon(), lambda: self._end(op))

    def _end(self, op):
        op.end = self._now
        if op.outcome == UNKNOWN:
            op.outcome = OK
        if op.outcome == OK:
            self._newest[op.client] = max([self._newest[op.client], op.revision or 0, op.until or 0,
                                           *(change.revision for change in op.changes)])
            if op.kind in ("publish", "read") and op.revision:
                self._seen[op.client, op.key] = op.revision
        self._at(self._soon(), lambda: self._start(op.client))

    def _mutate(self, op, told=True):
        after = step(self._states[op.key], op)  # its outcome is unknown so far, and its revision open
        if after is None:
            op.outcome = FAILED if told else UNKNOWN
            return
        self._revision += self._dice.randrange(1, 4)
        state = self._states[op.key] = after._replace(revision=self._revision)
        self._final[op.key].append(Release(op.key, state.version, state.revision, state.content, op.id))
        if told:
            op.version, op.revision = state.version, state.revision

    def _read(self, op):
        state = self._states[op.key]
        op.version, op.revision, op.content = state.version or None, state.revision, state.content

    def _at_revision(self, key, revision):
        place = bisect.bisect_right(self._final[key], revision, key=lambda release: release.revision)
        return self._final[key][place - 1] if place else None

    def _read_at(self, op):
        release = self._at_revision(op.key, self._dice.randint(op.after, self._revision))
        op.revision = 0
        if release:
            op.version, op.revision, op.content = release.version, release.revision, release.content

    def _watch(self, op):
        until = self._dice.randint(op.after, self._revision)
        newest = [self._at_revision(key, until) for key in self._keys if key == op.key or op.key.endswith("/")]
        op.changes = sorted((r for r in newest if r and r.revision > op.after), key=lambda r: r.revision)
        op.until = until
