"""Waiting for changes: long poll, POST /v1/watch, server-sent events."""

import random
import socket
import threading
import time

import pytest

from client import Client, config
from conftest import log_in
from node import PATIENCE, SANITIZER, wait_until
from test_configs import zipped


class InBackground:
    """Runs a call on a thread; result() waits for it and passes on what it raised."""

    def __init__(self, call):
        self._outcome = None
        self._thread = threading.Thread(target=self._run, args=(call,), daemon=True)
        self._thread.start()

    def _run(self, call):
        try:
            self._outcome = (call(), None)
        except BaseException as error:
            self._outcome = (None, error)

    def running(self):
        return self._thread.is_alive()

    def result(self, seconds=60):
        self._thread.join(seconds * PATIENCE)
        assert not self._thread.is_alive(), "nothing has come"
        value, error = self._outcome
        if error:
            raise error
        return value


def watchers(node):
    return node.metrics()["config_center_watchers"]


def wait_for_watchers(node, count):
    wait_until(lambda: watchers(node) == count, f"{count} watchers wait")


@pytest.fixture(autouse=True)
def nobody_watches_yet(node):
    """A stream of the test before counts until the node notices that its client left."""
    wait_for_watchers(node, 0)


def poll(node, admin, key, after, wait="60s"):
    return InBackground(lambda: Client(node, admin.token).get(config(key), query={"after": after, "wait": wait}))


def watch(client, items, wait="0s", expect=200):
    return client.post("/v1/watch", {"wait": wait, "items": items}, expect=expect)


# --- long poll ---

def test_a_poll_is_answered_by_the_next_publish(node, admin, key):
    first = admin.publish(key, b"a: 1\n")
    waiting = poll(node, admin, key, first["revision"])
    wait_for_watchers(node, 1)
    second = admin.publish(key, b"a: 2\n")
    answer = waiting.result()
    assert (answer.status, answer.body, answer.revision) == (200, b"a: 2\n", second["revision"])


def test_a_poll_behind_the_newest_does_not_wait(admin, key):
    first = admin.publish(key, b"a: 1\n")
    admin.publish(key, b"a: 2\n")
    for after in (0, first["revision"]):
        assert admin.get(config(key), query={"after": after, "wait": "60s"}, expect=200).body == b"a: 2\n"


def test_a_poll_whose_time_is_up_gets_304_and_the_revision_to_go_on_with(admin, key, app):
    mine = admin.publish(key, b"a: 1\n")["revision"]
    other = admin.publish(f"dev/{app}/default/other", b"x")["revision"]
    answer = admin.get(config(key), query={"after": mine, "wait": "50ms"}, expect=304)
    assert answer.body == b"" and answer.revision >= other
    assert admin.get(config(key), query={"after": mine}, expect=304).revision >= other  # wait is 0 by default


def test_a_poll_waits_for_what_is_not_there_yet(node, admin, key):
    waiting = poll(node, admin, key, 0)
    wait_for_watchers(node, 1)
    admin.publish(key, b"a: 1\n")
    assert waiting.result().body == b"a: 1\n"


def test_a_poll_sees_a_deletion(node, admin, key):
    published = admin.publish(key, b"a: 1\n")
    waiting = poll(node, admin, key, published["revision"])
    wait_for_watchers(node, 1)
    deleted = admin.delete(config(key), expect=200).json()
    answer = waiting.result()
    assert (answer.status, answer.headers["X-Config-Deleted"], answer.revision) == (404, "true", deleted["revision"])
    # and one who asks later is told at once
    assert admin.get(config(key), query={"after": published["revision"], "wait": "60s"}, expect=404).revision == deleted["revision"]
    # after the deletion there is nothing newer
    assert admin.get(config(key), query={"after": deleted["revision"]}).status == 304


def test_other_configs_do_not_answer_a_poll(node, admin, key, app):
    published = admin.publish(key, b"a: 1\n")
    waiting = poll(node, admin, key, published["revision"])
    wait_for_watchers(node, 1)
    for name in ("application.yaml.bak", "application.yam", "x"):
        admin.publish(f"dev/{app}/default/{name}", b"x")
    second = admin.publish(key, b"a: 2\n")
    answer = waiting.result()
    assert (answer.status, answer.body, answer.revision) == (200, b"a: 2\n", second["revision"])


