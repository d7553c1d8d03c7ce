"""Who may do what: first start, login, tokens, roles, access keys, anonymous reading, audit."""

import base64
import hashlib
import hmac
import http.client
import json
import os
import stat
import threading
import time

import pytest

from client import Client, config, draft, releases
from conftest import log_in
from node import ADMIN_PASSWORD, PATIENCE, StartFailed, wait_until


def login(client, name, password):
    return client.post("/v1/login", {"username": name, "password": password})


# --- the first start ---

def test_the_first_start_makes_an_administrator_and_shows_the_password_once(make_node):
    node = make_node(admin_password=None)
    file = node.data / "admin-password"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    password = file.read_text().strip()
    assert len(password) >= 16
    assert node.output().count(password) == 1
    assert password not in node.log()
    assert login(Client(node), "admin", password).status == 200
    node.restart()
    assert node.output().count(password) == 1, "the second start must not show it again"
    assert login(Client(node), "admin", password).status == 200


def test_two_installations_have_different_passwords_and_secrets(make_node):
    nodes = [make_node(admin_password=None) for _ in range(2)]
    first, second = ({path.name: path.read_text() for path in
                      [node.data / "admin-password", *(node.data / "secrets").iterdir()]} for node in nodes)
    assert first.keys() == second.keys()
    assert not set(first.values()) & set(second.values())


def test_a_password_given_by_the_environment_is_neither_shown_nor_kept(make_node):
    node = make_node()
    assert login(Client(node), "admin", ADMIN_PASSWORD).status == 200
    assert ADMIN_PASSWORD not in node.output() + node.log()
    for folder, _, files in os.walk(node.data):
        for name in files:
            with open(os.path.join(folder, name), "rb") as file:
                assert ADMIN_PASSWORD.encode() not in file.read(), name


def test_a_weak_first_password_is_refused(make_node):
    node = make_node(start=False, admin_password="short")
    with pytest.raises(StartFailed) as failed:
        node.start()
    assert "CONFIG_CENTER_ADMIN_PASSWORD" in failed.value.output
    assert failed.value.status != 0


def test_the_data_folder_is_closed_to_others(make_node):
    node = make_node(admin_password=None)
    assert stat.S_IMODE(node.data.stat().st_mode) & 0o077 == 0
    for secret in (node.data / "secrets").iterdir():
        assert stat.S_IMODE(secret.stat().st_mode) == 0o600


# --- login and tokens ---

def test_login_answers_a_token_that_works(node, anyone):
    answer = login(anyone, "admin", ADMIN_PASSWORD).json()
    assert set(answer) >= {"token", "expires_at", "user"}
    me = Client(node, answer["token"]).get("/v1/whoami", expect=200).json()
    assert (me["name"], me["kind"]) == ("admin", "user")
    assert me["grants"][0]["role"] == "admin"
    assert me["expires_at"] == answer["expires_at"]


def test_a_wrong_password_and_an_unknown_user_are_told_the_same(node, anyone, make_user):
    user = make_user()
    wrong, unknown = login(anyone, user.name, "wrong password"), login(anyone, "nobody-here", "wrong password")
    assert wrong.status == unknown.status == 401
    assert wrong.error == unknown.error
    assert wrong.error[0] == "unauthenticated"


@pytest.mark.parametrize("authorization", [
    "Bearer", "Bearer ", "Bearer nonsense", "Bearer a.b.c", "Basic YWRtaW46YWRtaW4=", "bearer", "Bearer ck_1_2", "Bearer " + "x" * 5000])
def test_nonsense_for_a_token_is_401(anyone, authorization):
    answer = anyone.get("/v1/whoami", headers={"Authorization": authorization}, expect=401)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def encode(value):
    return base64.urlsafe_b64encode(value if isinstance(value, bytes) else json.dumps(value).encode()).rstrip(b"=")


def test_forged_tokens_are_refused(make_node):
    secret = "an often used secret of forty characters"
    node = make_node(security_jwt_secret=secret)
    token = log_in(node).token
    header, payload, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))

    def sign(head, body, key=secret, digest=hashlib.sha256):
        text = encode(head) + b"." + encode(body)
        return (text + b"." + encode(hmac.new(key.encode(), text, digest).digest())).decode()

    anyone = Client(node)

    def status(forged):
        return anyone.get("/v1/whoami", headers={"Authorization": f"Bearer {forged}"}).status

    good = json.loads(base64.urlsafe_b64decode(header + "=="))
    assert good["alg"] == "HS256"
    assert status(sign(good, claims)) == 200  # we do sign as the node does, so the refusals below mean something
    assert status(sign(good, claims, key="another secret of more than thirty-two")) == 401
    assert status(sign({**good, "alg": "none"}, claims)) == 401
    assert status((encode({**good, "alg": "none"}) + b"." + payload.encode() + b".").decode()) == 401
    assert status(sign({**good, "alg": "HS512"}, claims, digest=hashlib.sha512)) == 401
    assert status(f"{header}.{encode({**claims, 'sub': 'root'}).decode()}.{signature}") == 401
    assert status(sign(good, {**claims, "exp": int(time.time()) - 1})) == 401
    assert status(sign(good, {name: value for name, value in claims.items() if name != "exp"})) == 401
    for at in (0, len(token) // 2, len(token) - 2):
        flipped = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1:]
        assert status(flipped) == 401


