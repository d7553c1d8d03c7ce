"""Disturbs a group by a schedule that follows from a seed, and judges what its clients saw."""

import collections
import dataclasses
import os
import random
import threading
import time

import faults
from checker import check
from group import ELECTION_TIMEOUT
from history import save
from node import PATIENCE, wait_until
from workload import Workload


def seed_of_run():
    """CC_SEED when it is given, so that a run can be had again."""
    seed = os.environ.get("CC_SEED") or str(random.randrange(1 << 32))
    print(f"CC_SEED={seed}", flush=True)
    return seed


@dataclasses.dataclass
class Step:
    kind: type
    count: int  # of nodes that it happens to
    leader: bool  # whether the leader is among them
    hold: float  # seconds until it ends
    gap: float  # seconds until the next one begins
    dice: int  # the seed of what else it leaves to chance

    def __str__(self):
        return f"{self.kind.__name__} of {self.count}{' with the leader' if self.leader else ''} for {self.hold:.2f} s"


def plan(seed, group, length, kinds=faults.ALL, widely=0.0):
    """`length` steps. Each disturbs a minority at most, but for a part of them, `widely`, that may disturb all nodes."""
    dice = random.Random(seed)
    possible = [kind for kind in kinds if kind.possible(group)]
    order = []
    timeout = ELECTION_TIMEOUT / 1000
    steps = []
    while len(steps) < length:
        order = order or dice.sample(possible, len(possible))  # each kind comes before any comes again
        kind = order.pop()
        size, minority = len(group.nodes), max(1, (len(group.nodes) - 1) // 2)
        wide = not kind.destroys and dice.random() < widely
        count = 1 if kind.destroys else dice.randint(minority + 1, size) if wide and size > minority else dice.randint(1, minority)
        hold = dice.choice([0, dice.uniform(0, timeout), dice.uniform(timeout, 3 * timeout)])
        steps.append(Step(kind, count, dice.random() < 0.5, hold, dice.choice([0, dice.uniform(0, 2 * timeout)]), dice.randrange(1 << 32)))
    return steps


class Nemesis:
    """Carries out the steps of a plan, one after the other; `done` counts the faults by kind, one for each node hit."""

    def __init__(self, group, steps, tell=print):
        self.group, self.steps, self.tell = group, steps, tell
        self.done = collections.Counter()
        self._began = time.monotonic()

    def run(self):
        for step in self.steps:
            self.group.check_running()
            if step.kind.destroys:  # what one node loses, the others must have
                self.group.wait_caught_up()
            dice = random.Random(step.dice)
            fault = step.kind(self.group, self._victims(step, dice), dice)
            self.tell(f"{time.monotonic() - self._began:7.2f} s  {step}: nodes {fault.numbers}")
            try:
                fault.begin()
                self._wait(max(step.hold, fault.least))
            finally:
                fault.end()
            self.done[step.kind.__name__] += len(fault.numbers)
            if step.kind.destroys:
                self.group.wait_caught_up()
            self._wait(step.gap)

    def _wait(self, seconds):
        threading.Event().wait(seconds * PATIENCE)

    def _victims(self, step, dice):
        numbers = dice.sample(list(self.group.nodes), len(self.group.nodes))
        leader = self.group.leader()
        if leader is not None:
            numbers.remove(leader)
            numbers.insert(0 if step.leader else len(numbers), leader)
        return sorted(numbers[:step.count])


@dataclasses.dataclass
class Verdict:
    faults: collections.Counter
    operations: collections.Counter  # (kind, outcome) → how many
    seconds: float
    silence: float  # the longest without an acknowledged change
    revision: int

    def __str__(self):
        acknowledged = sum(count for (kind, outcome), count in self.operations.items() if outcome == "ok")
        return (f"{sum(self.faults.values())} faults ({', '.join(f'{kind} {count}' for kind, count in sorted(self.faults.items()))}), "
                f"{sum(self.operations.values())} operations, {acknowledged} answered, {acknowledged / self.seconds:.0f}/s; "
                f"{self.seconds:.1f} s, {self.silence:.2f} s at most without a change; linearizable up to revision {self.revision}")


def disturb(group, seed, steps, **load):
    """One schedule under load: disturbs, heals, waits until all nodes are one and identical, and holds the history
    against the checker. What it was is in the group's folder when it fails."""
    print(f"{len(group.nodes)} nodes, seed {seed}", flush=True)
    workload = Workload(group, seed, **load).start()
    nemesis = Nemesis(group, steps)
    try:
        nemesis.run()
        group.wait_caught_up()
        wait_for_changes(workload)
    finally:
        workload.stopping.set()
    workload.stop()
    return judge(group, workload, nemesis.done, workload.now() - workload.began)


def wait_for_changes(workload):
    """A group that is whole takes changes again."""
    since = workload.now()
    wait_until(lambda: workload.acknowledged(since) >= 5, "changes are acknowledged", 60)


def judge(group, workload, done, seconds):
    revision = group.wait_one()
    workload.drain()
    operations, final = workload.operations, workload.final()
    problems = check(operations, final)
    if problems:
        save(group.folder / "history", operations, final)
        (group.folder / "problems").write_text("\n".join(problems))
        raise AssertionError(f"{len(problems)} problems, all of them in {group.folder}:\n" + "\n".join(problems[:20]))
    counts = collections.Counter((op.kind, op.outcome) for op in operations)
    assert counts["publish", "ok"] > 0 and counts["read", "ok"] > 0 and counts["watch", "ok"] > 0, counts
    verdict = Verdict(done, counts, seconds, workload.longest_silence(), revision)
    print(verdict, flush=True)
    return verdict
