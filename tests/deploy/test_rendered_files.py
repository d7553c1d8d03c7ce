"""The programs that the files of load balancers and nodes are for take them, and do with them what they are meant to."""

import os
import pathlib
import re
import shutil
import subprocess

import pytest

import golden
import pasted
from machine import cannot
from node import BINARY, environment

UNIT = "/etc/systemd/system/config-center.service"
INSTALLED = "/opt/config-center/current/bin/config-center"


def need(program):
    found = shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    return found or cannot(f"{program} is not installed (script/bootstrap)")


def output_of(*command, **more):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, **more)
    assert done.returncode == 0, f"{command} ends with status {done.returncode}:\n{done.stdout}"
    return done.stdout


def node_files(host, folder):
    """The settings of a node and its secrets in a folder, with paths that lead there. Returns the settings file."""
    for file in golden.files("app", host):
        at = folder / file.path.lstrip("/")
        at.parent.mkdir(parents=True, exist_ok=True)
        text = file.here.read_text().replace("/etc/config-center", f"{folder}/etc/config-center")
        at.write_text(text.replace("data_dir: /var/lib/config-center", f"data_dir: {folder}/data"))
        at.chmod(file.mode)
    return folder / "etc/config-center/config.yaml"


@pytest.mark.parametrize("file", golden.files(), ids=str)
def test_files_with_secrets_are_for_one_user_alone(file):
    # As the secrets of tests are called, in src/deploy/test_installation.cc.
    if "secrets/" in file.path or re.search(r"\w+OfTests|vrrpPass", file.here.read_text()):
        assert file.mode & 0o007 == 0, "everybody may read it"


# --- load balancers ---

@pytest.mark.parametrize("file", golden.named("/etc/haproxy/haproxy.cfg"), ids=str)
def test_haproxy_takes_its_configuration_without_a_warning(file):
    output = output_of(need("haproxy"), *file.validator.replace("{}", str(file.here)).split()[1:])
    assert "WARNING" not in output, output


@pytest.mark.parametrize("file", golden.named("/etc/keepalived/keepalived.conf"), ids=str)
def test_keepalived_takes_its_configuration(file, tmp_path):
    """With the interface that it names, and the check script at its place, which it looks at."""
    need("keepalived")
    script = next(each for each in golden.files("load_balancer", file.host) if each.path.endswith("/check_haproxy"))
    status, output = pasted.run(tmp_path, f"""
unshare -m bash -e <<'END'
mount --make-rprivate /
mount -t tmpfs -o mode=755 none /usr/libexec
install -D -m {script.mode:o} {script.here} {script.path}
ip link add eth0 type veth peer name other
install -m {file.mode:o} {file.here} {tmp_path}/keepalived.conf
{file.validator.replace("{}", f"{tmp_path}/keepalived.conf")}
END
""", at=tmp_path, path="/usr/sbin:/sbin:")
    if "not permitted" in output or "permission denied" in output:
        cannot(f"a network and mounts of its own are not permitted here: {output.strip()}")
    assert status == 0 and "warn" not in output.lower() and "disabl" not in output.lower(), output


