"""The archive in PostgreSQL: what stands there, who answers what, and what happens when the database is not as it was."""

import contextlib
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from client import config, log_in, releases
from command import Command
from node import wait_until

KEY = "dev/shop/default/application.yaml"
OTHER = "dev/shop/default/other.yaml"
FORGETFUL = {"history_releases": 2, "history_audit": "1s"}


def archived(admin):
    """Waits until the archive has everything; its status."""
    def there():
        status = admin.get("/v1/archive", expect=200).json()
        revision = admin.get("/v1/cluster", expect=200).json()["revision"]
        return status if status["revision"] == revision and not status.get("trouble") and status["lag_seconds"] == 0 else None

    return wait_until(there, "the archive has everything", 60)


def wait_until_forgotten(admin, version):
    """The node keeps no release up to that one any more: others answer for it."""
    for each in range(1, version + 1):
        wait_until(lambda: admin.get(config(KEY), query={"version": each}, expect=200).headers["X-Config-Source"] != "node",
                   f"the node has forgotten version {each}")


def verified(admin, tmp_path):
    """What `archive verify` reports, and its status tells the same; None while the archive is rebuilt."""
    command = Command(tmp_path / "home", admin.node, CONFIG_CENTER_TOKEN=admin.token)
    process = command.start("archive", "verify", "-o", "json")
    output, errors = process.communicate()
    if "being rebuilt" in errors:
        return None
    report = json.loads(output)
    assert process.returncode == (0 if report["equal"] else 1)
    return report


def ids(postgres, table):
    return [int(id) for id, in postgres.sql(f"SELECT id FROM config_center.{table} ORDER BY id")]


def assert_all_once(postgres, admin):
    """Every release and every audit record there ever was stands there once, in order; and equals what the API tells."""
    for table in ("release", "audit"):
        numbers = ids(postgres, table)
        assert numbers == list(range(1, len(numbers) + 1)), table
    told = {record["id"]: record for record in admin.items("/v1/audit", limit=1000)}
    rows = postgres.rows("SELECT id, actor, action, target, outcome, revision FROM config_center.audit ORDER BY id")
    assert {row["id"] for row in rows} <= told.keys()
    for row in rows:
        assert {name: told[row["id"]][name] for name in row} == row


def publish(admin, *contents, key=KEY):
    return [admin.publish(key, f"a: {content}\n") for content in contents]


@pytest.fixture
def place(make_postgres, make_node):
    """place(replicas=…, settings) → a database, a node with it, and its administrator."""
    def make(replicas=0, proxied=False, **settings):
        postgres = make_postgres(replicas=replicas, proxied=proxied)
        node = make_node(**postgres.settings(), **settings)
        return postgres, node, log_in(node)

    return make


def test_everything_that_is_published_and_done_stands_there(place, tmp_path):
    postgres, node, admin = place()
    publish(admin, 1, 2, 3)
    publish(admin, "it's \\ \"quoted\"\n\t{} é 配置", key="prod/shop/default/odd name.txt")
    publish(admin, 1, key=OTHER)
    admin.delete(config(OTHER), expect=200)
    admin.post(releases(KEY), query={"rollback": 1, "comment": "back 'again'"}, expect=200)
    admin.put("/v1/applications/shop", {"owner": "zhang", "department": "sales"}, expect=200)
    admin.put("/v1/environments/gone", {}, expect=201)
    archived(admin)
    admin.delete("/v1/environments/gone", expect=200)
    archived(admin)

    assert_all_once(postgres, admin)
    rows = postgres.rows("SELECT key, version, deleted, comment, rolled_back_from, convert_from(content, 'UTF8') AS content "
                         "FROM config_center.release ORDER BY id")
    assert [(row["key"], row["version"], row["deleted"]) for row in rows] == [
        (KEY, 1, False), (KEY, 2, False), (KEY, 3, False), ("prod/shop/default/odd name.txt", 1, False), (OTHER, 1, False),
        (OTHER, 1, True), (KEY, 4, False)]
    assert rows[3]["content"] == "a: it's \\ \"quoted\"\n\t{} é 配置\n"
    assert (rows[6]["comment"], rows[6]["rolled_back_from"], rows[6]["content"]) == ("back 'again'", 1, "a: 1\n")
    newest = postgres.rows("SELECT key, version, deleted, release FROM config_center.config ORDER BY key")
    assert [tuple(row.values()) for row in newest] == [(KEY, 4, False, 7), (OTHER, 1, True, 6), ("prod/shop/default/odd name.txt", 1, False, 4)]
    assert postgres.sql("SELECT owner, department FROM config_center.application") == [("zhang", "sales")]
    assert postgres.sql("SELECT name FROM config_center.environment ORDER BY name") == [("dev",), ("prod",), ("staging",)]
    assert postgres.sql("SELECT environment, application, name FROM config_center.cluster ORDER BY 1") == [
        ("dev", "shop", "default"), ("prod", "shop", "default")]
    report = verified(admin, tmp_path)
    assert report["equal"] and report["releases"] == 7


