"""The metrics page: Prometheus' text format, and the names that dashboards rely on."""

import http.client
import json
import math
import re
import subprocess
import threading

import pytest

from client import Client, config
from conftest import log_in
from node import BINARY
from test_watch import poll, wait_for_watchers

TYPES = {}  # of what the catalog promises, by name
LABELS, EXPORTED, MOST = {}, {}, {}


@pytest.fixture(scope="module", autouse=True)
def catalog():
    """What the program says that a node exports: config-center monitoring metrics."""
    done = subprocess.run([BINARY, "monitoring", "metrics", "-o", "json"], capture_output=True, text=True, timeout=60, check=True)
    told = json.loads(done.stdout)
    for metric in told["metrics"]:
        TYPES[metric["name"]] = metric["type"]
        LABELS[metric["name"]] = set(metric["labels"])
        EXPORTED[metric["name"]] = metric["exported"]
    MOST.update((label["name"], label["most"]) for label in told["labels"])


LINE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? '
                  r'([-+]?(?:[0-9.]+(?:[eE][-+]?[0-9]+)?|Inf|NaN))')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"')


class Page:
    """A parsed page; a line that Prometheus would refuse is an error."""

    def __init__(self, text):
        self.types, self.helps, self.samples = {}, {}, {}
        assert text.endswith("\n")
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ")
                assert name not in self.types, f"{name} has two types"
                assert kind in ("counter", "gauge", "histogram", "summary", "untyped")
                self.types[name] = kind
            elif line.startswith("# HELP "):
                _, _, name, words = line.split(" ", 3)
                assert name not in self.helps and words
                self.helps[name] = words
            elif line:
                parsed = LINE.fullmatch(line)
                assert parsed, f"not the text format: {line!r}"
                at = (parsed[1], tuple(sorted(LABEL.findall(parsed[2] or ""))))
                assert at not in self.samples, f"twice: {line!r}"
                self.samples[at] = float(parsed[3])
        for name, _ in self.samples:
            family = re.sub("_(bucket|sum|count)$", "", name) if name not in self.types else name
            assert family in self.types and family in self.helps, f"{name} has no TYPE or HELP"

    def value(self, name, **labels):
        return self.samples.get((name, tuple(sorted(labels.items()))), 0)


def scrape(node, path="/metrics"):
    connection = http.client.HTTPConnection("127.0.0.1", node.metrics_port, timeout=30)
    connection.request("GET", path)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/plain") and "version=0.0.4" in answer.headers["Content-Type"]
    return Page(text)


def family_of(page, sample):
    return re.sub("_(bucket|sum|count)$", "", sample) if sample not in page.types else sample


def test_the_page_is_prometheus_text_and_has_what_was_promised(node, admin, key):
    admin.publish(key, b"a: 1\n")
    admin.delete(config(key), expect=200)
    page = scrape(node)
    assert page.types.items() <= TYPES.items()
    alone = ("always", "once there was one", "once there is an environment", "on the leader")
    missing = {name for name, when in EXPORTED.items() if when in alone} - {family_of(page, name) for name, _ in page.samples}
    assert not missing
    for name, labels in page.samples:
        assert {label for label, _ in labels} - {"le"} == LABELS[family_of(page, name)], name


def test_labels_take_no_more_values_than_the_catalog_says(node, admin):
    """Whatever is asked, and however often."""
    stranger = Client(node, checked=False)
    before = None
    for rounds in range(2):  # the second one meets what the first one made, and makes nothing more
        for number in range(rounds * 100, rounds * 100 + 100):
            stranger.get(f"/nowhere/{number}?x={number}")
            stranger.get(f"/v1/configs/env{number}/app/default/{number}")
            stranger.post("/v1/login", {"username": f"nobody{number}", "password": "wrong"})
            admin.get(config(f"env{number}/app/default/{number}"), expect=404)
        strange_methods(node, rounds)
        page = scrape(node)
        assert before is None or len(page.samples) <= before
        before = len(page.samples)
    values = {}
    for _, labels in page.samples:
        for label, value in labels:
            values.setdefault(label, set()).add(value)
    for label, found in values.items():
        assert MOST[label] == 0 or len(found) <= MOST[label], f"{label}: {sorted(found)}"
    assert values["environment"] <= {each["name"] for each in admin.get("/v1/environments").json()["items"]}


def strange_methods(node, rounds):
    connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=30)
    for number in range(30):
        connection.request(f"METHOD{rounds * 30 + number}", "/v1/login")
        connection.getresponse().read()
    connection.close()


def test_what_watchers_wait_after_a_commit_is_timed(make_node):
    node = make_node()
    admin = log_in(node)
    key = "dev/shop/default/a"
    count = lambda: scrape(node).value("config_center_watch_delay_seconds_count")
    at = admin.publish(key, b"1")["revision"]
    assert count() == 0  # nobody waited
    waiting = [poll(node, admin, key, at) for _ in range(20)]
    wait_for_watchers(node, 20)
    admin.publish(key, b"2")
    for each in waiting:
        each.result()
    page = scrape(node)
    assert 1 <= count() <= 64  # once for each I/O thread that had some of them
    assert 0 < page.value("config_center_watch_delay_seconds_sum") < 10 * count()


