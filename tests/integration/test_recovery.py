"""What a node does with damaged, old, missing or foreign files, without room, and after kill -9."""

import os
import random
import shutil
import sqlite3
import time
import uuid

import pytest

from client import Client, config, releases
from conftest import log_in
from machine import fill, mounted_disk
from node import PATIENCE, SANITIZER, StartFailed, wait_until
from test_watch import poll


def publish_some(admin, count, start=0, folder="dev/shop/default"):
    """{key: (revision, content)}"""
    made = {}
    for number in range(start, start + count):
        key, content = f"{folder}/{number % 20}", f"content {number} {'x' * (number % 300)}".encode()
        made[key] = admin.publish(key, content)["revision"], content
    return made


def assert_there(node, token, made):
    reader = Client(node, token)
    for key, (revision, content) in made.items():
        answer = reader.read(key)
        assert (answer.revision, answer.body) == (revision, content), key


def state_files(node):
    return sorted(node.data.glob("state.db*"))


def remove_state(node):
    for file in state_files(node):
        file.unlink()


def copy_state(node, to):
    to.mkdir(exist_ok=True)
    for file in state_files(node):
        shutil.copy2(file, to / file.name)


def put_state(node, source):
    remove_state(node)
    for file in source.glob("state.db*"):
        shutil.copy2(file, node.data / file.name)


@pytest.fixture(params=["log only", "snapshots"])
def node(request, make_node):
    """One whose log has everything, and one whose log is mostly snapshots."""
    return make_node(raft_snapshot_entries=100_000 if request.param == "log only" else 16)


# --- the state file against the log ---

@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_missing_state_file_is_made_again_from_the_log(node, end):
    admin = log_in(node)
    made = publish_some(admin, 150)
    history = admin.items(releases("dev/shop/default/3"))
    getattr(node, end)()
    remove_state(node)
    node.start()
    assert_there(node, admin.token, made)
    assert Client(node, admin.token).items(releases("dev/shop/default/3")) == history
    assert admin.publish("dev/shop/default/new", b"x")["revision"] > max(revision for revision, _ in made.values())


def test_a_state_file_that_is_behind_catches_up(node, tmp_path):
    admin = log_in(node)
    publish_some(admin, 60)
    node.stop()
    copy_state(node, tmp_path / "old")
    node.start()
    made = publish_some(admin, 60, start=60)
    node.stop()
    put_state(node, tmp_path / "old")
    node.start()
    assert_there(node, admin.token, made)


def refused(node):
    """The reason for which the node does not start."""
    with pytest.raises(StartFailed) as failed:
        node.start()
    assert failed.value.status == 1
    return failed.value.output.lower()


def test_a_state_file_ahead_of_its_log_is_refused(node, tmp_path):
    admin = log_in(node)
    publish_some(admin, 60)
    node.stop()
    shutil.copytree(node.data / "raft", tmp_path / "old-log")
    node.start()
    publish_some(admin, 60, start=60)
    node.stop()
    shutil.rmtree(node.data / "raft")
    shutil.copytree(tmp_path / "old-log", node.data / "raft")
    reason = refused(node)
    assert "ahead" in reason and str(node.data) in reason


def test_a_state_file_without_its_log_is_refused(node):
    publish_some(log_in(node), 30)
    node.stop()
    shutil.rmtree(node.data / "raft")
    assert "state" in refused(node)


def test_the_state_file_of_another_log_is_refused(node, make_node, tmp_path):
    publish_some(log_in(node), 40)
    other = make_node(name="other")
    publish_some(log_in(other), 40)
    for each in (node, other):
        each.stop()
    copy_state(other, tmp_path / "foreign")
    put_state(node, tmp_path / "foreign")
    reason = refused(node)
    assert "another" in reason or "other" in reason


