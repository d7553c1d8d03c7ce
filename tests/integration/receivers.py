"""Who is told of alerts: an endpoint for HTTP, which takes what webhooks, Slack and PagerDuty are sent, and a mail server.
Both keep all that arrives."""

import email
import email.policy
import http.server
import json
import socketserver
import threading

from node import wait_until


class _Serving:
    """A server of socketserver's on a free port of 127.0.0.1, on a thread of its own, with what it got in `received`."""

    def __init__(self, server_class, handler):
        self.received = []
        self._server = server_class(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._server.received = self.received
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    @property
    def address(self):
        return "127.0.0.1:%d" % self._server.server_address[1]

    def wait_for(self, fits, what, seconds=60):
        """The first that fits."""
        return wait_until(lambda: next(filter(fits, list(self.received)), None), what, seconds)

    def close(self):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class Endpoint(_Serving):
    """`received`: pairs of a path and the JSON that was posted to it. As long as `status` is none of 200, it refuses."""

    def __init__(self):
        super().__init__(http.server.ThreadingHTTPServer, _Posted)
        self.status = 200

    @property
    def status(self):
        return self._server.status

    @status.setter
    def status(self, status):
        self._server.status = status

    @property
    def url(self):
        return f"http://{self.address}"

    def at(self, path):
        return [body for each, body in list(self.received) if each == path]

    def wait_at(self, path, fits, what, seconds=60):
        return self.wait_for(lambda each: each[0] == path and fits(each[1]), what, seconds)[1]


class _Posted(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.server.status == 200:
            self.server.received.append((self.path, body))
        answer = b"ok"
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


class MailServer(_Serving):
    """`received`: messages as email has them."""

    def __init__(self):
        super().__init__(socketserver.ThreadingTCPServer, _Mail)


class _Mail(socketserver.StreamRequestHandler):
    def handle(self):
        self._say("220 test")
        for line in self.rfile:
            word = line.split()[0].upper() if line.split() else b""
            if word == b"DATA":
                self._say("354 go on")
                self.server.received.append(email.message_from_bytes(self._message(), policy=email.policy.default))
                self._say("250 taken")
            elif word == b"QUIT":
                return self._say("221 bye")
            else:
                self._say("250 ok")

    def _say(self, text):
        self.wfile.write(text.encode() + b"\r\n")

    def _message(self):
        lines = []
        for line in self.rfile:
            if line == b".\r\n":
                break
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        return b"".join(lines)
