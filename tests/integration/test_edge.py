"""The edge copy: what is published stands in Redis a moment later, and nobody waits for Redis."""

import pathlib
import re
import subprocess
import threading

import pytest
from redis.exceptions import ResponseError

from client import config
from command import Command
from conftest import log_in
from edge_copy import PREFIX, Copy, next_message
from node import DIES_WITH_THE_TEST, wait_until

KEY = "dev/shop/default/application.yaml"


@pytest.fixture
def cache(make_redis):
    """Without a password, as the examples of docs/edge.md have it."""
    return make_redis(password=None)


@pytest.fixture
def server(cache):
    return cache.primary


@pytest.fixture
def redis(server):
    return server.client()


@pytest.fixture
def node(make_node, cache):
    return make_node(**cache.settings())


@pytest.fixture
def admin(node):
    return log_in(node)


@pytest.fixture
def copy(redis, admin):
    """The copy, which is whole already."""
    copy = Copy(redis)
    wait_until(copy.position, "there is a copy")
    return copy


def edge(admin):
    return admin.get("/v1/edge", expect=200).json()


def wait_for_edge(admin, true, what):
    wait_until(lambda: true(edge(admin)), what)
    return edge(admin)


def health_of_edge(admin):
    health = admin.get("/healthz", expect=200).json()
    return health["status"], {check["name"]: check for check in health["checks"]}["edge"]


# --- what stands there ---

def test_what_is_published_can_be_read_there_with_what_is_known_of_it(admin, copy):
    published = admin.publish(KEY, "greeting: hello\n", comment="the first")
    copy.wait_for(KEY, "greeting: hello\n")
    meta = copy.meta(KEY)
    assert meta["version"] == "1" and meta["revision"] == str(published["revision"]) and meta["format"] == "yaml"
    assert meta["author"] == "admin" and meta["comment"] == "the first" and meta["size"] == "16"
    assert copy.is_what_is_published(admin)


def test_bytes_are_the_same_whatever_they_are(admin, copy):
    content = "价: ¥\r\n\t\u00a0"
    admin.publish("dev/shop/default/a.txt", content)
    copy.wait_for("dev/shop/default/a.txt", content)
    assert copy.is_what_is_published(admin)


def test_of_a_secret_config_nothing_that_was_published_reaches_redis(admin, copy, redis):
    admin.publish(KEY, "password: before\n")
    copy.wait_for(KEY, "password: before\n")
    subscription = copy.subscribe()
    with redis.monitor() as commands:
        admin.publish(KEY, "password: hidden\n", secret="true")
        assert next_message(subscription)["secret"] is True
        admin.publish(KEY, "password: hidden too\n")
        next_message(subscription)
        redis.echo("all of it")
        sent = []
        while not sent or "all of it" not in sent[-1]:
            sent.append(commands.next_command()["command"])
    assert any(KEY in command for command in sent) and not [command for command in sent if "hidden" in command]
    assert copy.content(KEY) is None and copy.meta(KEY)["version"] == "3" and copy.is_what_is_published(admin)
    assert admin.read(KEY).text == "password: hidden too\n"
    admin.publish(KEY, "password: none\n", secret="false")
    copy.wait_for(KEY, "password: none\n")
    assert copy.is_what_is_published(admin)


def test_a_deletion_takes_both_keys_away(admin, copy):
    admin.publish(KEY, "a: 1\n")
    copy.wait_for(KEY, "a: 1\n")
    admin.delete(config(KEY), expect=200)
    wait_until(lambda: copy.content(KEY) is None, "it is gone")
    assert copy.meta(KEY) == {}


def test_each_change_has_its_message_in_order_with_the_revision_it_was_made_in(admin, copy):
    subscription = copy.subscribe()
    expected = []
    for i in range(50):
        answer = admin.publish(KEY if i % 2 else "dev/shop/default/other.yaml", f"a: {i}\n")
        expected.append({"key": answer["key"], "revision": answer["revision"], "version": answer["version"], "deleted": False})
    gone = admin.delete(config(KEY), expect=200).json()
    expected.append({"key": KEY, "revision": gone["revision"], "version": 25, "deleted": True})
    assert [next_message(subscription) for _ in expected] == expected


