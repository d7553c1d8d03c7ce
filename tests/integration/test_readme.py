"""The README's tour: every command of it, pasted as it stands, works.

The tour is what stands between <!-- tour --> and <!-- /tour -->: the ```sh blocks in it, in order, as one bash session
that stops at the first command that fails. The session has the binary's folder in PATH, a home and a data folder of its
own, the repository as its folder, and a network of its own, in which a node of somebody else runs already on the
default ports, as script/server leaves one."""

import os
import pathlib
import re
import signal
import subprocess

import pytest

from machine import in_own_network
from node import BINARY, PATIENCE, environment

ROOT = pathlib.Path(__file__).parent.parent.parent
SOMEBODY_ELSE = ('DATA_DIR="$HOME/elsewhere" config-center serve > "$HOME/elsewhere.log" 2>&1 & somebody=$!\n'
                 'until curl -fs http://127.0.0.1:8848/readyz > /dev/null; do kill -0 $somebody; sleep 0.1; done\n'
                 'disown $somebody\n')


def tour(name):
    text = (ROOT / name).read_text()
    parts = re.findall(r"<!-- tour -->(.*?)<!-- /tour -->", text, re.S)
    assert parts, f"{name} has no tour"
    return [block for part in parts for block in re.findall(r"^```sh\n(.*?)^```$", part, re.S | re.M)]


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md", "docs/cli.md", "docs/cli.zh-CN.md"])
def test_the_tour_works_as_written_while_another_node_runs(tmp_path, name):
    blocks = tour(name)
    assert len(blocks) >= 3
    script = tmp_path / "tour"
    script.write_text("set -eEuo pipefail\ntrap 'echo \"failed: $BASH_COMMAND\"' ERR\n" + SOMEBODY_ELSE
                      + "trap 'kill $somebody $(jobs -p) 2>/dev/null || true; wait' EXIT\n" + "\n".join(blocks)
                      + "\nkill -0 $somebody  # it was left alone\n")
    variables = environment(tmp_path, TMPDIR=str(tmp_path))
    variables["PATH"] = f"{os.path.dirname(BINARY)}:{variables['PATH']}"
    session = subprocess.Popen(in_own_network("bash", script), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, cwd=ROOT, env=variables, text=True, start_new_session=True)
    try:
        output, _ = session.communicate(timeout=120 * PATIENCE)
    finally:
        try:
            os.killpg(session.pid, signal.SIGKILL)  # whatever a failed tour left running
        except ProcessLookupError:
            pass
    assert session.returncode == 0, f"the tour ends with status {session.returncode}:\n{output[-6000:]}"
