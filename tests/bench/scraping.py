"""What metrics cost: the page of a node that has much to tell, and reads beside a Prometheus that asks often."""

import contextlib
import os
import statistics
import time
import urllib.request

from client import config, log_in
from command import Command
from harness import CONFIGS, CONTENT, Bar, import_configs, per_second, ratio, say, wrk
from meanwhile import Meanwhile
from node import Node, wait_until

WATCHERS = 10_000
SCRAPES = 200
EVERY = 1  # second, as a Prometheus that asks often
PAIRS = 20  # of loads in a round: rates drift by a quarter, and the bar is three hundredths
LENGTH = 2  # seconds of each


def page_of(node):
    """Its size, and how many seconds it took."""
    began = time.monotonic()
    with urllib.request.urlopen(f"http://127.0.0.1:{node.metrics_port}/metrics", timeout=30) as answer:
        return len(answer.read()), time.monotonic() - began


def processor_time(node):
    """Of all its threads so far, in seconds."""
    fields = open(f"/proc/{node.process.pid}/stat").read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure_page(folder, options):
    node = Node(folder / "page").start()
    admin = log_in(node, checked=False)
    import_configs(admin)
    home = Command(folder / "page-home", node, CONFIG_CENTER_TOKEN=admin.token)
    loading = home.start("bench", "watch", "--watchers", WATCHERS, "--settle", "60s", "-o", "json")
    wait_until(lambda: node.metrics().get("config_center_watchers", 0) == WATCHERS, "all of them watch", 60)
    time.sleep(1)
    before = processor_time(node)
    pages = [page_of(node) for _ in range(SCRAPES)]
    worked = (processor_time(node) - before) * 1000 / SCRAPES
    loading.kill()
    loading.communicate()
    size, took = max(size for size, _ in pages), [took * 1000 for _, took in pages]
    say(f"  /metrics: {size:,} bytes, {statistics.median(took):.1f} ms, at most {max(took):.1f} ms, {worked:.2f} ms of processor")
    node.stop()
    what = f"/metrics with {CONFIGS:,} configs and {WATCHERS:,} watchers"
    return [Bar(f"{what}, median of {SCRAPES}", f"at most {max(took):.1f} ms", "", statistics.median(took), most=20, unit="ms"),
            Bar(f"{what}, processor time of the node", "", "", worked, most=20, unit="ms"),
            Bar(f"{what}, its size", "", "", size / 1000, most=200, unit="KB")]


def measure_scraped(folder, options):
    node = Node(folder / "scraped").start()
    admin = log_in(node, checked=False)
    key = "dev/bench/default/read.txt"
    admin.publish(key, CONTENT)
    url, scraped, alone = node.url + config(key), [], []
    wrk(url, 1, admin.token)
    for number in range(options.rounds * PAIRS):
        for asks in (number % 2 == 0, number % 2 != 0):  # what drifts hurts both
            with Meanwhile(EVERY, lambda: page_of(node)) if asks else contextlib.nullcontext():
                before = processor_time(node)
                rate = wrk(url, LENGTH, admin.token)
                worked = processor_time(node) - before
            (scraped if asks else alone).append((rate, rate * LENGTH / worked))
        say("  reads: {:,.0f}/s while scraped, {:,.0f}/s alone; by processor time {:,.0f}/s, {:,.0f}/s".format(
            scraped[-1][0], alone[-1][0], scraped[-1][1], alone[-1][1]))
    node.stop()
    what = "read, 64 connections, with a scrape every second, against without"
    bars = []
    for name, rates in ((what, 0), (f"{what}, by processor time of the node", 1)):
        here, there = [each[rates] for each in scraped], [each[rates] for each in alone]
        bars.append(Bar(name, per_second(here), per_second(there), ratio(here, there), least=0.97, unit="×"))
    return bars


MEASUREMENTS = {"page": measure_page, "scraped": measure_scraped}
