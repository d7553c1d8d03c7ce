"""The checker itself: it passes what is right, and catches what was planted."""

import contextlib
import dataclasses
import math
import random

import pytest

from checker import check
from history import ABSENT, FAILED, OK, UNKNOWN, Operation, Release, load, save
from linearize import linearize
from register import State, step
from simulated import Simulation

KEY = "dev/shop/default/a"
OTHER = "dev/shop/default/b"


class Story:
    """A short history, told operation by operation; times are given as (start, end)."""

    def __init__(self):
        self.operations, self.final = [], {}

    def _add(self, kind, times, **fields):
        start, end = times if isinstance(times, tuple) else (times, times + 0.5)
        op = Operation(id=f"op{len(self.operations)}", client=0, kind=kind, start=start, end=end,
                       **{"key": KEY, "outcome": OK, **fields})
        self.operations.append(op)
        return op

    def publish(self, times, content, revision=None, version=None, happened=True, **fields):
        op = self._add("publish", times, content=content, revision=revision, version=version, **fields)
        return self._happened(op, content, revision, version) if happened and op.outcome == OK else op

    def delete(self, times, revision=None, version=None, **fields):
        op = self._add("delete", times, revision=revision, version=version, **fields)
        return self._happened(op, None, revision, version) if op.outcome == OK else op

    def _happened(self, op, content, revision, version):
        op.version = version or self._next(op)
        self.final.setdefault(op.key, []).append(Release(op.key, op.version, revision, content, op.id))
        return op

    def _next(self, op):
        releases = self.final.setdefault(op.key, [])
        return (releases[-1].version if releases else 0) + (op.kind == "publish")

    def took_effect(self, op, revision):
        """What was never answered is there all the same."""
        version = self._next(op)
        self.final[op.key].append(Release(op.key, version, revision, op.content, op.id))

    def read(self, times, content, revision, **fields):
        return self._add("read", times, content=content, revision=revision, **fields)

    def read_at(self, times, content, revision, after, **fields):
        return self._add("read_at", times, content=content, revision=revision, after=after, **fields)

    def watch(self, times, after, changes=(), until=None, **fields):
        told = [release for releases in self.final.values() for release in releases if release.revision in changes]
        return self._add("watch", times, after=after, until=until,
                         changes=sorted(told, key=lambda r: changes.index(r.revision)), **fields)

    def problems(self):
        return list(check(self.operations, self.final))

    def passes(self):
        assert self.problems() == []

    def is_caught(self, words):
        assert words in "\n".join(self.problems())


@pytest.fixture
def story():
    return Story()


# --- what is right passes ---

def test_one_after_another(story):
    story.read(0, None, 0)
    story.publish(1, "a", 10)
    story.read(2, "a", 10)
    story.publish(3, "b", 12, precondition=10)
    story.delete(4, 15)
    story.read(5, None, 15)
    story.publish(6, "c", 16, precondition=ABSENT)
    story.read(7, "c", 16)
    story.passes()


def test_at_the_same_time_any_order_will_do(story):
    story.publish((0, 10), "a", 11, version=2, happened=False)
    story.publish((0, 10), "b", 10, version=1, happened=False)
    story.final[KEY] = [Release(KEY, 1, 10, "b", "op1"), Release(KEY, 2, 11, "a", "op0")]
    story.read((1, 2), "b", 10)
    story.read((3, 4), "a", 11)
    story.passes()


@pytest.mark.parametrize("final_is_known", [True, False])
def test_an_unknown_outcome_may_have_happened_long_after(story, final_is_known):
    late = story.publish((0, math.inf), "late", outcome=UNKNOWN)
    story.publish(1, "a", 10)
    story.read(2, "a", 10)
    story.took_effect(late, 20)
    story.read(50, "late", 20)
    story.passes() if final_is_known else None
    assert linearize(story.operations) is None


@pytest.mark.parametrize("final_is_known", [True, False])
def test_an_unknown_outcome_may_never_have_happened(story, final_is_known):
    for number in range(30):
        story.publish((0, math.inf), f"never {number}", outcome=UNKNOWN)
    story.publish(1, "a", 10)
    story.read(2, "a", 10)
    story.passes() if final_is_known else None
    assert linearize(story.operations) is None


