"""The history in PostgreSQL and backups: what they say of it, what they hold of it, and how it comes back."""

import json
import os
import shutil

import pytest

from archive_rows import Rows
from client import config, log_in, releases
from command import Command
from kept_backups import data, keep, stores  # noqa: F401 (fixtures)
from node import wait_until
from postgres import DATABASE, PASSWORD, ROLE, Refused
from test_archive import FORGETFUL, KEY, archived, publish, wait_until_forgotten

@pytest.fixture
def place(make_postgres, make_node):
    """place(**settings) → a database, a node with it that forgets soon what is archived, and its administrator."""
    def make(**settings):
        postgres = make_postgres()
        node = make_node(**postgres.settings(), **FORGETFUL, **settings)
        return postgres, node, log_in(node)

    return make


@pytest.fixture
def command_of(tmp_path):
    """command_of(node) → the command line with that node's settings, as its operator has it."""
    def make(node, **more):
        variables = {f"CONFIG_CENTER_{name.upper()}": str(value) for name, value in {**node.settings, **more}.items()}
        return Command(tmp_path / "home", DATA_DIR=str(node.data), **variables)

    return make


@pytest.fixture
def programs(tmp_path):
    """programs(pg_dump="…") → a folder for PATH with that in it as a shell script; what is not named is not there."""
    def make(**scripts):
        folder = tmp_path / f"programs{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        for name in ("sh", "cat", "head", "stat"):
            (folder / name).symlink_to(shutil.which(name))
        for name, script in scripts.items():
            (folder / name).write_text("#!/bin/sh\n" + script)
            (folder / name).chmod(0o755)
        return str(folder)

    return make


def real(name):
    return f'PATH="$PATH:{os.environ["PATH"]}" exec {shutil.which(name)} "$@"\n'


def publish_and_forget(admin):
    """Seven versions, of which the node has forgotten the first five."""
    publish(admin, *range(1, 8))
    archived(admin)
    wait_until_forgotten(admin, 5)
    archived(admin)


def lose(postgres):
    """The database and all in it; an empty one takes its place."""
    postgres.sql(f"DROP DATABASE {DATABASE} WITH (FORCE)", database="postgres")
    postgres.sql(f"CREATE DATABASE {DATABASE} OWNER {ROLE}", database="postgres")


def schemas(postgres):
    return sorted(name for name, in postgres.sql("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'config\\_center%'"))


def versions(admin):
    return [item["version"] for item in admin.items(releases(KEY))]


def test_the_archive_alone_is_lost_and_comes_back_while_the_node_runs(place, command_of, tmp_path):
    postgres, node, admin = place(backup_archive="included")
    cli = command_of(node)
    publish_and_forget(admin)
    then = Rows.of(postgres)
    told = cli("backup", "create", tmp_path / "today.ccbackup").stdout
    assert f"and the archive up to revision {then.position['revision']}," in told
    shown = cli.json("backup", "show", tmp_path / "today.ccbackup")
    assert shown["format"] == 2 and shown["archive"]["dump_bytes"] > 0
    assert (shown["archive"]["last_release"], shown["archive"]["last_audit"]) == (then.position["release"], then.position["audit"])
    assert "included" in cli("backup", "show", tmp_path / "today.ccbackup").stdout
    assert cli.json("backup", "verify", tmp_path / "today.ccbackup")["unread"] == ""

    lose(postgres)
    wait_until(lambda: schemas(postgres) and postgres.sql("SELECT 1 FROM config_center.release"), "the node has begun anew")
    archived(admin)
    assert 1 not in [int(id) for id, in postgres.sql("SELECT id FROM config_center.release")], "the node has it no more"
    restore = ("restore", tmp_path / "today.ccbackup", "--only-archive")
    assert "with --replace it is set aside" in cli(*restore, "--yes", expect=1).stderr
    assert "would bring the history" in cli(*restore, "--replace", "--dry-run").stdout
    assert "--yes" in cli(*restore, "--replace", expect=2).stderr
    back = cli.json(*restore, "--replace", "--yes")["history"]
    assert back["revision"] == then.position["revision"] and schemas(postgres) == ["config_center", back["set_aside"]]
    assert postgres.sql(f"SELECT 1 FROM {back['set_aside']}.release")

    publish(admin, 8, 9)
    archived(admin)
    now = Rows.of(postgres)
    now.assert_whole()
    assert now.releases[:len(then.releases)] == then.releases and now.audit[:len(then.audit)] == then.audit
    wait_until(lambda: versions(admin) == list(range(9, 0, -1)), "it has reached the archive")
    assert admin.get(config(KEY), query={"version": 1}, expect=200).body == b"a: 1\n"
    assert "--replace" in cli(*restore, "--yes", expect=1).stderr