def test_a_database_that_was_restarted_answers_the_very_next_question(place, tmp_path):
    """The connections to it that were kept are of the server that is no more."""
    postgres, node, admin = place(pool_size=8)
    publish(admin, *range(1, 4))
    archived(admin)
    with ThreadPoolExecutor(8) as several:
        list(several.map(lambda _: verified(admin, tmp_path), range(8)))
    assert admin.get("/v1/archive", expect=200).json()["connections"]["open"] > 1
    postgres.primary.stop()
    postgres.primary.start()
    assert verified(admin, tmp_path)["equal"]


def test_history_reaches_back_beyond_what_the_node_keeps(place):
    postgres, node, admin = place(**FORGETFUL)
    publish(admin, *range(1, 8))
    admin.put("/v1/users/zhang", {"password": "password of zhang"}, expect=201)
    archived(admin)
    wait_until_forgotten(admin, 5)
    wait_until(lambda: admin.get("/v1/cluster").json()["counts"]["audit_records"] <= 3, "the node has forgotten who did what")

    answer = admin.get(releases(KEY), expect=200)
    assert [item["version"] for item in answer.json()["items"]] == [7, 6, 5, 4, 3, 2, 1]
    assert answer.headers["X-Config-Source"] == "primary"
    assert [item["version"] for item in admin.items(releases(KEY), limit=1)] == [7, 6, 5, 4, 3, 2, 1]
    assert [item["version"] for item in admin.items(releases(KEY), limit=2)] == [7, 6, 5, 4, 3, 2, 1]
    old = admin.get(config(KEY), query={"version": 3}, expect=200)
    assert old.body == b"a: 3\n" and old.headers["X-Config-Source"] == "primary"
    assert admin.get(config(KEY), query={"version": 7}, expect=200).headers["X-Config-Source"] == "node"
    admin.get(config(KEY), query={"version": 8}, expect=404)
    assert b"-a: 1\n+a: 2" in admin.get(releases(KEY), query={"diff": "1..2"}, expect=200).body
    back = admin.post(releases(KEY), query={"rollback": 2}, expect=200).json()
    assert (back["version"], admin.read(KEY).body) == (8, b"a: 2\n")

    postgres.sql("UPDATE config_center.release SET content = 'else' WHERE version = 3")
    assert "not what was published" in admin.get(config(KEY), query={"version": 3}, expect=500).json()["error"]["message"]

    archived(admin)
    records = admin.items("/v1/audit", limit=3)
    assert [record["id"] for record in records] == list(range(len(records), 0, -1))
    assert [record["target"] for record in admin.items("/v1/audit", action="user.create")] == ["zhang"]
    assert len(admin.items("/v1/audit", target="dev/shop/default/app", action="config.publish", limit=2)) == 7
    assert admin.items("/v1/audit", target="dev/shop/default/a%") == []
    assert admin.items("/v1/audit", actor="nobody") == []
    first = records[-1]
    assert [record["id"] for record in admin.items("/v1/audit", to=records[-2]["time"], **{"from": first["time"]})] == [
        record["id"] for record in records if first["time"] <= record["time"] < records[-2]["time"]][::1]


def test_who_answers_and_that_somebody_always_does(place):
    postgres, node, admin = place(replicas=2)
    publish(admin, 1, 2)
    archived(admin)
    roles = lambda: sorted(endpoint["role"] for endpoint in admin.get("/v1/archive").json()["endpoints"])
    wait_until(lambda: roles() == ["primary", "replica", "replica"], "all servers are seen")

    def source():
        answer = admin.get(releases(KEY), expect=200)
        assert [item["version"] for item in answer.json()["items"]] == [2, 1]
        return answer.headers["X-Config-Source"]

    wait_until(lambda: source() == "replica", "a replica answers")
    for replica in postgres.replicas:
        replica.kill()
    assert source() == "primary"
    postgres.primary.kill()
    assert source() == "node"
    wait_until(lambda: roles() == ["", "", ""], "that none answers is seen")
    health = admin.get("/healthz", expect=200).json()
    assert health["status"] == "degraded"
    assert [check["status"] for check in health["checks"] if check["name"] == "archive"] == ["failing"]
    status = admin.get("/v1/archive", expect=200).json()
    assert "no primary of the archive is reached" in status["trouble"]
    publish(admin, 3)
    postgres.primary.start()
    archived(admin)
    assert admin.get("/healthz", expect=200).json()["status"] == "ok"


