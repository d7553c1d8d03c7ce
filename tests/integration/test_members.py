"""What the API answers when the group of nodes is changed. One node that votes is a group, and needs nobody to agree;
the others need not be there. The contract holds each answer against the OpenAPI document."""

import pytest

from conftest import log_in
from node import free_port, wait_until

SECRET = "the nodes of one group know this, and nobody else"


@pytest.fixture
def admin(make_node):
    return log_in(make_node(raft_secret=SECRET, raft_address=f"127.0.0.1:{free_port()}"))


@pytest.fixture
def observer(admin):
    """An observer, number 2, that has not come yet."""
    address = f"127.0.0.1:{free_port()}"
    added = admin.post("/v1/cluster/members", {"node": 2, "address": address, "observer": True}, expect=200).json()
    assert [(each["node"], each["membership"]) for each in added["members"]] == [(1, "voter"), (2, "observer")]
    return address


def test_to_add_again_what_is_there_is_done_and_anything_else_is_409(admin, observer):
    same = {"node": 2, "address": observer, "observer": True}
    admin.post("/v1/cluster/members", same, expect=200)
    for other in ({"address": f"127.0.0.1:{free_port()}"}, {"observer": False}, {"node": 3}):
        code, message = admin.post("/v1/cluster/members", {**same, **other}, expect=409).error
        assert code == "already_exists" and "node 2" in message


def test_a_node_is_promoted_and_demoted_and_nobody_else_is(admin, observer):
    changed = admin.put("/v1/cluster/members/2", {"membership": "voter"}, expect=200).json()
    assert changed["members"][1]["membership"] == "joining", "it votes when it has caught up, and it has not come"
    changed = admin.put("/v1/cluster/members/2", {"membership": "observer"}, expect=200).json()
    assert changed["members"][1]["membership"] == "observer"
    admin.put("/v1/cluster/members/2", {"membership": "observer"}, expect=200)
    assert "node 9" in admin.put("/v1/cluster/members/9", {"membership": "voter"}, expect=404).error[1]
    admin.put("/v1/cluster/members/2", {"membership": "king"}, expect=400)


def test_the_last_voter_stays(admin, observer):
    assert "voter" in admin.put("/v1/cluster/members/1", {"membership": "observer"}, expect=400).error[1]
    assert "voter" in admin.delete("/v1/cluster/members/1", expect=400).error[1]


def test_who_is_removed_is_gone(admin, observer):
    left = admin.delete("/v1/cluster/members/2", expect=200).json()
    assert [each["node"] for each in left["members"]] == [1]
    assert "node 2" in admin.delete("/v1/cluster/members/2", expect=404).error[1]


def test_leadership_goes_only_to_who_votes(admin, observer):
    assert admin.post("/v1/cluster/transfer", {"to": 1}, expect=200).json()["leader_id"] == 1
    assert "promote it first" in admin.post("/v1/cluster/transfer", {"to": 2}, expect=400).error[1]
    assert "node 9" in admin.post("/v1/cluster/transfer", {"to": 9}, expect=404).error[1]


def test_each_change_is_audited_with_what_became_of_it(admin, observer):
    admin.delete("/v1/cluster/members/9", expect=404)
    admin.delete("/v1/cluster/members/2", expect=200)

    def audited():
        items = admin.items("/v1/audit")
        return {(each["action"], each["target"], each["outcome"]) for each in items if each["action"].startswith("node.")}

    wanted = {("node.add", f"node 2 at {observer}", "done"), ("node.remove", "node 9", "not_found"),
              ("node.remove", "node 2", "done")}
    wait_until(lambda: audited() == wanted, "all of it is in the audit")