def test_all_is_lost_and_comes_back_on_another_machine(place, command_of, make_node, tmp_path):
    """Nodes and database: as they were, and what follows gets the numbers that follow."""
    postgres, node, admin = place(backup_archive="included")
    publish_and_forget(admin)
    command_of(node)("backup", "create", tmp_path / "today.ccbackup")
    then = Rows.of(postgres)
    node.stop()
    lose(postgres)
    there = make_node(start=False, name="there", **postgres.settings(), **FORGETFUL,
                      security_encryption_key=(node.data / "secrets" / "encryption_key").read_text().strip())
    restored = command_of(there).json("restore", tmp_path / "today.ccbackup", "--with-archive", "--nothing-newer", "--yes")
    assert restored["history"] == {"where": f"{postgres.hosts}/{DATABASE}", "revision": then.position["revision"], "set_aside": ""}
    assert Rows.of(postgres) == then
    there.start()
    admin = log_in(there)
    wait_until(lambda: versions(admin) == list(range(7, 0, -1)), "it has reached the archive")
    publish(admin, 8)
    archived(admin)
    now = Rows.of(postgres)
    now.assert_whole()
    assert now.releases[:-1] == then.releases
    assert "went back" not in there.log()


def test_the_nodes_go_back_and_the_archive_with_them(place, command_of, tmp_path):
    """What was archived since is set aside; no number is given twice, and the archive goes on."""
    postgres, node, admin = place(backup_archive="included")
    cli = command_of(node)
    publish_and_forget(admin)
    cli("backup", "create", tmp_path / "today.ccbackup")
    then = Rows.of(postgres)
    publish(admin, "wrong")
    archived(admin)
    node.stop()
    restore = ("restore", tmp_path / "today.ccbackup", "--with-archive", "--yes")
    refused = cli(*restore, expect=1).stderr
    assert "has an archive already" in refused
    told = cli(*restore, "--replace").stdout
    assert "the history is back in the archive" in told and "DROP SCHEMA config_center_before_" in told
    node.start()
    admin = log_in(node)
    publish(admin, 8)
    archived(admin)
    rows = Rows.of(postgres)
    assert rows.releases[:len(then.releases)] == then.releases
    numbers = [release["id"] for release in rows.releases]
    assert numbers == sorted(set(numbers)) and len({(each["key"], each["version"]) for each in rows.releases}) == len(numbers)
    assert admin.read(KEY).body == b"a: 8\n"
    wait_until(lambda: versions(admin)[-7:] == list(range(7, 0, -1)), "it has reached the archive")
    assert b"wrong" not in b"".join(release["content"] for release in rows.releases)


def test_a_backup_says_where_the_history_is_and_so_does_who_restores_it(place, command_of, make_node, tmp_path):
    postgres, node, admin = place()
    cli = command_of(node)
    publish(admin, 1, 2)
    archived(admin)
    made = cli.json("backup", "create", tmp_path / "today.ccbackup")
    assert made["format"] == 1 and "dump_bytes" not in made["archive"]
    assert (made["archive"]["hosts"], made["archive"]["database"]) == (postgres.hosts, DATABASE)
    assert made["archive"]["revision"] == made["revision"] and PASSWORD not in json.dumps(made)
    shown = cli("backup", "show", tmp_path / "today.ccbackup").stdout
    assert f"{postgres.hosts} (port 5432), database {DATABASE}" in shown and f"up to revision {made['revision']}" in shown
    assert "referenced" in shown
    refused = cli("restore", tmp_path / "today.ccbackup", "--only-archive", "--yes", expect=1).stderr
    assert "no history of the archive in it" in refused
    node.stop()
    assert "no history of the archive in it" in cli("restore", tmp_path / "today.ccbackup", "--with-archive", "--replace", "--yes",
                                                    expect=1).stderr
    restore = ("restore", tmp_path / "today.ccbackup", "--replace", "--yes")
    assert f"the history is in the archive at {postgres.hosts}/{DATABASE}, up to revision {made['revision']}\n" in cli(*restore).stdout
    postgres.sql("UPDATE config_center.position SET revision = 1")
    assert f"it reaches to revision 1, and the backup to {made['revision']}" in cli(*restore).stdout
    lose(postgres)
    assert "no node has begun an archive" in cli.json(*restore)["history"]["note"]
    postgres.primary.stop()
    assert "it cannot be used yet: PostgreSQL at" in cli(*restore).stdout
    without = command_of(node, database_host="")
    assert f"the history was in the archive at {postgres.hosts}" in without(*restore).stdout


