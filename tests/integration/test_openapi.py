"""The OpenAPI document is the truth: every operation of it, every status that it names for it, is brought about here,
and each answer is held against it (contract.py does that for every request of all these tests)."""

import json
import pathlib
import re

import jsonschema
import pytest

from client import Answer, Client, contract_of
from conftest import log_in
from contract import METHODS
from node import ADMIN_PASSWORD, wait_until
from raw import Raw, connect_when_there_is_room
from test_configs import zipped
from test_watch import InBackground

DOCUMENT = json.loads((pathlib.Path(__file__).parents[2] / "src/api/native/openapi.json").read_text())
OPERATIONS = [(method.upper(), template) for template, item in DOCUMENT["paths"].items() for method in item if method in METHODS]

# What cannot be brought about from outside of a healthy node, and why.
OUT_OF_REACH = {
    "500": "a mistake of ours",
    "504": "the log or a search would have to take longer than server.timeout",
    "429": "requests are not limited there, and very many would have to wait; login is the exception",
}


class Operation:
    """How one operation succeeds: `prepare` makes what it needs, `request` is what is sent. {n} is a new number."""

    def __init__(self, path, body=None, query=None, headers=None, prepare=lambda admin, n: None, absent=None, again=None):
        self.path, self.body, self.query, self.headers = path, body, query, headers
        self.prepare = prepare
        self.absent = absent  # a path that names something that is not there
        self.again = again    # for a second success: 200 after 201

    def kwargs(self, n, prepared=None):
        def fill(value):
            if isinstance(value, str):
                return value.replace("{n}", str(n)).replace("{prepared}", str(prepared))
            if isinstance(value, dict):
                return {name: fill(each) for name, each in value.items()}
            return value
        return {"path": fill(self.path), "body": fill(self.body), "query": fill(self.query or {}), "headers": dict(self.headers or {})}


CONFIG = "dev/app{n}/default/a.yaml"


def fill(text, n):
    return text.replace("{n}", str(n))


def publish(admin, n):
    admin.publish(fill(CONFIG, n), b"a: 1\n")


def save_draft(admin, n):
    admin.put("/v1/drafts/" + fill(CONFIG, n), b"a: 2\n", expect=200)


def make_user(admin, n):
    admin.put(f"/v1/users/user{n}", {"password": "a good password"}, expect=201)


def make_granted(admin, n):
    make_user(admin, n)
    admin.post(f"/v1/users/user{n}/grants", {"role": "viewer"}, expect=200)


def make_environment(admin, n):
    admin.put(f"/v1/environments/env{n}", {}, expect=201)


def make_application(admin, n):
    admin.put(f"/v1/applications/app{n}", {}, expect=201)


def make_cluster(admin, n):
    make_application(admin, n)
    admin.put(f"/v1/clusters/dev/app{n}/beijing", {}, expect=201)


def make_key(admin, n):
    make_application(admin, n)
    return admin.post("/v1/keys", {"application": f"app{n}"}, expect=201).json()["id"]


