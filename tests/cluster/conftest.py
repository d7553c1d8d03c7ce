"""Fixtures: groups of nodes, and the bed of networks that they stand in."""

import contextlib
import itertools
import os
import pathlib
import random
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "integration"))  # nodes, clients: shared with the tests there

import pytest  # noqa: E402

from archived import Archived  # noqa: E402
from bed import Bed, Loopback  # noqa: E402
from edged import COUNTING, Edged  # noqa: E402
from group import Group  # noqa: E402
from node import wait_until  # noqa: E402
from reports import pytest_runtest_makereport  # noqa: E402, F401 (a hook)
from servers import make_postgres, make_redis  # noqa: E402, F401 (fixtures)


@pytest.fixture
def seed(request):
    """CC_SEED when it is given, so that a run can be had again. It is also told at once: what a test prints is lost when
    it is killed because it hangs."""
    seed = os.environ.get("CC_SEED") or str(random.randrange(1 << 32))
    print(f"CC_SEED={seed}")
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        print(f"{request.node.name}: CC_SEED={seed}", file=sys.stderr, flush=True)
    return seed


@pytest.fixture
def loopback():
    """All nodes on 127.0.0.1: needs no privilege."""
    return Loopback()


@pytest.fixture
def bed():
    """Each node in a network of its own, whose cables can be cut."""
    with Bed() as bed:
        yield bed


@pytest.fixture
def make_group(tmp_path, loopback):
    """make_group(size=3, place=bed, **settings) → a running group; start=False leaves it to the test to start it."""
    numbers = itertools.count()

    def make(size=3, start=True, place=None, **more):
        group = Group(tmp_path / f"group{next(numbers)}", size, place=place or loopback, **more)
        closing.callback(group.close)
        return group.start() if start else group

    with contextlib.ExitStack() as closing:
        yield make


@pytest.fixture
def archived(make_postgres, make_group, seed):
    """archived(settings, replicas=2, …) → a group with those settings and a database that is its archive."""

    def make(settings=None, **more):
        postgres = make_postgres(**more)
        made = Archived(make_group(**postgres.settings(), raft_snapshot_entries=500, **(settings or {})), postgres, seed)
        made.wait_begun()
        return made

    return make


@pytest.fixture
def edged(make_redis, make_group, seed):
    """edged(proxied=True, …) → a group and what its copy is in: a primary of Redis, a replica and three Sentinels."""

    def make(**more):
        redis = make_redis(replica=True, sentinels=True, **more)
        made = Edged(make_group(**redis.settings(), raft_snapshot_entries=500, **COUNTING), redis, seed)
        wait_until(lambda: made.copy.position(), "there is a copy", 60)
        return made

    return make
