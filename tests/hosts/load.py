"""Clients that read and publish through the load balancer, over connections that they keep, and count what fails."""

import http.client
import json
import threading
import time


class Load:
    def __init__(self, address, password, port=80):
        self._address, self._port = address, port
        connection = self._connect()
        connection.request("POST", "/v1/login", json.dumps({"username": "admin", "password": password}), {"Content-Type": "application/json"})
        self._headers = {"Authorization": "Bearer " + json.loads(connection.getresponse().read())["token"]}
        for number in range(3):  # what is read is there, and stays
            connection.request("PUT", f"/v1/configs/dev/load/default/{number}.txt", b"begun", self._headers)
            connection.getresponse().read()
        self._stopping, self.failures, self.count, self.longest = threading.Event(), [], 0, 0.0
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._run, args=(number, kind)) for kind in ("GET", "PUT") for number in range(3)]

    def _connect(self):
        return http.client.HTTPConnection(self._address, self._port, timeout=30)

    def _run(self, number, method):
        connection, count = self._connect(), 0
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                headers = dict(self._headers, **{"X-Request-Id": f"load-{number}-{count}"})
                connection.request(method, f"/v1/configs/dev/load/default/{number}.txt", b"%d" % count if method == "PUT" else None, headers)
                answer = connection.getresponse()
                body = answer.read()
                failure = None if answer.status in (200, 201) else (answer.status, body[:200])
            except Exception as error:
                failure, connection = repr(error), self._connect()
            took = time.monotonic() - began
            with self._lock:
                self.count, self.longest = self.count + 1, max(self.longest, took)
                if failure:
                    self.failures.append((method, failure))
            count += 1
            time.sleep(0.01)

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        print(f"{self.count} requests, {len(self.failures)} failed; the longest took {self.longest:.2f} s", flush=True)