def test_a_token_expires(make_node):
    node = make_node(security_jwt_expiration="1s")
    client = log_in(node)
    wait_until(lambda: client.get("/v1/whoami").status == 401, "the token expires")


def test_logout_revokes_on_every_connection_and_for_good(make_node):
    node = make_node()
    first, second = log_in(node), log_in(node)
    other_connections = [Client(node, first.token) for _ in range(8)]
    for client in other_connections:
        client.get("/v1/whoami", expect=200)
    first.post("/v1/logout", expect=204)
    for client in other_connections:
        client.get("/v1/whoami", expect=401)
    second.get("/v1/whoami", expect=200)  # another login of the same user
    node.kill()
    node.start()
    first.get("/v1/whoami", expect=401)
    second.get("/v1/whoami", expect=200)


def test_repeated_failures_lock_the_user_and_nobody_else(make_node):
    node = make_node(security_login_failures=3)
    admin, anyone = log_in(node), Client(node)
    for name in ("anna", "bert"):
        admin.put(f"/v1/users/{name}", {"password": f"password of {name}"}, expect=201)
    for _ in range(3):
        assert login(anyone, "anna", "wrong password").status == 401
    locked = login(anyone, "anna", "password of anna")
    assert locked.status == 429
    assert int(locked.headers["Retry-After"]) > 0
    assert locked.error[0] == "exhausted"
    assert login(anyone, "bert", "password of bert").status == 200
    assert login(anyone, "admin", ADMIN_PASSWORD).status == 200


def test_a_lock_ends(make_node):
    node = make_node(security_login_failures=2, security_login_lock=f"{3 * PATIENCE}s")  # longer than a slow login takes
    anyone = Client(node)
    for _ in range(2):
        login(anyone, "admin", "wrong password")
    assert login(anyone, "admin", ADMIN_PASSWORD).status == 429
    wait_until(lambda: login(anyone, "admin", ADMIN_PASSWORD).status == 200, "the lock ends")


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"username": "admin"}', b'{"username": 1, "password": "x"}',
                                  b'{"username": "admin", "password": "x", "more": 1}'])
def test_logins_that_are_none_are_400(anyone, body):
    anyone.post("/v1/login", body, headers={"Content-Type": "application/json"}, expect=400)


# --- users ---

def test_users_are_made_changed_listed_and_deleted(admin, app):
    path = f"/v1/users/user-{app}"
    admin.put(path, {"password": "a good password", "display_name": "王五"}, expect=201)
    user = admin.get(path, expect=200).json()
    assert (user["name"], user["display_name"], user["disabled"], user["grants"]) == (f"user-{app}", "王五", False, [])
    assert admin.put(path, {"display_name": "李四"}, expect=200).json()["display_name"] == "李四"
    assert f"user-{app}" in {u["name"] for u in admin.items("/v1/users")}
    admin.delete(path, expect=200)
    admin.get(path, expect=404)
    admin.put(path, {"display_name": "no password"}, expect=400)


def test_no_answer_holds_a_password_hash(admin, make_user):
    user = make_user("viewer")
    for path in ("/v1/users", f"/v1/users/{user.name}"):
        body = admin.get(path, expect=200).text
        assert "argon2" not in body and "hash" not in body


@pytest.mark.parametrize("password", ["", "short", "x" * 257])
def test_passwords_have_bounds(admin, app, password):
    admin.put(f"/v1/users/bounds-{app}", {"password": password}, expect=400)


def test_a_new_password_ends_all_tokens_of_the_user(admin, anyone, make_user):
    user = make_user("viewer")
    path = f"/v1/users/{user.name}/password"
    assert user.put(path, {"password": "a new password", "current_password": "wrong one"}).status in (401, 403)
    assert user.put(path, {"password": "a new password"}).status in (400, 401, 403)
    user.put(path, {"password": "a new password", "current_password": f"password of {user.name}"}, expect=204)
    user.get("/v1/whoami", expect=401)
    assert login(anyone, user.name, f"password of {user.name}").status == 401
    assert login(anyone, user.name, "a new password").status == 200
    admin.put(path, {"password": "set by the administrator"}, expect=204)
    assert login(anyone, user.name, "set by the administrator").status == 200


