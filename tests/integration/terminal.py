"""The binary on a terminal."""

import fcntl
import os
import pty
import select
import subprocess
import termios

from node import BINARY, PATIENCE, wait_until


class Terminal:
    """The command line on a terminal of its own."""

    def __init__(self, cli, *arguments, leader=()):
        self.master, self.slave = pty.openpty()
        self.process = subprocess.Popen([*leader, BINARY, *arguments], stdin=self.slave, stdout=self.slave, stderr=self.slave,
                                        env=cli.environment(), cwd=cli.home, start_new_session=True,
                                        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        self.shown = ""

    def read_until(self, true):
        def look():
            if select.select([self.master], [], [], 0.05)[0]:
                self.shown += os.read(self.master, 4096).decode(errors="replace")
            return true(self.shown)
        wait_until(look, "it is shown", 60)
        return self.shown

    def type(self, text):
        os.write(self.master, text.encode())

    def echoes(self):
        return bool(termios.tcgetattr(self.slave)[3] & termios.ECHO)

    def end(self):
        status = self.process.wait(60 * PATIENCE)
        while select.select([self.master], [], [], 0)[0]:
            self.shown += os.read(self.master, 4096).decode(errors="replace")
        os.close(self.slave)
        os.close(self.master)
        return status
