"""The clients and the checker together, at a fake: they pass what is right and notice what is not."""

import pytest

from checker import check
from fake import Fake
from history import load
from nemesis import judge, seed_of_run, wait_for_changes
from node import wait_until
from workload import Workload


@pytest.fixture
def use(tmp_path):
    """use(fault, words): clients use a fake with that fault, until they have done enough; its judgement has these words."""
    seed = seed_of_run()

    def use(fault=None, words=None):
        with Fake(seed, fault) as fake:
            fake.folder = tmp_path
            workload = Workload(fake, seed, keys=3, readers=3).start()
            wait_for_changes(workload)
            wait_until(lambda: workload.acknowledged() > 200 and (fault is None or fake.struck >= 5),
                       "clients change something, and the fault is there")
            workload.stop()
            if words is None:
                return judge(fake, workload, {}, 1)
            with pytest.raises(AssertionError, match="problems"):
                judge(fake, workload, {}, 1)
            assert words in (tmp_path / "problems").read_text()
            assert any(words in problem for problem in check(*load(tmp_path / "history")))

    return use


def test_a_right_center_passes(use):
    verdict = use()
    assert {(kind, "ok") for kind in ("publish", "delete", "read", "read_at", "watch")} <= set(verdict.operations)
    assert verdict.operations["publish", "failed"] > 0


def test_lost_answers_are_no_fault(use):
    use("hangs up")


@pytest.mark.parametrize(("fault", "words"), [
    ("loses", "acknowledged and lost"), ("forgets", "took effect 2 times"), ("stale", "no order explains: read"),
    ("ignores", "no order explains: publish"), ("skips", "not told of"), ("repeats", "is two things")])
def test_faults_are_noticed(use, fault, words):
    use(fault, words)