def test_an_unknown_deletion_explains_that_nothing_is_there(story):
    story.publish(0, "a", 10)
    deletion = story.delete((1, math.inf), outcome=UNKNOWN)
    story.read(2, "a", 10)
    story.took_effect(deletion, 11)
    story.read(3, None, 11)
    story.delete(4, outcome=FAILED)
    story.publish(5, "b", 12, precondition=10, outcome=FAILED)
    story.passes()


def test_watchers_may_miss_what_was_replaced(story):
    story.publish(0, "a", 10)
    story.publish(1, "b", 11)
    story.publish(2, "c", 12, key=OTHER)
    story.watch(3, 0, [11])
    story.watch(3, 0, [11, 12], until=12, key="dev/shop/default/")
    story.watch(3, 10, [], until=10)
    story.watch(3, 11, [], until=12)
    story.passes()


@pytest.mark.parametrize("unknown", [0, 0.05, 0.5])
def test_whatever_a_right_center_does_passes(unknown, seed):
    for number in range(40):
        dice = random.Random(f"{seed} {number}")
        simulation = Simulation(dice.random(), clients=dice.choice([1, 3, 8, 20]), keys=dice.choice([1, 2, 5]),
                                operations=dice.choice([10, 100, 400]), unknown=unknown)
        operations, final = simulation.run()
        assert list(check(operations, final)) == [], f"number {number}"


def test_without_a_final_history_the_search_alone_passes_it():
    for seed in range(20):
        operations, _ = Simulation(seed, clients=4, operations=150, keys=1, unknown=0.03).run()
        assert linearize([op for op in operations if op.mutates or op.kind == "read"]) is None, seed


def _random_operation(dice, number):
    """Of any outcome, whether it makes sense or not."""
    start = dice.randrange(8)
    op = Operation(f"op{number}", number, dice.choice(["publish", "publish", "read", "delete"]), KEY, start, start + dice.randrange(1, 6),
                   dice.choice([OK, OK, OK, FAILED, UNKNOWN]))
    if op.kind == "read":
        op.outcome, op.revision, op.content = OK, *dice.choice([(0, None), (1, None), (1, "c0"), (1, "c1"), (2, "c1"), (2, "c2")])
        return op
    op.content = f"c{number}" if op.kind == "publish" else None
    op.precondition = dice.choice([None, None, ABSENT, 1, 2]) if op.kind == "publish" else dice.choice([None, 1])
    if op.outcome == OK:
        op.version = op.revision = dice.randrange(1, 4)
    if op.outcome == UNKNOWN:
        op.end = math.inf
    return op


def _some_order_fits(operations, state=State()):
    """What linearize() decides, by trying every order."""
    if all(op.outcome == UNKNOWN for op in operations):
        return True
    first_end = min(op.end for op in operations)
    for op in operations:
        if op.start <= first_end and (after := step(state, op)) is not None:
            if _some_order_fits([other for other in operations if other is not op], after):
                return True
    return False


def test_the_search_decides_as_if_it_tried_every_order(seed):
    verdicts = {True: 0, False: 0}
    for number in range(20_000):
        dice = random.Random(f"{seed} {number}")
        operations = [_random_operation(dice, n) for n in range(dice.randrange(1, 7))]
        fits = _some_order_fits(operations)
        assert (linearize(operations) is None) == fits, f"number {number}: {[str(op) for op in operations]}"
        verdicts[fits] += 1
    assert min(verdicts.values()) > 1000, verdicts


def test_twenty_thousand_operations():
    operations, final = Simulation(7, clients=24, operations=20_000, keys=8, unknown=0.02).run()
    assert list(check(operations, final)) == []


def test_twenty_thousand_operations_on_one_config():
    operations, final = Simulation(8, clients=24, operations=20_000, keys=1, unknown=0.02).run()
    assert list(check(operations, final)) == []


# --- what is wrong is caught ---

def test_a_lost_write(story):
    story.publish(0, "a", 10)
    story.publish(1, "lost", 11, version=2, happened=False)
    story.publish(2, "b", 12)
    story.is_caught("acknowledged and lost: publish dev/shop/default/a by client 0 at 1.0")


def test_a_lost_write_is_caught_without_a_final_history(story):
    story.publish(0, "a", 10)
    story.publish(1, "lost", 11)
    read = story.read(2, "a", 10)
    assert linearize(story.operations).first is read


def test_a_stale_strong_read(story):
    story.publish(0, "a", 10)
    story.publish(1, "b", 11)
    story.read(2, "a", 10)
    story.is_caught("no order explains: read")


