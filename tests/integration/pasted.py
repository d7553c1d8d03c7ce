"""What the pages say is typed, pasted into a shell as it stands."""

import os
import pathlib
import re
import signal
import subprocess

from machine import in_own_network
from node import BINARY, PATIENCE, environment

ROOT = pathlib.Path(__file__).parent.parent.parent


def blocks(page, name):
    """The ```sh blocks between <!-- name --> and <!-- /name -->, in their order."""
    parts = re.findall(f"<!-- {name} -->(.*?)<!-- /{name} -->", (ROOT / page).read_text(), re.S)
    assert parts, f"{page} has nothing between <!-- {name} --> and <!-- /{name} -->"
    return [block for part in parts for block in re.findall(r"^```sh\n(.*?)^```$", part, re.S | re.M)]


def run(folder, script, *, at, before="", own="", path=""):
    """(status, output) of one bash session in the folder `at` that stops at the first command that fails. It has a home
    and temporary files in `folder`, the binary's folder in PATH (and `path`), and a network of its own. `before` comes
    first; processes that it started, `own`, are ended with the session, like its jobs."""
    file = folder / "script"
    file.write_text("set -eEuo pipefail\ntrap 'echo \"failed: $BASH_COMMAND\"' ERR\n" + before
                    + f"trap 'kill {own} $(jobs -p) 2>/dev/null || true; wait' EXIT\n" + script)
    variables = environment(folder, TMPDIR=str(folder))
    variables["PATH"] = f"{os.path.dirname(BINARY)}:{path}{variables['PATH']}"
    session = subprocess.Popen(in_own_network("bash", file), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, cwd=at, env=variables, text=True, start_new_session=True)
    try:
        output, _ = session.communicate(timeout=120 * PATIENCE)
    except subprocess.TimeoutExpired as late:
        logs = "".join(f"\n--- {log}:\n{log.read_text(errors='replace')[-3000:]}" for log in sorted(folder.rglob("*.log")))
        raise AssertionError(f"not at its end after {late.timeout} s; so far:\n{(late.stdout or b'').decode()}{logs}") from late
    finally:
        try:
            os.killpg(session.pid, signal.SIGKILL)  # whatever a failed session left running
        except ProcessLookupError:
            pass
    return session.returncode, output