def test_one_user_cannot_set_the_password_of_another(make_user):
    first, second = make_user("publisher"), make_user("viewer")
    first.put(f"/v1/users/{second.name}/password",
              {"password": "taken over by first", "current_password": f"password of {second.name}"}, expect=403)
    first.put("/v1/users/admin/password", {"password": "taken over by first"}, expect=403)


@pytest.mark.parametrize("how", ["disabled", "deleted"])
def test_the_tokens_of_a_user_who_is_gone_are_refused(admin, anyone, make_user, how):
    user = make_user("viewer")
    path = f"/v1/users/{user.name}"
    admin.put(path, {"disabled": True}, expect=200) if how == "disabled" else admin.delete(path, expect=200)
    user.get("/v1/whoami", expect=401)
    assert login(anyone, user.name, f"password of {user.name}").status == 401
    if how == "disabled":
        admin.put(path, {"disabled": False}, expect=200)
        assert login(anyone, user.name, f"password of {user.name}").status == 200


def test_a_user_made_again_under_an_old_name_does_not_inherit_its_tokens(admin, make_user):
    user = make_user("viewer")
    admin.delete(f"/v1/users/{user.name}", expect=200)
    admin.put(f"/v1/users/{user.name}", {"password": "of somebody else"}, expect=201)
    user.get("/v1/whoami", expect=401)


def test_the_last_administrator_stays(make_node):
    admin = log_in(make_node())
    assert admin.delete("/v1/users/admin", expect=412).error[0] == "conflict"
    admin.put("/v1/users/admin", {"disabled": True}, expect=412)
    admin.send("DELETE", "/v1/users/admin/grants", {"role": "admin"}, expect=412)
    admin.put("/v1/users/second", {"password": "password of second"}, expect=201)
    admin.post("/v1/users/second/grants", {"role": "admin"}, expect=200)
    admin.delete("/v1/users/admin", expect=200)


# --- roles ---

ATTEMPTS = {
    "read": lambda c, key: c.get(config(key)),
    "history": lambda c, key: c.get(releases(key)),
    "diff": lambda c, key: c.get(releases(key), query={"diff": "1..1"}),
    "watch": lambda c, key: c.post("/v1/watch", {"items": [{"key": key, "revision": 0}]}),
    "read draft": lambda c, key: c.get(draft(key)),
    "edit draft": lambda c, key: c.put(draft(key), b"a: 3\n"),
    "publish": lambda c, key: c.put(config(key), b"a: 2\n"),
    "publish draft": lambda c, key: (c.node_admin.put(draft(key), b"a: 4\n", expect=200), c.put(config(key), query={"from": "draft"}))[1],
    "roll back": lambda c, key: c.post(releases(key), query={"rollback": 1}),
    "import": lambda c, key: c.post(f"/v1/import/dev/{key.split('/')[1]}", zipped_one()),
    "export": lambda c, key: c.get(f"/v1/export/dev/{key.split('/')[1]}"),
    "make environment": lambda c, key: c.put(f"/v1/environments/by-{c.name}", {}),
    "make application": lambda c, key: c.put(f"/v1/applications/{key.split('/')[1]}", {"description": "x"}),
    "make user": lambda c, key: c.put(f"/v1/users/by-{c.name}", {"password": "a good password"}),
    "list users": lambda c, key: c.get("/v1/users"),
    "grant": lambda c, key: c.post(f"/v1/users/{c.name}/grants", {"role": "viewer", "application": "some"}),
    "make key": lambda c, key: c.post("/v1/keys", {"application": key.split("/")[1]}),
    "audit": lambda c, key: c.get("/v1/audit"),
    "cluster": lambda c, key: c.get("/v1/cluster"),
    "delete": lambda c, key: c.delete(config(key)),
}

READING = {"read", "history", "diff", "watch", "export"}
DRAFTING = READING | {"read draft", "edit draft"}
MAY = {
    "viewer": READING,
    "developer": DRAFTING,
    "publisher": DRAFTING | {"publish", "publish draft", "roll back", "import", "delete"},
    "operator": {"audit", "cluster"},
    "admin": set(ATTEMPTS),
    None: set(),
}


def zipped_one():
    from test_configs import zipped
    return zipped({"default/imported.txt": b"x"})