def test_a_rollback_and_an_import_wake_a_poll(node, admin, key, app):
    from test_configs import zipped
    admin.publish(key, b"a: 1\n")
    second = admin.publish(key, b"a: 2\n")
    waiting = poll(node, admin, key, second["revision"])
    wait_for_watchers(node, 1)
    third = admin.post("/v1/releases/" + key, query={"rollback": 1}, expect=200).json()
    assert waiting.result().body == b"a: 1\n"
    waiting = poll(node, admin, key, third["revision"])
    wait_for_watchers(node, 1)
    admin.post(f"/v1/import/dev/{app}", zipped({"default/application.yaml": b"a: 4\n"}), expect=200)
    assert waiting.result().body == b"a: 4\n"


def test_many_wait_and_all_are_answered(node, admin, key):
    first = admin.publish(key, b"a: 1\n")
    waiting = [poll(node, admin, key, first["revision"]) for _ in range(50)]
    wait_for_watchers(node, 50)
    second = admin.publish(key, b"a: 2\n")
    assert {w.result().revision for w in waiting} == {second["revision"]}
    wait_for_watchers(node, 0)


@pytest.mark.parametrize("query", [{"after": "x"}, {"after": -1}, {"after": 1, "wait": "30"}, {"after": 1, "wait": "6m"},
                                   {"after": 1, "wait": "-1s"}, {"wait": "x"}])
def test_wrong_waits_are_refused(admin, key, query):
    admin.publish(key, b"a: 1\n")
    admin.get(config(key), query=query, expect=400)


# --- nothing is missed ---

def test_no_change_is_missed_between_check_and_wait(node, admin, app):
    """A publisher publishes as soon as its watcher has the last change, so each publish races the watcher's next
    poll. One missed change and the pair stands still."""
    rounds = 150 if SANITIZER else 400
    failures = []

    def pair(number):
        key = f"dev/{app}/default/{number}"
        try:
            publisher, watcher = Client(node, admin.token), Client(node, admin.token)
            has = threading.Semaphore(1)
            published = []

            def publish():
                for n in range(rounds):
                    assert has.acquire(timeout=60 * PATIENCE), f"the watcher of {key} has not got change {n - 1}"
                    published.append(publisher.publish(key, f"{n}")["revision"])

            publishing = InBackground(publish)
            seen, after = [], 0
            while len(seen) < rounds:
                answer = watcher.get(config(key), query={"after": after, "wait": "40s"}, expect=200)
                assert answer.revision > after, "a watcher went back"
                after = answer.revision
                seen.append(answer.text)
                has.release()
            publishing.result()
            assert seen == [str(n) for n in range(rounds)]
        except BaseException as error:
            failures.append(error)

    pairs = [threading.Thread(target=pair, args=(n,)) for n in range(6)]
    for each in pairs:
        each.start()
    for each in pairs:
        each.join()
    assert not failures, failures[0]


@pytest.mark.parametrize("how", ["poll", "watch", "stream"])
def test_every_watcher_ends_at_the_newest_under_concurrent_publishes(node, admin, app, how):
    """Three publishers on three configs, as fast as they can; each watcher must come by the last release of all
    of them, going up in revision."""
    keys = [f"dev/{app}/default/{n}" for n in range(3)]
    publishes = 40 if SANITIZER else 150
    last = {}

    def publish(key):
        client = Client(node, admin.token)
        for n in range(publishes):
            revision = client.publish(key, f"{n}")["revision"]
        last[key] = client.publish(key, "last")["revision"]

    def by_poll(key):
        client, after = Client(node, admin.token), 0
        while True:
            answer = client.get(config(key), query={"after": after, "wait": "60s"}, expect=200)
            assert answer.revision > after
            after = answer.revision
            if answer.body == b"last":
                return {key: after}

    def by_watch(_):
        client, ended, revision = Client(node, admin.token), {}, 0
        while len(ended) < len(keys):
            answer = watch(client, [{"prefix": f"dev/{app}/", "revision": revision}], "60s").json()
            revisions = [c["revision"] for c in answer["changes"]]
            assert revisions == sorted(revisions) and revisions[0] > revision
            revision = answer["revision"]
            ended |= {change["key"]: change["revision"] for change in answer["changes"] if change["size"] == len("last")}
        return ended

    def by_stream(key):
        with Client(node, admin.token).events(config(key)) as events:
            at = 0
            while event := events.next():
                assert int(event["id"]) == event["data"]["revision"] > at
                at = event["data"]["revision"]
                if event["data"]["size"] == 4:
                    return {key: at}
        raise AssertionError("the stream ended")

    observe = {"poll": by_poll, "watch": by_watch, "stream": by_stream}[how]
    observing = [InBackground(lambda key=key: observe(key)) for key in keys for _ in range(3)]
    publishing = [InBackground(lambda key=key: publish(key)) for key in keys]
    for each in publishing:
        each.result(120)
    for each in observing:
        for key, revision in each.result().items():
            assert revision == last[key]


