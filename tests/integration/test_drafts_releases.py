"""Drafts, history, diff, rollback."""

import hashlib

import pytest

from client import config, draft, releases


def test_a_draft_is_seen_by_no_client_until_it_is_published(admin, key):
    admin.publish(key, b"a: 1\n")
    saved = admin.put(draft(key), b"a: 2\n", expect=200).json()
    assert saved["key"] == key and saved["md5"] == hashlib.md5(b"a: 2\n").hexdigest()
    assert admin.read(key).body == b"a: 1\n"
    got = admin.get(draft(key), expect=200)
    assert (got.body, got.headers["X-Config-Base-Version"], got.headers["X-Config-Format"]) == (b"a: 2\n", "1", "yaml")
    assert got.etag == f'"{saved["revision"]}"'
    published = admin.put(config(key), query={"from": "draft", "comment": "from the draft"}, expect=200).json()
    assert published["version"] == 2
    assert admin.read(key).body == b"a: 2\n"
    admin.get(draft(key), expect=404)  # it has become the release


def test_a_draft_may_be_the_first_thing_there_is(admin, key, app):
    admin.put(draft(key), b"a: 1\n", expect=200)
    admin.get(config(key), expect=404)
    assert admin.get(draft(key)).headers["X-Config-Base-Version"] == "0"
    assert admin.put(config(key), query={"from": "draft"}, expect=201).json()["version"] == 1


def test_head_of_a_draft(admin, key):
    admin.put(draft(key), b"a: 1\n", expect=200)
    head = admin.head(draft(key), expect=200)
    assert head.body == b"" and head.headers["Content-Length"] == "5"


def test_two_editors_of_one_draft_do_not_overwrite_each_other(admin, key):
    first = admin.put(draft(key), b"a: 1\n", expect=200).json()
    admin.put(draft(key), b"a: 2\n", headers={"If-Match": f'"{first["revision"]}"'}, expect=200)
    refused = admin.put(draft(key), b"a: 3\n", headers={"If-Match": f'"{first["revision"]}"'}, expect=412)
    assert refused.error[0] == "conflict"
    assert admin.get(draft(key)).body == b"a: 2\n"


def test_a_publisher_can_name_the_draft_that_was_reviewed(admin, key):
    reviewed = admin.put(draft(key), b"a: 1\n", expect=200).json()["revision"]
    newer = admin.put(draft(key), b"a: 2\n", expect=200).json()["revision"]
    admin.put(config(key), query={"from": "draft", "draft_revision": reviewed}, expect=412)
    admin.put(config(key), query={"from": "draft", "draft_revision": newer}, expect=201)
    assert admin.read(key).body == b"a: 2\n"
    admin.put(config(key), b"a: 3\n", query={"draft_revision": newer}, expect=400)
    admin.put(config(key), query={"from": "draft", "draft_revision": "newest"}, expect=400)


def test_a_discarded_draft_is_gone(admin, key):
    admin.put(draft(key), b"a: 1\n", expect=200)
    assert admin.delete(draft(key), expect=200).json()["key"] == key
    admin.get(draft(key), expect=404)
    admin.delete(draft(key), expect=404)
    admin.put(config(key), query={"from": "draft"}, expect=404)


def test_a_draft_may_be_unfinished_but_does_not_become_a_release(admin, key):
    saved = admin.put(draft(key), b"a: 1\nb: [\n", expect=200).json()
    assert saved["valid"] is False
    assert saved["problem"]["line"] and saved["problem"]["column"] and saved["problem"]["reason"]
    refused = admin.put(config(key), query={"from": "draft"}, expect=400)
    assert refused.error == ("invalid_argument", saved["problem"]["message"])
    admin.get(config(key), expect=404)
    assert admin.put(draft(key), b"a: 1\n", expect=200).json()["valid"] is True
    admin.put(config(key), query={"from": "draft"}, expect=201)


def test_drafts_are_listed_without_content(admin, app):
    for name in ("a.yaml", "b.json", "c.txt"):
        admin.put(draft(f"dev/{app}/default/{name}"), b"{}", expect=200)
    items = admin.items("/v1/drafts", application=app)
    assert [i["key"] for i in items] == [f"dev/{app}/default/{n}" for n in ("a.yaml", "b.json", "c.txt")]
    assert [i["format"] for i in items] == ["yaml", "json", "text"]
    assert {(i["author"], i["size"], i["base_version"]) for i in items} == {("admin", 2, 0)}
    assert len(admin.items("/v1/drafts", application=app, prefix="b", limit=1)) == 1


# --- history ---

def test_history_tells_who_when_and_why_newest_first(admin, key):
    for number in range(1, 4):
        admin.publish(key, f"a: {number}\n", comment=f"change {number}")
    admin.delete(config(key), query={"comment": "away"}, expect=200)
    history = admin.items(releases(key))
    assert [(r["version"], r["deleted"], r["comment"]) for r in history] == [
        (3, True, "away"), (3, False, "change 3"), (2, False, "change 2"), (1, False, "change 1")]
    assert [r["revision"] for r in history] == sorted((r["revision"] for r in history), reverse=True)
    released = history[1]
    assert released["author"] == "admin"
    assert released["md5"] == hashlib.md5(b"a: 3\n").hexdigest()
    assert released["sha256"] == hashlib.sha256(b"a: 3\n").hexdigest()
    assert released["size"] == 5 and released["time"].endswith("Z")