NAME = "{env}/{app}/{cluster}/{name}"
ABSENT = "dev/absent/default/none"
DOES = {
    ("GET", "/v1/configs"): Operation("/v1/configs"),
    ("GET", f"/v1/configs/{NAME}"): Operation("/v1/configs/" + CONFIG, prepare=publish, absent="/v1/configs/" + ABSENT),
    ("HEAD", f"/v1/configs/{NAME}"): Operation("/v1/configs/" + CONFIG, prepare=publish, absent="/v1/configs/" + ABSENT),
    ("PUT", f"/v1/configs/{NAME}"): Operation("/v1/configs/" + CONFIG, b"a: 1\n", absent="/v1/configs/nowhere/a/b/c.txt"),
    ("DELETE", f"/v1/configs/{NAME}"): Operation("/v1/configs/" + CONFIG, prepare=publish, absent="/v1/configs/" + ABSENT),
    ("GET", "/v1/drafts"): Operation("/v1/drafts"),
    ("GET", f"/v1/drafts/{NAME}"): Operation("/v1/drafts/" + CONFIG, prepare=save_draft, absent="/v1/drafts/" + ABSENT),
    ("HEAD", f"/v1/drafts/{NAME}"): Operation("/v1/drafts/" + CONFIG, prepare=save_draft, absent="/v1/drafts/" + ABSENT),
    ("PUT", f"/v1/drafts/{NAME}"): Operation("/v1/drafts/" + CONFIG, b"a: 1\n", absent="/v1/drafts/nowhere/a/b/c.txt"),
    ("DELETE", f"/v1/drafts/{NAME}"): Operation("/v1/drafts/" + CONFIG, prepare=save_draft, absent="/v1/drafts/" + ABSENT),
    ("GET", f"/v1/releases/{NAME}"): Operation("/v1/releases/" + CONFIG, prepare=publish, absent="/v1/releases/" + ABSENT),
    ("POST", f"/v1/releases/{NAME}"): Operation("/v1/releases/" + CONFIG, query={"rollback": "1"}, prepare=publish,
                                                absent="/v1/releases/" + ABSENT),
    ("POST", "/v1/watch"): Operation("/v1/watch", {"items": [{"key": "dev/a/b/c", "revision": 0}]}),
    ("GET", "/v1/export/{env}"): Operation("/v1/export/dev", prepare=publish, absent="/v1/export/nowhere"),
    ("GET", "/v1/export/{env}/{app}"): Operation("/v1/export/dev/app{n}", prepare=publish, absent="/v1/export/nowhere/none"),
    ("POST", "/v1/import/{env}"): Operation("/v1/import/dev", zipped({"imported/default/a.txt": b"x"}), absent="/v1/import/nowhere"),
    ("POST", "/v1/import/{env}/{app}"): Operation("/v1/import/dev/app{n}", zipped({"default/a.txt": b"x"}), absent="/v1/import/nowhere/a"),
    ("POST", "/v1/login"): Operation("/v1/login", {"username": "admin", "password": ADMIN_PASSWORD}),
    ("POST", "/v1/logout"): Operation("/v1/logout"),
    ("GET", "/v1/whoami"): Operation("/v1/whoami"),
    ("GET", "/v1/users"): Operation("/v1/users"),
    ("GET", "/v1/users/{name}"): Operation("/v1/users/user{n}", prepare=make_user, absent="/v1/users/none"),
    ("PUT", "/v1/users/{name}"): Operation("/v1/users/user{n}", {"password": "a good password"}),
    ("DELETE", "/v1/users/{name}"): Operation("/v1/users/user{n}", prepare=make_user, absent="/v1/users/none"),
    ("PUT", "/v1/users/{name}/password"): Operation("/v1/users/user{n}/password", {"password": "another password"}, prepare=make_user,
                                                    absent="/v1/users/none/password"),
    ("POST", "/v1/users/{name}/grants"): Operation("/v1/users/user{n}/grants", {"role": "viewer"}, prepare=make_user,
                                                   absent="/v1/users/none/grants"),
    ("DELETE", "/v1/users/{name}/grants"): Operation("/v1/users/user{n}/grants", {"role": "viewer"}, prepare=make_granted,
                                                     absent="/v1/users/none/grants"),
    ("GET", "/v1/roles"): Operation("/v1/roles"),
    ("GET", "/v1/keys"): Operation("/v1/keys"),
    ("POST", "/v1/keys"): Operation("/v1/keys", {"application": "app{n}"}, prepare=make_application),
    ("DELETE", "/v1/keys/{id}"): Operation("/v1/keys/{prepared}", prepare=make_key, absent="/v1/keys/ck_none"),
    ("GET", "/v1/environments"): Operation("/v1/environments"),
    ("GET", "/v1/environments/{env}"): Operation("/v1/environments/dev", absent="/v1/environments/nowhere"),
    ("PUT", "/v1/environments/{env}"): Operation("/v1/environments/env{n}", {"description": "x"}),
    ("DELETE", "/v1/environments/{env}"): Operation("/v1/environments/env{n}", prepare=make_environment, absent="/v1/environments/nowhere"),
    ("GET", "/v1/applications"): Operation("/v1/applications"),
    ("GET", "/v1/applications/{app}"): Operation("/v1/applications/app{n}", prepare=make_application, absent="/v1/applications/none"),
    ("PUT", "/v1/applications/{app}"): Operation("/v1/applications/app{n}", {"owner": "x"}),
    ("DELETE", "/v1/applications/{app}"): Operation("/v1/applications/app{n}", prepare=make_application, absent="/v1/applications/none"),
    ("GET", "/v1/clusters"): Operation("/v1/clusters"),
    ("PUT", "/v1/clusters/{env}/{app}/{cluster}"): Operation("/v1/clusters/dev/app{n}/beijing", {}, prepare=make_application,
                                                             absent="/v1/clusters/nowhere/a/b"),
    ("DELETE", "/v1/clusters/{env}/{app}/{cluster}"): Operation("/v1/clusters/dev/app{n}/beijing", prepare=make_cluster,
                                                                absent="/v1/clusters/dev/none/none"),
    ("GET", "/v1/audit"): Operation("/v1/audit"),
    ("GET", "/v1/cluster"): Operation("/v1/cluster"),
    ("GET", "/v1/edge"): Operation("/v1/edge", absent="/v1/edge"),
    ("POST", "/v1/cluster/members"): Operation("/v1/cluster/members", {"node": 9, "address": "127.0.0.1:1"}),
    ("PUT", "/v1/cluster/members/{node}"): Operation("/v1/cluster/members/9", {"membership": "observer"}),
    ("DELETE", "/v1/cluster/members/{node}"): Operation("/v1/cluster/members/9"),
    ("POST", "/v1/cluster/transfer"): Operation("/v1/cluster/transfer", {"to": 9}),
    ("GET", "/v1/archive"): Operation("/v1/archive", absent="/v1/archive"),
    ("GET", "/v1/archive/verify"): Operation("/v1/archive/verify", absent="/v1/archive/verify"),
    ("POST", "/v1/archive/rebuild"): Operation("/v1/archive/rebuild", {}, absent="/v1/archive/rebuild"),
    ("GET", "/livez"): Operation("/livez"),
    ("GET", "/readyz"): Operation("/readyz"),
    ("GET", "/healthz"): Operation("/healthz"),
    ("GET", "/openapi.json"): Operation("/openapi.json"),
}


