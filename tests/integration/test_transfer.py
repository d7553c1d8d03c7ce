"""Export and import: what a node gives out as a folder or a zip, another takes in as it was."""

import json
import random
import zipfile

import pytest

from command import Command
from conftest import log_in

CONTENT = {"properties": "键=值\r\n", "yaml": "a: 1\n# 中文\n", "json": '{"a": 1}', "toml": "a = 1\n", "xml": "<a/>", "text": "\ufeff any\ttext"}
EXTENSIONS = ("", ".yaml", ".yml", ".json", ".properties", ".toml", ".xml", ".txt", ".zip", ".env")


@pytest.fixture
def cli(command, admin):
    command.variables["CONFIG_CENTER_TOKEN"] = admin.token
    return command


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """Another node, and its command line, as the administrator."""
    from node import Node
    node = Node(tmp_path_factory.mktemp("empty")).start()
    yield Command(node.folder / "home", node, CONFIG_CENTER_TOKEN=log_in(node).token)
    node.stop()
    node.check_log()


def hostile_names(dice, count):
    """Names that are legal, and that file systems, shells, zips and JSON have opinions on; none is the folder of another."""
    letters = list("abcXYZ019 .-_~%#:;,'\"\\*?[]{}()<>|&$!@=+^`") + ["中", "é", "🎉", "ä"]
    names = {".env", ".git/config", "conf/.hidden/x.txt", "-rf", "a b", "CON", "settings", "%2e%2e", "..a", "a..", "~", "日本/語.yaml",
             "s" * 255, "/".join(["d" * 100] * 5), ".config-center.json.txt"}
    while len(names) < count:
        segments = ["".join(dice.choices(letters, k=dice.randint(1, 20))).strip() for _ in range(dice.randint(1, 4))]
        if all(segment and segment not in (".", "..") for segment in segments):
            names.add("/".join(segments) + dice.choice(EXTENSIONS))
    return [name for name in sorted(names) if not any(name.startswith(other + "/") for other in names)]


def configs_of(cli, where):
    """{key below the environment: (format, checksum)}"""
    return {item["key"].partition("/")[2]: (item["format"], item["sha256"]) for item in cli.json("list", where)}


@pytest.mark.parametrize("form", ["folder", "zip"])
@pytest.mark.parametrize("depth", [1, 2, 3], ids=["environment", "application", "cluster"])
def test_an_export_is_imported_as_it_was_whatever_its_names(cli, empty, admin, app, tmp_path, form, depth):
    seed = random.randrange(1 << 32)
    print("seed", seed)
    dice = random.Random(seed)
    environment = f"env-{app}-{form}"
    cli("env", "add", environment)
    empty("env", "add", environment)
    clusters = ["shop/default", ".hidden shop/.cluster", "shop/中 文"] if depth == 1 else ["shop/default", "shop/.c"] if depth == 2 else ["shop/default"]
    for cluster in clusters:
        for name in hostile_names(dice, 40):
            kind = dice.choice(list(CONTENT))
            admin.publish(f"{environment}/{cluster}/{name}", CONTENT[kind].encode(), format=kind)
    where = "/".join([environment, "shop", "default"][:depth])
    there = configs_of(cli, where)
    assert len(there) > 30
    to = tmp_path / ("out" if form == "folder" else "out.zip")
    assert f"exported {len(there)} configs" in cli("export", where, to).stdout
    done = empty("import", where, to)
    assert "left out" not in done.stderr
    assert configs_of(empty, where) == there
    again = empty.json("import", where, to)
    assert all(each["unchanged"] for each in again["published"])