def test_history_is_paged(admin, key):
    for number in range(12):
        admin.publish(key, f"a: {number}\n")
    assert [r["version"] for r in admin.items(releases(key), limit=5)] == list(range(12, 0, -1))


def test_one_release_with_its_content(admin, key):
    admin.publish(key, "a: 中\n")
    admin.publish(key, "a: 2\n")
    release = admin.get(releases(key), query={"version": 1}, expect=200).json()
    assert (release["version"], release["content"]) == (1, "a: 中\n")
    admin.get(releases(key), query={"version": 3}, expect=404)


def test_history_of_what_never_was_is_404(admin, key):
    admin.get(releases(key), expect=404)


# --- diff ---

@pytest.fixture
def changed(admin, key):
    admin.publish(key, "a: 1\nb: 2\nc: 3\n")
    admin.publish(key, "a: 1\nb: 9\nc: 3\nd: 4")
    admin.put(draft(key), "a: 1\n", expect=200)
    return key


def diff(admin, key, span, **more):
    return admin.get(releases(key), query={"diff": span, **more}, expect=200)


def test_a_unified_diff_is_what_patch_understands(admin, changed):
    answer = diff(admin, changed, "1..2")
    assert answer.headers["Content-Type"].startswith("text/plain")
    lines = answer.text.splitlines()
    assert lines[0].startswith("--- ") and lines[1].startswith("+++ ")
    assert lines[2:] == ["@@ -1,3 +1,4 @@", " a: 1", "-b: 2", "+b: 9", " c: 3", "+d: 4", "\\ No newline at end of file"]


def test_a_diff_as_json_numbers_the_lines(admin, changed):
    body = diff(admin, changed, "1..2", output="json").json()
    assert body["equal"] is False
    assert [(l["kind"], l["text"]) for l in body["lines"]] == [
        ("same", "a: 1"), ("removed", "b: 2"), ("added", "b: 9"), ("same", "c: 3"), ("added", "d: 4")]
    removed, added = body["lines"][1], body["lines"][2]
    assert removed["old_line"] == 2 and added["new_line"] == 2


@pytest.mark.parametrize("span,before,after", [("2..1", "b: 9", "b: 2"), ("draft..1", None, "b: 2"),
                                               ("published..draft", "b: 9", None), ("1..published", "b: 2", "b: 9")])
def test_anything_against_anything(admin, changed, span, before, after):
    lines = diff(admin, changed, span).text.splitlines()[2:]
    if before:
        assert f"-{before}" in lines
    if after:
        assert f"+{after}" in lines


def test_equal_content_has_an_empty_diff(admin, changed):
    assert diff(admin, changed, "2..published").text == ""
    assert diff(admin, changed, "2..published", output="json").json()["equal"] is True


@pytest.mark.parametrize("span,status", [("1..7", 404), ("1", 400), ("..", 400), ("a..b", 400), ("1..2..3", 400)])
def test_spans_that_are_none_are_refused(admin, changed, span, status):
    admin.get(releases(changed), query={"diff": span}, expect=status)


# --- rollback ---

def test_a_rollback_is_a_new_release_with_the_old_content(admin, key):
    for number in range(1, 4):
        admin.publish(key, f"a: {number}\n")
    outcome = admin.post(releases(key), query={"rollback": 1, "comment": "3 was wrong"}, expect=200).json()
    assert outcome["version"] == 4
    assert outcome["sha256"] == hashlib.sha256(b"a: 1\n").hexdigest()
    assert admin.read(key).body == b"a: 1\n"
    newest = admin.items(releases(key))[0]
    assert (str(newest["rolled_back_from"]), newest["comment"]) == ("1", "3 was wrong")


def test_a_rollback_brings_a_deleted_config_back(admin, key):
    admin.publish(key, b"a: 1\n")
    admin.delete(config(key), expect=200)
    outcome = admin.post(releases(key), query={"rollback": 1}, expect=(200, 201)).json()
    assert outcome["version"] == 2
    assert admin.read(key).body == b"a: 1\n"


def test_a_rollback_is_guarded_like_a_publish(admin, key):
    first = admin.publish(key, b"a: 1\n")
    admin.publish(key, b"a: 2\n")
    admin.post(releases(key), query={"rollback": 1}, headers={"If-Match": f'"{first["revision"]}"'}, expect=412)
    assert admin.read(key).version == 2


def test_a_rollback_to_what_never_was_is_404(admin, key):
    admin.publish(key, b"a: 1\n")
    admin.post(releases(key), query={"rollback": 2}, expect=404)
    admin.post(releases(key), query={"rollback": "x"}, expect=400)
    admin.post(releases(key), expect=400)
