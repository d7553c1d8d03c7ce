"""How often somebody may ask: limits.requests_per_user, limits.requests_per_address."""

from client import Client
from conftest import log_in
from node import wait_until

LIMIT = 5
KEY = "dev/shop/default/a.txt"


def ask_until_refused(ask):
    """More than are let through at once, and the answer that says so."""
    return wait_until(lambda: (answer := ask()).status == 429 and answer, "it is too much", 60)


def is_refused(answer, setting):
    code, message = answer.error
    assert code == "exhausted" and setting in message
    assert int(answer.headers["Retry-After"]) == answer.json()["error"]["details"]["retry_after_seconds"] >= 1


def test_a_user_that_asks_too_often_is_told_when_to_come_again_and_nobody_else_is(make_node):
    node = make_node(limits_requests_per_user=LIMIT)
    admin = log_in(node)
    admin.put("/v1/users/lin", {"password": "a good password"}, expect=201)
    admin.post("/v1/users/lin/grants", {"role": "viewer"}, expect=200)
    admin.publish(KEY, "1")
    lin = log_in(node, "lin", "a good password")
    is_refused(ask_until_refused(lambda: lin.get(f"/v1/configs/{KEY}")), "limits.requests_per_user")
    is_refused(ask_until_refused(lambda: lin.get("/v1/whoami")), "limits.requests_per_user")
    again = log_in(node, "lin", "a good password")
    is_refused(ask_until_refused(lambda: again.get(f"/v1/configs/{KEY}", query={"after": 0, "wait": "0s"})), "limits.requests_per_user")
    wait_until(lambda: lin.get(f"/v1/configs/{KEY}").status == 200, "the time has passed")
    admin.read(KEY)
    assert node.probe("/readyz") == 200


def test_an_address_is_one_whoever_asks_from_there(make_node):
    node = make_node(limits_requests_per_address=LIMIT)
    admin, nobody = log_in(node), Client(node)
    nobody.token = "no token"
    is_refused(ask_until_refused(lambda: nobody.get("/v1/whoami")), "limits.requests_per_address")
    wait_until(lambda: admin.get("/v1/whoami").status == 200, "the time has passed")
    is_refused(ask_until_refused(lambda: admin.get("/v1/whoami")), "limits.requests_per_address")
    for probe in ("/livez", "/readyz", "/healthz"):
        assert node.probe(probe) == 200


def test_nobody_is_limited_when_nothing_is_said(make_node):
    admin = log_in(make_node())
    admin.publish(KEY, "1")
    for _ in range(500):
        admin.read(KEY)
