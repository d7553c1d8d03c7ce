"""What goes on beside a test or a load."""

import threading


class Meanwhile:
    """Does it again and again until the end of the block, with so many seconds between."""

    def __init__(self, between, does):
        self._between, self._does, self._ended = between, does, threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()

    def __exit__(self, *_):
        self._ended.set()
        self._thread.join()

    def _run(self):
        while not self._ended.wait(self._between):
            self._does()