# They change who is in the group: what they answer when they do is for tests with several nodes.
CHANGES_THE_GROUP = {at for at in DOES if at[1].startswith("/v1/cluster/")}
# Without one, or a Redis, they are 404; with one they are what test_archive.py and test_edge.py are about.
NEED_A_DATABASE = {at for at in DOES if at[1].startswith(("/v1/archive", "/v1/edge"))}


def raw_answer(node, method, path, query, head, token):
    """The answer to a request put together by hand, as the contract takes it."""
    with Raw(node) as raw:
        raw.send(f"{method} {path}{query} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n{head}\r\n")
        return Answer.of(*raw.answer(method))


class Sweep:
    """Brings everything about once, on nodes of its own; the contract notes what was seen."""

    def __init__(self, make_node):
        self.make_node = make_node
        self.count = 0
        self.node = make_node(name="open", server_max_body="1MiB", server_max_content="512KiB")
        self.contract = contract_of(self.node)
        self.admin, self.anyone = log_in(self.node), Client(self.node)
        self.admin.put("/v1/users/stranger", {"password": "password of stranger"}, expect=201)
        self.stranger = log_in(self.node, "stranger", "password of stranger")

    def number(self):
        self.count += 1
        return self.count

    def send(self, client, method, operation, **changed):
        n = self.number()
        prepared = operation.prepare(self.admin, n)
        return client.send(method, **{**operation.kwargs(n, prepared), **changed})

    def run(self):
        for (method, template), operation in DOES.items():
            responses = self.contract.operations[method, template]["responses"]
            n = self.number()
            if (method, template) == ("POST", "/v1/logout"):
                log_in(self.node).post("/v1/logout", expect=204)
            elif (method, template) not in CHANGES_THE_GROUP | NEED_A_DATABASE:
                prepared = operation.prepare(self.admin, n)
                first = self.admin.send(method, **operation.kwargs(n, prepared))
                assert first.status < 300, (method, template, first)
                if first.status == 201 and "200" in responses:
                    assert self.admin.send(method, **operation.kwargs(n, prepared)).status == 200, (method, template)
            if "401" in responses and template != "/v1/login":
                assert self.send(self.anyone, method, operation).status == 401, (method, template)
            if "403" in responses:
                self.send(self.stranger, method, operation)  # lists answer 200, with nothing in them
            self.send(self.admin, method, operation, query={"nonsense": "1"})
            if operation.absent:
                answer = self.admin.send(method, **{**operation.kwargs(n), "path": operation.absent})
                assert answer.status == 404, (method, template, answer)
            for length in (20_000, 50_000):
                self.raw(method, template, operation, "", expect=414, query="?" + "x" * length)
            self.raw(method, template, operation, "X-Large: " + "x" * 40_000 + "\r\n", expect=431)
            if "413" in responses and operation.body is not None:
                self.raw(method, template, operation, f"Content-Length: {2 << 20}\r\n", expect=413)
        self.particular()
        self.slow_bodies()
        self.without_a_connection()
        self.without_room()
        return self.contract.seen

    def raw(self, method, template, operation, head, expect, query="", node=None, token=None):
        path = operation.kwargs(self.number())["path"]
        answer = raw_answer(node or self.node, method, path, query, head, token or self.admin.token)
        assert answer.status == expect, (method, template, answer)
        self.contract.check(method, path, {}, answer)

    def particular(self):
        """What only one operation does."""
        admin = self.admin
        key = "dev/particular/default/a.yaml"
        for kind, put in (("configs", b"a: 1\n"), ("drafts", b"a: 2\n")):
            path = f"/v1/{kind}/{key}"
            admin.put(path, put, expect=(200, 201))
            etag = admin.get(path, expect=200).etag
            for method in ("GET", "HEAD"):
                admin.send(method, path, headers={"If-None-Match": etag}, expect=304)
                admin.send(method, f"/v1/{kind}/dev/%01/default/a", expect=400)
            admin.put(path, b"a: 3\n", headers={"If-Match": '"1"'}, expect=412)
        admin.delete(f"/v1/configs/{key}", headers={"If-Match": '"1"'}, expect=412)
        admin.post(f"/v1/releases/{key}", query={"rollback": 1}, headers={"If-Match": '"1"'}, expect=412)
        admin.delete(f"/v1/configs/{key}", expect=200)
        admin.post(f"/v1/releases/{key}", query={"rollback": 1}, expect=200)
        admin.get(f"/v1/releases/{key}", query={"version": 1}, expect=200)
        admin.get(f"/v1/releases/{key}", query={"diff": "1..published"}, expect=200)
        admin.get(f"/v1/releases/{key}", query={"diff": "1..published", "output": "json"}, expect=200)
        admin.get("/v1/audit", headers={"Accept": "application/x-ndjson"}, expect=200)
        admin.get("/v1/cluster", query={"checksum": "true"}, expect=200)
        self.stranger.get("/v1/cluster", query={"checksum": "true"}, expect=403)
        for path in ("/v1/environments/dev", "/v1/applications/particular", "/v1/clusters/dev/particular/default"):
            admin.delete(path, expect=412)
        admin.delete("/v1/users/admin", expect=412)
        admin.put("/v1/users/admin", {"disabled": True}, expect=412)
        admin.send("DELETE", "/v1/users/admin/grants", {"role": "admin"}, expect=412)
        admin.post("/v1/keys", {"application": "none-such"}, expect=201)
        admin.post("/v1/keys", {"application": "none-such", "environment": "nowhere"}, expect=404)
        for number in range(17):  # of at most 512 KiB each; an export holds eight times server.max_body
            admin.publish(f"dev/large/default/{number}", b"x" * (512 << 10))
        for path in ("/v1/export/dev", "/v1/export/dev/large"):
            admin.get(path, expect=413)
        self.anyone.post("/v1/login", {"username": "stranger", "password": "wrong password"}, expect=401)
        for _ in range(10):
            answer = self.anyone.post("/v1/login", {"username": "nobody", "password": "wrong password"})
        assert answer.status == 429

    def slow_bodies(self):
        """408: a body that does not come."""
        node = self.make_node(name="slow")
        token = log_in(node, checked=False).token
        node.restart(server_timeout="300ms")  # only what is meant to be late meets this limit
        sent = {}
        for (method, template), operation in DOES.items():
            if "408" in self.contract.operations[method, template]["responses"]:
                path = operation.kwargs(self.number())["path"]
                sent[method, template] = path, InBackground(
                    lambda m=method, p=path: raw_answer(node, m, p, "", "Content-Length: 10\r\n", token))
        for (method, template), (path, waiting) in sent.items():
            answer = waiting.result()
            assert answer.status == 408, (method, template, answer)
            self.contract.check(method, path, {}, answer)

    def without_a_connection(self):
        """503: the node has as many connections as it may have."""
        node = self.make_node(name="crowded", server_max_connections=1)
        with connect_when_there_is_room(node):
            for (method, template), operation in DOES.items():
                self.raw(method, template, operation, "", 503, node=node)

    def without_room(self):
        """503 of changes: no room on the disk."""
        node = self.make_node(name="full")
        admin = log_in(node, checked=False)
        prepared = {}
        for at, operation in DOES.items():
            n = self.number()
            prepared[at] = n, operation.prepare(admin, n)
        node.restart(server_min_free_disk="1000000GiB")
        client = Client(node, admin.token, checked=False)
        for (method, template), operation in DOES.items():
            if method == "GET" or method == "HEAD" or template in ("/v1/watch", "/v1/login") or (method, template) in CHANGES_THE_GROUP | NEED_A_DATABASE:
                continue
            kwargs = operation.kwargs(*prepared[method, template])
            answer = client.send(method, **kwargs)
            assert answer.status == 503, (method, template, answer)
            self.contract.check(method, kwargs["path"], kwargs["query"], answer)


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    from node import Node
    nodes = []

    def make_node(name, **settings):
        nodes.append(Node(tmp_path_factory.mktemp(name), **settings))
        return nodes[-1].start()

    try:
        yield Sweep(make_node).run()
    finally:
        for node in nodes:
            node.close()