def test_a_strong_read_that_saw_what_the_next_does_not(story):
    story.publish(0, "a", 10)
    story.publish((1, 9), "b", 11)
    story.read((2, 3), "b", 11)
    story.read((4, 5), "a", 10)
    story.is_caught("no order explains: read")


def test_a_strong_read_of_what_is_to_come(story):
    story.publish(0, "a", 10)
    story.read(1, "b", 11)
    story.publish(2, "b", 11)
    story.is_caught("no order explains: read")


def test_a_publish_that_took_effect_twice(story):
    story.publish(0, "a", 10)
    twice = story.publish(1, "b", 11)
    story.took_effect(twice, 12)
    story.is_caught("took effect 2 times")


def test_a_lost_update(story):
    """Two who had both seen revision 10 both succeed."""
    story.publish(0, "a", 10)
    story.publish((1, 3), "b", 11, precondition=10)
    story.publish((1, 3), "c", 12, precondition=10)
    story.is_caught("no order explains: publish")


def test_two_who_both_made_it(story):
    story.publish((0, 3), "a", 10, precondition=ABSENT)
    story.publish((0, 3), "b", 11, precondition=ABSENT)
    story.is_caught("no order explains: publish")


def test_a_refusal_without_a_reason(story):
    story.publish(0, "a", 10)
    story.publish(1, "b", precondition=10, outcome=FAILED)
    story.read(2, "a", 10)
    story.is_caught("no order explains: publish")


def test_a_refusal_that_took_effect(story):
    story.publish(0, "a", 10)
    refused = story.publish(1, "b", precondition=9, outcome=FAILED)
    story.took_effect(refused, 11)
    story.is_caught("was refused and took effect")


def test_a_revision_that_is_given_twice(story):
    story.publish(0, "a", 10)
    story.publish((0, 1), "b", 10, key=OTHER)
    story.is_caught("revision 10 is two things")


def test_a_revision_that_is_older_than_what_was_seen_before(story):
    story.publish(0, "a", 10)
    story.publish(1, "b", 9, key=OTHER)
    story.is_caught("revision 10 was there before this began")


def test_a_revision_that_was_read_counts_as_seen(story):
    story.publish((0, 9), "a", 10)
    story.read((1, 2), "a", 10)
    story.publish((3, 9), "b", 9, key=OTHER)
    story.is_caught("revision 10 was there before this began")


def test_a_change_that_was_never_answered_takes_no_revision_from_before_it_began(story):
    story.publish(0, "a", 10)
    late = story.publish((1, math.inf), "b", outcome=UNKNOWN, key=OTHER)
    story.took_effect(late, 9)
    story.is_caught("revision 10 was there before this began")


def test_what_nobody_was_told_was_not_seen(story):
    story.took_effect(story.publish((0, math.inf), "late", outcome=UNKNOWN, key=OTHER), 12)
    story.publish(1, "a", 10)
    story.passes()


def test_a_node_that_goes_back(story):
    story.publish(0, "a", 10)
    story.publish(1, "b", 11)
    story.read_at(2, "b", 11, after=0, node=1, run=1)
    story.read_at(3, "a", 10, after=0, node=1, run=2)
    story.read_at(3, "a", 10, after=0, node=2, run=1)
    story.passes()
    story.read_at(4, "a", 10, after=0, node=1, run=1)
    story.is_caught("the node had Release(key='dev/shop/default/a', version=2")


def test_a_node_that_goes_back_behind_what_a_watcher_was_told_by_it(story):
    story.publish(0, "a", 10)
    story.publish(1, "b", 11)
    story.watch(2, 12, until=12, node=1, run=1)  # it repeats what the watcher had
    story.read_at(3, "a", 10, after=0, node=1, run=1)
    story.passes()
    story.watch(4, 10, [11], until=11, node=1, run=1)
    story.watch(5, 9, [10], until=10, node=1, run=1)
    story.is_caught("the node had revision 11 before this began")


def test_an_answer_that_is_not_what_the_history_has(story):
    op = story.publish(0, "a", 10)
    story.final[KEY] = [Release(KEY, 1, 10, "something else", op.id)]
    story.is_caught("took effect as something else")


def test_a_hole_in_the_final_history(story):
    story.publish(0, "a", 10)
    story.publish(1, "b", 11, version=3)
    story.is_caught("comes after version 1: Release(key='dev/shop/default/a', version=3")


