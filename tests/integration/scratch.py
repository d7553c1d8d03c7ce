"""A folder of a test's own, and what runs in it."""

import atexit
import os
import pathlib
import shutil
import subprocess
import tempfile

# Waits for the end of its input, which is the end of the test. Whatever has its working folder there is the test's.
KEEPER = """
read -r _
left=yes
while [ "$left" ] || [ -e "$1" ]; do
  left=
  for process in /proc/[0-9]*; do
    case "$(readlink "$process/cwd")" in
      "$1"/*) kill -KILL "${process#/proc/}"; left=yes ;;
    esac
  done
  cd "$1" && eval "$2"
  cd /
  rm -rf "$1"
done
"""


class Scratch:
    """Everybody may pass through it, unlike pytest's own folders. When it is closed or the test ends, be it by a SIGKILL,
    all processes that work in it are killed, `last`, a shell command, runs there, and it is removed."""

    def __init__(self, name, owner=None, last=":"):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix=f"config-center-test-{name}-", dir=place()))
        self._keeper = subprocess.Popen(["sh", "-c", KEEPER, "keeper", str(self.path), last], cwd="/", start_new_session=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.path.chmod(0o711)
        if owner:
            os.chown(self.path, owner.pw_uid, owner.pw_gid)
        atexit.register(self.close)

    def close(self):
        atexit.unregister(self.close)
        self._keeper.communicate()


def place():
    """In memory where that has room: a database is a thousand files, and the disk is busy with other tests. A bench, which
    measures the disk too, says where with CONFIG_CENTER_TEST_SCRATCH."""
    if chosen := os.environ.get("CONFIG_CENTER_TEST_SCRATCH"):
        return chosen
    memory = "/dev/shm"
    return memory if os.path.isdir(memory) and shutil.disk_usage(memory).free > 2 << 30 else "/tmp"
