"""A group with an archive, which clients use while something happens to either, and what must hold afterwards."""

from archive_rows import Rows
from client import releases
from command import Command
from history import OK
from nemesis import judge
from node import wait_until
from under_load import UnderLoad

# Settings of nodes that keep nothing themselves but what the archive does not have.
FORGETFUL = {"history_releases": 3, "history_audit": "1s"}


class Archived(UnderLoad):
    """`group` has `postgres` as its archive."""

    def __init__(self, group, postgres, seed):
        super().__init__(group, seed)
        self.postgres = postgres

    # --- how far the archive is ---

    def status(self, number=None):
        """As a node sees it, or the leader."""
        return self.group.client(number or self.group.wait_leader()).get("/v1/archive", expect=200).json()

    def wait_begun(self):
        """Its tables are there, and so is what the group began with."""
        wait_until(lambda: self.postgres.sql("SELECT to_regclass('config_center.position')") != [(None,)], "the archive is begun", 60)
        self.wait_caught_up()

    def wait_behind(self, number=None):
        """Until that node sees that the archive does not go on."""
        wait_until(lambda: "trouble" in self.status(number), "the archive is known not to go on", 60)

    def wait_caught_up(self):
        """The archive has what there was when this was called; the group may be under load."""
        newest = self.group.newest()
        wait_until(lambda: self._archived("revision") >= newest, f"the archive has revision {newest}", 120)

    def _archived(self, what):
        [[number]] = self.postgres.sql(f"SELECT COALESCE(max({what}), 0) FROM config_center.position")
        return int(number)

    # --- what must hold ---

    def check(self):
        """When the load has ended: what clients saw was right, and the archive has every release and every audit record once,
        in order; each node says so, and so it is."""
        judge(self.group, self.workload)
        self.wait_caught_up()
        client = self.group.client(self.group.wait_leader())
        told = client.items("/v1/audit", limit=1000)
        wait_until(lambda: self._archived("audit") >= told[0]["id"], "the archive has all audit records", 60)
        for number in self.group.nodes:
            report = self.verify(number)
            assert report["equal"] and report["differences"] == [], report
        rows = Rows.of(self.postgres)
        rows.assert_whole()
        rows.assert_has([(op.key, op.version, op.revision) for op in self.workload.operations if op.kind == "publish" and op.outcome == OK])
        for key in self.workload.keys:
            rows.assert_tells_history(key, client.items(releases(key), limit=1000))
        rows.assert_tells_audit(told)
        print(f"{len(rows.releases)} releases and {len(rows.audit)} audit records archived, each once; "
              f"the longest wait for an answer: {self.longest_wait():.2f} s", flush=True)
        return rows

    def verify(self, number):
        """What `archive verify` says, asked of that node."""
        command = Command(self.group.folder / "home", self.group[number], CONFIG_CENTER_TOKEN=self.group.token)
        return command.json("archive", "verify")
