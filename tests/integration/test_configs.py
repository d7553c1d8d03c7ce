"""Publishing, reading, deleting, listing and moving configs."""

import hashlib
import io
import threading
import uuid
import zipfile

import pytest

from client import Client, config, releases

BOM = b"\xef\xbb\xbf"

CONTENTS = {
    "plain.yaml": b"a: 1\nb: [2, 3]\n",
    "crlf.yaml": b"a: 1\r\nb: 2\r\n",
    "bom.yaml": BOM + b"a: 1\n",
    "documents.yaml": b"a: 1\n---\na: 2\n---\na: 3\n",
    "anchors.yaml": b"base: &base\n  a: 1\nmore:\n  <<: *base\n  b: 2\n",
    "chinese.yaml": "说明: 配置中心\n列表:\n  - 北京\n  - 上海\n".encode(),
    "no-newline.yaml": b"a: 1",
    "empty.yaml": b"",
    "blanks.properties": b"  \n\n# only a comment\n",
    "java.properties": b"a.b = 1\nc : d\\\n   e\nf=\\u4e2d\ng\n",
    "twice.properties": b"a=1\na=2\n",
    "latin.properties": "grüße=schön\n".encode(),
    "plain.json": b'{"a": [1, 2.5e3, null, true, "\\u4e2d"]}',
    "scalar.json": b"3\n",
    "bom.json": BOM + b"{}\n",
    "plain.toml": b"title = \"x\"\n[a]\nb = 1979-05-27T07:32:00Z\n",
    "plain.xml": b'<?xml version="1.0" encoding="UTF-8"?>\n<a b="c">&lt;<!-- d --></a>\n',
    "notes.text": b"anything at all:\n\t{ not: [ parsed\n",
    "no-extension": b"\n\n",
    "emoji.txt": "🚀 до свидания\n".encode(),
}

MEDIA_TYPES = {"yaml": "application/yaml", "json": "application/json", "toml": "application/toml",
               "xml": "application/xml", "properties": "text/x-java-properties", "text": "text/plain"}


@pytest.mark.parametrize("name", CONTENTS)
def test_content_comes_back_byte_for_byte(admin, app, name):
    key, content = f"dev/{app}/default/{name}", CONTENTS[name]
    published = admin.publish(key, content)
    assert published["md5"] == hashlib.md5(content).hexdigest()
    assert published["sha256"] == hashlib.sha256(content).hexdigest()
    answer = admin.read(key)
    assert answer.body == content
    assert answer.headers["X-Config-Md5"] == published["md5"]
    assert int(answer.headers["Content-Length"]) == len(content)


@pytest.mark.parametrize("name,form", [
    ("a.properties", "properties"), ("a.yaml", "yaml"), ("a.yml", "yaml"), ("a.json", "json"), ("a.toml", "toml"),
    ("a.xml", "xml"), ("a.txt", "text"), ("a", "text"), ("a.yaml.bak", "text")])
def test_the_name_decides_format_and_media_type(admin, app, name, form):
    content = {"json": b"{}", "xml": b"<a/>"}.get(form, b"")
    key = f"dev/{app}/default/{name}"
    admin.publish(key, content)
    answer = admin.read(key)
    assert answer.headers["X-Config-Format"] == form
    media = answer.headers["Content-Type"].split(";")[0]
    if form in ("json", "yaml", "xml", "toml", "text"):
        assert media == MEDIA_TYPES[form]


def test_a_given_format_wins_over_the_name_and_stays(admin, app):
    key = f"dev/{app}/default/settings"
    admin.publish(key, b'{"a": 1}', format="json")
    assert admin.read(key).headers["X-Config-Format"] == "json"
    refused = admin.put(config(key), b"{ not json", expect=400)
    assert refused.error[0] == "invalid_argument"
    admin.publish(key, b"a: 1\n", format="yaml")
    assert admin.read(key).headers["X-Config-Format"] == "yaml"
    admin.put(config(key), b"a", query={"format": "ini"}, expect=400)


def test_a_publish_answers_key_version_revision_and_checksums(admin, key):
    first = admin.put(config(key), b"a: 1\n", query={"comment": "the first"}, expect=201).json()
    assert first == {"key": key, "version": 1, "revision": first["revision"],
                     "md5": hashlib.md5(b"a: 1\n").hexdigest(), "sha256": hashlib.sha256(b"a: 1\n").hexdigest()}
    second = admin.put(config(key), b"a: 2\n", expect=200).json()
    assert second["version"] == 2
    assert second["revision"] > first["revision"]
    answer = admin.read(key)
    assert (answer.version, answer.revision, answer.etag) == (2, second["revision"], f'"{second["revision"]}"')


