"""Backups in object stores, by the commands and by the clock, also when networks and stores do what they do at times."""

import base64
import os
import pathlib
import random
import struct

import pytest

from client import log_in
from command import Command
from faulty_proxy import FaultyProxy
from node import BINARY, Node, wait_until
from object_stores import BUCKET, Azure, Google, Swift

CLOCK = os.environ.get("CONFIG_CENTER_TEST_CLOCK") or os.path.join(os.path.dirname(BINARY), "tests/libshifted_clock.so")
PARTS = {"s3": "partNumber=", "azure": "blockid=", "gcs": "upload_id="}  # in the path of a request that puts a part


def content(number):
    return base64.b64encode(random.Random(number).randbytes(700_000))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """The data folder of a node that was stopped, a backup of which is of more than one part."""
    node = Node(tmp_path_factory.mktemp("node")).start()
    admin = log_in(node)
    for number in range(14):
        admin.publish(f"dev/shop/default/{number}", content(number), format="text")
    node.stop()
    node.check_log()
    return node.data


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """stores(name) → that store, which the tests of this file share."""
    running = {}

    def get(name):
        if name not in running:
            folder = tmp_path_factory.mktemp("store")
            running[name] = {"s3": lambda: Swift(folder), "azure": Azure, "azure with a signature": lambda: Azure(with_sas=True),
                             "gcs": lambda: Google(folder), "gcs with a key": lambda: Swift(folder, type="gcs", region="auto")}[name]()
        return running[name]

    yield get
    for store in running.values():
        store.close()


class Kept:
    """What a test has of a store: a prefix, a proxy before it, and the command with settings for them."""

    def __init__(self, store, proxy, prefix, home, data, **more):
        self.store, self.proxy, self.prefix = store, proxy, prefix
        self.settings = {f"backup_storage_{name}": value for name, value in
                         {"path": f"{BUCKET}/{prefix}", **store.settings(proxy.port), **more}.items()}
        self.variables = {f"CONFIG_CENTER_{name.upper()}": value for name, value in self.settings.items()}
        self.data, self.cli = data, Command(home, DATA_DIR=str(data), **self.variables)

    def names(self):
        """Of the objects that the store has below the prefix."""
        return [name.removeprefix(f"{self.prefix}/") for name in self.store.names() if name.startswith(f"{self.prefix}/")]

    def uploads(self):
        return [upload for upload in self.store.uploads() if upload["Key"].startswith(f"{self.prefix}/")]

    def list(self):
        return self.cli.json("backup", "list")


@pytest.fixture
def keep(stores, tmp_path, data):
    """keep("s3", **of_the_storage) → Kept."""
    proxies = []

    def make(name, **more):
        store = stores(name)
        proxies.append(FaultyProxy(store.port))
        return Kept(store, proxies[-1], tmp_path.name, tmp_path / "home", data, **more)

    yield make
    for proxy in proxies:
        proxy.close()


@pytest.mark.parametrize("name", ("s3", "azure", "azure with a signature", "gcs", "gcs with a key"))
def test_backups_are_kept_in_an_object_store(keep, make_node, tmp_path, name):
    kept = keep(name)
    assert "there is no backup" in kept.cli("backup", "list").stdout
    made = kept.cli.json("backup", "create")
    file, backup = made["file"], made["name"]
    assert file.endswith(f"/{kept.prefix}/{backup}.ccbackup") and made["bytes"] > 8 << 20, "it is put in parts"
    assert kept.names() == [f"{backup}.ccbackup"]
    assert kept.cli.json("backup", "show", backup)["revision"] == made["revision"]
    assert not kept.list()[0]["verified"]
    assert kept.cli.json("backup", "verify", backup)["verified"] == "rows"
    listed = kept.list()
    assert [each["file"] for each in listed] == [file] and listed[0]["verified"] and listed[0]["size"] == made["bytes"]
    here = tmp_path / "here.ccbackup"
    kept.cli("backup", "download", file, here)
    assert here.stat().st_size == made["bytes"]
    kept.cli("backup", "verify", here, "--level", "checksums")
    kept.cli("backup", "export", file, "dev/shop/default/3", tmp_path / "3")
    assert (tmp_path / "3").read_bytes() == content(3)
    assert "nothing was changed" in kept.cli("backup", "compare", backup).stdout

    there = make_node(start=False, name="there")
    key = (kept.data / "secrets" / "encryption_key").read_text().strip()
    restoring = Command(tmp_path / "restoring", CONFIG_CENTER_SECURITY_ENCRYPTION_KEY=key, **kept.variables)
    restoring("restore", backup, "--data-dir", there.data, "--nothing-newer", "--yes")
    there.start()
    assert log_in(there).read("dev/shop/default/7").body == content(7)

    newer = kept.cli.json("backup", "create")["name"]
    kept.cli("backup", "verify", newer)
    kept.cli.variables["CONFIG_CENTER_BACKUP_RETENTION_MAX_BACKUPS"] = "1"
    assert kept.cli.json("backup", "prune", "--yes")["removed"] == [file]
    assert sorted(kept.names()) == [f"{newer}.ccbackup", f"{newer}.ccbackup.verified"]


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


@pytest.mark.parametrize("name, wrong", (("s3", f"{Swift.USER} {Swift.KEY}-not"), ("azure", None), ("azure with a signature", None),
                                         ("gcs", None)))
