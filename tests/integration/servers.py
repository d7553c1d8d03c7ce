"""Fixtures: PostgreSQL and Redis of a test's own. A conftest.py imports them."""

import contextlib

import pytest

from postgres import Postgres
from redis_servers import Redis


@pytest.fixture
def make_postgres():
    """make_postgres(replicas=2, **settings) → a database that runs, as postgres.Postgres has it."""
    yield from _maker(Postgres)


@pytest.fixture
def make_redis():
    """make_redis(replica=True, sentinels=True, **settings) → Redis that runs, as redis_servers.Redis has it."""
    yield from _maker(Redis)


def _maker(kind):
    with contextlib.ExitStack() as closing:

        def make(**more):
            made = kind(**more)
            closing.callback(made.close)
            return made.start()

        yield make
