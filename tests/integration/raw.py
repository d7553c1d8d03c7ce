"""HTTP/1.1 byte by byte, for requests that no client library would send."""

import ctypes
import ctypes.util
import socket
import ssl

from node import PATIENCE, wait_until


class Closed(Exception):
    """The server closed the connection before the answer was whole."""


class Raw:
    def __init__(self, node, tls=None, timeout=30, receive_buffer=None, server_hostname="localhost"):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout * PATIENCE)
        self.socket.connect(("127.0.0.1", node.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_hostname=server_hostname)
        self._buffer = b""

    def send(self, data):
        try:
            self.socket.sendall(data.encode() if isinstance(data, str) else data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # an answer may have come before the end
        return self

    def _fill(self):
        try:
            data = self.socket.recv(65536)
        except (ConnectionResetError, ssl.SSLError) as error:
            raise Closed(str(error)) from None
        if not data:
            raise Closed(f"closed, after {self._buffer[:200]!r}")
        self._buffer += data

    def _until(self, mark):
        while mark not in self._buffer:
            self._fill()
        before, self._buffer = self._buffer.split(mark, 1)
        return before

    def _exactly(self, count):
        while len(self._buffer) < count:
            self._fill()
        data, self._buffer = self._buffer[:count], self._buffer[count:]
        return data

    def head(self):
        """(status, {name in lower case: value}) of the next answer."""
        lines = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        version, status, *_ = lines[0].split(" ", 2)
        assert version == "HTTP/1.1", lines[0]
        headers = {}
        for line in lines[1:]:
            name, value = line.split(":", 1)
            headers[name.lower()] = value.strip()
        return int(status), headers

    def answer(self, method="GET"):
        """(status, headers, body) of the next final answer."""
        status, headers = self.head()
        while status < 200:
            status, headers = self.head()
        if method == "HEAD" or status in (204, 304):
            return status, headers, b""
        if "chunked" in headers.get("transfer-encoding", ""):
            body = b""
            while size := int(self._until(b"\r\n").split(b";")[0], 16):
                body += self._exactly(size)
                assert self._exactly(2) == b"\r\n"
            while self._until(b"\r\n"):
                pass
            return status, headers, body
        return status, headers, self._exactly(int(headers["content-length"]))

    def closed(self):
        """Whether the server closes the connection (within the socket's timeout)."""
        try:
            while True:
                self._fill()
        except Closed:
            return True
        except TimeoutError:
            return False

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def connect_when_there_is_room(node):
    """A connection to a node that takes few: one that has ended may still be counted for a moment."""
    def attempt():
        raw = Raw(node)
        try:
            if raw.send(request("GET", "/livez")).answer()[0] == 200:
                return raw
        except Closed:
            pass
        raw.close()
        return None
    return wait_until(attempt, "there is room for a connection")


def request(method, target, token=None, body=None, **headers):
    """The bytes of one request."""
    lines = [f"{method} {target} HTTP/1.1", "Host: localhost"]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + (body or b"")


def unzstd(data):
    """Python has no Zstandard; the library that the server links is there."""
    library = ctypes.CDLL(ctypes.util.find_library("zstd") or "libzstd.so.1")
    library.ZSTD_getFrameContentSize.restype = ctypes.c_ulonglong
    library.ZSTD_decompress.restype = ctypes.c_size_t
    size = library.ZSTD_getFrameContentSize(data, ctypes.c_size_t(len(data)))
    size = size if size < 1 << 30 else 1 << 24  # unknown in the frame
    out = ctypes.create_string_buffer(size)
    got = library.ZSTD_decompress(out, ctypes.c_size_t(size), data, ctypes.c_size_t(len(data)))
    assert not library.ZSTD_isError(ctypes.c_size_t(got)), "not a Zstandard frame"
    return out.raw[:got]
