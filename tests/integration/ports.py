"""Ports of 127.0.0.1 that stay a test's own, also while nothing listens there."""

import random
import socket


class Ports:
    """Those that were taken are its own for as long as there is this, or until it is closed."""

    def __init__(self):
        self._locks = []  # the system takes them back when the test ends, however that is

    def take(self):
        """Free, none that the system gives to a connection, and none that another test has got here."""
        while True:
            port = random.randrange(15000, 32000)
            lock = socket.socket(socket.AF_UNIX)
            try:
                lock.bind(f"\0config-center test, port {port}")
            except OSError:
                lock.close()
                continue
            self._locks.append(lock)
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if probe.connect_ex(("127.0.0.1", port)) != 0:
                    return port

    def close(self):
        while self._locks:
            self._locks.pop().close()

    __del__ = close
