"""Real input, end to end through the real binary: import, publish, read back, change, diff, roll back, watch."""

import json
import pathlib
import signal

import pytest

from client import Client
from command import Command
from conftest import log_in
from node import ADMIN_PASSWORD, PATIENCE

SOURCE = pathlib.Path(__file__).parent.parent / "data" / "petclinic-config"
FILES = {path.name: path.read_bytes() for path in SOURCE.glob("*.yml")}


def test_the_input_is_what_it_was():
    assert len(FILES) == 9
    assert sum(content.startswith(b"\xef\xbb\xbf") for content in FILES.values()) > 0, "some begin with a byte order mark"
    assert sum(b"\n---" in content for content in FILES.values()) > 0, "some hold several documents"


@pytest.mark.parametrize("how", ["one by one", "imported"])
def test_petclinic(make_node, tmp_path, how):
    node = make_node()
    cli = Command(tmp_path / "home", node)
    cli("login", "--username", "admin", "--password-stdin", input=ADMIN_PASSWORD)
    cli("app", "add", "petclinic", "--department", "samples", "--owner", "spring-petclinic")
    where = "dev/petclinic/default"

    if how == "imported":
        cli("import", where, SOURCE, "--include", "*.yml", "--dry-run")
        assert cli.json("list", where) == []
        outcome = cli.json("import", where, SOURCE, "--include", "*.yml", "-m", "as it stands upstream")
        assert {p["key"] for p in outcome["published"]} == {f"{where}/{name}" for name in FILES}
        assert len({p["revision"] for p in outcome["published"]}) == 1
    else:
        for name in FILES:
            cli("publish", f"{where}/{name}", "--file", SOURCE / name, "-m", "as it stands upstream")

    assert len(cli.json("list", where)) == len(FILES)
    for name, content in FILES.items():
        assert cli("get", f"{where}/{name}", binary=True).stdout == content
    cli("export", where, tmp_path / "back")
    assert {path.name: path.read_bytes() for path in (tmp_path / "back").iterdir()} == FILES

    # change one, look at it as a draft, publish it; a watcher sees that, and the rollback after it
    key = f"{where}/api-gateway.yml"
    original = FILES["api-gateway.yml"]
    changed = original.replace(b"port: 8080", b"port: 8090")
    assert changed != original
    watching = cli.start("watch", key, "--initial", "-o", "json")
    assert json.loads(watching.stdout.readline())["version"] == 1
    cli("draft", "save", key, "--file", "-", input=changed)
    difference = cli("diff", key).stdout
    assert "-  port: 8080" in difference and "+  port: 8090" in difference
    assert cli("get", key, binary=True).stdout == original, "nobody sees a draft"
    cli("draft", "publish", key, "-m", "another port")
    assert json.loads(watching.stdout.readline())["version"] == 2
    assert cli("get", key, binary=True).stdout == changed
    cli("rollback", key, "1", "-m", "8090 is taken")
    assert json.loads(watching.stdout.readline())["version"] == 3
    assert cli("get", key, binary=True).stdout == original
    history = cli.json("history", key)
    assert [r["version"] for r in history] == [3, 2, 1]
    assert history[0]["sha256"] == history[2]["sha256"] != history[1]["sha256"]
    watching.send_signal(signal.SIGINT)
    watching.communicate(timeout=30 * PATIENCE)

    # and after a kill all of it is still so
    node.kill()
    node.start()
    reader = Client(node, log_in(node).token)
    for name, content in FILES.items():
        assert reader.read(f"{where}/{name}").body == content
