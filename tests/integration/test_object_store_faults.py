"""Backups in object stores, when networks and stores do what they do at times, and when a process is killed."""

import time

import pytest

from faulty_proxy import FaultyProxy
from kept_backups import data, keep, stores  # noqa: F401 (fixtures)

PARTS = {"s3": "partNumber=", "azure": "blockid=", "gcs": "upload_id="}  # in the path of a request that puts a part


@pytest.mark.parametrize("kind", FaultyProxy.KINDS)
@pytest.mark.parametrize("name", PARTS)
def test_what_networks_and_stores_do_at_times_is_tried_again(keep, name, kind):
    """While parts are put, and while they are read again."""
    kept = keep(name, timeout="1s")
    times = 1 if kind == "slow" else 2
    kept.proxy.fault(kind, times, method="PUT", path=PARTS[name])
    made = kept.cli.json("backup", "create")
    assert kept.proxy.clear() == 0, "it was met"
    if kind not in ("changed", "other sum"):
        kept.proxy.fault(kind, times, method="GET", path=f"{made['name']}.ccbackup")
    kept.cli("backup", "verify", made["name"])
    assert kept.proxy.clear() == 0
    listed = kept.list()
    assert [each["file"] for each in listed] == [made["file"]] and listed[0]["verified"]
    assert sorted(kept.names()) == [f"{made['name']}.ccbackup", f"{made['name']}.ccbackup.verified"] and not kept.uploads()


@pytest.mark.parametrize("kind", ("lost", "503", "other sum"))
@pytest.mark.parametrize("name, last", (("s3", "?uploadId="), ("azure", "comp=blocklist")))
def test_the_last_request_of_many_parts_is_tried_again(keep, name, last, kind):
    """Also when it was done, and only its answer was lost."""
    kept = keep(name)
    kept.proxy.fault(kind, 1, path=last)
    made = kept.cli.json("backup", "create")
    assert kept.proxy.clear() == 0 and kept.names() == [f"{made['name']}.ccbackup"] and not kept.uploads()


@pytest.mark.parametrize("name", PARTS)
def test_of_one_that_cannot_be_put_nothing_stays(keep, name):
    kept = keep(name)
    kept.proxy.fault("other sum", 100, path=PARTS[name])
    assert "the store has other bytes than were sent" in kept.cli("backup", "create", expect=1).stderr
    kept.proxy.clear()
    assert kept.list() == [] and kept.names() == [] and not kept.uploads()
    assert not list((kept.data / "tmp").glob("backup-*"))


def test_a_changed_answer_is_damage(keep):
    """The store has it as it was: what was read is not used, and it is good the next time."""
    kept = keep("s3")
    made = kept.cli.json("backup", "create")
    kept.proxy.fault("forged", method="GET", path=f"{made['name']}.ccbackup")
    assert "is damaged" in kept.cli("backup", "verify", made["name"], expect=1).stderr
    assert kept.proxy.clear() == 0 and not kept.list()[0]["verified"]
    kept.cli("backup", "verify", made["name"])


def test_killed_while_it_uploads(keep):
    """Nothing of it is offered; what it left in the store goes when it is old, and on the disk with the next one."""
    kept = keep("s3")
    kept.proxy.fault("slow", path="partNumber=2")
    process = kept.cli.start("backup", "create")
    assert kept.proxy.held.wait(60)
    process.kill()
    process.communicate()
    kept.proxy.release.set()
    assert kept.list() == [] and len(kept.uploads()) == 1 and len(list((kept.data / "tmp").glob("backup-*"))) == 1
    kept.cli("backup", "prune", "--yes")
    assert len(kept.uploads()) == 1, "it might still go on"
    kept.proxy.fault("old", path="uploads=")
    kept.cli("backup", "prune", "--yes")
    assert not kept.uploads()
    made = kept.cli.json("backup", "create")
    assert kept.names() == [f"{made['name']}.ccbackup"] and not list((kept.data / "tmp").glob("backup-*"))


def test_a_token_that_was_revoked_is_replaced(keep):
    kept = keep("gcs")
    kept.proxy.fault("held", path="upload_id=")
    process = kept.cli.start("backup", "create")
    assert kept.proxy.held.wait(60)
    kept.store.valid.clear()
    given = kept.store.given
    kept.proxy.release.set()
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    kept.cli("backup", "verify", kept.list()[0]["name"])
    assert kept.store.given > given


def test_killed_while_it_prunes(keep):
    """Of a backup that went its note goes later; the newest stays."""
    kept = keep("s3")
    old, new = (kept.cli.json("backup", "create")["name"] for _ in range(2) if not time.sleep(1.1))  # named by the second
    for name in (old, new):
        kept.cli("backup", "verify", name)
    kept.cli.variables["CONFIG_CENTER_BACKUP_RETENTION_MAX_BACKUPS"] = "1"
    kept.proxy.fault("slow", method="DELETE", path=".verified")
    process = kept.cli.start("backup", "prune", "--yes")
    assert kept.proxy.held.wait(60)
    process.kill()
    process.communicate()
    kept.proxy.release.set()
    assert kept.names() == [f"{old}.ccbackup.verified", f"{new}.ccbackup", f"{new}.ccbackup.verified"]
    kept.cli("backup", "prune", "--yes")
    assert kept.names() == [f"{new}.ccbackup", f"{new}.ccbackup.verified"] and kept.list()[0]["verified"]
