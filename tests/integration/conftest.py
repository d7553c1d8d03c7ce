"""Fixtures: nodes, clients, users."""

import itertools

import pytest

from client import Client, contract_of, log_in
from command import Command
from node import Node
from reports import pytest_runtest_makereport  # noqa: F401 (a hook)
from servers import make_postgres, make_redis  # noqa: F401 (fixtures)

_numbers = itertools.count(1)


@pytest.fixture
def make_node(tmp_path):
    """make_node(**settings) → a running node of this test alone; start=False leaves it to the test to start it."""
    nodes = []

    def make(start=True, name=None, **more):
        node = Node(tmp_path / (name or f"node{len(nodes)}"), **more)
        nodes.append(node)
        return node.start() if start else node

    yield make
    for node in nodes:
        node.close()


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    """The node that the tests of one file share; each works in applications of its own."""
    node = Node(tmp_path_factory.mktemp("shared")).start()
    yield node
    node.stop()
    node.check_log()


@pytest.fixture(scope="module")
def admin(node):
    return log_in(node)


@pytest.fixture
def anyone(node):
    return Client(node)


@pytest.fixture
def app():
    """The name of an application that nobody else uses."""
    return f"app-{next(_numbers)}"


@pytest.fixture
def key(app):
    """A config key that nobody else uses."""
    return f"dev/{app}/default/application.yaml"


@pytest.fixture
def make_user(node, admin):
    """make_user("viewer", environment="dev") → a client of a new user with that role there; no role: none."""

    def make(role=None, **scope):
        name = f"user-{next(_numbers)}"
        admin.put(f"/v1/users/{name}", {"password": f"password of {name}"}, expect=201)
        if role:
            admin.post(f"/v1/users/{name}/grants", {"role": role, **scope}, expect=200)
        client = log_in(node, name, f"password of {name}")
        client.name = name
        return client

    return make


@pytest.fixture
def command(tmp_path, node):
    """The binary as a command line, with the shared node as its server."""
    return Command(tmp_path / "home", node)


@pytest.fixture(scope="module")
def contract(node):
    return contract_of(node)
