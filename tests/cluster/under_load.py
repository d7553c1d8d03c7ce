"""A group that writes to a server beside it, which clients use while something happens to either."""

import contextlib
import os
import time

from history import UNKNOWN
from node import wait_until
from workload import Reader, Streamer, Workload, Writer

# Seconds for one answer, generously; less than the leader waits for such a server, and less than it is away.
AT_ONCE = 2.5

# How long a server is away: seconds in a test; a minute, as CONFIG_CENTER_TEST_AWAY=60, where there is time.
AWAY = float(os.environ.get("CONFIG_CENTER_TEST_AWAY", 4))


class UnderLoad:
    def __init__(self, group, seed):
        self.group, self._seed = group, seed
        self.workload, self._nodes_fail = None, False

    @contextlib.contextmanager
    def load(self, keys=8, writers=6, readers=4, nodes_fail=False):
        """Clients publish, delete, read and watch meanwhile, at all nodes. Each must be answered at once, every time; with
        `nodes_fail` they ask again elsewhere, and no change that was acknowledged is lost."""
        self.workload = Workload(self.group, self._seed, keys=keys, writers=writers, readers=readers, watchers=2, streamers=2,
                                 **({} if nodes_fail else {"patient": AT_ONCE}))
        self._nodes_fail = nodes_fail
        self.workload.start()
        try:
            self.goes_on()
            yield
            self.goes_on()
        finally:
            self.workload.stopping.set()
        self.workload.stop()
        if not nodes_fail:
            assert self.workload.unanswered == [], f"of {len(self.workload.operations)} some were not answered: {self.workload.unanswered[:10]}"

    def goes_on(self):
        """Whoever publishes, deletes and reads does so from now on, several times, and is answered; nobody waits for what
        happens to the server now. When no node fails, watchers are answered, too, or told of what is changed from now on by
        a stream that they follow already."""
        since, newest = time.monotonic(), max((op.revision or 0 for op in self.workload.operations if op.mutates), default=0)

        def goes_on(client):
            times = 3 if isinstance(client, (Writer, Reader)) else 0 if self._nodes_fail else 1
            return sum(op.outcome != UNKNOWN and op.start > since for op in client.operations[-200:]) >= times or is_told(client)

        def is_told(client):
            return isinstance(client, Streamer) and any(change.revision > newest for op in client.operations[-2:] for change in op.changes)

        def all_go_on():
            self.group.check_running()
            return all(map(goes_on, self.workload.clients))

        wait_until(all_go_on, "clients are answered", 60)

    def hold(self, seconds):
        """It stays as it is for so long, and clients go on to its end."""
        end = time.monotonic() + seconds
        self.goes_on()
        while time.monotonic() < end:
            time.sleep(0.1)
            self.group.check_running()
        self.goes_on()

    def longest_wait(self):
        """Seconds, of who published, deleted or read."""
        return max(op.end - op.start for client in self.workload.clients if isinstance(client, (Writer, Reader))
                   for op in client.operations if op.outcome != UNKNOWN)