@pytest.mark.parametrize("role", MAY)
def test_each_role_may_do_this_and_nothing_else(admin, make_user, key, app, role):
    admin.publish(key, b"a: 1\n")
    admin.put(draft(key), b"a: 5\n", expect=200)
    user = make_user(role)
    user.node_admin = admin
    wrong = {}
    for what, attempt in ATTEMPTS.items():
        if what == "cluster" and role not in ("operator", "admin"):
            continue  # its figures may be open to all who are logged in
        answer = attempt(user, key)
        allowed = answer.status < 300
        if allowed != (what in MAY[role]) or (not allowed and answer.status != 403):
            wrong[what] = answer
    assert not wrong


def test_a_refusal_says_what_is_missing_and_where(admin, make_user, key):
    admin.publish(key, b"a: 1\n")
    code, message = make_user("viewer").put(config(key), b"a: 2\n", expect=403).error
    assert code == "permission_denied"
    assert "publish" in message


@pytest.mark.parametrize("scope", ["environment", "application", "department", "both"])
def test_a_grant_holds_where_it_was_given(admin, make_user, app, scope):
    admin.put(f"/v1/applications/{app}", {"department": f"department of {app}"}, expect=201)
    grant = {"environment": {"environment": "dev"}, "application": {"application": app},
             "department": {"department": f"department of {app}"}, "both": {"environment": "dev", "application": app}}[scope]
    user = make_user("publisher", **grant)
    allowed = {
        f"dev/{app}/default/a": True,
        f"prod/{app}/default/a": scope in ("application", "department"),
        f"dev/{app}-other/default/a": scope == "environment",
        f"prod/{app}-other/default/a": False,
    }
    for key, may in allowed.items():
        assert (user.put(config(key), b"x").status in (200, 201)) == may, key
        admin.publish(key, b"y")
        assert (user.get(config(key)).status == 200) == may, key
    seen = {item["key"] for item in user.items("/v1/configs")}
    for key, may in allowed.items():
        assert (key in seen) == may, key


def test_a_department_moves_with_its_application(admin, make_user, app):
    key = f"dev/{app}/default/a"
    admin.put(f"/v1/applications/{app}", {"department": f"one-{app}"}, expect=201)
    admin.publish(key, b"x")
    user = make_user("viewer", department=f"one-{app}")
    user.get(config(key), expect=200)
    admin.put(f"/v1/applications/{app}", {"department": f"two-{app}"}, expect=200)
    user.get(config(key), expect=403)


def test_lists_and_search_and_history_hide_what_one_may_not_see(admin, make_user, app):
    secret = f"dev/{app}-secret/default/plans"
    admin.publish(secret, "the needle of " + app)
    admin.put(draft(secret), b"x", expect=200)
    user = make_user("developer", application=app)
    assert secret not in {i["key"] for i in user.items("/v1/configs")}
    assert user.items("/v1/configs", q=f"needle of {app}", **{"in": "content"}) == []
    assert secret not in {i["key"] for i in user.items("/v1/drafts")}
    user.get(releases(secret), expect=403)
    # what is not there and what one may not see answer alike
    assert user.get(config(secret)).status == user.get(config(f"dev/{app}-none/default/x")).status == 403
    assert f"{app}-secret" not in {a["name"] for a in user.items("/v1/applications")}


def test_grants_are_given_and_taken_at_once(admin, make_user, key, app):
    admin.publish(key, b"a: 1\n")
    user = make_user()
    user.get(config(key), expect=403)
    grant = {"role": "viewer", "environment": "dev", "application": app}
    assert len(admin.post(f"/v1/users/{user.name}/grants", grant, expect=200).json()["grants"]) == 1
    assert len(admin.post(f"/v1/users/{user.name}/grants", grant, expect=200).json()["grants"]) == 1, "the same twice is one"
    user.get(config(key), expect=200)
    assert admin.send("DELETE", f"/v1/users/{user.name}/grants", grant, expect=200).json()["grants"] == []
    user.get(config(key), expect=403)
    admin.post(f"/v1/users/{user.name}/grants", {"role": "king"}, expect=400)
    admin.post("/v1/users/nobody-here/grants", grant, expect=404)


def test_roles_are_told(admin):
    roles = {role["name"]: role for role in admin.get("/v1/roles", expect=200).json()["items"]}
    assert set(roles) == {"admin", "developer", "publisher", "operator", "viewer"}
    assert "publish" in roles["publisher"]["permissions"] and "publish" not in roles["developer"]["permissions"]


# --- access keys ---

def make_key(admin, application, **more):
    return admin.post("/v1/keys", {"application": application, **more}, expect=201).json()