# --- POST /v1/watch ---

def test_watching_many_answers_what_is_newer_oldest_first(admin, app):
    keys = [f"dev/{app}/default/{n}" for n in range(4)]
    published = [admin.publish(key, b"x") for key in keys]
    answer = watch(admin, [{"key": key, "revision": 0} for key in reversed(keys)]).json()
    assert [c["key"] for c in answer["changes"]] == keys
    assert [c["revision"] for c in answer["changes"]] == [p["revision"] for p in published]
    assert answer["changes"][0] == {"key": keys[0], "revision": published[0]["revision"], "version": 1, "format": "text",
                                    "md5": published[0]["md5"], "sha256": published[0]["sha256"], "size": 1, "deleted": False, "secret": False}
    assert answer["revision"] >= published[-1]["revision"]


def test_each_item_has_its_own_revision(admin, app):
    keys = [f"dev/{app}/default/{n}" for n in range(3)]
    revisions = [admin.publish(key, b"x")["revision"] for key in keys]
    answer = watch(admin, [{"key": keys[0], "revision": revisions[0]}, {"key": keys[1], "revision": revisions[1] - 1},
                           {"key": keys[2], "revision": revisions[2]}]).json()
    assert [c["key"] for c in answer["changes"]] == [keys[1]]


def test_a_watch_waits_for_the_first_change_of_any(node, admin, app):
    keys = [f"dev/{app}/default/{n}" for n in range(3)]
    at = [admin.publish(key, b"x")["revision"] for key in keys][-1]
    waiting = InBackground(lambda: watch(Client(node, admin.token), [{"key": k, "revision": at} for k in keys], "60s"))
    wait_for_watchers(node, 1)
    changed = admin.publish(keys[1], b"y")
    assert [c["revision"] for c in waiting.result().json()["changes"]] == [changed["revision"]]


def test_a_prefix_stands_for_what_will_come_below_it(node, admin, app):
    at = admin.publish(f"dev/{app}/default/there", b"x")["revision"]
    waiting = InBackground(lambda: watch(Client(node, admin.token), [{"prefix": f"dev/{app}/", "revision": at}], "60s"))
    wait_for_watchers(node, 1)
    admin.publish(f"dev/{app}-other/default/new", b"x")
    new = f"dev/{app}/beijing/new.yaml"
    admin.publish(new, b"a: 1\n")
    assert [c["key"] for c in waiting.result().json()["changes"]] == [new]


def test_a_change_that_two_items_cover_is_told_once(admin, app):
    key = f"dev/{app}/default/a"
    admin.publish(key, b"x")
    items = [{"key": key, "revision": 0}, {"prefix": f"dev/{app}/", "revision": 0}, {"prefix": f"dev/{app}/def", "revision": 0}]
    assert [c["key"] for c in watch(admin, items).json()["changes"]] == [key]


def test_a_deletion_is_a_change(admin, key):
    admin.publish(key, b"a: 1\n")
    deleted = admin.delete(config(key), expect=200).json()
    change, = watch(admin, [{"key": key, "revision": deleted["revision"] - 1}]).json()["changes"]
    assert (change["deleted"], change["revision"]) == (True, deleted["revision"])


def test_nothing_new_and_the_time_up_is_an_empty_answer_to_go_on_with(admin, app, key):
    at = admin.publish(key, b"a: 1\n")["revision"]
    other = admin.publish(f"dev/{app}/default/other", b"x")["revision"]
    answer = watch(admin, [{"key": key, "revision": at}], "50ms").json()
    assert answer["changes"] == [] and answer["revision"] >= other


def test_ten_thousand_items_are_taken_and_no_more(node, admin, app):
    items = [{"key": f"dev/{app}/default/{n}", "revision": 0} for n in range(10_000)]
    waiting = InBackground(lambda: watch(Client(node, admin.token), items, "60s"))
    wait_for_watchers(node, 1)
    admin.publish(items[7777]["key"], b"x")
    assert [c["key"] for c in waiting.result().json()["changes"]] == [items[7777]["key"]]
    watch(admin, items + [{"key": "dev/a/b/c", "revision": 0}], expect=400)


@pytest.mark.parametrize("body", [
    b"{}", b'{"items": []}', b'{"items": [{}]}', b'{"items": [{"key": "dev/a/b/c"}], "wait": "6m"}',
    b'{"items": [{"key": "dev/a/b/c", "prefix": "dev/"}]}', b'{"items": [{"key": "no-key", "revision": 0}]}',
    b'{"items": [{"key": "dev/a/b/c", "revision": "1"}]}', b'{"items": [{"key": "dev/a/b/c", "revision": -1}]}',
    b'{"items": "all"}', b'{"items": [{"key": "dev/a/b/c", "revison": 1}]}'])