def test_who_reads_after_a_message_finds_what_it_tells_of(admin, copy):
    subscription = copy.subscribe()
    for i in range(20):
        admin.publish(KEY, f"a: {i}\n")
        message = next_message(subscription)
        assert int(copy.meta(KEY)["revision"]) >= message["revision"]


def test_the_position_is_the_revision_that_the_node_serves(admin, copy):
    revision = admin.publish(KEY, "a: 1\n")["revision"]
    wait_until(lambda: copy.position()["revision"] == str(revision), "it is there")
    admin.put("/v1/users/lin", {"password": "a good password"}, expect=201)  # changes no config
    wait_until(lambda: int(copy.position()["revision"]) > revision, "nothing is missing there")


# --- what becomes of Redis ---

def publish_until(done, admin, key=KEY):
    """Publishes without a pause on a thread of its own; join() returns how often, or raises what went wrong."""
    class Publishing(threading.Thread):
        published, wrong = 0, None

        def run(self):
            try:
                while not done.is_set():
                    admin.publish(key, f"n: {self.published}\n")
                    self.published += 1
            except BaseException as e:  # noqa: B902 (handed to who joins)
                self.wrong = e

        def join(self, timeout=None):
            super().join(timeout)
            if self.wrong:
                raise self.wrong
            return self.published

    publishing = Publishing()
    publishing.start()
    return publishing


def test_a_wiped_redis_is_filled_again(admin, copy, redis):
    for i in range(30):
        admin.publish(f"dev/shop/default/{i}.yaml", f"a: {i}\n")
    wait_until(lambda: copy.is_what_is_published(admin), "all is there")
    subscription = copy.subscribe()
    redis.flushall()
    wait_until(copy.position, "it is filled again")
    assert copy.is_what_is_published(admin)
    message = next_message(subscription)
    assert (message["key"], message["version"]) == ("", 0), "whoever has something from before reads again"
    admin.publish(KEY, "a: 1\n")
    copy.wait_for(KEY, "a: 1\n")


def test_filling_leaves_what_is_not_ours_and_takes_away_what_is_published_no_longer(admin, copy, redis):
    redis.set(f"{PREFIX}content:dev/shop/default/gone.yaml", "left over")
    redis.hset(f"{PREFIX}meta:dev/shop/default/gone.yaml", "version", 3)
    redis.set(f"{PREFIX}else", "somebody's")
    redis.set("content:dev/shop/default/gone.yaml", "somebody's")
    redis.delete(f"{PREFIX}position")
    wait_until(copy.position, "it is filled again")
    assert not copy.keys() & {f"{PREFIX}content:dev/shop/default/gone.yaml", f"{PREFIX}meta:dev/shop/default/gone.yaml"}
    assert redis.get(f"{PREFIX}else") == redis.get("content:dev/shop/default/gone.yaml") == "somebody's"
    assert not redis.exists(f"{PREFIX}filling")


def test_publishes_go_on_while_redis_is_gone_and_are_all_there_when_it_is_back(admin, copy, server):
    done = threading.Event()
    publishing = publish_until(done, admin)
    copy.wait_for(KEY, copy.content(KEY))
    server.kill()
    server.forget()
    status = wait_for_edge(admin, lambda edge: edge.get("trouble"), "the trouble is told")
    assert str(server.port) in status["trouble"]
    while_gone = publishing.published
    wait_until(lambda: publishing.published > while_gone + 100, "publishes go on")
    server.start()
    wait_until(copy.position, "it is filled again")
    done.set()
    assert publishing.join() > 100
    wait_until(lambda: copy.is_what_is_published(admin), "all is there")
    wait_for_edge(admin, lambda edge: "trouble" not in edge and edge["lag_revisions"] == 0, "the trouble is over")


def test_a_paused_redis_is_waited_for_by_nobody(admin, copy, server):
    server.pause()  # connections stay, nothing answers
    try:
        for i in range(20):
            admin.publish(KEY, f"a: {i}\n")
        assert admin.read(KEY).text == "a: 19\n"
        wait_for_edge(admin, lambda edge: "does not answer in time" in edge.get("trouble", ""), "the trouble is told")
    finally:
        server.resume()
    copy.wait_for(KEY, "a: 19\n")
    assert copy.is_what_is_published(admin)


