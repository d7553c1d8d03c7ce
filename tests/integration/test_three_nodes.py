"""The README's three nodes: every command of it, pasted as it stands, works; and so does the load balancer of the example.

The session runs in a network of its own, where the example's ports are free, in a copy of the example's folder."""

import os
import pathlib
import re
import shutil
import signal
import subprocess

import pytest

from machine import cannot, in_own_network
from node import BINARY, PATIENCE, environment

ROOT = pathlib.Path(__file__).parent.parent.parent
EXAMPLE = "examples/three-nodes"


def blocks_of(name):
    parts = re.findall(r"<!-- three nodes -->(.*?)<!-- /three nodes -->", (ROOT / name).read_text(), re.S)
    assert parts, f"{name} has no three nodes"
    return [block for part in parts for block in re.findall(r"^```sh\n(.*?)^```$", part, re.S | re.M)]


def run(script, folder):
    """The script as one bash session in a copy of the example, which stops at the first command that fails."""
    shutil.copytree(ROOT / EXAMPLE, folder / EXAMPLE)
    (folder / "script").write_text("set -eEuo pipefail\ntrap 'echo \"failed: $BASH_COMMAND\"' ERR\n"
                                   "trap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT\n" + script)
    variables = environment(folder, TMPDIR=str(folder))
    variables["PATH"] = f"{os.path.dirname(BINARY)}:/usr/sbin:{variables['PATH']}"
    session = subprocess.Popen(in_own_network("bash", folder / "script"), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, cwd=folder, env=variables, text=True, start_new_session=True)
    try:
        output, _ = session.communicate(timeout=120 * PATIENCE)
    finally:
        try:
            os.killpg(session.pid, signal.SIGKILL)  # whatever a failed session left running
        except ProcessLookupError:
            pass
    logs = "\n".join(f"{log}:\n{log.read_text()[-3000:]}" for log in sorted((folder / EXAMPLE).glob("*.log")))
    assert session.returncode == 0, f"it ends with status {session.returncode}:\n{output[-6000:]}\n{logs}"
    return output


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_the_three_nodes_of_the_readme_work_as_written(tmp_path, name):
    blocks = blocks_of(name)
    assert len(blocks) == 4
    output = run("\n".join(blocks), tmp_path)
    assert output.count("greeting: hello") == 3 and output.count("greeting: still here") == 3


def test_the_load_balancer_of_the_example_is_valid_and_restarting_all_nodes_behind_it_fails_no_request(tmp_path):
    if shutil.which("haproxy", path=f"{os.environ['PATH']}:/usr/sbin") is None:
        cannot("haproxy is not installed")
    start, publish = blocks_of("README.md")[:2]
    output = run(start + publish + r"""
haproxy -c -f haproxy.cfg
haproxy -f haproxy.cfg > haproxy.log 2>&1 & haproxy=$!
front=http://127.0.0.1:8800
until curl -fs $front/readyz > /dev/null; do kill -0 $haproxy; sleep 0.1; done

# Writes and reads without a pause, each of which must succeed, until the file is gone.
touch working
keep() { what=$1; shift; n=0; while [ -e working ]; do "$@" > "$what.last" 2>&1 || { cat "$what.last"; echo "$what $n failed"; return 1; }; n=$((n + 1)); done; echo "$what: $n"; }
LOGIN="$(jq -n --arg password "$(cat data/*/admin-password)" '{username: "admin", $password}')"
TOKEN="$(curl -fsS -H 'Content-Type: application/json' -d "$LOGIN" $front/v1/login | jq -r .token)"
write() { date +%N | curl -fsS -X PUT -H "Authorization: Bearer $TOKEN" --data-binary @- $front/v1/configs/dev/shop/default/busy.txt; }
read_it() { curl -fsS -H "Authorization: Bearer $KEY" $front/v1/configs/dev/shop/default/application.yaml; }
keep writes write > writes 2>&1 & writes=$!
keep reads read_it > reads 2>&1 & reads=$!

restart() {  # number, process: stops it cleanly, starts it, waits until the load balancer has it back
  kill "$2"; wait "$2"
  config-center serve --config "node$1.yaml" >> "node$1.log" 2>&1 & restarted=$!
  until curl -fs "http://127.0.0.1:$((8838 + 10 * $1))/readyz" > /dev/null; do sleep 0.1; done
  until curl -fs http://127.0.0.1:8801/metrics | grep -q "haproxy_server_status{proxy=\"nodes\",server=\"node$1\",state=\"UP\"} 1"; do sleep 0.1; done
}
restart 1 $node1; node1=$restarted
restart 2 $node2; node2=$restarted
restart 3 $node3; node3=$restarted
rm working
wait $writes || { cat writes; exit 1; }
wait $reads || { cat reads; exit 1; }
cat writes reads
""", tmp_path)
    done = dict(re.findall(r"^(writes|reads): (\d+)$", output, re.M))
    assert int(done["writes"]) > 10 and int(done["reads"]) > 10