def test_an_export_by_application_is_the_same(cli, empty, admin, app, tmp_path):
    environment = f"env-{app}"
    for one in (cli, empty):
        one("env", "add", environment)
    for number in range(3):
        admin.publish(f"{environment}/{app}-{number}/default/settings", b"{}", format="json")
    cli("export", environment, tmp_path / "parts", "--by-application")
    cli("export", environment, tmp_path / "whole.zip")
    outcome = empty.json("import", environment, tmp_path / "parts", "--by-application")
    assert len(outcome["published"]) == 3 and len({each["revision"] for each in outcome["published"]}) == 3
    assert all(each["unchanged"] for each in empty.json("import", environment, tmp_path / "whole.zip")["published"])
    assert configs_of(empty, environment) == configs_of(cli, environment)


def test_hidden_files_of_others_are_left_out_and_told(cli, app, tmp_path):
    folder = tmp_path / "clone"
    (folder / ".git").mkdir(parents=True)
    (folder / ".git" / "config").write_text("x")
    (folder / ".env").write_text("A=1")
    (folder / "a.txt").write_text("x")
    (folder / "outside").symlink_to("/etc/hostname")
    done = cli("import", f"dev/{app}/default", folder)
    assert "hidden: .env, .git/ (--hidden takes them)" in done.stderr and "outside" in done.stderr
    assert [item["name"] for item in cli.json("list", f"dev/{app}")] == ["a.txt"]
    cli("import", f"dev/{app}/default", folder, "--hidden")
    assert [item["name"] for item in cli.json("list", f"dev/{app}")] == [".env", ".git/config", "a.txt"]


def test_what_a_folder_cannot_hold_is_told_before_anything_is_written(cli, empty, admin, app, tmp_path):
    for name in ("a", "a/b"):
        admin.publish(f"dev/{app}/default/{name}", b"x")
    refused = cli("export", f"dev/{app}", tmp_path / "out", expect=1).stderr
    assert "default/a and default/a/b" in refused and ".zip" in refused
    assert not (tmp_path / "out").exists()
    cli("export", f"dev/{app}", tmp_path / "out.zip")
    empty("import", f"dev/{app}", tmp_path / "out.zip")
    assert configs_of(empty, f"dev/{app}") == configs_of(cli, f"dev/{app}")


def test_a_config_called_like_the_file_of_formats(cli, empty, admin, app, tmp_path):
    admin.publish(f"dev/{app}/default/.config-center.json", b"{}")
    assert f"export dev/{app} instead" in cli("export", f"dev/{app}/default", tmp_path / "out", expect=1).stderr
    cli("export", f"dev/{app}", tmp_path / "out")
    empty("import", f"dev/{app}", tmp_path / "out")
    assert configs_of(empty, f"dev/{app}") == configs_of(cli, f"dev/{app}")


def test_the_zip_is_one_that_other_programs_read(cli, admin, app, tmp_path):
    admin.publish(f"dev/{app}/default/settings", b'{"a": 1}', format="json")
    admin.publish(f"dev/{app}/default/a.yaml", b"a: 1\n")
    cli("export", f"dev/{app}", tmp_path / "out.zip")
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert sorted(archive.namelist()) == [".config-center.json", "default/a.yaml", "default/settings"]
        assert json.loads(archive.read(".config-center.json")) == {"configs": {"default/settings": "json"}}


def test_an_import_that_is_too_large_says_what_to_do(make_node, tmp_path):
    node = make_node(server_max_body="1MiB", server_max_content="1MiB")
    own = Command(tmp_path / "home", node, CONFIG_CENTER_TOKEN=log_in(node).token)
    dice = random.Random(1)
    for application in ("shop", "mail"):
        (tmp_path / "big" / application / "default").mkdir(parents=True)
        (tmp_path / "big" / application / "default" / "a.txt").write_text("".join(dice.choices("abcdefghijklmnop", k=1_000_000)))
    refused = own("import", "dev", tmp_path / "big", expect=1).stderr
    assert "server.max_body" in refused and "--by-application" in refused
    assert own.json("list", "dev") == []
    assert len(own.json("import", "dev", tmp_path / "big", "--by-application")["published"]) == 2