def test_an_archive_that_does_not_answer_keeps_nobody_from_a_backup_that_refers_to_it(place, command_of, tmp_path):
    postgres, node, admin = place()
    cli = command_of(node)
    publish(admin, 1)
    postgres.primary.stop()
    told = cli("backup", "create", tmp_path / "today.ccbackup")
    assert "warning: it is not known how far the archive is: PostgreSQL at" in told.stderr
    assert "PostgreSQL at" in cli.json("backup", "show", tmp_path / "today.ccbackup")["archive"]["trouble"]
    assert "not known: PostgreSQL at" in cli("backup", "show", tmp_path / "today.ccbackup").stdout
    included = ("backup", "create", tmp_path / "other.ccbackup", "--archive", "included")
    refused = cli(*included, expect=1).stderr
    assert "cannot be part of the backup (backup.archive): PostgreSQL at" in refused
    assert not (tmp_path / "other.ccbackup").exists()


def test_another_clusters_archive_is_in_no_backup(place, command_of, make_node, tmp_path):
    postgres, node, admin = place()
    archived(admin)
    other = make_node(**postgres.settings())
    log_in(other)
    cli = command_of(other)
    assert "archive of another cluster" in cli.json("backup", "create", tmp_path / "one.ccbackup")["archive"]["trouble"]
    assert "archive of another cluster" in cli("backup", "create", tmp_path / "two.ccbackup", "--archive", "included", expect=1).stderr
    cli = command_of(node)
    cli("backup", "create", tmp_path / "three.ccbackup", "--archive", "included")
    key = (node.data / "secrets" / "encryption_key").read_text().strip()
    cli = command_of(other, security_encryption_key=key)
    refused = cli("restore", tmp_path / "three.ccbackup", "--only-archive", "--replace", "--yes", expect=1).stderr
    assert "is of another cluster" in refused and schemas(postgres) == ["config_center"]


def test_a_dump_of_a_newer_version_is_refused_and_the_archive_stays(place, command_of, tmp_path):
    postgres, node, admin = place()
    publish_and_forget(admin)
    cli = command_of(node)
    postgres.sql("UPDATE config_center.schema_version SET version = version + 100")
    cli("backup", "create", tmp_path / "newer.ccbackup", "--archive", "included")
    postgres.sql("UPDATE config_center.schema_version SET version = version - 100")
    before = Rows.of(postgres).releases
    refused = cli("restore", tmp_path / "newer.ccbackup", "--only-archive", "--replace", "--yes", expect=1).stderr
    assert "nothing is changed in the database" in refused and "this program knows" in refused
    assert "install the version of config-center that wrote it" in refused
    assert schemas(postgres) == ["config_center"] and Rows.of(postgres).releases == before
    assert len(versions(admin)) == 7


def test_one_flipped_byte_of_the_dump_is_noticed(place, command_of, tmp_path):
    postgres, node, admin = place()
    cli = command_of(node)
    for number in range(6):
        admin.publish(f"dev/shop/default/{number}", os.urandom(200_000).hex(), format="text")
    archived(admin)
    made = cli.json("backup", "create", tmp_path / "today.ccbackup", "--archive", "included")
    assert made["archive"]["dump_bytes"] > 1 << 20
    with open(made["file"], "r+b") as file:
        file.seek(made["bytes"] - 500_000)
        byte = file.read(1)[0]
        file.seek(-1, 1)
        file.write(bytes([byte ^ 1]))
    for level in ("checksums", "rows"):
        assert "is damaged" in cli("backup", "verify", made["file"], "--level", level, expect=1).stderr
    before = Rows.of(postgres)
    assert "is damaged" in cli("restore", made["file"], "--only-archive", "--replace", "--yes", expect=1).stderr
    assert Rows.of(postgres) == before and schemas(postgres) == ["config_center"]


