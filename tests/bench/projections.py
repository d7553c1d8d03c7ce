"""Three nodes with the archive and the edge copy, against three without: PostgreSQL and Redis run on this machine, too."""

import bisect
import statistics
import threading
import time

from cluster import publish_through_all, started
from harness import CLIENTS, CONTENT, Bar, per_second, ratio, say
from node import wait_until
from postgres import Postgres
from redis_servers import Redis

RATE = 1000  # publishes a second, where the lag is measured
WRITERS = 8
FOLLOWED = 5000  # publishes a second that the archive keeps up with


class Servers:
    """A database and a cache of the bench's own, with writes as safe as they are by default."""

    def __init__(self, proxied=False):
        self.postgres = Postgres(proxied=proxied, fsync="on").start()
        self.redis = Redis().start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.postgres.close()
        self.redis.close()

    def settings(self):
        return {**self.postgres.settings(), **self.redis.settings()}


def projected(group):
    """Waits until the archive and the edge copy have everything."""
    for path in ("/v1/archive", "/v1/edge"):
        wait_until(lambda: group.client(1).get(path, expect=200).json()["lag_revisions"] == 0, f"{path} has everything", 120)


def measure_publishes(folder, options):
    with Servers() as servers:
        with_both, without = started(folder / "with", **servers.settings()), started(folder / "without")
        ours, theirs = [], []
        sides = [(ours, with_both), (theirs, without)]
        for _ in range(options.rounds + 2):  # with five processes more on two cores they differ more than others
            for rates, group in sides:
                rates.append(publish_through_all(group, options.seconds))
                projected(with_both)  # what it has to do belongs to no round of the other
            sides.reverse()
            say(f"  publishes: {ours[-1]:,.0f}/s, without {theirs[-1]:,.0f}/s")
        with_both.stop()
        without.stop()
    return [Bar(f"three nodes: publish, {CLIENTS} clients over all of them, with archive and edge copy, against without", per_second(ours),
                per_second(theirs), ratio(ours, theirs), least=0.9, unit="×")]


class Load:
    """So many publishes a second over all nodes, and when each was acknowledged."""

    def __init__(self, group):
        self._stopping, self.acknowledged, self.failures = threading.Event(), [], []
        numbers = list(group.nodes)
        self._threads = [threading.Thread(target=self._write, args=(group.client(numbers[i % len(numbers)]), i)) for i in range(WRITERS)]
        for thread in self._threads:
            thread.start()

    def _write(self, client, number):
        begun, count = time.monotonic(), 0
        try:
            while not self._stopping.is_set():
                time.sleep(max(0, begun + count * WRITERS / RATE - time.monotonic()))
                key = f"dev/bench/writer{number}/{count % 100}.txt"
                revision = client.publish(key, b"%06d " % count + CONTENT[7:])["revision"]
                self.acknowledged.append((revision, time.monotonic()))
                count += 1
        except Exception as failure:
            self.failures.append(failure)

    def stop(self):
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        assert not self.failures, self.failures
        return sorted(self.acknowledged)


class Seen:
    """When which revision was there, as asked of the server itself, over and over."""

    def __init__(self, ask):
        self._ask, self._stopping, self.samples = ask, threading.Event(), []
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def _look(self):
        while not self._stopping.is_set():
            revision = self._ask()
            self.samples.append((revision, time.monotonic()))
            time.sleep(0.02)

    def lags(self, acknowledged):
        """Of each publish: from its answer until it was seen there."""
        revisions = [revision for revision, _ in self.samples]
        found = []
        for revision, when in acknowledged:
            at = bisect.bisect_left(revisions, revision)
            if at < len(revisions):
                found.append(max(0.0, self.samples[at][1] - when))
        return found

    def stop(self):
        self._stopping.set()
        self._thread.join()


def archive_revision(postgres):
    return lambda: int(postgres.sql("SELECT revision FROM config_center.position")[0][0])


def edge_revision(redis):
    client = redis.client()
    return lambda: int(client.hget("config-center:position", "revision") or 0)


def measure_lag(folder, options):
    with Servers() as servers:
        group = started(folder / "lag", **servers.settings())
        projected(group)
        seen = [Seen(archive_revision(servers.postgres)), Seen(edge_revision(servers.redis))]
        load = Load(group)
        time.sleep(options.seconds * 3)
        acknowledged = load.stop()
        projected(group)
        time.sleep(0.5)
        for each in seen:
            each.stop()
        group.stop()
    rate = len(acknowledged) / (options.seconds * 3)
    bars = []
    for what, each in zip(("archive", "edge copy"), seen):
        lags = each.lags(acknowledged)
        assert len(lags) == len(acknowledged), "some were never seen"
        say(f"  lag of the {what}: {statistics.median(lags):.3f} s, at most {max(lags):.3f} s, at {rate:,.0f} publishes/s")
        bars.append(Bar(f"lag of the {what}, median, at {RATE:,} publishes a second", f"at most {max(lags):.2f} s, {rate:,.0f}/s", "",
                        statistics.median(lags), most=1, unit="s"))
    return bars


def measure_following(folder, options):
    """With so few clients that they publish no more than the archive promises to follow."""
    with Servers() as servers:
        group = started(folder / "following", **servers.settings())
        projected(group)
        clients, rate = 3, publish_through_all(group, 1, 3)
        while (more := publish_through_all(group, 1, clients + 3)) < FOLLOWED and clients < CLIENTS:
            clients, rate = clients + 3, more
        projected(group)
        rate = publish_through_all(group, options.seconds * 3, clients)
        began, newest, took = time.monotonic(), group.newest(), {}
        asked = {"archive": archive_revision(servers.postgres), "edge copy": edge_revision(servers.redis)}

        def have_everything():
            for what, ask in asked.items():
                if what not in took and ask() >= newest:
                    took[what] = time.monotonic() - began
            return len(took) == len(asked)

        wait_until(have_everything, "both have everything", 120)
        group.stop()
    say(f"  followed {rate:,.0f} publishes/s; after the last " + ", ".join(f"the {what} had everything in {s:.2f} s" for what, s in took.items()))
    return [Bar(f"after {options.seconds * 3} s of as many publishes as come to less than {FOLLOWED:,} a second, the {what} has everything in",
                f"{rate:,.0f}/s of {clients} clients", "", seconds, most=1, unit="s") for what, seconds in took.items()]


def measure_catching_up(folder, options):
    away = 10 if options.quick else 60
    with Servers(proxied=True) as servers:
        group = started(folder / "away", **servers.settings())
        projected(group)
        load = Load(group)
        time.sleep(2)
        servers.postgres.primary.cut()
        time.sleep(away)
        missing = len(load.acknowledged)
        servers.postgres.primary.heal()
        began = time.monotonic()
        newest = load.acknowledged[-1][0]
        ask = archive_revision(servers.postgres)
        missing -= ask()
        wait_until(lambda: ask() >= newest, "the archive has caught up", 300)
        took = time.monotonic() - began
        load.stop()
        group.stop()
    say(f"  caught up {took:.2f} s after {away} s without the database")
    return [Bar(f"after {away} s without the database under {RATE:,} publishes a second, caught up in", f"{missing:,} releases missing", "", took,
                most=30, unit="s")]


MEASUREMENTS = {"publishes": measure_publishes, "lag": measure_lag, "following": measure_following, "catching-up": measure_catching_up}
