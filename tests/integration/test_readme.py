"""The README's tour: every command of it, pasted as it stands, works.

The tour is what stands between <!-- tour --> and <!-- /tour -->: the ```sh blocks in it, in order, as one bash session
that stops at the first command that fails. The session has the binary's folder in PATH, a home and a data folder of its
own, the repository as its folder, and where the machine permits a network of its own, so that default ports are free."""

import os
import pathlib
import re
import signal
import subprocess

import pytest

from node import BINARY, PATIENCE, environment

ROOT = pathlib.Path(__file__).parent.parent.parent
LOOPBACK_UP = "import fcntl, socket, struct; fcntl.ioctl(socket.socket(), 0x8914, struct.pack('16sh', b'lo', 1))"


def tour(name):
    text = (ROOT / name).read_text()
    parts = re.findall(r"<!-- tour -->(.*?)<!-- /tour -->", text, re.S)
    assert parts, f"{name} has no tour"
    return [block for part in parts for block in re.findall(r"^```sh\n(.*?)^```$", part, re.S | re.M)]


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md", "docs/cli.md"])
def test_the_tour_works_as_written(tmp_path, name):
    if not (ROOT / name).exists():
        pytest.skip(f"there is no {name} yet")
    if subprocess.run(["unshare", "-n", "true"], capture_output=True).returncode != 0:
        pytest.skip("this machine does not permit a network of its own (unshare -n), and the default ports may be taken")
    blocks = tour(name)
    assert len(blocks) >= 3
    script = tmp_path / "tour"
    script.write_text("set -eEuo pipefail\ntrap 'echo \"failed: $BASH_COMMAND\"' ERR\ntrap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT\n"
                      + "\n".join(blocks))
    variables = environment(tmp_path, DATA_DIR=str(tmp_path / "data"), TMPDIR=str(tmp_path))
    variables["PATH"] = f"{os.path.dirname(BINARY)}:{variables['PATH']}"
    session = subprocess.Popen(["unshare", "-n", "bash", "-c", f'/usr/bin/python3 -c "{LOOPBACK_UP}" && exec bash {script}'],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=ROOT, env=variables,
                               text=True, start_new_session=True)
    try:
        output, _ = session.communicate(timeout=120 * PATIENCE)
    finally:
        try:
            os.killpg(session.pid, signal.SIGKILL)  # whatever a failed tour left running
        except ProcessLookupError:
            pass
    assert session.returncode == 0, f"the tour ends with status {session.returncode}:\n{output[-6000:]}"
