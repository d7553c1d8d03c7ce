"""What stands in the archive, read past the product, and held against what it must be."""

import dataclasses
import hashlib

TIME = """to_char(time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS time"""
RELEASES = f"""SELECT id, key, version, revision, deleted, format, secret, size, md5, sha256, author, comment, {TIME}, rolled_back_from, content
               FROM config_center.release ORDER BY id"""
AUDIT = f"""SELECT id, {TIME}, actor, address, request_id, action, target, outcome, message, before::text, after::text, revision, count
            FROM config_center.audit ORDER BY id"""
NEWEST = "SELECT key, version, revision, deleted, release FROM config_center.config ORDER BY key"


@dataclasses.dataclass
class Rows:
    """Of one moment. Releases and audit records are in the order of their ids."""

    position: dict
    releases: list
    audit: list
    configs: list  # what is newest of each

    @classmethod
    def of(cls, postgres):
        """`postgres` is a database, or one server of it."""
        columns = [f"COALESCE((SELECT json_agg(q) FROM ({query}) q), '[]') AS {name}"
                   for name, query in (("releases", RELEASES), ("audit", AUDIT), ("configs", NEWEST))]
        [row] = postgres.rows(f"SELECT (SELECT row_to_json(p) FROM config_center.position p) AS position, {', '.join(columns)}")
        for release in row["releases"]:
            release["content"] = bytes.fromhex(release["content"].removeprefix("\\x"))
        return cls(**row)

    def of_key(self, key):
        return [release for release in self.releases if release["key"] == key]

    def assert_whole(self):
        """Every release and every audit record up to the position is there once, in order, and as it was made."""
        assert_in_a_row(self.releases, self.position["release"], "release")
        assert_in_a_row(self.audit, self.position["audit"], "audit record")
        revisions = [release["revision"] for release in self.releases]
        assert revisions == sorted(revisions), "releases are not in the order in which they were made"
        revisions = [record["revision"] for record in self.audit if record["revision"]]
        assert revisions == sorted(revisions), "audit records are not in the order of what they tell of"
        assert self.position["revision"] >= max([0, *revisions])
        newest = {}
        for release in self.releases:
            self._assert_follows(release, newest.get(release["key"]))
            newest[release["key"]] = release
        assert self.configs == [{**{name: newest[key][name] for name in ("key", "version", "revision", "deleted")}, "release": newest[key]["id"]}
                                for key in sorted(newest)]

    @staticmethod
    def _assert_follows(release, before):
        """Versions of a config count up; a tombstone has that of the release it ends."""
        version = before["version"] if before else 0
        assert release["version"] == (version if release["deleted"] else version + 1), f"{release} follows {before}"
        assert not (release["deleted"] and (before is None or before["deleted"])), f"{release} follows {before}"
        assert len(release["content"]) == release["size"]
        if not release["deleted"]:
            assert hashlib.sha256(release["content"]).hexdigest() == release["sha256"]
            assert hashlib.md5(release["content"]).hexdigest() == release["md5"]

    def assert_has(self, made):
        """Each of these (key, version, revision) is there, once."""
        there = [(release["key"], release["version"], release["revision"]) for release in self.releases if not release["deleted"]]
        assert len(there) == len(set(there))
        missing = set(made) - set(there)
        assert not missing, f"{len(missing)} of {len(made)} releases are missing: {sorted(missing, key=lambda each: each[2])[:10]}"

    # --- what the API tells, newest first ---

    def assert_tells_history(self, key, items):
        """`items` is all of /v1/releases/KEY."""
        there = [{name: value for name, value in release.items() if name not in ("id", "content") and value is not None}
                 for release in reversed(self.of_key(key))]
        assert there == items

    def assert_tells_audit(self, items):
        """`items` is all of /v1/audit; what came after the position is not held against anything."""
        told = [item for item in items if item["id"] <= self.position["audit"]]
        assert [record["id"] for record in reversed(self.audit)] == [item["id"] for item in told]
        for record, item in zip(reversed(self.audit), told):
            assert {name: record[name] for name in AUDIT_FIELDS} == {name: item[name] for name in AUDIT_FIELDS}
            assert record["message"] == item.get("message", "") and record["count"] == item.get("count", 1)


AUDIT_FIELDS = ("id", "time", "actor", "address", "request_id", "action", "target", "outcome", "revision")


def assert_in_a_row(rows, until, what):
    """Their ids are 1, 2, 3 and so on up to that."""
    ids = [row["id"] for row in rows]
    twice = sorted({id for id, next in zip(ids, ids[1:]) if id == next})
    missing = sorted(set(range(1, until + 1)) - set(ids))
    beyond = [id for id in ids if id > until]
    assert ids == list(range(1, until + 1)), (f"of {what}s up to {until}, {len(missing)} are missing: {missing[:10]}, {len(twice)} are there "
                                              f"twice: {twice[:10]}, {len(beyond)} are beyond: {beyond[:10]}")