def test_what_the_database_lacks_is_written_when_it_is_back(place, tmp_path):
    postgres, node, admin = place(proxied=True)
    publish(admin, 1)
    archived(admin)
    for number, (away, back) in enumerate([
            (postgres.primary.kill, postgres.primary.start), (postgres.primary.pause, postgres.primary.resume),
            (postgres.primary.cut, postgres.primary.heal)]):
        away()
        publish(admin, *range(10 * number, 10 * number + 10))
        wait_until(lambda: "trouble" in admin.get("/v1/archive").json(), "the trouble is seen", 60)
        back()
        archived(admin)
    assert_all_once(postgres, admin)
    assert verified(admin, tmp_path)["equal"]


def test_a_promoted_replica_is_found_without_a_restart(place, tmp_path):
    postgres, node, admin = place(replicas=1)
    publish(admin, 1)
    archived(admin)
    postgres.wait_replicas()
    postgres.primary.kill()
    publish(admin, 2)
    postgres.promote(postgres.replicas[0])
    publish(admin, 3)
    archived(admin)
    assert_all_once(postgres, admin)
    assert verified(admin, tmp_path)["equal"]


def test_a_primary_that_went_back_in_time_is_given_what_it_lost(place, tmp_path):
    postgres, node, admin = place()
    publish(admin, 1, 2)
    archived(admin)
    postgres.primary.stop()
    postgres.primary.save()
    postgres.primary.start()
    publish(admin, 3, 4)
    archived(admin)
    postgres.primary.stop()
    postgres.primary.restore()
    postgres.primary.start()
    publish(admin, 5)
    status = archived(admin)
    assert status["went_back"] == 1
    assert "went back in time" in node.log()
    assert_all_once(postgres, admin)
    assert verified(admin, tmp_path)["equal"]


def test_the_next_start_goes_on_where_the_archive_is(place, tmp_path):
    postgres, node, admin = place()
    publish(admin, 1, 2)
    node.kill()
    node.start()
    publish(admin, 3)
    archived(admin)
    assert_all_once(postgres, admin)
    assert verified(admin, tmp_path)["equal"]


def test_a_version_that_was_secret_is_so_when_only_the_archive_has_it(place):
    postgres, node, admin = place(**FORGETFUL)
    admin.publish(KEY, "a: 1\n", secret="true")
    admin.publish(KEY, "a: 2\n", secret="false")
    publish(admin, *range(3, 8))
    archived(admin)
    wait_until_forgotten(admin, 5)
    assert [item["secret"] for item in admin.items(releases(KEY))] == [False] * 6 + [True]
    assert postgres.sql("SELECT version FROM config_center.release WHERE secret") == [("1",)]
    admin.post(releases(KEY), query={"rollback": 1}, expect=200)
    assert admin.read(KEY).body == b"a: 1\n" and admin.get(config(KEY), expect=200).headers["X-Config-Secret"] == "true"


def test_differences_are_reported_each_and_healed_by_rebuilding(place, tmp_path):
    postgres, node, admin = place()
    publish(admin, 1, 2, 3)
    admin.put("/v1/users/zhang", {"password": "password of zhang"}, expect=201)
    archived(admin)
    for statement in ("UPDATE config_center.release SET content = 'x' WHERE id = 2", "DELETE FROM config_center.release WHERE id = 1",
                      "UPDATE config_center.release SET secret = true WHERE id = 3",
                      "UPDATE config_center.audit SET actor = 'li' WHERE id = 3",
                      "INSERT INTO config_center.audit SELECT id, time + interval '1 second', actor, address, request_id, action, target, "
                      "outcome, message, before, after, revision, count FROM config_center.audit WHERE id = 4"):
        postgres.sql(statement)
    report = verified(admin, tmp_path)
    assert len(report["differences"]) == 5, report
    assert f"release 1 ({KEY} version 1) is not in the archive" in report["differences"][0]
    assert report["differences"][1].startswith(f"release 2 ({KEY} version 2): content's sha256 is")
    assert report["differences"][2].startswith(f"release 3 ({KEY} version 3): secret is")
    assert any("actor is" in difference and "in the archive \"li\"" in difference for difference in report["differences"])
    assert any("more than once" in difference for difference in report["differences"])

    admin.post("/v1/archive/rebuild", {}, expect=202)
    assert wait_until(lambda: verified(admin, tmp_path), "the archive is rebuilt")["equal"]
    assert_all_once(postgres, admin)
    # Nothing waits until it is written.
    done = wait_until(lambda: admin.items("/v1/audit", action="archive.rebuild"), "the record of it is written")
    assert [record["actor"] for record in done] == ["admin"]