def test_head_answers_as_get_without_the_body(admin, key):
    admin.publish(key, b"a: 1\n")
    whole, head = admin.read(key), admin.head(config(key), expect=200)
    assert head.body == b""
    for name in ("Content-Length", "Content-Type", "ETag", "X-Config-Revision", "X-Config-Version", "X-Config-Md5"):
        assert head.headers[name] == whole.headers[name]


def test_who_has_the_newest_gets_304(admin, key):
    admin.publish(key, b"a: 1\n")
    etag = admin.read(key).etag
    for match in (etag, f'W/{etag}', f'"0", {etag}', "*"):
        answer = admin.get(config(key), headers={"If-None-Match": match}, expect=304)
        assert answer.body == b""
        assert answer.etag == etag
    admin.publish(key, b"a: 2\n")
    assert admin.get(config(key), headers={"If-None-Match": etag}, expect=200).body == b"a: 2\n"


def test_every_version_stays_readable(admin, key):
    for number in range(1, 6):
        admin.publish(key, f"a: {number}\n")
    for number in range(1, 6):
        answer = admin.read(key, version=number)
        assert (answer.body, answer.version) == (f"a: {number}\n".encode(), number)
    for none_such in ("0", "6"):
        assert admin.get(config(key), query={"version": none_such}, expect=404).error[0] == "not_found"
    for nonsense in ("-1", "x", "", "99999999999999999999"):
        assert admin.get(config(key), query={"version": nonsense}, expect=400).error[0] == "invalid_argument"


def test_what_never_was_is_404(admin, app):
    answer = admin.get(config(f"dev/{app}/default/a.yaml"), expect=404)
    assert answer.error[0] == "not_found"
    assert "X-Config-Deleted" not in answer.headers


# --- guards ---

def test_if_match_refuses_what_the_writer_has_not_seen(admin, key):
    first = admin.publish(key, b"a: 1\n")
    second = admin.publish(key, b"a: 2\n", headers={"If-Match": f'"{first["revision"]}"'})
    refused = admin.put(config(key), b"a: 3\n", headers={"If-Match": f'"{first["revision"]}"'}, expect=412)
    assert refused.error[0] == "conflict"
    assert admin.read(key).revision == second["revision"]
    admin.delete(config(key), headers={"If-Match": f'"{first["revision"]}"'}, expect=412)
    assert admin.read(key).body == b"a: 2\n"
    admin.put(config(key), b"a: 3\n", headers={"If-Match": "nonsense"}, expect=400)


def test_if_match_star_changes_only_what_is_there(admin, key):
    admin.put(config(key), b"a: 1\n", headers={"If-Match": "*"}, expect=412)
    admin.get(config(key), expect=404)
    admin.publish(key, b"a: 1\n")
    admin.put(config(key), b"a: 2\n", headers={"If-Match": "*"}, expect=200)
    admin.delete(config(key), headers={"If-Match": "*"}, expect=200)
    admin.post(releases(key), query={"rollback": 1}, headers={"If-Match": "*"}, expect=412)


def test_if_none_match_star_publishes_only_what_is_not_there(admin, key):
    admin.put(config(key), b"a: 1\n", headers={"If-None-Match": "*"}, expect=201)
    admin.put(config(key), b"a: 2\n", headers={"If-None-Match": "*"}, expect=412)
    admin.delete(config(key), expect=200)
    admin.publish(key, b"a: 3\n", headers={"If-None-Match": "*"})
    assert admin.read(key).body == b"a: 3\n"


def test_of_writers_that_saw_the_same_revision_one_wins(node, admin, key):
    """A counter that eight clients increment under If-Match loses no increment."""
    admin.publish(key, b"count: 0\n")
    clients, rounds = 8, 10
    failures = []

    def increment():
        client = Client(node, admin.token)
        try:
            for _ in range(rounds):
                while True:
                    now = client.read(key)
                    count = int(now.text.split(":")[1]) + 1
                    answer = client.put(config(key), f"count: {count}\n", headers={"If-Match": now.etag})
                    if answer.status == 200:
                        break
                    assert answer.status == 412
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=increment) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    final = admin.read(key)
    assert final.text == f"count: {clients * rounds}\n"
    assert final.version == clients * rounds + 1


