"""An HTTP proxy of a test's own between a client and a store, which does what networks and stores do at times."""

import collections
import contextlib
import http.client
import http.server
import re
import ssl
import threading

Request = collections.namedtuple("Request", "method path")
TAG = re.compile(r'"([0-9a-f])')


class FaultyProxy:
    """Passes on what comes, as it is, but for the faults that a test orders; `requests` are all that came."""

    KINDS = ("cut", "lost", "500", "503", "429", "slow", "half", "changed", "other sum")

    def __init__(self, target, certificate=None):
        """With a certificate, which is (file, key file), it speaks TLS with the client."""
        self._target, self._faults, self._lock = target, [], threading.Lock()
        self.requests, self.held, self.release = [], threading.Event(), threading.Event()
        proxy = self

        class Asked(Handler):
            def handle_one(self, body):
                proxy._answer(self, body)

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Asked)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def fault(self, kind, times=1, method="", path=""):
        """The next so many requests with that method and with `path` in theirs meet it. Kinds:

        cut: no connection is kept for it; lost: done, and not answered; 500, 503, 429: refused so; slow: not answered until
        the test's end; half: half of the answer's body; changed: the request's body arrives otherwise; other sum: another
        ETag or MD5 is reported; old: what the answer calls its begin is years ago; forged: a byte of the answer is another; held: waits until it is released."""
        with self._lock:
            self._faults += [(kind, method, path)] * times

    def clear(self):
        """Returns how many faults were left over."""
        with self._lock:
            left, self._faults = len(self._faults), []
            return left

    def close(self):
        self.release.set()
        self._server.shutdown()
        self._server.server_close()

    def _take(self, method, path):
        with self._lock:
            self.requests.append(Request(method, path))
            for fault in self._faults:
                if fault[1] in ("", method) and fault[2] in path:
                    self._faults.remove(fault)
                    return fault[0]
        return None

    def _answer(self, handler, body):
        kind = self._take(handler.command, handler.path)
        if kind == "cut":
            return handler.hang_up()
        if kind in ("slow", "held"):
            self.held.set()
            self.release.wait(60)
            if kind == "slow":
                return handler.hang_up()
        if kind in ("500", "503", "429"):
            more = {"Retry-After": "1"} if kind == "429" else {}
            return handler.reply(int(kind), {"Content-Type": "application/xml", **more},
                                 b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>")
        if kind == "changed" and body:
            body = bytes([body[0] ^ 1]) + body[1:]
        status, headers, answer = self._ask(handler, body)
        if kind == "lost":
            return handler.hang_up()
        if kind == "other sum":
            headers = {name: _otherwise(value) if name.lower() in ("etag", "content-md5") else value for name, value in headers.items()}
            answer = re.sub(rb'"md5Hash": "(.)', lambda found: b'"md5Hash": "' + (b"A" if found[1] != b"A" else b"B"), answer)
        if kind == "old":
            answer = re.sub(rb"<Initiated>[^<]*", b"<Initiated>2001-01-01T00:00:00.000Z", answer)
        if kind == "forged":
            answer = answer[:1000] + bytes([answer[1000] ^ 1]) + answer[1001:]
        if kind == "half":
            headers["Content-Length"] = str(len(answer))
            handler.reply(status, headers, answer[:len(answer) // 2], whole=False)
            return handler.hang_up()
        return handler.reply(status, headers, answer)

    def _ask(self, handler, body):
        connection = http.client.HTTPConnection("127.0.0.1", self._target, timeout=60)
        with contextlib.closing(connection):
            connection.putrequest(handler.command, handler.path, skip_host=True, skip_accept_encoding=True)
            for name, value in handler.headers.items():
                connection.putheader(name, value)
            connection.endheaders(body or None)
            response = connection.getresponse()
            headers = {name: value for name, value in response.getheaders() if name.lower() not in ("transfer-encoding", "connection")}
            return response.status, headers, response.read()


def _otherwise(value):
    quoted = value.startswith('"')
    at = 1 if quoted else 0
    return value[:at] + ("0" if value[at] != "0" else "1") + value[at + 1:]


class Handler(http.server.BaseHTTPRequestHandler):
    """One connection; subclasses have handle_one(body)."""

    protocol_version = "HTTP/1.1"

    def _any(self):
        size = int(self.headers.get("Content-Length") or 0)
        self.handle_one(self.rfile.read(size) if size else b"")

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _any

    def reply(self, status, headers=None, body=b"", whole=True):
        self.send_response_only(status)
        headers = {name: value for name, value in (headers or {}).items() if not (whole and name.lower() == "content-length" and self.command != "HEAD")}
        for name, value in headers.items():
            self.send_header(name, value)
        if whole and self.command != "HEAD":
            self.send_header("Content-Length", str(len(body)))
        with contextlib.suppress(OSError):  # the client may have given up
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

    def hang_up(self):
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.wfile.flush()
            self.connection.shutdown(2)

    def log_message(self, *_):
        pass