def test_wrong_watches_are_refused(admin, body):
    assert admin.post("/v1/watch", body, headers={"Content-Type": "application/json"}, expect=400).error[0] == "invalid_argument"


# --- server-sent events ---

def test_a_stream_tells_each_change_as_it_comes(admin, key):
    first = admin.publish(key, b"a: 1\n")
    with admin.events(config(key)) as events:
        assert events.status == 200
        assert events.headers["Content-Type"].startswith("text/event-stream")
        assert "no-cache" in (events.headers["Cache-Control"] or "") or "no-store" in (events.headers["Cache-Control"] or "")
        event = events.next()
        assert (event["event"], int(event["id"])) == ("published", first["revision"])
        for number in range(2, 5):
            published = admin.publish(key, f"a: {number}\n")
            event = events.next()
            assert event["data"] == {"key": key, "revision": published["revision"], "version": number, "format": "yaml",
                                     "md5": published["md5"], "sha256": published["sha256"], "size": 5, "deleted": False, "secret": False}
        deleted = admin.delete(config(key), expect=200).json()
        event = events.next()
        assert (event["event"], int(event["id"]), event["data"]["deleted"]) == ("deleted", deleted["revision"], True)
        admin.publish(key, b"a: 9\n")
        assert events.next()["event"] == "published"


def test_a_stream_goes_on_after_what_the_client_has(admin, key):
    first = admin.publish(key, b"a: 1\n")
    second = admin.publish(key, b"a: 2\n")
    with admin.events(config(key), query={"after": first["revision"]}) as events:
        assert int(events.next()["id"]) == second["revision"]
    with admin.events(config(key), headers={"Last-Event-ID": str(second["revision"])}) as events:
        third = admin.publish(key, b"a: 3\n")
        assert int(events.next()["id"]) == third["revision"]


def test_a_stream_of_many_tells_the_newest_of_each_in_order(admin, app):
    at = admin.publish(f"dev/{app}/default/start", b"x")["revision"]
    body = {"items": [{"prefix": f"dev/{app}/", "revision": at}]}
    with admin.events("/v1/watch", body, method="POST") as events:
        assert events.status == 200
        revisions = [admin.publish(f"dev/{app}/default/{n % 3}", f"{n}")["revision"] for n in range(9)]
        seen = []
        while not seen or seen[-1] < revisions[-1]:
            event = events.next()
            seen.append(int(event["id"]))
            assert event["data"]["key"].startswith(f"dev/{app}/")
        assert seen == sorted(set(seen)) and set(seen) <= set(revisions)
        assert set(revisions[-3:]) <= set(seen)  # what was replaced in between may be left out


def test_who_starts_far_behind_is_told_of_everything_once_and_in_order(admin, app):
    names = [f"{number:04}" for number in range(3000)]
    first = admin.post(f"/v1/import/dev/{app}", zipped({f"default/{name}": name.encode() for name in names[:2000]}), expect=200).json()
    for name in names[2000:2050]:
        admin.publish(f"dev/{app}/default/{name}", name.encode())
    last = admin.post(f"/v1/import/dev/{app}", zipped({f"default/{name}": name.encode() for name in names[2050:]}), expect=200).json()
    everything = [f"dev/{app}/default/{name}" for name in names]
    with admin.events("/v1/watch", {"items": [{"prefix": f"dev/{app}/", "revision": 0}]}, method="POST") as events:
        told = [events.next()["data"] for _ in names]
        assert [one["key"] for one in told] == everything
        assert (told[0]["revision"], told[-1]["revision"]) == (first["revision"], last["revision"])
    at, pages = 0, []
    while page := watch(admin, [{"prefix": f"dev/{app}/", "revision": at}]).json():
        if not page["changes"]:
            break
        at, pages = page["revision"], pages + [[change["key"] for change in page["changes"]]]
    assert sum(pages, []) == everything and len(pages) > 1


def test_a_quiet_stream_shows_that_it_lives(admin, key):
    admin.publish(key, b"a: 1\n")
    with admin.events(config(key)) as events:
        events.next()
        assert events.line().startswith(":")


# --- who may ---