@pytest.mark.parametrize("name", ["haproxy", "keepalived"])
def test_systemd_takes_what_is_added_to_the_services_of_the_packages(name, tmp_path):
    need(name), need("systemd-analyze")
    service = next((path for folder in ("/lib/systemd/system", "/usr/lib/systemd/system")
                    if (path := pathlib.Path(folder, f"{name}.service")).exists()), None) or cannot(f"no {name}.service")
    shutil.copy(service, tmp_path)
    for file in golden.named(f"/etc/systemd/system/{name}.service.d/config-center.conf")[:1]:
        (tmp_path / f"{name}.service.d").mkdir()
        shutil.copy(file.here, tmp_path / f"{name}.service.d")
    output = output_of("systemd-analyze", "verify", f"{name}.service", env={**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:"})
    assert "config-center.conf" not in output, output


# --- nodes ---

@pytest.fixture
def unit(tmp_path):
    """The unit, with a binary that is there."""
    need("systemd-analyze")
    file = golden.named(UNIT)[0]
    unit = tmp_path / pathlib.Path(file.path).name
    assert INSTALLED in file.here.read_text()
    unit.write_text(file.here.read_text().replace(INSTALLED, BINARY))
    return unit


def test_systemd_takes_the_unit_of_a_node(unit):
    assert output_of("systemd-analyze", "verify", unit) == ""


def test_a_node_is_confined_to_what_it_needs(unit):
    output_of("systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager", unit)


@pytest.mark.parametrize("file", golden.named("/etc/config-center/config.yaml"), ids=str)
def test_a_node_takes_its_settings(file, tmp_path):
    settings = node_files(file.host, tmp_path)
    command = file.validator.replace("{}", str(settings)).split()
    assert command[0] == INSTALLED
    output_of(BINARY, *command[1:], env=environment(tmp_path), cwd=tmp_path)


def test_every_secret_of_a_node_is_known_to_be_one():
    """So that none of them, given in the topology, is written into the settings file, which plans show."""
    import json
    secret = {each["name"] for each in json.loads(output_of(BINARY, "config", "reference", "-o", "json")) if each["secret"]}
    source = (pasted.ROOT / "src/deploy/app.cc").read_text()
    known = set(re.findall(r'"([\w.]+)"', re.search(r"kSecretSettings = \{(.*?)\};", source, re.S)[1]))
    assert known == secret


# --- both together ---

def test_three_nodes_and_a_load_balancer_run_with_their_files(tmp_path):
    """All of them on one machine, which has the addresses of all: database and cache are not there, and not missed."""
    haproxy_cfg = golden.named("/etc/haproxy/haproxy.cfg")[0]
    need("haproxy")
    text = haproxy_cfg.here.read_text().replace("/run/haproxy/admin.sock", f"{tmp_path}/admin.sock")
    (tmp_path / "haproxy.cfg").write_text(re.sub(r"^    (user|group) haproxy\n", "", text, flags=re.M))
    check = next(file.here for file in golden.files("load_balancer", "lb1") if file.path.endswith("/check_haproxy")).read_text()
    assert "/var/lib/prometheus/node-exporter" in check
    (tmp_path / "exported").mkdir()
    (tmp_path / "check_haproxy").write_text(check.replace("/var/lib/prometheus/node-exporter", f"{tmp_path}/exported"))
    for number in (1, 2, 3):
        settings = node_files(f"app{number}", tmp_path / f"app{number}")
        text = settings.read_text()
        assert "host: 0.0.0.0\n" in text
        settings.write_text(text.replace("host: 0.0.0.0\n", f"host: 10.0.0.2{number}\n"))
    status, output = pasted.run(tmp_path, f"binary={BINARY}\n" + r"""
ulimit -n "$(ulimit -Hn)"
for address in 10 11 12 21 22 23; do ip address add "10.0.0.$address/32" dev lo; done
start() { "$binary" serve --config "app$1/etc/config-center/config.yaml" >> "app$1.log" 2>&1 & eval "app$1=$!"; }
start 1; start 2; start 3
if bash check_haproxy 2> /dev/null; then exit 1; fi
running() { for each in $app1 $app2 $app3 $haproxy; do kill -0 $each; done; }
haproxy -f haproxy.cfg > haproxy.log 2>&1 & haproxy=$!
front=http://10.0.0.10
until bash check_haproxy 2> /dev/null; do kill -0 $haproxy; sleep 0.1; done
held() { (umask 077; bash check_haproxy) && test "$(stat -c %a exported/config-center.prom)" = 644 && grep -x "config_center_virtual_address_held{address=\"10.0.0.10\"} $1" exported/config-center.prom; }
held 1
ip address delete 10.0.0.10/32 dev lo; held 0; ip address add 10.0.0.10/32 dev lo; held 1

status() { curl -fs http://10.0.0.11:8404/metrics | grep "haproxy_server_status{proxy=\"nodes\",server=\"$1\",state=\"$2\"} 1" > /dev/null; }
for node in app1 app2 app3; do until status $node UP; do running; sleep 0.1; done; done
test "$(curl -s -o /dev/null -w '%{http_code}' http://10.0.0.11:8404/stats)" = 401
curl -fs -u admin:statisticsPasswordOfTests http://10.0.0.11:8404/stats | grep app2 > /dev/null
curl -fs http://10.0.0.21:8849/metrics > app1.metrics

password="$(cat app*/data/admin-password)"
login() { jq -n --arg password "$1" '{username: "admin", $password}' | curl -sS -H 'Content-Type: application/json' -d @- -w '%{http_code}' -o answer $front/v1/login; }
test "$(login "$password")" = 200
token="$(jq -r .token answer)"
write() { date +%N | curl -fsS -X PUT -H "Authorization: Bearer $token" --data-binary @- $front/v1/configs/dev/shop/default/busy.txt; }
read_it() { curl -fsS -H "Authorization: Bearer $token" $front/v1/configs/dev/shop/default/busy.txt"$1"; }
write > first
revision="$(jq .revision first)"

# A node that is taken out ends none of the requests that it has.
set_nodes() { for i in 1 2 3; do python3 -c "
import socket
with socket.socket(socket.AF_UNIX) as s:
    s.connect('admin.sock')
    s.sendall(b'set server nodes/app$i state $1\n')
    assert s.recv(99) == b'\n'"; done; }
for i in 1 2 3 4 5 6; do read_it "?after=$revision&wait=5m" > "poll$i" & polls+=($!); done
waiting() { curl -fs http://10.0.0.11:8404/metrics | awk '/^haproxy_server_current_sessions/ { n += $NF } END { print n }'; }
until [ "$(waiting)" -ge 6 ]; do sleep 0.1; done
set_nodes drain
test "$(curl -s -o /dev/null -w '%{http_code}' $front/readyz)" = 503
set_nodes ready
test "$(waiting)" = 6
write > second
for poll in "${polls[@]}"; do wait "$poll"; done
for i in 1 2 3 4 5 6; do test -s "poll$i"; done

# All are restarted, one after the other, and nobody notices.
touch working
keep() { what=$1; shift; n=0; while [ -e working ]; do "$@" > "$what.last" 2>&1 || { cat "$what.last"; echo "$what $n failed"; return 1; }; n=$((n + 1)); done; echo "$what: $n"; }
keep writes write > writes 2>&1 & writes=$!
keep reads read_it "" > reads 2>&1 & reads=$!
for i in 1 2 3; do
  process="app$i"; process="${!process}"
  kill "$process"; wait "$process"
  start $i
  until status app$i UP; do sleep 0.1; done
done
rm working
wait $writes || { cat writes; exit 1; }
wait $reads || { cat reads; exit 1; }
cat writes reads

# Who guesses passwords is kept out by the load balancer, and goes on with the token that he has.
for i in $(seq 12); do jq -n '{username: "nobody", password: "wrong"}' | curl -sS -H 'Content-Type: application/json' -d @- -o /dev/null $front/v1/login; done
test "$(login "$password")" = 429
read_it "" > /dev/null
kill $app1 $app2 $app3; wait $app1 $app2 $app3
until test "$(curl -s -o /dev/null -w '%{http_code}' $front/readyz)" = 503; do sleep 0.1; done
bash check_haproxy     # without nodes it is well itself
""", at=tmp_path, path="/usr/sbin:/sbin:")
    if "ip: " in output or "RTNETLINK" in output:
        cannot(f"a network with addresses of its own is not permitted here: {output.strip()}")
    logs = "\n".join(f"{log}:\n{log.read_text()[-2000:]}" for log in sorted(tmp_path.glob("*.log")))
    assert status == 0, f"it ends with status {status}:\n{output[-6000:]}\n{logs}"