def test_reads_logins_and_denials_are_counted(make_node):
    node = make_node()
    admin = log_in(node)
    key = "dev/shop/default/a"
    assert scrape(node).value("config_center_deletes_total", environment="dev") == 0
    assert any(name == "config_center_deletes_total" for name, _ in scrape(node).samples)  # before there was one
    admin.publish(key, b"1")
    before = scrape(node)
    for _ in range(7):
        admin.get(config(key))
    admin.get(config("dev/shop/default/b"), expect=404)
    admin.get(config("dev/shop/default/a%2F"), expect=404)
    stranger = Client(node, checked=False)
    stranger.post("/v1/login", {"username": "admin", "password": "wrong"})
    admin.put("/v1/users/vera", {"password": "correct horse battery staple"}, expect=201)
    vera = log_in(node, "vera", "correct horse battery staple")
    for _ in range(3):
        vera.get(config(key), expect=403)
    after = scrape(node)
    grown = lambda name, **labels: after.value(name, **labels) - before.value(name, **labels)
    assert grown("config_center_reads_total", environment="dev") == 7
    assert grown("config_center_logins_total", outcome="unauthenticated") == 1
    assert grown("config_center_logins_total", outcome="done") == 1
    assert grown("config_center_permission_denials_total") == 3
    assert after.value("config_center_log_write_duration_seconds_count") > 0


def test_a_start_is_one_moment(node):
    """A start that moves between two scrapes looks like a restart."""
    assert len({scrape(node).value("process_start_time_seconds") for _ in range(20)}) == 1


def test_histograms_are_cumulative_and_end_at_infinity(node, admin, key):
    admin.publish(key, b"a: 1\n")
    page = scrape(node)
    series = {}
    for (name, labels), value in page.samples.items():
        if name.endswith("_bucket"):
            rest = tuple(pair for pair in labels if pair[0] != "le")
            series.setdefault((name.removesuffix("_bucket"), rest), []).append((float(dict(labels)["le"]), value))
    assert series
    for (name, labels), buckets in series.items():
        buckets.sort()
        values = [value for _, value in buckets]
        assert values == sorted(values)
        assert buckets[-1][0] == math.inf
        assert buckets[-1][1] == page.value(name + "_count", **dict(labels))
        assert page.value(name + "_sum", **dict(labels)) >= 0


def test_requests_are_counted_by_route_method_and_status(make_node):
    node = make_node()
    admin = log_in(node)
    before = scrape(node)
    for number in range(5):
        admin.publish(f"dev/shop/default/{number}", b"x")
    for _ in range(7):
        admin.get(config("dev/shop/default/none"), expect=404)
    after = scrape(node)
    route = next(dict(labels)["route"] for name, labels in after.samples
                 if name == "config_center_http_requests_total" and dict(labels)["route"].startswith("/v1/configs/{"))
    grown = lambda **labels: (after.value("config_center_http_requests_total", route=route, **labels)
                              - before.value("config_center_http_requests_total", route=route, **labels))
    assert grown(method="PUT", status="201") == 5
    assert grown(method="GET", status="404") == 7
    assert after.value("config_center_publishes_total", environment="dev") == 5
    assert after.value("config_center_configs") == 5
    assert after.value("config_center_config_bytes") == 5
    assert after.value("config_center_revision") > before.value("config_center_revision")
    assert after.value("config_center_raft_role", role="leader") == 1
    assert after.value("config_center_raft_leader_id") == 1 and after.value("config_center_stale") == 0
    assert after.value("config_center_raft_members", membership="voter") == 1


def test_unknown_paths_do_not_become_labels(make_node):
    node = make_node()
    client = Client(node, checked=False)
    for number in range(200):
        client.get(f"/nowhere/{number}")
    routes = {dict(labels)["route"] for name, labels in scrape(node).samples if name == "config_center_http_requests_total"}
    assert not any("nowhere" in route for route in routes)


def test_waiting_is_counted(node, admin, key):
    timed = lambda: scrape(node).value("config_center_http_request_duration_seconds_count",
                                       route="/v1/configs/{env}/{app}/{cluster}/{name...}")
    at = admin.publish(key, b"a: 1\n")["revision"]
    admin.get("/livez")  # what came before on this connection has been counted
    before = timed()
    waiting = [poll(node, admin, key, at) for _ in range(3)]
    wait_for_watchers(node, 3)
    admin.publish(key, b"a: 2\n")
    for each in waiting:
        each.result()
    wait_for_watchers(node, 0)
    admin.get("/livez")
    assert timed() == before + 1  # what waited by intent says nothing of the server


def test_scraping_while_everything_moves(node, admin, app):
    """The page is made of figures of several threads; whatever they do, it stays whole."""
    stop = threading.Event()
    failures = []

    def move():
        client = Client(node, admin.token)
        try:
            number = 0
            while not stop.is_set():
                number += 1
                client.publish(f"dev/{app}/default/{number % 5}", f"{number}")
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=move) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        last = 0
        for _ in range(50):
            revision = scrape(node).value("config_center_revision")
            assert revision >= last
            last = revision
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not failures


def test_path_and_port_are_settings(make_node):
    node = make_node(monitoring_metrics_path="/figures")
    assert scrape(node, "/figures").samples
    connection = http.client.HTTPConnection("127.0.0.1", node.metrics_port, timeout=30)
    connection.request("GET", "/metrics")
    assert connection.getresponse().status == 404
    assert Client(node, checked=False).get("/figures").status == 404  # not on the port of the API


def test_monitoring_can_be_off(make_node):
    assert make_node(monitoring_enabled="false").metrics_port == 0
