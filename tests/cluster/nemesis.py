"""Disturbs a group by a schedule that follows from a seed, and judges what its clients saw."""

import collections
import dataclasses
import random
import time

import faults
from checker import check
from group import ELECTION_TIMEOUT
from history import save
from node import wait_until
from workload import Workload

TIMEOUT = ELECTION_TIMEOUT / 1000  # seconds

@dataclasses.dataclass
class Step:
    kind: type
    count: int  # of nodes that it happens to
    leader: bool  # whether the leader is among them
    wide: bool  # whether they may be so many that the group cannot go on
    hold: float  # seconds until it ends
    gap: float  # seconds until the next one begins
    dice: int  # the seed of what else it leaves to chance

    def __str__(self):
        return f"{self.kind.__name__} of {self.count}{' with the leader' if self.leader else ''} for {self.hold:.2f} s"


def plan(seed, group, length, kinds=faults.ALL, widely=0.0):
    """`length` steps. Each disturbs a minority at most, but for a part of them, `widely`, that may disturb all nodes."""
    dice = random.Random(seed)
    possible = [(kind, leader) for kind in kinds if kind.possible(group) for leader in (True, False)]
    size, minority = len(group.nodes), max(1, (len(group.nodes) - 1) // 2)
    order, steps = [], []
    while len(steps) < length:
        order = order or dice.sample(possible, len(possible))  # each comes before any comes again
        kind, leader = order.pop()
        wide = not kind.destroys and size > minority and dice.random() < widely
        count = 1 if kind.destroys else dice.randint(minority + 1, size) if wide else dice.randint(1, minority)
        hold = kind.least + dice.choice([0, dice.uniform(0, TIMEOUT)])
        steps.append(Step(kind, count, leader, wide, hold, dice.choice([0, dice.uniform(0, TIMEOUT)]), dice.randrange(1 << 32)))
    return steps


class Nemesis:
    """Carries out the steps of a plan, one after the other, while `workload` uses the group, which must go on when only a
    minority is hit. `done` counts the steps by (kind, whether it hit the leader)."""

    def __init__(self, group, steps, workload, tell=print):
        self.group, self.steps, self.workload, self.tell = group, steps, workload, tell
        self.done = collections.Counter()
        self._began = time.monotonic()

    def run(self):
        for step in self.steps:
            self._carry_out(step)
            time.sleep(step.gap)

    def _carry_out(self, step):
        self.group.check_running()
        if step.kind.destroys:  # what one node loses, the others must have
            self.group.wait_caught_up()
        # What hits many may do so at any moment, also while they start; what hits few hits nodes that are well.
        leader = self.group.leader() if step.wide else self.group.wait_leader()
        dice = random.Random(step.dice)
        fault = step.kind(self.group, self._victims(step, leader, dice), dice)
        if not step.wide:
            self.group.wait_serving(fault.numbers)
        self.tell(f"{time.monotonic() - self._began:7.2f} s  {step}: nodes {fault.numbers}")
        try:
            fault.begin()
            begun = time.monotonic()
            time.sleep(step.hold)
            wait_until(fault.took_effect, f"{step} takes effect")
            if len(fault.numbers) <= (len(self.group.nodes) - 1) // 2:
                wait_for_changes(self.workload, begun, f"{step}: the others go on")
        finally:
            fault.end()
        self.done[step.kind.__name__, "leader" if leader in fault.numbers else "follower"] += 1
        if step.kind.destroys:
            self.group.wait_caught_up()

    def _victims(self, step, leader, dice):
        numbers = dice.sample(list(self.group.nodes), len(self.group.nodes))
        if leader is not None:
            numbers.remove(leader)
            numbers.insert(0 if step.leader else len(numbers), leader)
        return sorted(numbers[:step.count])


@dataclasses.dataclass
class Verdict:
    faults: collections.Counter  # (kind, leader or follower) → in how many steps
    operations: collections.Counter  # (kind, outcome) → how many
    seconds: float
    silence: float  # the longest without an acknowledged change
    revision: int

    def hit_leaders_and_followers(self, kinds):
        return self.faults.keys() == {(kind.__name__, whose) for kind in kinds for whose in ("leader", "follower")}

    def __str__(self):
        kinds = ", ".join(f"{kind} of a {whose} {count}" for (kind, whose), count in sorted(self.faults.items()))
        acknowledged = sum(count for (kind, outcome), count in self.operations.items() if outcome == "ok")
        return (f"{self.faults.total()} faults ({kinds}), "
                f"{sum(self.operations.values())} operations, {acknowledged} answered, {acknowledged / self.seconds:.0f}/s; "
                f"{self.seconds:.1f} s, {self.silence:.2f} s at most without a change; linearizable up to revision {self.revision}")


def disturb(group, seed, steps, **load):
    """One schedule under load: disturbs, heals, waits until all nodes are one and identical, and holds the history
    against the checker. What it was is in the group's folder when it fails."""
    print(f"{len(group.nodes)} nodes, seed {seed}", flush=True)
    workload = Workload(group, seed, **load).start()
    nemesis = Nemesis(group, steps, workload)
    try:
        nemesis.run()
        group.wait_caught_up()
        wait_for_changes(workload)  # a group that is whole takes them again
    finally:
        workload.stopping.set()
    workload.stop()
    return judge(group, workload, nemesis.done)


def wait_for_changes(workload, since=None, what="changes are acknowledged"):
    """Until some that began after that, or from now on, are acknowledged."""
    since = since or workload.now()
    wait_until(lambda: workload.acknowledged(since) >= 3, what, 60)


def judge(group, workload, done=None):
    revision = group.wait_one()
    workload.drain(revision)
    operations, final = workload.operations, workload.final()
    problems = check(operations, final)
    if problems:
        save(group.folder / "history", operations, final)
        (group.folder / "problems").write_text("\n".join(problems))
        raise AssertionError(f"{len(problems)} problems, all of them in {group.folder}:\n" + "\n".join(problems[:20]))
    counts = collections.Counter((op.kind, op.outcome) for op in operations)
    assert counts["publish", "ok"] > 0 and counts["read", "ok"] > 0 and counts["watch", "ok"] > 0, counts
    verdict = Verdict(collections.Counter(done), counts, workload.took, workload.longest_silence(), revision)
    print(verdict, flush=True)
    return verdict
