"""Any node takes any request; what is read where, also when nodes are cut off from each other."""

import pytest

from client import config
from node import wait_until
from publishing import KEY, publish


@pytest.fixture
def group(make_group, bed):
    return make_group(place=bed, server_timeout="3s")


def test_writing_and_reading_through_each_node(make_group):
    group = make_group()
    made = {}
    for number in [*group.nodes] * 3:
        key = f"dev/shop/default/by{number}"
        answer = group.client(number).put(config(key), f"by {number}, {len(made)}", expect=(200, 201))
        revision = answer.json()["revision"]
        assert revision > max([0, *(r for r, _ in made.values())])
        made[key] = revision, f"by {number}, {len(made)}"
        # the node that answered serves it, and each other one to whom asks strongly
        assert group.client(number).read(key).revision == revision
        for other in group.nodes:
            assert group.client(other).read(key, consistency="strong").revision == revision
    group.wait_one()


def test_everything_that_changes_something_works_on_a_follower(make_group):
    """Users, roles, keys, drafts, imports: whatever is proposed is forwarded."""
    group = make_group()
    leader = group.wait_leader()
    follower = group.client(next(number for number in group.nodes if number != leader))
    follower.put("/v1/applications/shop", {"department": "sales", "owner": "", "description": ""}, expect=(200, 201))
    follower.put("/v1/users/alice", {"password": "password of alice"}, expect=201)
    follower.post("/v1/users/alice/grants", {"role": "viewer", "environment": "dev"}, expect=200)
    follower.put(f"/v1/drafts/{KEY}", b"draft", expect=(200, 201))
    follower.put(config(KEY), query={"from": "draft"}, expect=(200, 201))
    assert follower.delete(config(KEY), expect=200).json()["version"] == 1
    key = follower.post("/v1/keys", {"application": "shop", "environment": "dev"}, expect=201).json()
    for number in group.nodes:
        token = wait_until(lambda: (answer := group.client(number).post("/v1/login", {"username": "alice", "password": "password of alice"}))
                           .status == 200 and answer.json()["token"], f"alice logs in at node {number}")
        for other in group.nodes:
            reader = group.client(other)
            reader.token = token
            assert wait_until(lambda: (answer := reader.get("/v1/whoami")).status == 200 and answer.json(), "known there")["name"] == "alice"
        reader = group.client(number)
        reader.token = key["key"]
        wait_until(lambda: reader.get("/v1/whoami").status == 200, "the access key holds there")
    group.wait_one()


def test_with_the_majority_gone_reads_go_on_and_say_that_they_may_be_old(group):
    leader = group.wait_leader()
    revision = publish(group, leader, "before")
    for number in group.nodes:
        group.client(number).read(KEY, min_revision=revision)
        assert "X-Config-Stale" not in group.client(number).read(KEY).headers
    left = next(number for number in group.nodes if number != leader)
    for node in group:
        if node.number != left:
            node.kill()
    client = group.client(left)
    wait_until(lambda: "X-Config-Stale" in client.read(KEY).headers, "reads say that they may be stale")
    assert client.read(KEY).revision == revision
    assert client.get(config(KEY), query={"after": revision}, expect=304).headers["X-Config-Stale"]
    health = client.get("/healthz", expect=200).json()
    assert health["status"] == "degraded" and any(check["status"] != "ok" for check in health["checks"]), health
    assert group[left].metrics()["config_center_stale"] == 1
    assert client.get("/readyz").status == 200
    assert client.get("/readyz", query={"for": "writes"}).status == 503
    for refused in (client.put(config(KEY), b"x"), client.get(config(KEY), query={"consistency": "strong"})):
        assert refused.status == 503 and refused.error[0] == "unavailable" and int(refused.headers["Retry-After"]) > 0, refused
    group.start()
    wait_until(lambda: "X-Config-Stale" not in client.read(KEY).headers, "reads no longer say so")
    wait_until(lambda: client.get("/readyz", query={"for": "writes"}).status == 200, "it can write")
    wait_until(lambda: client.get("/healthz").json()["status"] == "ok", "it is well")
    wait_until(lambda: group[left].metrics()["config_center_stale"] == 0, "the metric no longer says so")
    assert publish(group, left, "after") > revision
    group.wait_one()


def test_a_leader_that_is_cut_off_acknowledges_nothing_and_reads_nothing_strongly(group):
    old = group.wait_leader()
    revision = publish(group, old, "before")
    group.place.isolate([old])
    client = group.client(old)
    refused = client.put(config(KEY), b"into the void")
    assert refused.status in (503, 504), refused
    new = group.wait_leader(other_than=old)
    others = [number for number in group.nodes if number != old]
    newer = publish(group, others[0], "meanwhile")
    assert newer > revision and new in others
    for _ in range(3):
        assert client.get(config(KEY), query={"consistency": "strong"}).status in (503, 504)
    assert client.read(KEY).revision == revision
    assert "X-Config-Stale" in client.read(KEY).headers
    for number in others:
        assert group.client(number).read(KEY, consistency="strong").revision == newer
    group.place.heal()
    wait_until(lambda: client.read(KEY).revision == newer, "it has what was done meanwhile")
    assert client.get(config(KEY), query={"consistency": "strong"}).text != "into the void"
    group.wait_one()
    history = group.client(new).items(f"/v1/releases/{KEY}")
    assert [release["revision"] for release in history] == [newer, revision]


def test_a_client_that_moves_never_sees_time_go_back(group):
    """With min_revision a node that is behind waits until it is not, or says that it cannot."""
    leader = group.wait_leader()
    behind = next(number for number in group.nodes if number != leader)
    seen = 0
    for round in range(30):
        seen = publish(group, 1 + round % 3, "round")
        for number in group.nodes:
            assert group.client(number).read(KEY, min_revision=seen).revision == seen
    group.place.isolate([behind])
    seen = publish(group, leader, "not there")
    client = group.client(behind)
    assert client.read(KEY).revision < seen
    for query in ({"min_revision": seen}, {"min_revision": seen, "after": 0}):
        refused = client.get(config(KEY), query=query)
        assert refused.status in (503, 504), refused
    group.place.heal()
    wait_until(lambda: client.get(config(KEY), query={"min_revision": seen}).status == 200, "it has caught up")
    assert client.read(KEY, min_revision=seen).revision == seen


def test_a_revision_that_never_was_is_not_waited_for_for_ever(make_group):
    group = make_group(server_timeout="2s")
    revision = publish(group, 1, "a")
    refused = group.client(2).get(config(KEY), query={"min_revision": revision + 1000})
    assert refused.status in (503, 504), refused
