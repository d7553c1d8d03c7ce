"""A config center that is small enough to be right, as a group of three addresses; faults can be planted into it."""

import contextlib
import hashlib
import http.server
import json
import random
import threading
import urllib.parse

from client import Client
from history import Release


class Fake:
    """What clients need of a Group. `fault` names what it does wrong, now and then: loses, forgets (who asked already),
    stale, ignores (If-Match), skips (a change that is watched), repeats (a revision), refuses (to be read), hangs up (which
    is no fault)."""

    token = "token"

    def __init__(self, seed, fault=None):
        self.fault, self.struck, self._dice = fault, 0, random.Random(seed)
        self._releases, self._answered, self.revision = {}, {}, 0  # key → [Release]
        self._changed = threading.Condition()
        self._servers = [_Server(self) for _ in range(3)]
        self.nodes = {number: server for number, server in enumerate(self._servers, 1)}

    def __enter__(self):
        for server in self._servers:
            threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_):
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def client(self, number, **more):
        return Client(self.nodes[number], self.token, checked=False, **more)

    def wait_one(self):
        return self.revision

    def strikes(self, fault, often=0.05):
        struck = self.fault == fault and self._dice.random() < often
        self.struck += struck
        return struck

    # --- each of these returns (status, headers, body) ---

    def change(self, key, content, headers, comment):
        with self._changed:
            return self._change(key, content, headers, comment)

    def _change(self, key, content, headers, comment):
        name = headers["X-Request-Id"]
        if name in self._answered:
            return self._answered[name]
        releases = self._releases.setdefault(key, [])
        there = releases and releases[-1].content is not None
        match = headers.get("If-Match", "").strip('"')
        if match and not (there and releases[-1].revision == int(match)) and not self.strikes("ignores", 0.5):
            return 412, {}, b""
        if "If-None-Match" in headers and there:
            return 412, {}, b""
        if content is None and not there:
            return 404, {}, b""
        self.revision += 0 if self.revision and self.strikes("repeats") else 1
        version = (releases[-1].version if releases else 0) + (content is not None)
        release = Release(key, version, self.revision, content, comment)
        if not self.strikes("loses"):
            releases.append(release)
        answer = 200, {}, json.dumps({"key": key, "version": release.version, "revision": release.revision}).encode()
        if not self.strikes("forgets", 0.5):
            self._answered[name] = answer
        self._changed.notify_all()
        return answer

    def read(self, key, query, wait):
        with self._changed:
            after = int(query.get("after", -1))
            self._changed.wait_for(lambda: after < 0 or self._newest(key) > after, wait)
            if self._newest(key) <= after:
                return 304, {"X-Config-Revision": self.revision}, b""
            releases = self._releases.get(key)
            if not releases:
                return 404, {}, b""
            release = releases[-2 if len(releases) > 1 and after < 0 and self.strikes("stale", 0.2) else -1]
            headers = {"X-Config-Revision": release.revision, "X-Config-Version": release.version}
            if release.content is None:
                return 404, {**headers, "X-Config-Deleted": "true"}, b""
            return 200, headers, release.content

    def _newest(self, key):
        return max((release.revision for release in self._releases.get(key, ())), default=0)

    def watch(self, prefix, after, wait):
        with self._changed:
            def changes():
                newest = [releases[-1] for key, releases in self._releases.items() if releases and key.startswith(prefix)]
                return sorted((r for r in newest if r.revision > after), key=lambda r: r.revision)
            self._changed.wait_for(changes, wait)
            told = [{"key": r.key, "version": r.version, "revision": r.revision, "deleted": r.content is None,
                     "sha256": _sha256(r.content)} for r in changes() if not self.strikes("skips", 0.3)]
            return 200, {}, json.dumps({"revision": self.revision, "changes": told}).encode()

    def stream(self, prefix, after):
        """It ends after what there is by now."""
        _, _, body = self.watch(prefix, after, 0.2)
        changes = json.loads(body)["changes"]
        return 200, {}, "".join(f"id: {each['revision']}\ndata: {json.dumps(each)}\n\n" for each in changes).encode()

    def history(self, key):
        with self._changed:
            items = [{"key": r.key, "version": r.version, "revision": r.revision, "deleted": r.content is None,
                      "sha256": _sha256(r.content), "comment": r.operation} for r in reversed(self._releases.get(key, ()))]
        return (200, {}, json.dumps({"items": items}).encode()) if items else (404, {}, b"")


def _sha256(content):
    return hashlib.sha256(content or b"").hexdigest()


def _seconds(text):
    return float(text.removesuffix("ms")) / 1000 if text.endswith("ms") else float(text.removesuffix("s"))


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, fake):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.fake, self.host, self.port = fake, *self.server_address
        self.starts = 1


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _do(self):
        fake = self.server.fake
        path, _, query = self.path.partition("?")
        query = dict(urllib.parse.parse_qsl(query))
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        wait = _seconds(query.get("wait", "0s"))
        root, _, key = path.removeprefix("/v1/").partition("/")
        if self.headers.get("Accept") == "text/event-stream":
            asked = json.loads(body)["items"][0] if body else {"prefix": key, "revision": int(self.headers["Last-Event-ID"])}
            answer = fake.stream(asked["prefix"], asked["revision"])
            self.close_connection = True
        elif root == "releases":
            answer = fake.history(key)
        elif root == "watch":
            asked = json.loads(body)
            answer = fake.watch(asked["items"][0]["prefix"], asked["items"][0]["revision"], _seconds(asked["wait"]))
        elif self.command == "GET" and fake.strikes("refuses", 0.5):
            answer = 503, {}, b""
        elif self.command == "GET":
            answer = fake.read(key, query, wait)
        else:
            answer = fake.change(key, body if self.command == "PUT" else None, self.headers, query["comment"])
            if fake.strikes("hangs up", 0.2) or fake.strikes("forgets", 0.2):
                self.close_connection = True
                return
        status, headers, body = answer
        with contextlib.suppress(OSError):
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, str(value))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    do_GET = do_PUT = do_DELETE = do_POST = _do

    def log_message(self, *_):
        pass