def test_a_dump_that_pg_restore_cannot_read_is_noticed(place, command_of, programs, tmp_path):
    postgres, node, admin = place()
    cli = command_of(node)
    archived(admin)
    broken = command_of(node)
    broken.variables["PATH"] = programs(pg_dump="for word; do case $word in --file=*) echo nonsense > ${word#--file=};; esac; done\n")
    broken("backup", "create", tmp_path / "today.ccbackup", "--archive", "included")
    assert "is good" in cli("backup", "verify", tmp_path / "today.ccbackup", "--level", "checksums").stdout
    assert "as pg_restore says" in cli("backup", "verify", tmp_path / "today.ccbackup", expect=1).stderr


def test_what_is_missing_on_the_machine_is_said(place, command_of, programs, tmp_path):
    postgres, node, admin = place()
    cli, bare = command_of(node), command_of(node)
    bare.variables["PATH"] = programs()
    publish(admin, 1)
    archived(admin)
    refused = bare("backup", "create", tmp_path / "today.ccbackup", "--archive", "included", expect=1).stderr
    assert "pg_dump is not on this machine" in refused and "postgresql-client" in refused
    assert not list(tmp_path.glob("*.ccbackup*"))
    cli("backup", "create", tmp_path / "today.ccbackup", "--archive", "included")
    told = bare("backup", "verify", tmp_path / "today.ccbackup")
    assert "is good" in told.stdout and "nobody has read it: pg_restore is not on this machine" in told.stderr
    refused = bare("restore", tmp_path / "today.ccbackup", "--only-archive", "--replace", "--yes", expect=1).stderr
    assert "pg_restore is not on this machine" in refused and schemas(postgres) == ["config_center"]
    old = command_of(node)
    old.variables["PATH"] = programs(pg_dump='echo "pg_dump: error: aborting because of server version mismatch" >&2; exit 1\n')
    refused = old("backup", "create", tmp_path / "old.ccbackup", "--archive", "included", expect=1).stderr
    assert "version mismatch" in refused and "of the server's version or a newer one" in refused


def test_nobody_sees_the_password_and_nothing_but_the_archive_is_in_the_dump(place, command_of, programs, tmp_path):
    postgres, node, admin = place()
    archived(admin)
    postgres.sql("CREATE TABLE of_somebody_else (a int)")
    cli = command_of(node)
    cli.variables["PATH"] = programs(pg_dump=f'echo "$@" >> {tmp_path}/arguments\n' + real("pg_dump"),
                                     pg_restore=f'echo "$@" >> {tmp_path}/arguments\n' + real("pg_restore"))
    cli("backup", "create", tmp_path / "today.tar.zst", "--archive", "included", "--unsealed")
    cli("restore", tmp_path / "today.tar.zst", "--only-archive", "--replace", "--yes")
    arguments = (tmp_path / "arguments").read_text()
    assert "--snapshot" in arguments and "--single-transaction" in arguments
    assert "pass word" not in arguments and PASSWORD not in arguments
    os.system(f"cd {tmp_path} && tar --zstd -xf today.tar.zst archive.dump && pg_restore --list archive.dump > list")
    listed = (tmp_path / "list").read_text()
    assert "config_center release" in listed and "of_somebody_else" not in listed


