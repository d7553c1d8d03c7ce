"""Nodes that speak mutual TLS with each other, below what raft.secret protects."""

import socket

import pytest

from authority import Authority
from node import wait_until
from publishing import publish


def certified(authority, number):
    """Settings of a node that has a certificate of this authority, and trusts those who have one."""
    certificate, key = authority.issue(f"node{number}")
    return {"raft_tls_certificate_file": certificate, "raft_tls_key_file": key, "raft_tls_ca_file": authority.certificate}


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path / "authority")


@pytest.fixture
def group(make_group, authority):
    group = make_group(start=False)
    for node in group:
        node.settings.update(certified(authority, node.number))
    return group.start()


def assert_speaks_tls(address, authority):
    """It shows a certificate of that authority."""
    context = authority.trust()
    context.check_hostname = False
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        context.wrap_socket(connection).close()


def test_nodes_with_certificates_are_a_group(group, authority):
    for number, address in group.raft_addresses.items():
        assert_speaks_tls(address, authority)
        publish(group, number, f"by {number}")
    leader = group.wait_leader()
    group[leader].kill()
    revision = publish(group, group.wait_leader(other_than=leader), "the others go on")
    group.start()
    assert group.wait_one() >= revision


@pytest.mark.parametrize(("other", "reason"), [(True, "its certificate is not trusted"), (False, "do both nodes use TLS")],
                         ids=["of another authority", "without a certificate"])
def test_a_stranger_who_knows_the_secret_stays_outside(group, tmp_path, other, reason):
    publish(group, 1, "before")
    node, settings = group[3], dict(group[3].settings)
    node.kill()
    node.settings = {name: value for name, value in settings.items() if not name.startswith("raft_tls")}
    if other:
        node.settings.update(certified(Authority(tmp_path / "other"), 3))
    node.start(wait=False)
    wait_until(lambda: reason in node.log_since_start(), "it is told why")
    revision = publish(group, 1, "goes on")
    assert "connected to a node" not in node.log_since_start()
    node.kill()
    node.settings = settings
    group.start()
    assert group.wait_one() == revision