def test_a_failover_is_followed_and_what_the_new_primary_lacks_is_written_again(make_node, make_redis):
    cache = make_redis(replica=True, sentinels=True)
    primary, replica = cache.servers
    admin = log_in(make_node(**cache.settings()))
    old, new = Copy(primary.client()), Copy(replica.client())
    admin.publish(KEY, "a: 1\n")
    new.wait_for(KEY, "a: 1\n")
    # From here on the replica hears nothing any more: what is written now is lost with the primary.
    replica.client().replicaof("127.0.0.1", 1)
    admin.publish(KEY, "a: 2\n")
    admin.publish("dev/shop/default/other.yaml", "b: 1\n")
    old.wait_for("dev/shop/default/other.yaml", "b: 1\n")
    primary.kill()
    new.wait_for(KEY, "a: 2\n")
    wait_until(lambda: new.is_what_is_published(admin), "all is there")
    status = wait_for_edge(admin, lambda edge: edge["went_back"] == 1 and edge["lag_revisions"] == 0, "it is told")
    assert [(each["address"], each["role"]) for each in wait_for_edge(
        admin, lambda edge: "trouble" not in edge, "it goes on")["endpoints"]][:1] == [(replica.address, "primary")]
    assert status["writing"]


def test_a_replica_is_not_written_to(make_node, make_redis):
    cache = make_redis(replica=True)
    admin = log_in(make_node(**{**cache.settings(), "cache_port": cache.replicas[0].port}))
    status = wait_for_edge(admin, lambda edge: edge.get("trouble"), "it is told")
    assert "is no primary" in status["trouble"] and "cache.sentinels" in status["trouble"]


# --- whose copy it is ---

def test_the_copy_of_another_cluster_is_left_alone(make_node, cache, redis):
    first = log_in(make_node(**cache.settings()))
    first.publish(KEY, "a: of the first\n")
    copy = Copy(redis)
    copy.wait_for(KEY, "a: of the first\n")
    node = make_node(**cache.settings())
    second = log_in(node)
    second.publish(KEY, "a: of the second\n")
    status = wait_for_edge(second, lambda edge: "another cluster" in edge.get("trouble", ""), "it is refused")
    assert "cache.key_prefix" in status["trouble"]
    assert [record["level"] for record in node.records() if record["message"] == "the edge copy is not written"] == ["error"]
    assert copy.is_what_is_published(first)
    node.restart(cache_key_prefix="second:")
    Copy(redis, "second:").wait_for(KEY, "a: of the second\n")
    assert copy.content(KEY) == "a: of the first\n"


@pytest.mark.parametrize("forged", [{"release": "1000000"}, {"revision": "1000000"}, {"release_revision": "1"}])
def test_the_copy_of_another_history_is_filled_again(node, admin, copy, redis, forged):
    """As after the nodes were restored from a backup: the numbers are further, or stand for something else."""
    admin.publish(KEY, "a: 1\n")
    copy.wait_for(KEY, "a: 1\n")
    node.stop()
    redis.set(f"{PREFIX}content:{KEY}", "a: of another history\n")
    redis.set(f"{PREFIX}content:dev/shop/default/gone.yaml", "of another history")
    redis.hset(f"{PREFIX}position", mapping=forged)
    node.start()
    copy.wait_for(KEY, "a: 1\n")
    wait_until(lambda: copy.is_what_is_published(log_in(node)), "all is right")
    assert "another history" in node.log()


def test_a_node_that_was_restarted_goes_on_where_it_was(node, admin, copy):
    admin.publish(KEY, "a: 1\n")
    copy.wait_for(KEY, "a: 1\n")
    subscription = copy.subscribe()
    node.restart()
    answer = log_in(node).publish(KEY, "a: 2\n")
    assert next_message(subscription)["revision"] == answer["revision"], "nothing was written twice"


# --- what is told of it ---

def test_a_node_without_redis_says_so(make_node):
    node = make_node()
    assert "cache.host" in log_in(node).get("/v1/edge", expect=404).json()["error"]["message"]
    assert "edge" not in {check["name"] for check in log_in(node).get("/healthz").json()["checks"]}
    assert not [name for name in node.metrics() if name.startswith("config_center_edge")]


