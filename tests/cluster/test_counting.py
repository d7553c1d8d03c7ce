"""What the nodes of a group count together, through Redis: failed logins, requests, revoked tokens."""

import time

import pytest

from client import Client, log_in
from node import wait_until

KEY = "dev/shop/default/a.txt"


@pytest.fixture
def cache(make_redis):
    return make_redis()


@pytest.fixture
def make_counting_group(make_group, cache):
    def make(**settings):
        return make_group(**cache.settings(), **settings)
    return make


def try_password(node, name, password="wrong"):
    """Of somebody who has not just logged in, as make_group's administrator has: what follows a login within a fifth of
    a second may be forgotten with what was before it."""
    return Client(node, checked=False).post("/v1/login", {"username": name, "password": password}).status


def test_wrong_passwords_count_wherever_they_are_tried_and_who_is_locked_is_locked_everywhere(make_counting_group):
    group = make_counting_group(security_login_failures=30)
    for number in (1, 2, 3):
        assert {try_password(group[number], "lin") for _ in range(9)} == {401}
    for number in (1, 2, 3):
        more = 0
        while try_password(group[number], "lin") != 429:
            more += 1
            assert 9 + more < 30, "it would be locked on this node without the others"
            time.sleep(0.1)  # the nodes hear of each other five times a second, and try faster than that
        assert try_password(group[number], "another") == 401


def test_a_right_password_clears_what_was_tried_before_on_every_node(make_counting_group, cache):
    group = make_counting_group(security_login_failures=4)

    def counted():
        counts = [cache.client().get(key) for key in cache.client().scan_iter("config-center:count:failures:*")]
        return [int(count) for count in counts if count]  # one may be forgotten in between

    group.client(1).put("/v1/users/lin", {"password": "password of lin"}, expect=201)
    group.wait_caught_up()
    for number in (1, 2, 3):
        assert try_password(group[number], "lin") == 401
    wait_until(lambda: counted() == [3, 3], "a user's and a network's failures are counted together, of all nodes")
    log_in(group[1], "lin", "password of lin", checked=False)
    wait_until(lambda: counted() == [3], "the user's are forgotten")


def test_passwords_typed_as_names_do_not_stand_in_redis(make_counting_group, cache):
    group = make_counting_group()
    assert try_password(group[1], "hunter2") == 401
    wait_until(lambda: list(cache.client().scan_iter("*count:failures:*")), "it is counted together")
    assert not [key for key in cache.client().scan_iter("*") if "hunter2" in key]


def test_each_node_counts_by_itself_while_there_is_no_redis(make_counting_group, cache):
    group = make_counting_group(security_login_failures=3)
    cache.primary.kill()
    assert [try_password(group[1], "lin") for _ in range(4)] == [401, 401, 401, 429]
    assert try_password(group[2], "lin") == 401


def test_a_limit_of_requests_is_that_of_the_group(make_counting_group):
    group = make_counting_group(limits_requests_per_user=50)
    group.client(1).publish(KEY, "1")
    group.wait_caught_up()
    clients = [group.client(number) for number in (1, 2, 3)]
    began, admitted, refused = time.monotonic(), 0, None
    while refused is None or time.monotonic() < began + 4:
        for client in clients:
            answer = client.get(f"/v1/configs/{KEY}")
            assert answer.status in (200, 429)
            admitted += answer.status == 200
            refused = answer if answer.status == 429 else refused
    assert refused.error[0] == "exhausted" and int(refused.headers["Retry-After"]) >= 1
    # By itself each node would let 50 x 4 through, and twice 50 at once.
    alone = 50 * (time.monotonic() - began) + 100
    assert admitted < 2 * alone, f"{admitted}, of {alone:.0f} on each node"


def test_a_node_that_is_cut_off_from_its_group_hears_of_a_logout(make_group, make_redis, bed):
    group = make_group(place=bed, **make_redis(host=bed.host_outside).settings())
    leader = group.wait_leader()
    cut = next(number for number in (1, 2, 3) if number != leader)
    group.client(leader).publish(KEY, "1")
    session = log_in(group[leader], checked=False)
    gone = Client(group[cut], session.token, checked=False)
    wait_until(lambda: gone.get(f"/v1/configs/{KEY}").status == 200, "the token is good there")
    bed.isolate([cut])
    session.post("/v1/logout", expect=204)
    wait_until(lambda: gone.get(f"/v1/configs/{KEY}").status == 401, "the token is refused there")