def test_rebuilding_leaves_what_only_the_archive_has(place, tmp_path):
    postgres, node, admin = place(**FORGETFUL)
    publish(admin, *range(1, 8))
    archived(admin)
    wait_until_forgotten(admin, 5)
    admin.post("/v1/archive/rebuild", {}, expect=202)
    publish(admin, 8)
    assert wait_until(lambda: verified(admin, tmp_path), "the archive is rebuilt")["equal"]
    archived(admin)
    assert_all_once(postgres, admin)
    assert [item["version"] for item in admin.items(releases(KEY))] == [8, 7, 6, 5, 4, 3, 2, 1]


def test_another_clusters_archive_is_left_alone(make_postgres, make_node):
    postgres = make_postgres()
    first = make_node(**postgres.settings())
    admin = log_in(first)
    publish(admin, 1)
    archived(admin)
    before = postgres.rows("SELECT * FROM config_center.position")
    second = make_node(**postgres.settings())
    other = log_in(second)
    publish(other, 1, 2)
    wait_until(lambda: "archive of another cluster" in other.get("/v1/archive").json().get("trouble", ""), "it says so")
    assert ids(postgres, "release") == [1]
    first.stop()
    assert postgres.rows("SELECT * FROM config_center.position")[0]["cluster_id"] == before[0]["cluster_id"]


@pytest.mark.parametrize("settings,says", [
    ({"database_password": "another"}, "database.password"),
    ({"database_database": "nowhere"}, "CREATE DATABASE"),
    ({"database_host": "127.0.0.1:1"}, "no primary of the archive is reached"),
])
def test_what_is_wrong_with_the_settings_is_said_and_the_node_goes_on(make_postgres, make_node, settings, says):
    postgres = make_postgres()
    node = make_node(**{**postgres.settings(), **settings})
    admin = log_in(node)
    publish(admin, 1)
    wait_until(lambda: says in admin.get("/v1/archive").json().get("trouble", ""), f"it says {says}")
    wait_until(lambda: says in node.log(), "so does its log")


def test_one_connection_is_enough_and_not_exceeded(make_postgres, make_node):
    postgres = make_postgres(replicas=1)
    node = make_node(**postgres.settings(), database_pool_size=1)
    admin = log_in(node)
    for number in range(5):
        publish(admin, number)
        assert len(admin.items(releases(KEY))) == number + 1
        connections = sum(int(server.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'config-center'")[0][0])
                          for server in postgres.servers)
        assert connections <= 1
    archived(admin)


def test_a_connection_is_not_used_longer_than_its_lifetime(place):
    postgres, node, admin = place(database_max_lifetime="1s")
    archived(admin)
    begun = {pid for pid, in postgres.sql("SELECT pid FROM pg_stat_activity WHERE application_name = 'config-center'")}

    def renewed():
        publish(admin, 1)
        return begun.isdisjoint(pid for pid, in postgres.sql("SELECT pid FROM pg_stat_activity WHERE application_name = 'config-center'"))

    wait_until(renewed, "all connections are new ones")


def test_the_commands(place, tmp_path):
    postgres, node, admin = place(replicas=1)
    publish(admin, 1, 2)
    archived(admin)
    command = Command(tmp_path / "home", node, CONFIG_CENTER_TOKEN=admin.token)
    wait_until(lambda: "replica" in command("archive", "status").stdout, "the replica is seen")
    shown = command("archive", "status").stdout
    assert f"revision  {admin.get('/v1/cluster').json()['revision']}, which is all there is" in shown
    assert "written   by this node, which leads" in shown
    assert [line.split()[:2] for line in shown.splitlines()[-2:]] == [[server.address, server.role()] for server in postgres.servers]
    assert command.json("archive", "status")["endpoints"][0]["role"] == "primary"
    assert command("archive", "verify").stdout.endswith("the archive has them all, as they are\n")
    assert command("archive", "rebuild", "--dry-run").stdout.startswith("would write again")
    assert "--yes" in command("archive", "rebuild", expect=2).stderr
    postgres.sql("DELETE FROM config_center.release WHERE id = 1")
    assert "release 1 (dev/shop/default/application.yaml version 1) is not in the archive\n" in command("archive", "verify", expect=1).stdout
    command("archive", "rebuild", "--yes")
    assert wait_until(lambda: verified(admin, tmp_path), "the archive is rebuilt")["equal"]


def test_without_one_the_node_says_so(node, admin):
    assert "database.host" in admin.get("/v1/archive", expect=404).json()["error"]["message"]
    assert admin.get("/v1/audit", expect=200).headers["X-Config-Source"] == "node"


def test_hosts_that_cannot_be_read_are_refused(make_node):
    node = make_node(start=False, database_host="db1,,db2")
    with contextlib.suppress(Exception):
        node.start()
    assert "a host between two commas is empty" in node.log()