def test_whoever_reads_after_its_own_publish_sees_it(node, admin, key):
    """On every connection, so on every I/O thread."""
    readers = [Client(node, admin.token) for _ in range(8)]
    for number in range(30):
        revision = admin.publish(key, f"n: {number}\n")["revision"]
        for reader in readers:
            assert reader.read(key).revision == revision


# --- repeating ---

def test_a_repeated_request_has_the_first_outcome(admin, key):
    headers = {"X-Request-Id": f"test.{uuid.uuid4()}"}
    first = admin.put(config(key), b"a: 1\n", headers=headers)
    assert "X-Config-Repeated" not in first.headers
    again = admin.put(config(key), b"a: 1\n", headers=headers)
    assert again.headers["X-Config-Repeated"] == "true"
    assert again.json() == first.json()
    assert admin.read(key).version == 1
    assert [r["version"] for r in admin.items(releases(key))] == [1]


def test_a_repeated_refusal_is_refused_again(admin, key):
    admin.publish(key, b"a: 1\n")
    headers = {"X-Request-Id": f"test.{uuid.uuid4()}", "If-Match": '"1"'}
    for _ in range(2):
        assert admin.put(config(key), b"a: 2\n", headers=headers, expect=412).error[0] == "conflict"


def test_request_ids_are_sent_back_and_bad_ones_replaced(admin, key):
    admin.publish(key, b"a: 1\n")
    assert admin.get(config(key), headers={"X-Request-Id": "My_id-1.2"}).headers["X-Request-Id"] == "My_id-1.2"
    made = {admin.get(config(key)).headers["X-Request-Id"] for _ in range(10)}
    assert len(made) == 10
    for bad in ("x" * 65, "a b", "a/b", "<script>", "ü".encode().decode("latin-1")):
        sent_back = admin.get(config(key), headers={"X-Request-Id": bad}).headers["X-Request-Id"]
        assert sent_back != bad and 1 <= len(sent_back) <= 64


def test_an_error_names_the_request(admin, app):
    answer = admin.get(config(f"dev/{app}/default/none"), headers={"X-Request-Id": "lost-1"}, expect=404)
    assert answer.json()["request_id"] == "lost-1"


# --- deleting ---

def test_a_deleted_config_is_404_and_says_so(admin, key):
    published = admin.publish(key, b"a: 1\n")
    deleted = admin.delete(config(key), query={"comment": "no longer needed"}, expect=200).json()
    assert (deleted["key"], deleted["version"]) == (key, 1)
    assert deleted["revision"] > published["revision"]
    answer = admin.get(config(key), expect=404)
    assert answer.headers["X-Config-Deleted"] == "true"
    assert answer.revision == deleted["revision"]
    assert admin.delete(config(key), expect=404).error[0] == "not_found"


def test_versions_go_on_after_a_deletion(admin, key):
    admin.publish(key, b"a: 1\n")
    admin.publish(key, b"a: 2\n")
    admin.delete(config(key), expect=200)
    assert admin.publish(key, b"a: 3\n")["version"] == 3
    assert admin.read(key).body == b"a: 3\n"


# --- what is refused ---

@pytest.mark.parametrize("name,content,line,told", [
    ("a.yaml", b"a: 1\nb: 2\na: 3\n", 3, "duplicate"),
    ("a.yaml", b"a: 1\n\tb: 2\n", 2, ""),
    ("a.yaml", b"a: [1, 2\nb: 3\n", None, ""),
    ("a.yaml", b"a: 1\n---\nb: }\n", 3, ""),
    ("a.json", b'{\n  "a": 1,\n  "a": 2\n}\n', 3, "duplicate"),
    ("a.json", b'{"a": 1,}', 1, ""),
    ("a.json", b'{"a": 1} // no\n', 1, ""),
    ("a.json", b"", None, ""),
    ("a.json", b"[" * 200 + b"]" * 200, 1, ""),
    ("a.toml", b"a = 1\na = 2\n", 2, ""),
    ("a.toml", b"[a\n", 1, ""),
    ("a.xml", b"<a>\n<b></a>\n", 2, ""),
    ("a.xml", b"", None, ""),
    ("a.properties", b"a=1\nb=\\u12G4\n", 2, ""),
    ("a.txt", b"fine\n\xff\xfe\n", None, "UTF-8"),
    ("a.yaml", b"a: \x80\n", None, "UTF-8"),
], ids=range(16))
def test_content_that_is_not_its_format_is_refused_with_the_place(admin, app, name, content, line, told):
    key = f"dev/{app}/default/{name}"
    answer = admin.put(config(key), content, expect=400)
    code, message = answer.error
    assert code == "invalid_argument"
    assert told.lower() in message.lower()
    if line is not None:
        details = answer.json()["error"]["details"]
        assert details["line"] == line, answer
        assert details["column"] >= 1 and details["reason"]
        assert f"line {line}" in message
    admin.get(config(key), expect=404)