def test_a_key_reads_and_watches_its_application_and_nothing_else(node, admin, key, app):
    admin.publish(key, b"a: 1\n")
    admin.publish(f"prod/{app}/default/a", b"x")
    admin.publish(f"dev/{app}-other/default/a", b"x")
    made = make_key(admin, app, description="for the tests")
    client = Client(node, made["key"])
    assert client.get(config(key), expect=200).body == b"a: 1\n"
    client.get(config(f"prod/{app}/default/a"), expect=200)
    client.get(config(f"dev/{app}-other/default/a"), expect=403)
    assert client.post("/v1/watch", {"items": [{"key": key, "revision": 0}]}, expect=200).json()["changes"]
    client.put(config(key), b"a: 2\n", expect=403)
    client.put(draft(key), b"a: 2\n", expect=403)
    client.get("/v1/users", expect=403)
    me = client.get("/v1/whoami", expect=200).json()
    assert me["kind"] == "access_key"


def test_a_key_may_be_limited_to_an_environment(node, admin, app):
    for environment in ("dev", "prod"):
        admin.publish(f"{environment}/{app}/default/a", b"x")
    client = Client(node, make_key(admin, app, environment="dev")["key"])
    client.get(config(f"dev/{app}/default/a"), expect=200)
    client.get(config(f"prod/{app}/default/a"), expect=403)


def test_a_key_is_shown_once_and_kept_as_a_hash(node, admin, app):
    made = make_key(admin, app)
    secret = made["key"].rsplit("_", 1)[1]
    listed = admin.items("/v1/keys")
    assert made["id"] in {k["id"] for k in listed}
    assert secret not in json.dumps(listed)
    for folder, _, files in os.walk(node.data):
        for name in files:
            with open(os.path.join(folder, name), "rb") as file:
                assert secret.encode() not in file.read(), name


def test_a_revoked_key_is_refused_at_once(node, admin, key, app):
    admin.publish(key, b"a: 1\n")
    made = make_key(admin, app)
    clients = [Client(node, made["key"]) for _ in range(8)]
    for client in clients:
        client.get(config(key), expect=200)
    admin.delete(f"/v1/keys/{made['id']}", expect=200)
    for client in clients:
        client.get(config(key), expect=401)
    admin.delete("/v1/keys/ck_nothing", expect=404)


def test_a_key_expires(node, admin, key, app):
    admin.publish(key, b"a: 1\n")
    soon = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() + 3 * PATIENCE + 1))  # when the key is made
    client = Client(node, make_key(admin, app, expires_at=soon)["key"])
    wait_until(lambda: client.get(config(key)).status == 401, "the key expires")
    past = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() - 60))
    assert admin.post("/v1/keys", {"application": app, "expires_at": past}).status == 400


def status_from(node, address, token, path):
    connection = http.client.HTTPConnection("127.0.0.1", node.port, timeout=30, source_address=(address, 0))
    connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
    status = connection.getresponse().status
    connection.close()
    return status


def test_a_key_may_be_limited_to_addresses(node, admin, key, app):
    admin.publish(key, b"a: 1\n")
    made = make_key(admin, app, addresses=["127.0.0.2", "127.0.1.0/24", "fd00::/8"])["key"]
    for address, status in (("127.0.0.1", 401), ("127.0.0.2", 200), ("127.0.0.3", 401), ("127.0.1.77", 200), ("127.0.2.1", 401)):
        assert status_from(node, address, made, config(key)) == status, address
    for wrong in ("nowhere", "10.0.0.0/33", "1.2.3", ""):
        admin.post("/v1/keys", {"application": app, "addresses": [wrong]}, expect=400)


def test_x_forwarded_for_does_not_open_a_key(node, admin, key, app):
    admin.publish(key, b"a: 1\n")
    client = Client(node, make_key(admin, app, addresses=["10.1.2.3"])["key"])
    client.get(config(key), headers={"X-Forwarded-For": "10.1.2.3", "X-Real-IP": "10.1.2.3", "Forwarded": "for=10.1.2.3"}, expect=401)


# --- anonymous ---

def test_without_a_token_nothing_is_told(admin, anyone, key, contract):
    admin.publish(key, b"a: 1\n")
    for path in (config(key), "/v1/configs", releases(key), draft(key), "/v1/users", "/v1/roles", "/v1/keys", "/v1/audit",
                 "/v1/environments", "/v1/applications", "/v1/clusters", "/v1/cluster", "/v1/whoami", "/v1/export/dev"):
        anyone.get(path, expect=401)
    anyone.put(config(key), b"a: 2\n", expect=401)
    for path in ("/livez", "/readyz", "/healthz", "/openapi.json"):
        anyone.get(path, expect=200)


def test_without_a_token_nobody_is_told_where_the_node_keeps_its_data(make_node):
    node = make_node()
    admin = log_in(node)
    node.restart(server_min_free_disk="1000000GiB")
    anyone = Client(node)
    health = wait_until(lambda: (h := anyone.get("/healthz", expect=200).json())["status"] == "degraded" and h, "it is degraded")
    trouble = admin.get("/v1/cluster", expect=200).json()["trouble"]
    assert str(node.data) in trouble
    assert str(node.data) not in json.dumps(health) and trouble not in json.dumps(health)


