"""The binary as a command line."""

import json
import subprocess

from node import BINARY, PATIENCE, environment


class Command:
    """command("get", key) runs it to its end; the exit status must be `expect`."""

    def __init__(self, home, node=None, **variables):
        home.mkdir(parents=True, exist_ok=True)
        self.home, self.node, self.variables = home, node, variables

    def environment(self):
        server = {"CONFIG_CENTER_SERVER": self.node.url} if self.node is not None else {}
        return environment(self.home, **server, **self.variables)

    def __call__(self, *arguments, expect=0, input=None, binary=False, cwd=None, timeout=60):
        done = subprocess.run([BINARY, *map(str, arguments)], input=input.encode() if isinstance(input, str) else input,
                              stdin=subprocess.DEVNULL if input is None else None, capture_output=True, cwd=cwd or self.home,
                              env=self.environment(), timeout=timeout * PATIENCE)
        assert done.returncode == expect, (f"config-center {' '.join(map(str, arguments))}: exit status "
                                           f"{done.returncode}, not {expect}\n{done.stdout.decode(errors='replace')}\n"
                                           f"{done.stderr.decode(errors='replace')}")
        if not binary:
            done.stdout, done.stderr = done.stdout.decode(), done.stderr.decode()
        return done

    def json(self, *arguments, **more):
        return json.loads(self(*arguments, "-o", "json", **more).stdout)

    def start(self, *arguments, **more):
        """Runs on; the caller waits for it or ends it."""
        return subprocess.Popen([BINARY, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, cwd=self.home, env=self.environment(), text=True, **more)