def test_a_watch_needs_the_right_to_read(admin, anyone, make_user, key, app):
    admin.publish(key, b"a: 1\n")
    stranger = make_user("viewer", application=f"{app}-other")
    stranger.get(config(key), query={"after": 0, "wait": "60s"}, expect=403)
    watch(stranger, [{"key": key, "revision": 0}], "60s", expect=403)
    with stranger.events(config(key)) as events:
        assert events.status == 403
    watch(anyone, [{"key": key, "revision": 0}], expect=401)
    anyone.get(config(key), query={"after": 0, "wait": "60s"}, expect=401)


def test_a_prefix_shows_nothing_that_the_watcher_may_not_read(admin, make_user, app):
    mine, other = f"dev/{app}/default/a", f"dev/{app}-other/default/a"
    viewer = make_user("viewer", application=app)
    admin.publish(other, b"x")
    admin.publish(mine, b"x")
    for prefix in ("", "dev/", f"dev/{app}", f"dev/{app}/"):
        assert [c["key"] for c in watch(viewer, [{"prefix": prefix, "revision": 0}]).json()["changes"]] == [mine]
    watch(viewer, [{"prefix": f"dev/{app}-other/", "revision": 0}], expect=403)


@pytest.mark.parametrize("end", ["grant", "logout", "disabled", "password"])
def test_who_loses_the_right_while_waiting_gets_no_content(node, admin, make_user, key, app, end):
    admin.publish(key, b"a: 1\n")
    at = admin.read(key).revision
    viewer = make_user("viewer", application=app)
    waiting = InBackground(lambda: Client(node, viewer.token).get(config(key), query={"after": at, "wait": "60s"}))
    watching = InBackground(lambda: watch(Client(node, viewer.token), [{"key": key, "revision": at}], "60s", expect=(401, 403)))
    wait_for_watchers(node, 2)
    if end == "grant":
        admin.send("DELETE", f"/v1/users/{viewer.name}/grants", {"role": "viewer", "application": app}, expect=200)
    elif end == "logout":
        viewer.post("/v1/logout", expect=204)
    elif end == "disabled":
        admin.put(f"/v1/users/{viewer.name}", {"disabled": True}, expect=200)
    else:
        admin.put(f"/v1/users/{viewer.name}/password", {"password": "another password"}, expect=204)
    admin.publish(key, b"secret: 2\n")
    answer = waiting.result()
    assert answer.status in (401, 403) and b"secret" not in answer.body
    watching.result()


def test_a_stream_ends_when_its_right_does(admin, make_user, key, app):
    admin.publish(key, b"a: 1\n")
    viewer = make_user("viewer", application=app)
    with viewer.events(config(key)) as events:
        assert events.next()["event"] == "published"
        viewer.post("/v1/logout", expect=204)
        admin.publish(key, b"a: 2\n")
        assert events.next() is None


# --- slow and dead clients ---

def test_dead_clients_are_forgotten(node, admin, key):
    at = admin.publish(key, b"a: 1\n")["revision"]
    request = (f"GET {config(key)}?after={at}&wait=5m HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {admin.token}\r\n\r\n").encode()
    sockets = []
    for number in range(300):
        connection = socket.create_connection(("127.0.0.1", node.port))
        connection.sendall(request)
        sockets.append(connection)
    wait_for_watchers(node, 300)
    for number, connection in enumerate(sockets):
        if number % 2:  # an abrupt end, as of a killed client
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.close()
    wait_for_watchers(node, 0)
    wait_until(lambda: node.descriptors() < 150, "their sockets are closed")


def test_clients_that_do_not_read_cost_a_bounded_amount(make_node):
    """200 clients ask for 1 MiB each and read nothing; 50 more listen to streams and read nothing while 2,000 changes pass."""
    node = make_node()
    admin = log_in(node)
    large = "dev/shop/default/large.txt"
    admin.publish(large, random.Random(1).randbytes(1 << 19).hex())
    before = node.resident()
    sockets = []
    authorization = f"Host: x\r\nAuthorization: Bearer {admin.token}\r\n"
    for number in range(250):
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", node.port))
        target = f"GET {config(large)} HTTP/1.1\r\n{authorization}\r\n" if number < 200 else \
            f"GET {config('dev/shop/default/busy')} HTTP/1.1\r\n{authorization}Accept: text/event-stream\r\n\r\n"
        connection.sendall(target.encode())
        sockets.append(connection)
    for number in range(200 if SANITIZER else 2000):
        admin.publish("dev/shop/default/busy", f"{number}")
    grown = node.resident() - before
    if not SANITIZER:  # the sanitizers keep freed memory
        assert grown < 64 << 20, f"{grown >> 20} MiB more for clients that read nothing"
    assert admin.read(large).status == 200  # and others are served
    for connection in sockets:
        connection.close()
    wait_for_watchers(node, 0)