# --- the document itself ---

def test_it_is_served_as_it_stands_in_the_tree(admin):
    answer = admin.get("/openapi.json", expect=200)
    assert answer.json() == DOCUMENT
    assert DOCUMENT["openapi"].startswith("3.1.")
    assert DOCUMENT["info"]["title"] and DOCUMENT["info"]["version"]


def test_every_reference_leads_somewhere_and_every_schema_is_one():
    resolver = jsonschema.RefResolver("", DOCUMENT)

    def walk(node, path):
        if isinstance(node, list):
            for number, each in enumerate(node):
                walk(each, [*path, number])
        elif isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                resolver.resolve(node["$ref"])
            for name, each in node.items():
                if name == "schema" or (len(path) >= 2 and path[-1] == "schemas"):
                    jsonschema.Draft202012Validator.check_schema(each)
                walk(each, [*path, name])

    walk(DOCUMENT, [])


@pytest.mark.parametrize("method,template", OPERATIONS)
def test_each_operation_says_what_it_is(method, template):
    item = DOCUMENT["paths"][template]
    operation = item[method.lower()]
    assert operation["summary"] or operation["description"]
    assert operation["operationId"]
    resolver = jsonschema.RefResolver("", DOCUMENT)
    parameters = [resolver.resolve(p["$ref"])[1] if "$ref" in p else p for p in item.get("parameters", []) + operation.get("parameters", [])]
    in_path = {p["name"] for p in parameters if p["in"] == "path"}
    assert in_path == set(re.findall(r"\{(\w+)\}", template)), "path parameters"
    for parameter in parameters:
        assert parameter["description"], parameter["name"]
    if method in ("PUT", "POST") and template.startswith(("/v1/users", "/v1/keys", "/v1/login", "/v1/watch")):
        assert "requestBody" in operation