def test_anonymous_reading_when_a_setting_turns_it_on(make_node):
    node = make_node(security_anonymous_read="true")
    admin, anyone = log_in(node), Client(node)
    key = "dev/shop/default/a"
    admin.publish(key, b"x")
    admin.put(draft(key), b"y", expect=200)
    assert anyone.get(config(key), expect=200).body == b"x"
    anyone.get("/v1/configs", expect=200)
    assert anyone.post("/v1/watch", {"items": [{"key": key, "revision": 0}]}, expect=200).json()["changes"]
    for refused in (anyone.put(config(key), b"z"), anyone.get(draft(key)), anyone.get("/v1/users"), anyone.get("/v1/audit"),
                    anyone.delete(config(key)), anyone.put("/v1/applications/shop", {})):
        assert refused.status in (401, 403), refused
    # who shows a token that is none is not taken for anonymous
    anyone.get(config(key), headers={"Authorization": "Bearer nonsense"}, expect=401)


# --- audit ---

def audited(admin, **query):
    return admin.items("/v1/audit", **query)


def wait_for_record(admin, **query):
    return wait_until(lambda: audited(admin, **query), f"an audit record {query}")[0]


class Recorded:
    """Does one thing at a time and takes the record that it leaves."""

    def __init__(self, admin, name):
        self.admin, self.name, self.count = admin, name, 0

    def __call__(self, action, target, method, path, body=b"", by=None, **more):
        self.count += 1
        request = f"{self.name}.{self.count}"
        answer = (by or self.admin).send(method, path, body, headers={"X-Request-Id": request}, **more)
        assert answer.status < 300, (action, answer)
        found = wait_until(lambda: [r for r in audited(self.admin, action=action) if r["request_id"] == request],
                           f"a record of {action}")
        assert len(found) == 1, found
        record = found[0]
        assert record["target"] == target, record
        assert (record["address"], record["outcome"]) == ("127.0.0.1", "done"), record
        assert record["actor"] == (by.name if by else "admin"), record
        self.answer = answer
        return record.get("before"), record.get("after"), record["revision"]


def test_every_change_of_a_config_leaves_a_record(admin, app):
    key = f"dev/{app}/default/a.yaml"
    do = Recorded(admin, app)

    def md5(content):
        return hashlib.md5(content).hexdigest()

    before, after, revision = do("config.publish", key, "PUT", config(key), b"a: 1\n")
    assert (before, after["md5"], after["version"], revision) == (None, md5(b"a: 1\n"), 1, do.answer.json()["revision"])
    before, after, _ = do("config.publish", key, "PUT", config(key), b"a: 2\n")
    assert (before["md5"], after["md5"], after["version"]) == (md5(b"a: 1\n"), md5(b"a: 2\n"), 2)
    before, after, _ = do("draft.save", key, "PUT", draft(key), b"a: 3\n")
    assert (before, after["md5"], after["base_version"]) == (None, md5(b"a: 3\n"), 2)
    before, after, _ = do("draft.save", key, "PUT", draft(key), b"a: 4\n")
    assert (before["md5"], after["md5"]) == (md5(b"a: 3\n"), md5(b"a: 4\n"))
    before, after, _ = do("draft.discard", key, "DELETE", draft(key))
    assert (before["md5"], after) == (md5(b"a: 4\n"), None)
    admin.put(draft(key), b"a: 5\n", expect=200)
    before, after, _ = do("config.publish", key, "PUT", config(key), query={"from": "draft"})
    assert (before["md5"], after["md5"]) == (md5(b"a: 2\n"), md5(b"a: 5\n"))
    before, after, _ = do("config.rollback", key, "POST", releases(key), query={"rollback": 1})
    assert (before["md5"], after["md5"], after["rolled_back_from"]) == (md5(b"a: 5\n"), md5(b"a: 1\n"), 1)
    before, after, _ = do("config.delete", key, "DELETE", config(key))
    assert (before["md5"], after) == (md5(b"a: 1\n"), None)
    imported = f"dev/{app}/default/imported.txt"
    before, after, _ = do("config.import", imported, "POST", f"/v1/import/dev/{app}", zipped_one())
    assert (before, after["md5"]) == (None, md5(b"x"))


