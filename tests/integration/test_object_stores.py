"""Backups in object stores, by the commands and by the clock."""

import os
import pathlib
import struct

import pytest

from authority import Authority
from client import log_in
from command import Command
from faulty_proxy import FaultyProxy
from kept_backups import content, data, keep, stores  # noqa: F401 (fixtures)
from node import BINARY, wait_until
from object_stores import BUCKET, Azure, Google, Swift

CLOCK = os.environ.get("CONFIG_CENTER_TEST_CLOCK") or os.path.join(os.path.dirname(BINARY), "tests/libshifted_clock.so")


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


def test_only_a_store_that_is_trusted_is_spoken_with(stores, keep, tmp_path):
    authority = Authority(tmp_path / "authority")
    proxy = FaultyProxy(stores("s3").port, authority.issue("store"))
    try:
        kept = keep("s3", endpoint=f"https://127.0.0.1:{proxy.port}")
        assert "certificate" in kept.cli("backup", "list", expect=1).stderr and not proxy.requests
        kept.cli.variables["CONFIG_CENTER_BACKUP_STORAGE_CA_FILE"] = str(authority.certificate)
        made = kept.cli.json("backup", "create")
        assert kept.names() == [f"{made['name']}.ccbackup"]
    finally:
        proxy.close()


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
