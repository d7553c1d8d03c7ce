"""A group that is restored from a backup, as a whole."""

from client import Client, log_in
from command import Command
from group import SECRETS
from publishing import publish


def restoring(group, tmp_path):
    return Command(tmp_path / "home", CONFIG_CENTER_RAFT_SECRET=SECRETS["raft_secret"], CONFIG_CENTER_RAFT_PEERS=group.peers(),
                   CONFIG_CENTER_SECURITY_ENCRYPTION_KEY=SECRETS["security_encryption_key"])


def restore(command, group, number, file, *more):
    return command.json("restore", file, "--data-dir", group[number].data, "--node-id", number, "--address",
                        group.raft_addresses[number], "--yes", *more)


def go_back(command, group, file, numbers, tmp_path):
    """Stops all nodes and restores these; the revisions that they will be at."""
    for number in group.nodes:
        group[number].stop()
    since = tmp_path / "since.json"
    since.write_text(command("backup", "compare", file, "--data-dir", group[1].data, "-o", "json").stdout)
    return {restore(command, group, number, file, "--since", since, "--replace")["restored_revision"] for number in numbers}


def start(group):
    group.token = None  # sessions ended
    group.start()


def test_all_nodes_go_back_together(make_group, tmp_path):
    group = make_group()
    key = "dev/shop/default/a"
    admin = log_in(group[1])
    admin.publish(key, b"then")
    group.wait_one()
    command = restoring(group, tmp_path)
    made = command.json("backup", "create", tmp_path / "one.ccbackup", "--data-dir", group[2].data)
    seen = admin.publish(key, b"lost")["revision"]
    group.wait_one()
    revisions = go_back(command, group, made["file"], group.nodes, tmp_path)
    assert len(revisions) == 1 and min(revisions) > seen
    start(group)
    for number in group.nodes:
        assert log_in(group[number]).read(key).body == b"then"
    for number in group.nodes:
        publish(group, number, f"by {number}")
    group.wait_one()


def test_a_node_that_was_not_restored_follows_the_others(make_group, tmp_path):
    """It was away, and comes back with the log of the time before: nothing of that comes back."""
    group = make_group()
    key = "dev/shop/default/a"
    admin = log_in(group[1])
    admin.publish(key, b"then")
    command = restoring(group, tmp_path)
    made = command.json("backup", "create", tmp_path / "one.ccbackup", "--data-dir", group[1].data)
    for number in range(50):
        admin.publish(key, f"lost {number}".encode())
    group.wait_one()
    go_back(command, group, made["file"], (1, 2), tmp_path)
    group[3].start(wait=False)
    group[1].start(wait=False)
    start(group)
    group.wait_one()
    for number in group.nodes:
        assert log_in(group[number]).read(key).body == b"then"
    assert publish(group, 3, "by 3")
    group.wait_one()


def test_a_backup_of_a_group_makes_a_single_node(make_group, tmp_path):
    group, alone = make_group(), make_group(1, start=False)
    admin = log_in(group[1])
    admin.publish("dev/shop/default/a", b"then")
    group.wait_one()
    command = restoring(group, tmp_path)
    made = command.json("backup", "create", tmp_path / "one.ccbackup", "--data-dir", group[1].data)
    there = Command(tmp_path / "there", CONFIG_CENTER_SECURITY_ENCRYPTION_KEY=SECRETS["security_encryption_key"])
    there("restore", made["file"], "--data-dir", alone[1].data, "--yes")
    alone.start()
    assert log_in(alone[1]).read("dev/shop/default/a").body == b"then"
    assert Client(alone[1], admin.token).get("/v1/configs/dev/shop/default/a").status == 401