def test_operation_ids_are_unique():
    ids = [DOCUMENT["paths"][template][method.lower()]["operationId"] for method, template in OPERATIONS]
    assert len(ids) == len(set(ids))


# --- the document and the server ---

def test_what_is_documented_is_what_is_exercised_here():
    assert set(OPERATIONS) == set(DOES)


def documented():
    return [(method, template, status) for method, template in OPERATIONS
            for status in DOCUMENT["paths"][template][method.lower()]["responses"]]


COINCIDENCES = {
    ("POST", "/v1/keys", "409"), ("POST", "/v1/keys", "412"),  # a random id that was given before
    ("PUT", "/v1/applications/{app}", "409"),  # made by somebody else meanwhile, of another department
    ("PUT", "/v1/users/{name}/password", "412"),  # changed by somebody else while the current one was looked at
    # deleted by somebody else between the change and its answer
    ("PUT", "/v1/environments/{env}", "412"), ("PUT", "/v1/applications/{app}", "412"),
    ("PUT", "/v1/clusters/{env}/{app}/{cluster}", "412"), ("PUT", "/v1/users/{name}", "404"),
}


@pytest.mark.parametrize("method,template,status", documented())
def test_each_documented_status_is_answered(seen, method, template, status):
    if (method, template, status) in COINCIDENCES:
        pytest.skip("needs a coincidence that cannot be arranged from outside")
    if (method, template) in CHANGES_THE_GROUP and status in ("200", "404", "409", "412"):
        pytest.skip("needs a group of several nodes")
    if (method, template) in NEED_A_DATABASE and status in ("200", "202"):
        pytest.skip("needs a database or a Redis: test_archive.py, test_edge.py")
    if status in OUT_OF_REACH and not (status == "429" and template == "/v1/login"):
        pytest.skip(OUT_OF_REACH[status])
    assert (method, template, int(status)) in seen