def test_every_change_of_a_place_leaves_a_record(admin, app):
    do = Recorded(admin, app)
    path, cluster = f"/v1/applications/{app}", f"dev/{app}/c"
    assert do("environment.create", app, "PUT", f"/v1/environments/{app}", {})[:2] == (None, {"description": ""})
    assert do("environment.update", app, "PUT", f"/v1/environments/{app}", {"description": "x"})[:2] == (
        {"description": ""}, {"description": "x"})
    assert do("environment.delete", app, "DELETE", f"/v1/environments/{app}")[:2] == ({"description": "x"}, None)
    empty = {"department": "", "owner": "", "description": ""}
    assert do("application.create", app, "PUT", path, {})[:2] == (None, empty)
    assert do("application.update", app, "PUT", path, {"owner": "x"})[:2] == (empty, {**empty, "owner": "x"})
    assert do("cluster.create", cluster, "PUT", f"/v1/clusters/{cluster}", {})[:2] == (None, {"description": ""})
    assert do("cluster.update", cluster, "PUT", f"/v1/clusters/{cluster}", {"description": "x"})[1] == {"description": "x"}
    assert do("cluster.delete", cluster, "DELETE", f"/v1/clusters/{cluster}")[:2] == ({"description": "x"}, None)
    make_key(admin, app)
    before, after, revision = do("application.delete", app, "DELETE", path)
    assert (before, after) == ({**empty, "owner": "x"}, {"revoked_keys": 1})
    assert revision == do.answer.json()["revision"]


def test_every_change_of_an_identity_leaves_a_record(node, admin, app):
    do = Recorded(admin, app)
    path = f"/v1/users/{app}"
    enabled = {"display_name": "", "disabled": False}
    grant = {"role": "viewer", "environment": "dev", "application": "", "department": ""}
    assert do("user.create", app, "PUT", path, {"password": "a good password"})[:2] == (None, enabled)
    assert do("user.update", app, "PUT", path, {"disabled": True})[:2] == (enabled, {**enabled, "disabled": True})
    assert do("user.update", app, "PUT", path, {"disabled": False, "password": "another password"})[1] == {
        **enabled, "password": "changed"}
    assert do("grant.add", app, "POST", f"{path}/grants", {"role": "viewer", "environment": "dev"})[:2] == (None, grant)
    assert do("grant.revoke", app, "DELETE", f"{path}/grants", {"role": "viewer", "environment": "dev"})[:2] == (grant, None)
    assert do("user.password", app, "PUT", f"{path}/password", {"password": "a better password"})[1] == {"password": "changed"}

    user = log_in(node, app, "a better password")
    user.name = app
    after = do("token.revoke", app, "POST", "/v1/logout", by=user)[1]
    assert set(after) == {"token_id"}
    user.get("/v1/whoami", expect=401)
    assert do("user.delete", app, "DELETE", path)[:2] == (enabled, None)

    made = make_key(admin, app, description="for the pods")
    created = wait_for_record(admin, action="key.create", target=made["id"])
    assert (created["actor"], created["after"]["application"], created["after"]["description"]) == ("admin", app, "for the pods")
    assert do("key.revoke", made["id"], "DELETE", f"/v1/keys/{made['id']}")[:2] == ({"revoked": False}, {"revoked": True})


def test_refused_attempts_leave_a_record(admin, anyone, make_user, key, app):
    admin.publish(key, b"a: 1\n")
    viewer = make_user("viewer")
    viewer.put(config(key), b"a: 2\n", headers={"X-Request-Id": f"refused-{app}"}, expect=403)
    record = wait_for_record(admin, actor=viewer.name, outcome="permission_denied")
    assert (record["target"], record["action"], record["request_id"]) == (key, "config.publish", f"refused-{app}")
    login(anyone, viewer.name, "wrong password")
    record = wait_for_record(admin, action="login", outcome="unauthenticated", target=viewer.name)
    assert record["address"] == "127.0.0.1"
    assert wait_for_record(admin, action="login", outcome="done", target=viewer.name)
    anyone.get(config(key), headers={"Authorization": "Bearer nonsense", "X-Request-Id": f"bad-token-{app}"}, expect=401)
    wait_until(lambda: any(r["request_id"] == f"bad-token-{app}" for r in audited(admin, outcome="unauthenticated")), "a record of the bad token")


def test_audit_is_filtered_by_time(admin, key):
    admin.publish(key, b"a: 1\n")
    now = wait_for_record(admin, target=key)["time"]
    assert audited(admin, target=key, **{"from": now})
    assert audited(admin, target=key, to=now) == []
    admin.get("/v1/audit", query={"from": "yesterday"}, expect=400)


def test_audit_is_newest_first_and_paged(admin, app):
    for number in range(7):
        admin.publish(f"dev/{app}/default/{number}", b"x")
    wait_until(lambda: len(audited(admin, target=f"dev/{app}/", action="config.publish")) == 7, "all are recorded")
    records = audited(admin, target=f"dev/{app}/", action="config.publish", limit=2)
    assert [r["target"][-1] for r in records] == list("6543210")
    assert [r["id"] for r in records] == sorted((r["id"] for r in records), reverse=True)