def test_what_nobody_did(story):
    story.final[KEY] = [Release(KEY, 1, 10, "a", None)]
    story.is_caught("nobody has done this")


def test_a_watcher_who_is_told_twice(story):
    story.publish(0, "a", 10)
    story.watch(1, 10, [10])
    story.is_caught("told again of revision 10")


def test_a_watcher_who_is_told_in_another_order(story):
    story.publish(0, "a", 10)
    story.publish(1, "b", 11, key=OTHER)
    story.watch(2, 0, [11, 10], until=11, key="dev/shop/default/")
    story.is_caught("told of revision 10 after 11")


def test_a_watcher_who_is_not_told(story):
    story.publish(0, "a", 10)
    story.publish(1, "b", 11, key=OTHER)
    story.watch(2, 0, [11], until=11, key="dev/shop/default/")
    story.is_caught("not told of Release(key='dev/shop/default/a'")


def test_a_watcher_who_waits_past_a_change(story):
    story.publish(0, "a", 10)
    story.publish(1, "b", 11)
    story.watch(2, 10, [], until=11)
    story.is_caught("not told of")


def test_a_watcher_who_is_told_of_what_never_was(story):
    story.publish(0, "a", 10)
    watch = story.watch(1, 0, [10])
    watch.changes = [dataclasses.replace(watch.changes[0], content="x")]
    story.is_caught("told of what was never there")


def test_a_read_that_is_older_than_it_asked_for(story):
    story.publish(0, "a", 10)
    story.publish(1, "b", 11)
    story.read_at(2, "a", 10, after=10)
    assert story.problems() == []
    story.read_at(3, "a", 10, after=12)
    story.is_caught("is older than revision 12")


def test_a_read_of_what_never_was(story):
    story.publish(0, "a", 10)
    story.read_at(1, "x", 10, after=0)
    story.is_caught("read what was never there")


class NothingToPlantOn(Exception):
    """This history has no place for the fault."""


def _any_of(dice, places):
    if not places:
        raise NothingToPlantOn
    return dice.choice(places)


def _lost(dice, operations, final):
    """The newest release of a config, which its client was told of, is gone."""
    acknowledged = {op.id for op in operations if op.outcome == OK}
    key = _any_of(dice, [key for key in final if final[key] and final[key][-1].operation in acknowledged])
    final[key].pop()


def _before(op, final):
    """The release before the one that this operation made."""
    if op.kind != "publish" or op.outcome != OK:
        return None
    place = next(place for place, release in enumerate(final[op.key]) if release.operation == op.id)
    return final[op.key][place - 1] if place else None


def _stale(dice, operations, final):
    """A strong read is answered with the release before the one that it had to see."""
    for op in dice.sample(operations, len(operations)):
        before = _before(op, final)
        if before is None or op.end > operations[-1].start - 1:
            continue
        operations.append(Operation("stale", 0, "read", op.key, op.end + 0.1, op.end + 0.2, OK, before.content,
                                    version=before.version, revision=before.revision))
        return
    raise NothingToPlantOn


def _lost_update(dice, operations, final):
    """A publish under If-Match of what was replaced by then succeeds."""
    for op in dice.sample(operations, len(operations)):
        if (before := _before(op, final)) and before.version > 1:
            op.precondition = next(r.revision for r in final[op.key] if r.version == before.version - 1)
            return
    raise NothingToPlantOn


def _unwatched(dice, operations, final):
    """A watcher is not told of one of the changes."""
    op = _any_of(dice, [op for op in operations if op.kind == "watch" and op.changes])
    op.changes.remove(dice.choice(op.changes))


@pytest.mark.parametrize("plant", [_lost, _stale, _lost_update, _unwatched])
def test_what_is_planted_into_a_right_history_is_caught(plant, seed):
    planted = 0
    for number in range(200):
        dice = random.Random(f"{seed} {number}")
        operations, final = Simulation(dice.random(), operations=400, unknown=0.05).run()
        with contextlib.suppress(NothingToPlantOn):
            plant(dice, operations, final)
            assert list(check(operations, final)), f"number {number}"
            planted += 1
        if planted == 25:
            return
    raise AssertionError(f"there was a place for it in {planted} of 200 histories only")


def test_a_history_is_kept_as_it_is(tmp_path):
    operations, final = Simulation(3).run()
    save(tmp_path / "history", operations, final)
    assert load(tmp_path / "history") == (operations, {key: releases for key, releases in final.items() if releases})
