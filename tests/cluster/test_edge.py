"""The edge copy of a group: whoever leads writes it, each change once and in order; whoever is asked knows how it is."""

import threading

import pytest

from edge_copy import Copy, next_message
from node import wait_until

KEYS = [f"dev/shop/default/{name}.txt" for name in "abc"]


@pytest.fixture
def cache(make_redis):
    return make_redis()


@pytest.fixture
def group(make_group, cache):
    return make_group(**cache.settings())


@pytest.fixture
def copy(group, cache):
    copy = Copy(cache.client())
    wait_until(copy.position, "there is a copy")
    return copy


class Publishers:
    """One per node. What fails because its node is gone, or nobody leads, is tried again."""

    def __init__(self, group):
        self.done = threading.Event()
        self.published = [0] * 4
        self.threads = [threading.Thread(target=self._publish, args=(group, number)) for number in (1, 2, 3)]
        for thread in self.threads:
            thread.start()

    def _publish(self, group, number):
        client = group.client(number, timeout=5)
        while not self.done.is_set():
            try:
                if client.put("/v1/configs/" + KEYS[number - 1], f"{self.published[number]}").status in (200, 201):
                    self.published[number] += 1
            except OSError:
                self.done.wait(0.05)

    def wait_for(self, more):
        goal = sum(self.published) + more
        wait_until(lambda: sum(self.published) >= goal, "publishes go on", 60)

    def stop(self):
        self.done.set()
        for thread in self.threads:
            thread.join()


def test_each_change_is_written_once_and_in_order_whoever_leads(group, copy):
    subscription = copy.subscribe()
    publishers = Publishers(group)
    try:
        for _ in range(3):
            publishers.wait_for(300)
            leader = group.wait_leader()
            group[leader].kill()
            group.wait_leader(other_than=leader)
            publishers.wait_for(100)
            group[leader].start()
        publishers.wait_for(100)
        group.client(1).post("/v1/cluster/transfer", {}, expect=200)
        publishers.wait_for(100)
    finally:
        publishers.stop()
    group.wait_one()
    admin = group.client(1)
    wait_until(lambda: copy.is_what_is_published(admin), "all is there")
    told, newest = [], {key: copy.meta(key) for key in KEYS}
    while len(told) < sum(int(meta["version"]) for meta in newest.values()):
        told.append(next_message(subscription))
    assert [each["revision"] for each in told] == sorted({each["revision"] for each in told})
    for key in KEYS:
        versions = [each["version"] for each in told if each["key"] == key]
        assert versions == list(range(1, int(newest[key]["version"]) + 1)), "each once"


def test_every_node_knows_how_it_is(group, copy, cache):
    revision = group.client(2).publish(KEYS[0], "1")["revision"]

    def told(number):
        return group.client(number).get("/v1/edge", expect=200).json()

    for number in (1, 2, 3):
        wait_until(lambda: told(number)["revision"] >= revision and told(number)["lag_revisions"] == 0, f"node {number} knows")
        wait_until(lambda: told(number)["endpoints"][:1] == [{"address": cache.primary.address, "role": "primary", "revision": revision}],
                   f"node {number} knows where it is")
    wait_until(lambda: [told(number)["writing"] for number in (1, 2, 3)].count(True) == 1, "one writes")
    cache.primary.kill()
    group.client(1).publish(KEYS[0], "2")
    for number in (1, 2, 3):
        wait_until(lambda: told(number).get("trouble") and told(number)["lag_revisions"] > 0, f"node {number} knows")
        assert group[number].probe("/readyz") == 200