def test_how_it_is_is_told_by_api_command_health_and_metrics(node, admin, copy, server, tmp_path):
    revision = admin.publish(KEY, "a: 1\n")["revision"]
    status = wait_for_edge(admin, lambda edge: edge["revision"] >= revision, "all is there")
    assert status["writing"] and status["lag_revisions"] == 0 and status["lag_seconds"] == 0 and status["batches"] >= 1
    wait_for_edge(admin, lambda edge: edge["endpoints"] and edge["endpoints"][0]["address"] == server.address
                  and edge["endpoints"][0]["role"] == "primary", "where it is")
    assert health_of_edge(admin)[1]["status"] == "ok"
    metrics = node.metrics()
    assert metrics["config_center_edge_up"] == 1 and metrics["config_center_edge_batches_total"] >= 1
    assert metrics["config_center_edge_lag_revisions"] == 0

    command = Command(tmp_path / "home", node, CONFIG_CENTER_TOKEN=admin.token)
    assert server.address in command("edge", "status").stdout
    assert command.json("edge", "status")["writing"] is True

    server.kill()
    admin.publish(KEY, "a: 2\n")
    wait_for_edge(admin, lambda edge: edge.get("trouble") and edge["lag_revisions"] >= 1, "it is told")
    state, check = health_of_edge(admin)
    assert state == "degraded" and check["status"] == "failing" and str(server.port) not in check["message"]
    assert node.probe("/readyz") == 200
    metrics = node.metrics()
    assert metrics["config_center_edge_up"] == 0 and metrics["config_center_edge_errors_total"] >= 1
    assert "trouble" in command("edge", "status").stdout


def test_a_password_is_shown_to_redis_and_a_wrong_one_is_told(make_node, make_redis):
    cache = make_redis()
    node = make_node(**{**cache.settings(), "cache_password": "another"})
    status = wait_for_edge(log_in(node), lambda edge: edge.get("trouble"), "it is told")
    assert "cache.password" in status["trouble"] and "another" not in node.log()
    node.restart(cache_password=cache.password)
    wait_until(Copy(cache.client()).position, "there is a copy")


# --- what docs/edge.md shows ---

PAGE = (pathlib.Path(__file__).parents[2] / "docs/edge.md").read_text()


def example(language, server):
    return re.search(rf"^```{language}\n(.*?)^```", PAGE[PAGE.index("## Read it"):], re.S | re.M).group(1).replace("6379", str(server.port))


def test_the_python_of_the_page_reads_and_hears_of_changes(admin, copy, server):
    copy.wait_for(admin.publish(KEY, "a: 1\n")["key"], "a: 1\n")
    program = subprocess.Popen([*DIES_WITH_THE_TEST, "/usr/bin/python3", "-c", example("python", server)], stdout=subprocess.PIPE, text=True)
    try:
        assert program.stdout.readline().split(maxsplit=1)[1] == "a: 1\n"
        program.stdout.readline()  # the end of the content
        revision = admin.publish(KEY, "a: 2\n")["revision"]
        assert program.stdout.readline() == f"{revision} a: 2\n"
    finally:
        program.kill()
        program.communicate()


def test_the_shell_of_the_page_reads(admin, copy, server):
    copy.wait_for(admin.publish(KEY, "a: 1\n")["key"], "a: 1\n")
    reading = "".join(line for line in example("sh", server).splitlines(True) if "SUBSCRIBE" not in line)
    reading = reading.replace("redis-cli", f"redis-cli -p {server.port}")
    done = subprocess.run(["sh", "-ec", reading], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.startswith("a: 1\n") and "revision" in done.stdout


def test_the_reader_of_the_page_may_read_and_subscribe_and_nothing_else(admin, copy, server, redis):
    copy.wait_for(admin.publish(KEY, "a: 1\n")["key"], "a: 1\n")
    redis.execute_command(re.search(r"`(ACL SETUSER .*?)`", PAGE).group(1))
    reader = server.client(username="reader", password="PASSWORD")
    both = reader.pipeline().get(f"{PREFIX}content:{KEY}").hgetall(f"{PREFIX}meta:{KEY}").execute()
    assert both[0] == "a: 1\n" and both[1]["version"] == "1"
    subscription = reader.pubsub()
    subscription.subscribe(f"{PREFIX}changes")
    assert wait_until(subscription.get_message, "an answer")["type"] == "subscribe"
    with pytest.raises(ResponseError):
        reader.delete(f"{PREFIX}content:{KEY}")
    with pytest.raises(ResponseError):
        reader.publish(f"{PREFIX}changes", "{}")