@pytest.mark.parametrize("where", ["header", "middle", "cut", "empty"])
def test_a_damaged_state_file_is_refused_or_made_again_and_never_believed(node, where):
    admin = log_in(node)
    made = publish_some(admin, 150)
    node.stop()
    file = node.data / "state.db"
    size = file.stat().st_size
    with open(file, "r+b") as state:
        if where == "header":
            state.write(b"this is no database at all")
        elif where == "middle":
            dice = random.Random(4)
            for page in range(1, size // 4096):
                state.seek(page * 4096)
                state.write(dice.randbytes(200))
        elif where == "cut":
            state.truncate(size // 2)
        else:
            state.truncate(0)
    try:
        node.start()
    except StartFailed as failed:
        assert failed.status == 1
        assert "state.db" in failed.output
        # and what the message says to do works: without the file, the node makes it again from its log
        for file in state_files(node):
            file.rename(file.with_name(file.name + ".damaged"))
        node.start()
    assert_there(node, admin.token, made)


def test_a_state_file_of_a_newer_version_is_refused(node):
    log_in(node)
    node.stop()
    with sqlite3.connect(node.data / "state.db") as state:
        version, = state.execute("PRAGMA user_version").fetchone()
        assert version > 0
        state.execute(f"PRAGMA user_version = {version + 1000}")
    assert "newer" in refused(node)


def written_segment(node):
    """The segment of the log that was being written, and where its entries end."""
    segment = max((path for path in (node.data / "raft").glob("open-*") if path.read_bytes().strip(b"\0")), key=lambda path: path.name)
    return segment, len(segment.read_bytes().rstrip(b"\0"))


def test_what_a_crash_left_at_the_end_of_the_log_is_cut_off(make_node):
    """A power failure may leave some sectors of the last write, and not others."""
    node = make_node()
    admin = log_in(node)
    made = publish_some(admin, 50)
    node.kill()
    segment, used = written_segment(node)
    with open(segment, "r+b") as file:
        file.seek((used + 4096 + 511) // 512 * 512)
        file.write(b"\xff" * 512)
    node.start()
    assert_there(node, admin.token, made)
    assert "dropped an unfinished write" in node.log()


def test_damage_to_what_was_acknowledged_is_refused_and_nothing_is_changed(make_node):
    node = make_node()
    admin = log_in(node)
    made = publish_some(admin, 50)
    node.kill()
    segment, used = written_segment(node)
    content = bytearray(segment.read_bytes())
    content[used - 40] ^= 1
    segment.write_bytes(content)
    reason = refused(node)
    assert "damaged" in reason and str(segment) in reason
    assert segment.read_bytes() == content
    content[used - 40] ^= 1
    segment.write_bytes(content)
    node.start()
    assert_there(node, admin.token, made)


def test_two_nodes_do_not_share_a_data_folder(make_node):
    node = make_node()
    second = make_node(start=False, name="second", variables={"DATA_DIR": str(node.data)})
    reason = refused(second)
    assert "lock" in reason or "another" in reason or "in use" in reason or "runs" in reason
    log_in(node).publish("dev/shop/default/a", b"x")


def test_the_node_id_of_a_data_folder_stays(make_node):
    node = make_node()
    log_in(node)
    node.stop()
    node.settings["raft_node_id"] = 2
    with pytest.raises(StartFailed) as failed:
        node.start()
    assert "1" in failed.value.output and "node" in failed.value.output


# --- kill -9 ---

def test_a_repeat_after_kill_has_the_first_outcome(make_node):
    node = make_node()
    admin = log_in(node)
    ids = [str(uuid.uuid4()) for _ in range(20)]
    first = [admin.put(config(f"dev/shop/default/{n}"), b"x", headers={"X-Request-Id": ids[n]}).json() for n in range(20)]
    node.kill()
    node.start()
    again = Client(node, admin.token)
    for number in range(20):
        answer = again.put(config(f"dev/shop/default/{number}"), b"x", headers={"X-Request-Id": ids[number]})
        assert answer.headers["X-Config-Repeated"] == "true"
        assert answer.json() == first[number]
    assert again.read("dev/shop/default/0").version == 1


def test_kill_during_the_first_start(make_node):
    """Whatever the first start had come to, the next one makes a whole cluster, and its password works."""
    seed = random.randrange(1 << 32)
    print("seed", seed)
    dice = random.Random(seed)
    for number in range(5 if SANITIZER else 15):
        node = make_node(start=False, name=f"first{number}", admin_password=None)
        node.start(wait=False)
        time.sleep(dice.uniform(0, 0.3 * PATIENCE))
        node.kill()
        node.start()
        password = (node.data / "admin-password").read_text().strip()
        log_in(node, "admin", password).publish("dev/shop/default/a", b"x")
        node.kill()


# --- no room, no permission ---

@pytest.fixture
def small_disk(tmp_path):
    """A file system of 64 MiB, for the data folder."""
    with mounted_disk(tmp_path / "disk", "64m") as folder:
        yield folder


@pytest.mark.parametrize("guard", ["16MiB", "0"], ids=["the guard refuses", "the disk refuses"])
def test_on_a_full_disk_reads_go_on_writes_say_why_and_it_heals(make_node, small_disk, guard):
    node = make_node(start=False, server_min_free_disk=guard, raft_snapshot_entries=64,
                     variables={"DATA_DIR": str(small_disk / "data")})
    node.data = small_disk / "data"
    node.start()
    admin = log_in(node)
    made = publish_some(admin, 30)
    filler = fill(small_disk, leave=0)
    refusal, number = None, 0
    while refusal is None:
        number += 1
        assert number < 5000, "a full disk takes everything"
        key, content = f"dev/shop/default/full{number % 10}", os.urandom(20_000).hex().encode()
        answer = admin.put(config(key), content)
        if answer.status in (200, 201):
            made[key] = answer.json()["revision"], content
        else:
            refusal = answer
            made.pop(key, None)  # whether that change was made is not known, says the answer
    assert refusal.status == 503 and refusal.error[0] == "unavailable"
    assert int(refusal.headers["Retry-After"]) > 0
    assert any(word in refusal.error[1].lower() for word in ("disk", "room", "space", "free")), refusal.error[1]
    # reads and watches go on, and the node says how it is
    wait_until(lambda: admin.get("/healthz").json()["status"] == "degraded", "healthz says degraded")
    assert_there(node, admin.token, {key: value for key, value in made.items() if "full" not in key})
    at = max(revision for revision, _ in made.values())
    watching = poll(node, admin, "dev/shop/default/healed", at)
    admin.get("/readyz", expect=200)
    assert node.metrics()["config_center_log_trouble"] == 1
    assert admin.get("/v1/cluster", expect=200).json()["trouble"]
    # room again: it heals by itself
    filler.unlink()
    content = b"room again"
    healed = wait_until(lambda: (a := admin.put(config("dev/shop/default/healed"), content)).status in (200, 201) and a.json(),
                        "writes are taken again")
    made["dev/shop/default/healed"] = healed["revision"], content
    assert watching.result().revision == healed["revision"]
    assert healed["revision"] > at
    wait_until(lambda: admin.get("/healthz").json()["status"] == "ok", "healthz says ok")
    assert_there(node, admin.token, made)
    node.kill()
    node.start()
    assert_there(node, admin.token, made)


def test_a_start_on_a_full_disk_says_so_and_works_when_there_is_room(make_node, small_disk):
    node = make_node(start=False, server_min_free_disk=0, variables={"DATA_DIR": str(small_disk / "data")})
    node.data = small_disk / "data"
    node.start()
    admin = log_in(node)
    made = publish_some(admin, 30)
    node.stop()
    filler = fill(small_disk)
    try:
        node.start()
        assert_there(node, admin.token, made)
        node.kill()
    except StartFailed as failed:
        assert any(word in failed.output.lower() for word in ("disk", "room", "space")), failed.output
    filler.unlink()
    node.start()
    assert_there(node, admin.token, made)


def test_a_data_folder_that_cannot_be_made_is_named(make_node, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StartFailed) as failed:
        make_node(variables={"DATA_DIR": str(tmp_path / "file" / "data")})
    assert str(tmp_path / "file") in failed.value.output
    assert failed.value.status == 1


def test_a_data_folder_that_may_not_be_written_is_named(make_node, tmp_path):
    if os.getuid() != 0 or shutil.which("setpriv") is None:
        wrapper = []
    else:
        wrapper = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    for folder in [tmp_path, *tmp_path.parents]:  # pytest closes its folders to others
        if folder.stat().st_uid == os.getuid() and str(folder).startswith("/tmp/"):
            folder.chmod(folder.stat().st_mode | 0o055)
    data = tmp_path / "closed"
    data.mkdir(mode=0o555)
    node = make_node(start=False, variables={"DATA_DIR": str(data)})
    node.folder.chmod(0o755)
    with pytest.raises(StartFailed) as failed:
        node.start(wrapper=wrapper)
    assert str(data) in failed.value.output
    assert "permission" in failed.value.output.lower()
    assert failed.value.status == 1
