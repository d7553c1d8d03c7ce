"""The clients and the checker together, at a fake: they pass what is right and notice what is not."""

import contextlib

import pytest

from checker import check
from fake import Fake
from history import load
from nemesis import judge, wait_for_changes
from node import wait_until
from workload import Streamer, Workload


@pytest.fixture
def used(tmp_path, seed):
    """used(fault) → a fake with that fault, and clients who have used it enough."""
    with contextlib.ExitStack() as fakes:

        def used(fault=None):
            fake = fakes.enter_context(Fake(seed, fault))
            fake.folder = tmp_path
            workload = Workload(fake, seed, keys=3, readers=3).start()
            wait_for_changes(workload)
            wait_until(lambda: workload.acknowledged() > 200 and (fault is None or fake.struck >= 5),
                       "clients change something, and the fault is there")
            return fake, workload.stop()

        yield used


def test_a_right_center_passes(used):
    verdict = judge(*used())
    assert {(kind, "ok") for kind in ("publish", "delete", "read", "read_at", "watch")} <= set(verdict.operations)
    assert verdict.operations["publish", "failed"] > 0


def test_lost_answers_are_no_fault(used):
    judge(*used("hangs up"))


@pytest.mark.parametrize(("fault", "words"), [
    ("loses", "acknowledged and lost"), ("forgets", "took effect 2 times"), ("stale", "no order explains: read"),
    ("ignores", "no order explains: publish"), ("skips", "not told of"), ("repeats", "is two things")])
def test_faults_are_noticed(used, tmp_path, fault, words):
    with pytest.raises(AssertionError, match="problems"):
        judge(*used(fault))
    assert words in (tmp_path / "problems").read_text()
    assert any(words in problem for problem in check(*load(tmp_path / "history")))


def test_who_does_not_answer_at_the_end_is_noticed(used):
    with pytest.raises(AssertionError, match="does not answer"):
        judge(*used("refuses"))


def test_who_lacks_the_newest_at_the_end_is_noticed(used):
    fake, workload = used()
    fake.wait_one = lambda: fake.revision + 1
    with pytest.raises(AssertionError, match="is there"):
        judge(fake, workload)


def test_what_streams_left_out_is_noticed(used):
    fake, workload = used()
    streamers = [client for client in workload.clients if isinstance(client, Streamer)]
    assert all(client._all for client in streamers)
    streamers[0]._all, streamers[0]._after = [], fake.revision
    with pytest.raises(AssertionError, match="not told of"):
        judge(fake, workload)
