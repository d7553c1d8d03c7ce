"""The README's three nodes: every command of it, pasted as it stands, works; and so does the load balancer of the example.

The session runs in a network of its own, where the example's ports are free, in a copy of the example's folder."""

import os
import re
import shutil

import pytest

import pasted
from machine import cannot

EXAMPLE = "examples/three-nodes"


def run(script, folder):
    """The script in a copy of the example."""
    shutil.copytree(pasted.ROOT / EXAMPLE, folder / EXAMPLE)
    status, output = pasted.run(folder, script, at=folder, path="/usr/sbin:")
    logs = "\n".join(f"{log}:\n{log.read_text()[-3000:]}" for log in sorted((folder / EXAMPLE).glob("*.log")))
    assert status == 0, f"it ends with status {status}:\n{output[-6000:]}\n{logs}"
    return output


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_the_three_nodes_of_the_readme_work_as_written(tmp_path, name):
    blocks = pasted.blocks(name, "three nodes")
    assert len(blocks) == 4
    output = run("\n".join(blocks), tmp_path)
    assert output.count("greeting: hello") == 3 and output.count("greeting: still here") == 3


def test_the_load_balancer_of_the_example_is_valid_and_restarting_all_nodes_behind_it_fails_no_request(tmp_path):
    if shutil.which("haproxy", path=f"{os.environ['PATH']}:/usr/sbin") is None:
        cannot("haproxy is not installed")
    start, publish = pasted.blocks("README.md", "three nodes")[:2]
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