def test_content_up_to_the_limit_is_taken_and_beyond_it_413(admin, app):
    key = f"dev/{app}/default/large.txt"
    most = 1024 * 1024
    content = bytes(b"0123456789abcde\n" * (most // 16))
    admin.publish(key, content)
    assert admin.read(key).body == content
    answer = admin.put(config(key), content + b"\n", expect=413)
    assert answer.error[0] == "exhausted"
    assert admin.read(key).version == 1


@pytest.mark.parametrize("key", [
    "dev/shop/default/with blank.yaml", "dev/shop/default/中文/配置.yaml", "dev/shop/default/a/b/c/d.json",
    "dev/shop/default/100%.txt", "dev/shop/default/a+b&c=d?e#f.txt", "dev/shop/default/..hidden", "dev/s h o p/默认/x",
    "dev/shop/default/" + "n" * 255 + "/" + "m" * 255], ids=range(8))
def test_keys_may_hold_any_printable_text(admin, key):
    content = b"{}"
    admin.publish(key, content)
    assert admin.read(key).body == content
    assert key in {item["key"] for item in admin.items("/v1/configs", application=key.split("/")[1])}
    admin.delete(config(key), expect=200)


@pytest.mark.parametrize("path", [
    "dev/shop/default/%00", "dev/shop/default/a%0Ab", "dev/shop/default/a%7Fb", "dev/shop/default/a%C2%85b",
    "dev/shop/default/%FF", "dev/shop/default/..", "dev/shop/default/.", "dev/shop/default/a/../b", "dev/shop/default/a//b",
    "dev/shop/default/a/", "dev/shop/../b", "dev/%2E%2E/default/b", "dev/a%2Fb/default/c", "dev/shop/default/%zz",
    "dev/shop/default/%", "dev/" + "a" * 129 + "/default/b", "dev/shop/default/" + "n" * 256, "dev/shop/default/" + "n/" * 256 + "n",
    "dev/ shop/default/b"], ids=lambda path: path[:40])
def test_keys_with_empty_dot_or_control_segments_are_refused(admin, path):
    path = path.replace(" ", "%20")
    for method, body in (("PUT", b"x"), ("GET", None), ("DELETE", None)):
        answer = admin.send(method, "/v1/configs/" + path, body)
        assert answer.status in ((400, 404) if method != "PUT" else (400,)), (method, answer)


def test_an_environment_must_exist(admin, app):
    answer = admin.put(config(f"nowhere/{app}/default/a.txt"), b"x", expect=404)
    assert "nowhere" in answer.error[1]


def test_unknown_query_parameters_are_refused_by_name(admin, key):
    admin.publish(key, b"a: 1\n")
    answer = admin.get(config(key), query={"versoin": 1}, expect=400)
    assert "versoin" in answer.error[1]
    assert "versoin" in admin.get("/v1/configs", query={"versoin": 1}, expect=400).error[1]


def test_a_comment_has_a_limit(admin, key):
    admin.publish(key, b"a: 1\n", comment="ü" * 2048)
    admin.put(config(key), b"a: 2\n", query={"comment": "ü" * 2049}, expect=400)


# --- lists and search ---

@pytest.fixture(scope="module")
def many(admin):
    """An application with 25 configs in two clusters."""
    for number in range(20):
        admin.publish(f"dev/many/default/group{number % 2}/{number:02}.yaml", f"number: {number}\n", comment=f"c{number}")
    for number in range(5):
        admin.publish(f"dev/many/beijing/{number}.txt", f"needle {number}\n")
    return "many"


def test_a_list_says_what_there_is_without_content(admin, many):
    items = admin.items("/v1/configs", application=many)
    assert len(items) == 25
    keys = [item["key"] for item in items]
    assert keys == sorted(keys)
    item = next(i for i in items if i["key"] == "dev/many/default/group1/03.yaml")
    read = admin.read(item["key"])
    assert (item["environment"], item["application"], item["cluster"], item["name"]) == ("dev", "many", "default", "group1/03.yaml")
    assert (item["version"], item["revision"], item["size"], item["md5"]) == (1, read.revision, len(read.body), read.headers["X-Config-Md5"])
    assert (item["author"], item["comment"], item["format"]) == ("admin", "c3", "yaml")


@pytest.mark.parametrize("limit", [1, 7, 25, 1000])
def test_pages_hold_everything_once(admin, many, limit):
    keys, cursor = [], None
    while True:
        page = admin.get("/v1/configs", query={"application": many, "limit": limit, "cursor": cursor}, expect=200).json()
        assert len(page["items"]) <= limit
        keys += [item["key"] for item in page["items"]]
        if "next" not in page:
            break
        cursor = page["next"]
    assert len(keys) == len(set(keys)) == 25


def test_filters(admin, many):
    def names(**query):
        return [item["name"] for item in admin.items("/v1/configs", application=many, **query)]

    assert len(names(cluster="beijing")) == 5
    assert len(names(cluster="default", prefix="group1/")) == 10
    assert names(environment="prod") == []
    assert len(names(environment="dev")) == 25
    assert names(q="group0/08") == ["group0/08.yaml"]
    assert names(q="needle") == []
    assert len(names(q="needle", **{"in": "content"})) == 5
    assert names(q="needle 3", **{"in": "content"}) == ["3.txt"]
    assert names(q="%") == [] and names(q="_") == []  # SQL's wildcards are letters here


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 1001}, {"limit": "x"}, {"cursor": "%%%"}, {"in": "nowhere"}])
def test_wrong_list_parameters_are_refused(admin, query):
    admin.get("/v1/configs", query=query, expect=400)


