"""A client that holds every answer against the server's OpenAPI document."""

import gzip
import http.client
import json
import select
import socket
import threading
import urllib.parse

from contract import Contract
from node import ADMIN_PASSWORD, PATIENCE
from raw import unzstd

_contracts = {}  # by node: the document is fetched once


def contract_of(node):
    if id(node) not in _contracts:
        connection = http.client.HTTPConnection(node.host, node.port, timeout=30)
        connection.request("GET", "/openapi.json")
        _contracts[id(node)] = node, Contract(json.loads(connection.getresponse().read()))
        connection.close()
    return _contracts[id(node)][1]


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @classmethod
    def of(cls, status, headers, body):
        """Of what raw.Raw.answer() gave."""
        message = http.client.HTTPMessage()
        for name, value in headers.items():
            message[name] = value
        return cls(status, message, body)

    @property
    def content(self):
        """The body without its compression."""
        how = self.headers.get("Content-Encoding")
        return {None: bytes, "gzip": gzip.decompress, "zstd": unzstd}[how](self.body)

    def json(self):
        return json.loads(self.content)

    @property
    def text(self):
        return self.content.decode()

    @property
    def revision(self):
        return int(self.headers["X-Config-Revision"])

    @property
    def version(self):
        return int(self.headers["X-Config-Version"])

    @property
    def etag(self):
        return self.headers["ETag"]

    @property
    def error(self):
        """(code, message) of an error's body."""
        error = self.json()["error"]
        return error["code"], error["message"]

    def __repr__(self):
        return f"<{self.status} {self.body[:300]!r}>"


class Client:
    """Connections are kept alive, one per thread. Every answer is checked against the document unless `checked` is off."""

    def __init__(self, node, token=None, checked=True, timeout=60):
        self.node, self.token, self.timeout = node, token, timeout * PATIENCE
        self.contract = contract_of(node) if checked else None
        self._local = threading.local()

    def _connection(self):
        connection = getattr(self._local, "connection", None)
        if connection is not None and connection.port == self.node.port and connection.sock is not None:
            readable, _, _ = select.select([connection.sock], [], [], 0)
            if not readable:
                return connection
            connection.close()  # the server has closed it
        connection = http.client.HTTPConnection(self.node.host, self.node.port, timeout=self.timeout)
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._local.connection = connection
        return connection

    def close(self):
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
        self._local.connection = None

    def send(self, method, path, body=None, *, query=None, headers=None, expect=None):
        """`body` may be bytes, text, or a JSON value; `expect` is the status (or statuses) that it must be."""
        headers = dict(headers or {})
        if self.token and "Authorization" not in headers:
            headers["Authorization"] = f"Bearer {self.token}"
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        if isinstance(body, str):
            body = body.encode()
        query = {name: str(value) for name, value in (query or {}).items() if value is not None}
        target = path + ("?" + urllib.parse.urlencode(query, quote_via=urllib.parse.quote) if query else "")
        connection = self._connection()
        try:
            connection.request(method, target, body=body, headers=headers)
            response = connection.getresponse()
            answer = Answer(response.status, response.headers, response.read())
        except BaseException:
            self.close()
            raise
        if self.contract is not None:
            self.contract.check(method, path, query, answer)
        if expect is not None:
            expected = expect if isinstance(expect, tuple) else (expect,)
            assert answer.status in expected, f"{method} {target}: expected {expect}, got {answer.status}: {answer.body[:1000]!r}"
        return answer

    def get(self, path, **more):
        return self.send("GET", path, **more)

    def head(self, path, **more):
        return self.send("HEAD", path, **more)

    def put(self, path, body=b"", **more):
        return self.send("PUT", path, body, **more)

    def post(self, path, body=b"", **more):
        return self.send("POST", path, body, **more)

    def delete(self, path, **more):
        return self.send("DELETE", path, **more)

    # --- the sentences that most tests are made of ---

    def publish(self, key, content, expect=(200, 201), headers=None, **query):
        return self.put(config(key), content, query=query, headers=headers, expect=expect).json()

    def read(self, key, **query):
        return self.get(config(key), query=query, expect=200)

    def items(self, path, **query):
        """All pages of a list."""
        items = []
        while True:
            page = self.get(path, query=query, expect=200).json()
            items += page["items"]
            if "next" not in page:
                return items
            query["cursor"] = page["next"]

    def events(self, path, body=None, *, method="GET", query=None, headers=None):
        return EventStream(self, method, path, body, query, headers)


def log_in(node, name="admin", password=ADMIN_PASSWORD, checked=True):
    client = Client(node, checked=checked)
    client.token = client.post("/v1/login", {"username": name, "password": password}, expect=200).json()["token"]
    return client


class EventStream:
    """Server-sent events on a connection of its own."""

    def __init__(self, client, method, path, body, query, headers):
        headers = {"Accept": "text/event-stream", **(headers or {})}
        if client.token:
            headers["Authorization"] = f"Bearer {client.token}"
        if body is not None:
            body = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        target = path + ("?" + urllib.parse.urlencode(query) if query else "")
        self.connection = http.client.HTTPConnection(client.node.host, client.node.port, timeout=30 * PATIENCE)
        self.connection.request(method, target, body=body, headers=headers)
        self.response = self.connection.getresponse()
        self.status, self.headers = self.response.status, self.response.headers

    def next(self):
        """The next event: {"event", "id", "data"}; None when the stream has ended. Comments are skipped."""
        event = {}
        while line := self.response.readline():
            line = line.decode().rstrip("\r\n")
            if line == "":
                if event:
                    event["data"] = json.loads(event["data"])
                    return event
            elif not line.startswith(":"):
                name, _, value = line.partition(":")
                event[name] = value.removeprefix(" ")
        return None

    def line(self):
        """The next line as it is, comments included."""
        return self.response.readline().decode().rstrip("\r\n")

    def close(self):
        self.connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def quote(key):
    return urllib.parse.quote(key, safe="/")


def config(key):
    return "/v1/configs/" + quote(key)


def draft(key):
    return "/v1/drafts/" + quote(key)


def releases(key):
    return "/v1/releases/" + quote(key)