@pytest.mark.parametrize("empty", (True, False))
def test_what_fails_half_way_leaves_everything_as_it_was(place, command_of, programs, tmp_path, empty):
    postgres, node, admin = place()
    cli, cut = command_of(node), command_of(node)
    for number in range(5):
        admin.publish(f"dev/shop/default/{number}", os.urandom(50_000).hex(), format="text")
    archived(admin)
    cli("backup", "create", tmp_path / "today.ccbackup", "--archive", "included")
    node.stop()
    if empty:
        lose(postgres)
    before = None if empty else Rows.of(postgres)
    cut.variables["PATH"] = programs(pg_restore='[ "$1" = --version ] && exit 0\n'
                                     'for last; do :; done\nhead -c $(($(stat -c %s "$last") - 100000)) "$last" > "$last.cut"\n'
                                     'mv() { cat "$1" > "$2"; }; mv "$last.cut" "$last"\n' + real("pg_restore"))
    arguments = ("restore", tmp_path / "today.ccbackup", "--replace", "--yes")
    for how in ("--only-archive", "--with-archive"):
        refused = cut(*arguments, how, expect=1).stderr
        assert "nothing is changed in the database: pg_restore to" in refused
        assert schemas(postgres) == ([] if empty else ["config_center"])
        assert empty or Rows.of(postgres) == before
        assert not (node.data / "restoring").exists() and not list(node.data.glob("before-restore-*"))
    node.start()
    admin = log_in(node)
    publish(admin, 8)
    archived(admin)
    Rows.of(postgres).assert_whole()


def test_a_schema_of_somebody_elses_is_left_alone(place, command_of, tmp_path):
    postgres, node, admin = place()
    cli = command_of(node)
    archived(admin)
    cli("backup", "create", tmp_path / "today.ccbackup", "--archive", "included")
    node.stop()
    lose(postgres)
    postgres.sql("CREATE SCHEMA config_center CREATE TABLE theirs (a int)")
    postgres.sql(f"ALTER SCHEMA config_center OWNER TO {ROLE}")
    assert "theirs" in cli("restore", tmp_path / "today.ccbackup", "--only-archive", "--yes", expect=1).stderr
    assert postgres.sql("SELECT count(*) FROM config_center.theirs") == [("0",)]
    with pytest.raises(Refused):
        postgres.sql("SELECT 1 FROM config_center.release")


def test_it_comes_back_out_of_an_object_store(place, command_of, keep, tmp_path):
    postgres, node, admin = place()
    publish_and_forget(admin)
    then = Rows.of(postgres)
    cli = command_of(node, **keep("s3").settings)
    made = cli.json("backup", "create", "--archive", "included")
    assert made["file"].startswith("s3://")
    cli("backup", "verify", made["name"])
    node.stop()
    lose(postgres)
    cli("restore", made["name"], "--only-archive", "--yes")
    assert Rows.of(postgres) == then


def test_by_the_clock_it_is_tried_again_until_the_history_is_in_it(place, command_of):
    postgres, node, admin = place(backup_archive="included", backup_schedule_cron="* * * * *")
    publish(admin, 1)
    archived(admin)
    node.stop()
    postgres.primary.stop()
    node.settings["backup_schedule_enabled"] = "true"
    node.start()
    wait_until(lambda: node.metrics()["config_center_backup_failures_total"] >= 1, "one has failed", 90)
    failed = [record for record in node.records() if record["message"] == "a backup failed; it is tried again"]
    assert "cannot be part of the backup (backup.archive)" in failed[0]["reason"]
    assert node.metrics()["config_center_backup_success_total"] == 0
    postgres.primary.start()
    wait_until(lambda: node.metrics()["config_center_backup_success_total"] == 1, "one was made", 90)
    listed = command_of(node).json("backup", "list")
    assert listed[0]["verified"] and listed[0]["archive"]["dump_bytes"] > 0


def test_wrong_arguments_say_what_is_wrong(place, command_of, tmp_path):
    postgres, node, admin = place()
    cli = command_of(node)
    archived(admin)
    cli("backup", "create", tmp_path / "today.ccbackup", "--archive", "included")
    restore = ("restore", tmp_path / "today.ccbackup", "--only-archive", "--yes")
    for more in ("--with-archive", "--nothing-newer"):
        assert "leaves the state as it is" in cli(*restore, more, expect=2).stderr
    without = command_of(node, database_host="")
    assert "database.host is not set" in without(*restore, expect=1).stderr
    assert "referenced, included" in cli("backup", "create", tmp_path / "x", "--archive", "both", expect=2).stderr
    told = cli("restore", "--help").stdout
    assert "--with-archive" in told.split("Examples")[-1] and "--only-archive" in told.split("Examples")[-1]
    assert "--archive included" in cli("backup", "create", "--help").stdout
