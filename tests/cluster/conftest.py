"""Fixtures: groups of nodes, and the bed of networks that they stand in."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "integration"))  # nodes, clients: shared with the tests there

import pytest  # noqa: E402

from bed import Bed, Loopback  # noqa: E402
from group import Group  # noqa: E402
from reports import pytest_runtest_makereport  # noqa: E402, F401 (a hook)


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
    groups = []

    def make(size=3, start=True, place=None, **more):
        group = Group(tmp_path / f"group{len(groups)}", size, place=place or loopback, **more)
        groups.append(group)
        return group.start() if start else group

    yield make
    for group in groups:
        group.close()