def test_a_deleted_config_is_not_listed(admin, key, app):
    admin.publish(key, b"a: 1\n")
    assert len(admin.items("/v1/configs", application=app)) == 1
    admin.delete(config(key), expect=200)
    assert admin.items("/v1/configs", application=app) == []


# --- import and export ---

def zipped(files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def unzipped(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}


FILES = {"default/application.yaml": b"a: 1\n", "default/conf.d/中文.properties": "键=值\n".encode(),
         "beijing/application.yaml": BOM + b"a: 2\r\n", "default/empty.txt": b""}


def test_an_application_is_imported_in_one_commit_and_exported_the_same(admin, app):
    outcome = admin.post(f"/v1/import/dev/{app}", zipped(FILES), query={"comment": "moved"}, expect=200).json()
    assert {p["key"] for p in outcome["published"]} == {f"dev/{app}/{name}" for name in FILES}
    assert {p["revision"] for p in outcome["published"]} == {outcome["revision"]}
    for name, content in FILES.items():
        assert admin.read(f"dev/{app}/{name}").body == content
    exported = admin.get(f"/v1/export/dev/{app}", expect=200)
    assert exported.headers["Content-Type"] == "application/zip"
    assert unzipped(exported.body) == FILES


def test_an_environment_is_exported_and_imported_elsewhere(admin, app):
    admin.put(f"/v1/environments/from-{app}", {"description": "source"}, expect=201)
    admin.put(f"/v1/environments/to-{app}", {}, expect=201)
    files = {f"{app}-{number}/{name}": content for number in (1, 2) for name, content in FILES.items()}
    admin.post(f"/v1/import/from-{app}", zipped(files), expect=200)
    exported = admin.get(f"/v1/export/from-{app}", expect=200).body
    assert unzipped(exported) == files
    admin.post(f"/v1/import/to-{app}", exported, expect=200)
    assert unzipped(admin.get(f"/v1/export/to-{app}", expect=200).body) == files


def test_an_import_leaves_alone_what_is_equal(admin, app):
    first = admin.post(f"/v1/import/dev/{app}", zipped(FILES), expect=200).json()
    changed = {**FILES, "default/application.yaml": b"a: 9\n"}
    second = admin.post(f"/v1/import/dev/{app}", zipped(changed), expect=200).json()
    by_key = {p["key"]: p for p in second["published"]}
    assert by_key[f"dev/{app}/default/application.yaml"]["version"] == 2
    unchanged = [p for p in second["published"] if p.get("unchanged")]
    assert len(unchanged) == len(FILES) - 1
    assert admin.read(f"dev/{app}/beijing/application.yaml").revision == first["revision"]


def test_a_dry_run_tells_and_changes_nothing(admin, app):
    outcome = admin.post(f"/v1/import/dev/{app}", zipped(FILES), query={"dry_run": "true"}, expect=200).json()
    assert len(outcome["published"]) == len(FILES)
    admin.get(config(f"dev/{app}/default/application.yaml"), expect=404)
    assert admin.items("/v1/configs", application=app) == []


def test_one_bad_file_and_nothing_is_imported(admin, app):
    answer = admin.post(f"/v1/import/dev/{app}", zipped({**FILES, "default/bad.json": b"{"}), expect=400)
    assert "bad.json" in answer.error[1]
    assert admin.items("/v1/configs", application=app) == []


@pytest.mark.parametrize("name", ["../evil.txt", "default/../../evil.txt", "/etc/passwd", "default/a//b", "top-level.txt", "default/a\x01b"])
def test_an_import_refuses_names_that_are_no_keys(admin, app, name):
    admin.post(f"/v1/import/dev/{app}", zipped({"default/fine.txt": b"x", name: b"x"}), expect=400)
    assert admin.items("/v1/configs", application=app) == []


@pytest.mark.parametrize("body", [b"", b"no zip at all", b"PK\x03\x04" + b"\0" * 100, zipped(FILES)[:-30]], ids=["empty", "text", "zeros", "cut off"])
def test_an_import_refuses_what_is_no_zip(admin, app, body):
    assert admin.post(f"/v1/import/dev/{app}", body, expect=400).error[0] == "invalid_argument"


def test_a_zip_bomb_is_refused(node, admin, app):
    before = node.resident()
    bomb = zipped({f"default/{number}.txt": b"\0" * (8 << 20) for number in range(100)})
    answer = admin.post(f"/v1/import/dev/{app}", bomb)
    assert answer.status in (400, 413)
    assert node.resident() - before < 200 << 20


def test_export_of_what_is_not_there_is_404(admin):
    admin.get("/v1/export/nowhere", expect=404)


# --- environments, applications, clusters ---

def test_publishing_makes_the_application_and_the_cluster(admin, app):
    admin.publish(f"dev/{app}/beijing/a.txt", b"x")
    assert admin.get(f"/v1/applications/{app}", expect=200).json()["name"] == app
    clusters = admin.get("/v1/clusters", query={"environment": "dev", "application": app}, expect=200).json()["items"]
    assert [c["cluster"] for c in clusters] == ["beijing"]


def test_environments_are_made_changed_and_removed(admin, app):
    path = f"/v1/environments/env-{app}"
    admin.put(path, {"description": "one"}, expect=201)
    admin.put(path, {"description": "two"}, expect=200)
    assert admin.get(path, expect=200).json()["description"] == "two"
    assert f"env-{app}" in {e["name"] for e in admin.get("/v1/environments", expect=200).json()["items"]}
    admin.publish(f"env-{app}/{app}/default/a.txt", b"x")
    assert admin.delete(path, expect=412).error[0] == "conflict"  # it holds a config
    admin.delete(config(f"env-{app}/{app}/default/a.txt"), expect=200)
    admin.delete(path, expect=200)
    admin.get(path, expect=404)
    admin.delete(path, expect=404)


def test_applications_have_department_owner_and_description(admin, app):
    path = f"/v1/applications/{app}"
    admin.put(path, {"department": "sales", "owner": "王五", "description": "sells"}, expect=201)
    got = admin.get(path, expect=200).json()
    assert (got["department"], got["owner"], got["description"]) == ("sales", "王五", "sells")
    admin.put(path, {"department": "sales", "owner": "李四", "description": "sells"}, expect=200)
    assert admin.get(path).json()["owner"] == "李四"
    assert app in {a["name"] for a in admin.items("/v1/applications")}
    admin.delete(path, expect=200)
    admin.get(path, expect=404)


def test_clusters_are_made_and_removed(admin, app):
    admin.put(f"/v1/applications/{app}", {}, expect=201)
    path = f"/v1/clusters/dev/{app}/shanghai"
    admin.put(path, {"description": "一号机房"}, expect=201)
    admin.put(path, {"description": "二号机房"}, expect=200)
    clusters = admin.get("/v1/clusters", query={"application": app}, expect=200).json()["items"]
    assert [(c["cluster"], c["description"]) for c in clusters] == [("shanghai", "二号机房")]
    admin.delete(path, expect=200)
    assert admin.get("/v1/clusters", query={"application": app}).json()["items"] == []
    admin.delete(path, expect=404)


@pytest.mark.parametrize("body", [b"[]", b"{", b'{"descripton": "typing error"}', b'{"description": 1}', b"\xff"])
def test_bodies_that_are_not_the_documented_json_are_refused(admin, app, body):
    answer = admin.put(f"/v1/applications/{app}", body, headers={"Content-Type": "application/json"}, expect=400)
    assert answer.error[0] == "invalid_argument"
