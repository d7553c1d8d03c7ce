"""A group with an edge copy, which clients use while something happens to either, and what must hold afterwards."""

from edge_copy import Copy, next_message
from nemesis import judge
from node import wait_until
from under_load import UnderLoad

# Requests are counted, through Redis, and never too many.
COUNTING = {"limits_requests_per_user": 1_000_000}


class Edged(UnderLoad):
    """`group` has its copy in `redis`."""

    def __init__(self, group, redis, seed):
        super().__init__(group, seed)
        self.redis = redis
        self._subscription = None

    @property
    def copy(self):
        """As who reads the primary sees it."""
        return Copy(self.redis.client())

    # --- how far the copy is ---

    def status(self, number=None):
        """As a node sees it, or the leader."""
        return self.group.client(number or self.group.wait_leader()).get("/v1/edge", expect=200).json()

    def wait_behind(self, number=None):
        """Until that node sees that the copy does not go on."""
        wait_until(lambda: "trouble" in self.status(number), "the copy is known not to go on", 60)

    def wait_caught_up(self):
        """The copy has what there was when this was called; the group may be under load."""
        newest = self.group.newest()
        wait_until(lambda: int(self.copy.position().get("revision", 0)) >= newest, f"the copy has revision {newest}", 60)

    def subscribe(self):
        """Of all changes from now on there must be messages, for those of whom this primary of Redis is not taken away."""
        self._subscription = self.copy.subscribe()
        self._subscribed = self.group.newest()

    # --- what must hold ---

    def check(self):
        """When the load has ended: what clients saw was right, the copy is what is published and nothing else, and each node
        says so. Who has subscribed was told of every change since then once, and in order."""
        revision = judge(self.group, self.workload).revision
        self.wait_caught_up()
        assert self.copy.is_what_is_published(self.group.client(self.group.wait_leader()))
        for number in self.group.nodes:
            wait_until(lambda: (told := self.status(number))["lag_revisions"] == 0 and told["revision"] == revision and "trouble" not in told,
                       f"node {number} says that the copy has everything")
        if self._subscription:
            self._check_messages()
        print(f"the copy has everything up to revision {revision}; the longest wait for an answer: {self.longest_wait():.2f} s", flush=True)

    def _check_messages(self):
        changes, told = self._changes(), []
        while not told or told[-1]["revision"] < changes[-1]["revision"]:
            told.append(next_message(self._subscription))
        assert told == changes[-len(told):]
        assert len(told) >= sum(change["revision"] > self._subscribed for change in changes)

    def _changes(self):
        """All that there were, as messages tell of them."""
        changes = [{"key": each.key, "revision": each.revision, "version": each.version, "deleted": each.content is None}
                   for releases in self.workload.final().values() for each in releases]
        return sorted(changes, key=lambda change: change["revision"])
