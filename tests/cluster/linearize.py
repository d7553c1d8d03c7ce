"""Is there an order in which the operations on one config could have taken place, one after another, each between its
start and its end? The search of Wing and Gong, with Lowe's memory of what was tried."""

import math

from history import UNKNOWN
from register import State, step


class Stuck:
    """No order exists. `state` is the one after the longest that was found, `first` the operation that had ended and
    fits nowhere, `others` those that were under way beside it."""

    def __init__(self, state, first, others):
        self.state, self.first, self.others = state, first, others

    def __str__(self):
        lines = [f"no order explains: {self.first}", f"    after {self.state}"]
        return "\n".join(lines + [f"    beside {other}" for other in self.others[:8]])


def linearize(operations):
    """None when there is an order, else Stuck. Those with an unknown outcome may be left out of it."""
    events = _Events(operations)
    place, placed = _exchangeable(operations), 0
    required = sum(op.outcome != UNKNOWN for op in operations)
    state, done = State(), 0  # a bit for each operation that has its place
    tried = {(done, state)}
    path = []  # (call, state before it, done before it)
    deepest, stuck = -1, None
    call = events.first
    while required:
        if call is not None and not events.is_end(call):
            op = operations[call]
            after = step(state, op) if place.get(call, placed) == placed else None
            if after is not None and (now := (done | 1 << call, after)) not in tried:
                tried.add(now)
                path.append((call, state, done))
                required -= op.outcome != UNKNOWN
                placed += call in place
                done, state = now
                events.remove(call)
                call = events.first
            else:
                call = events.next(call)
            continue
        # An operation has ended and nothing that was under way by then can come next.
        if len(path) > deepest:
            deepest, stuck = len(path), Stuck(state, *events.pending(call))
        while True:
            if not path:
                return stuck
            after = state
            call, state, done = path.pop()
            events.put_back(call)
            required += operations[call].outcome != UNKNOWN
            placed -= call in place
            if after != state:  # else it had its place as early as could be, and later is no better
                break
        call = events.next(call)
    return None


def _exchangeable(operations):
    """{operation: its place among them}: publishes without an answer that nobody has read. If one of them took place, so
    might any that began before it have instead: they need only be tried in the order of their starts, not in every."""
    read = {op.content for op in operations if op.kind == "read"}
    alike = [i for i, op in enumerate(operations) if op.outcome == UNKNOWN and op.kind == "publish" and
             op.precondition is None and op.version is None and op.content not in read]
    alike.sort(key=lambda i: operations[i].start)
    return {i: place for place, i in enumerate(alike)}


class _Events:
    """Starts and ends in the order of time, as a list from which operations are taken and put back in constant time.
    The start of operation i has the number i, its end −1 − i. Starts come before ends of the same time."""

    def __init__(self, operations):
        self._operations = operations
        events = [(op.start, 0, i) for i, op in enumerate(operations)]
        events += [(op.end, 1, ~i) for i, op in enumerate(operations) if op.outcome != UNKNOWN and op.end != math.inf]
        events.sort()
        order = [None, *(number for _, _, number in events), None]
        self._next, self._previous = {}, {}
        for before, number in zip(order, order[1:]):
            self._next[before], self._previous[number] = number, before

    @property
    def first(self):
        return self._next[None]

    def next(self, number):
        return self._next[number]

    @staticmethod
    def is_end(number):
        return number < 0

    def remove(self, i):
        for number in (i, ~i):
            if number in self._next:
                before, after = self._previous[number], self._next[number]
                self._next[before], self._previous[after] = after, before

    def put_back(self, i):
        for number in (~i, i):
            if number in self._next:
                self._next[self._previous[number]] = self._previous[self._next[number]] = number

    def pending(self, end):
        """The operation that has ended, and what else was under way."""
        calls, number = [], self.first
        while number is not None and not self.is_end(number):
            calls.append(number)
            number = self._next[number]
        first = ~end if end is not None else next(i for i in calls if self._operations[i].outcome != UNKNOWN)
        return self._operations[first], [self._operations[i] for i in calls if i != first]