def test_who_may_not_is_told_so_at_once_and_secrets_are_not(keep, tmp_path, name, wrong):
    kept = keep(name)
    given = kept.cli.variables["CONFIG_CENTER_BACKUP_STORAGE_CREDENTIALS"]
    if name == "azure":
        wrong = given.replace("AccountKey=A", "AccountKey=B")
    elif name == "azure with a signature":
        wrong = given.replace("sig=c2", "sig=d3")
    elif name == "gcs":
        wrong = Google(tmp_path).settings(0)["credentials"].replace("certificate", "")
        wrong = wrong.replace(wrong[wrong.index("http://"):wrong.index("/token")], given[given.index("http://"):given.index("/token")])
    kept.cli.variables["CONFIG_CENTER_BACKUP_STORAGE_CREDENTIALS"] = wrong
    told = kept.cli("backup", "list", expect=1).stderr
    assert "the store answers 40" in told and len(kept.proxy.requests) <= 1
    for secret in (Swift.KEY, "sig=", "PRIVATE KEY", Azure.KEY[1:]):
        assert secret not in told
    assert "***" in kept.cli("config", "show").stdout and wrong not in kept.cli("config", "show").stdout


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


def test_credentials_come_from_a_file_or_the_environment_of_their_provider(keep, tmp_path):
    kept = keep("s3")
    del kept.cli.variables["CONFIG_CENTER_BACKUP_STORAGE_CREDENTIALS"]
    assert "credentials are missing" in kept.cli("backup", "list", expect=1).stderr
    kept.cli.variables.update(AWS_ACCESS_KEY_ID=Swift.USER, AWS_SECRET_ACCESS_KEY=Swift.KEY)
    assert kept.list() == []
    kept.cli.variables.update(AWS_SECRET_ACCESS_KEY="wrong")
    (tmp_path / "credentials").write_text(f"{Swift.USER}\n{Swift.KEY}\n")
    kept.cli.variables["CONFIG_CENTER_BACKUP_STORAGE_CREDENTIALS_FILE"] = str(tmp_path / "credentials")
    assert kept.list() == []
    azure = keep("azure")
    connection = azure.cli.variables.pop("CONFIG_CENTER_BACKUP_STORAGE_CREDENTIALS")
    azure.cli.variables["AZURE_STORAGE_CONNECTION_STRING"] = connection
    assert azure.list() == []
    google = keep("gcs")
    (tmp_path / "account.json").write_text(google.cli.variables.pop("CONFIG_CENTER_BACKUP_STORAGE_CREDENTIALS"))
    google.cli.variables["GOOGLE_APPLICATION_CREDENTIALS"] = str(tmp_path / "account.json")
    assert google.list() == []


def test_the_bucket_stands_before_the_host(keep):
    kept = keep("s3")
    kept.cli.variables.update(CONFIG_CENTER_BACKUP_STORAGE_ENDPOINT=f"http://localhost:{kept.proxy.port}", CONFIG_CENTER_BACKUP_STORAGE_ADDRESSING="virtual")
    made = kept.cli.json("backup", "create")
    assert kept.names() == [f"{made['name']}.ccbackup"]
    assert all(not request.path.startswith(f"/{BUCKET}") for request in kept.proxy.requests)
    kept.cli("backup", "verify", made["name"])


def test_a_storage_that_is_of_no_use_is_refused(keep, tmp_path):
    file = tmp_path / "settings.yaml"
    for storage, why in (("{type: s3, path: bucket}", "credentials are missing"), ("{type: s3, credentials: a b}", "backup.storage.path is missing"),
                         ("{type: s3, path: bucket, credentials: a b, endpoint: nowhere}", "is no http://host"),
                         ("{type: azure, path: bucket, credentials: a b}", "no connection string"),
                         ("{type: gcs, path: bucket, credentials: '{}'}", "has no client_email")):
        file.write_text(f"backup: {{schedule: {{enabled: true}}, storage: {storage}}}\n")
        told = Command(tmp_path / "home")("config", "check", "--config", file, expect=2).stderr
        assert why in told and "backup.storage" in told


def shifted(tmp_path, seconds):
    """The environment of a process whose clock is off by so much."""
    (tmp_path / "clock").write_bytes(struct.pack("q", seconds))
    return {"LD_PRELOAD": CLOCK, "SHIFTED_CLOCK": str(tmp_path / "clock")}


@pytest.mark.parametrize("name", ("s3", "azure"))
def test_by_the_clock_they_are_stored_read_back_and_pruned(keep, make_node, tmp_path, name):
    """One is restored into a scratch node, too, which is noted before the old one goes."""
    kept = keep(name)
    node = make_node(backup_schedule_cron="TZ=UTC 0 0 * * *", backup_retention_max_backups=1, backup_verify_restored_every="7d", **kept.settings)
    admin = log_in(node)
    admin.publish("dev/shop/default/a", b"a: 1\n")
    past = Command(tmp_path / "past", DATA_DIR=str(node.data), **kept.variables)
    here = Command(tmp_path / "local", DATA_DIR=str(node.data), **shifted(tmp_path, -3 * 86400)).json("backup", "create")
    kept.store.put(f"{kept.prefix}/{here['name']}.ccbackup", pathlib.Path(here["file"]).read_bytes())
    past("backup", "verify", here["name"])
    node.stop()
    node.settings["backup_schedule_enabled"] = "true"
    node.start()
    listed = wait_until(lambda: (all := past.json("backup", "list")) and len(all) == 1 and all[0]["name"] != here["name"] and all, "one was made, and the old one went", 60)
    assert listed[0]["verified"] and listed[0]["restored"] and listed[0]["configs"] == 1
    assert node.metrics()["config_center_backup_success_total"] == 1
    assert any(request.method == "GET" and "range" not in request.path and listed[0]["name"] in request.path for request in kept.proxy.requests), "read back"
    assert kept.variables["CONFIG_CENTER_BACKUP_STORAGE_CREDENTIALS"] not in node.log()
