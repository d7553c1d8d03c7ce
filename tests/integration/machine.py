"""What a machine permits, and what a test does where it does not."""

import contextlib
import errno
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


@contextlib.contextmanager
def mounted_disk(folder, size):
    """A file system of its own, in memory, in a folder that this makes."""
    folder.mkdir(parents=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)], capture_output=True, text=True)
    if mounted.returncode != 0:
        cannot(f"mounting a small disk is not permitted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder, leave=0):
    """Takes all room but `leave` bytes. Returns the file that holds it."""
    filler = folder / "filler"
    with open(filler, "wb", buffering=0) as file:
        while (free := os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize) > leave + 4096:
            try:
                os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), free - leave)
            except OSError as error:  # the node writes, too: look again how much there is
                if error.errno != errno.ENOSPC:
                    raise
        if leave == 0:
            try:
                while True:
                    file.seek(0, os.SEEK_END)
                    file.write(b"x" * 4096)
            except OSError:
                pass
    return filler