def targets_that_are_no_text(contract, method, template):
    """Paths with 0xFF in each capture, and with it in each parameter and its name; percent-encoded, and as it is."""
    names = re.findall(r"\{(\w+)\}", template)
    plain = re.sub(r"\{(\w+)\}", r"\1", template).encode()
    parameters = [p["name"] for p in contract.parameters[method, template] if p["in"] == "query"]
    for bad in (b"%FF", b"a%e4%b8", b"\xff"):
        for name in names:
            yield re.sub(r"\{(\w+)\}", lambda m: m[1] if m[1] != name else "@", template).encode().replace(b"@", bad)
        yield from (plain + b"?" + name.encode() + b"=" + bad for name in parameters)
        yield plain + b"?" + bad
        yield plain + b"?a=b&" + bad + b"=c"


def test_bytes_that_are_no_text_are_refused_everywhere_and_harm_nothing(make_node):
    """Whoever sends them: what is refused is recorded, and the log must be able to live with what is recorded."""
    node = make_node()
    admin = log_in(node)
    for token in (None, "nonsense", admin.token):
        with Raw(node) as raw:
            for method, template in DOES:
                for target in targets_that_are_no_text(admin.contract, method, template):
                    authorization = b"Authorization: Bearer %s\r\n" % token.encode() if token else b""
                    raw.send(b"%s %s HTTP/1.1\r\nHost: x\r\n%s\r\n" % (method.encode(), target, authorization))
                    answer = Answer.of(*raw.answer(method))
                    assert answer.status == 400, (method, target, token, answer)
                    admin.contract.check(method, target.decode("latin-1").split("?")[0], {}, answer)
    admin.publish("dev/text/default/a", b"before")
    Client(node, "nonsense").get("/v1/users/%1B%5B31m%E4%B8%AD", expect=401)
    wait_until(lambda: admin.items("/v1/audit", action="authenticate"), "the attempt is recorded")
    node.restart()
    again = Client(node, admin.token)
    assert again.read("dev/text/default/a").body == b"before"
    again.publish("dev/text/default/a", b"after")


@pytest.mark.parametrize("template", DOCUMENT["paths"])
def test_methods_that_are_not_documented_are_405(admin, template):
    documented_methods = {method.upper() for method in DOCUMENT["paths"][template] if method in METHODS}
    path = re.sub(r"\{\w+\}", "x", template)
    for method in ("GET", "PUT", "POST", "DELETE", "PATCH"):
        if method not in documented_methods:
            answer = admin.send(method, path, expect=405)
            allowed = set(answer.headers["Allow"].replace(" ", "").split(","))
            assert allowed - {"OPTIONS", "HEAD"} == documented_methods - {"HEAD"}