def test_audit_is_exported_a_line_each(admin, app):
    for number in range(5):
        admin.publish(f"dev/{app}/default/{number}", b"x")
    wait_until(lambda: len(audited(admin, target=f"dev/{app}/", action="config.publish")) == 5, "all are recorded")
    answer = admin.get("/v1/audit", query={"target": f"dev/{app}/", "action": "config.publish"},
                       headers={"Accept": "application/x-ndjson"}, expect=200)
    assert answer.headers["Content-Type"].startswith("application/x-ndjson")
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert len(lines) == 5
    assert lines == audited(admin, target=f"dev/{app}/", action="config.publish")


def test_a_flood_of_refused_attempts_does_not_flood_the_log(make_node):
    node = make_node()
    admin = log_in(node)
    before = admin.get("/v1/cluster", expect=200).json()["last"]

    def knock():
        client = Client(node, "nonsense")
        for _ in range(500):
            client.get("/v1/whoami", expect=401)

    threads = [threading.Thread(target=knock) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    admin.publish("dev/shop/default/a", b"x")
    grown = admin.get("/v1/cluster", expect=200).json()["last"] - before
    assert grown < 500, f"2,000 refused requests made {grown} log entries"

    def attempts():
        return audited(admin, action="authenticate", outcome="unauthenticated")

    wait_until(lambda: sum(record.get("count", 1) for record in attempts()) == 2000, "each of them is counted")
    assert len(attempts()) < 1000, "equal ones of a moment are one record"


def test_secrets_are_never_told(make_node):
    """All that is secret goes through a node that logs everything; afterwards none of it stands in logs, audit or errors."""
    secrets = {"password": "password-of-carla-1", "new password": "password-of-carla-2", "wrong password": "guess-of-mallory",
               "content": "content-nobody-may-log", "draft": "draft-nobody-may-log", "jwt secret": "jwt-secret-" + "j" * 40,
               "encryption key": "encryption-key-" + "k" * 40}
    node = make_node(variables={"LOG_LEVEL": "trace"}, security_jwt_secret=secrets["jwt secret"],
                     security_encryption_key=secrets["encryption key"])
    admin, anyone = log_in(node), Client(node)
    key = "dev/shop/default/a.yaml"
    admin.publish(key, f"a: {secrets['content']}\n")
    admin.put(draft(key), f"a: {secrets['draft']}\n", expect=200)
    admin.put("/v1/users/carla", {"password": secrets["password"]}, expect=201)
    carla = log_in(node, "carla", secrets["password"])
    carla.put(config(key), f"a: {secrets['content']}\n", expect=403)
    refused = [admin.put(config(key), f"a: {secrets['content']}\n\tb", expect=400), login(anyone, "carla", secrets["wrong password"]),
               admin.put("/v1/users/dora", {"password": secrets["password"], "x": 1}),
               anyone.post("/v1/login", f'{{"username": "carla", "password": "{secrets["password"]}"'.encode(), expect=400)]
    carla.put("/v1/users/carla/password", {"password": secrets["new password"], "current_password": secrets["password"]}, expect=204)
    secrets["token"] = carla.token.rsplit(".", 1)[1]
    secrets["admin token"] = admin.token.rsplit(".", 1)[1]
    made = make_key(admin, "shop")
    secrets["access key"] = made["key"].rsplit("_", 1)[1]
    Client(node, made["key"]).get(config(key), expect=200)
    secrets["admin password"] = ADMIN_PASSWORD
    anyone.get(config(key), headers={"Authorization": f"Bearer {made['key']}x", "X-Request-Id": "the-last-refusal"}, expect=401)
    wait_until(lambda: any(r["request_id"] == "the-last-refusal" for r in audited(admin, outcome="unauthenticated")),
               "the last of it is recorded")
    audit = admin.get("/v1/audit", headers={"Accept": "application/x-ndjson"}, expect=200).text
    told = {"log": node.log(), "output": node.output(), "audit": audit, "errors": " ".join(r.text for r in refused),
            "metrics": " ".join(node.metrics())}
    assert told["log"] and told["audit"] and told["errors"]
    for place, text in told.items():
        for what, secret in secrets.items():
            assert secret not in text, f"the {what} stands in the {place}"
    for folder, _, files in os.walk(node.data):
        for name in files:
            with open(os.path.join(folder, name), "rb") as file:
                kept = file.read()
            for what in secrets.keys() - {"content", "draft"}:  # which are what is kept there
                assert secrets[what].encode() not in kept, f"the {what} stands in {name}"
