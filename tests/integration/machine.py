"""What a machine permits, and what a test does where it does not."""

import os
import subprocess

import pytest

# Without iproute2: SIOCSIFFLAGS on lo.
LOOPBACK_UP = ("import fcntl, socket, struct; "
               "fcntl.ioctl(socket.socket(), 0x8914, struct.pack('16sh', b'lo', 1))")


def cannot(reason):
    """Skips the test; in CI, where nobody would notice, that is a failure."""
    if os.environ.get("CI"):
        pytest.fail(f"a test that must run in CI cannot run here: {reason}")
    pytest.skip(reason)


def in_own_network(*command):
    """The command in a network of its own, in which every port is free."""
    for unshare in (["unshare", "-n"], ["unshare", "-rn"]):  # as root; as anybody, where the kernel lets them
        if subprocess.run([*unshare, "true"], capture_output=True).returncode == 0:
            return [*unshare, "sh", "-c", f'/usr/bin/python3 -c "{LOOPBACK_UP}" && exec "$@"', "sh", *command]
    cannot("this machine does not permit a network of its own (unshare -rn), and the ports of the test may be taken")
