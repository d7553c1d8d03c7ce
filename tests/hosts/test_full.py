"""The whole installation, from bare hosts to running, and what is done to it from then on. In this order."""

import stat
import subprocess
import time

import pytest

from installation import VIRTUAL, Installation
from load import Load

HOSTS = ["lb1", "lb2", "app1", "app2", "app3", "app4", "app5", "db1", "db2", "db3", "cache1", "cache2", "monitor1"]
COMPONENTS = f"""  load_balancer: {{hosts: [lb1, lb2], virtual_address: {VIRTUAL}/24, interface: eth0, router_id: 61}}
  app: {{hosts: [app1, app2, app3]}}
  database: {{primary: db1, replicas: [db2, db3]}}  # the archive
  cache: {{primary: cache1, replicas: [cache2], sentinels: [cache1, cache2, monitor1]}}
  prometheus: {{host: monitor1}}
  alertmanager: {{host: monitor1}}
  grafana: {{host: monitor1, package: PACKAGE}}
  exporters: {{}}
"""


@pytest.fixture(scope="module")
def shop(bed, packages, tmp_path_factory):
    it = Installation(bed, tmp_path_factory.mktemp("shop"), COMPONENTS.replace("PACKAGE", str(packages.grafana)))
    began = time.monotonic()
    it("deploy", "--package", packages.good, timeout=600)
    print(f"from bare hosts to verified: {time.monotonic() - began:.1f} s", flush=True)
    return it


@pytest.fixture
def load(shop):
    return lambda: Load(VIRTUAL, (shop.folder / "secrets" / "admin").read_text().strip())


def test_a_plan_afterwards_is_empty_and_a_second_deployment_does_nothing(shop):
    began = time.monotonic()
    assert shop.to_do() == []
    print(f"an empty plan: {time.monotonic() - began:.1f} s", flush=True)
    assert "nothing to do" in shop("deploy")
    assert shop.json("deployment", "show", "2")["steps"] == []


def test_it_works(shop):
    assert shop.json("verify")["passed"]
    assert all(service["ready"] for service in shop.json("status")["services"])


def test_secrets_are_the_operators_alone(shop):
    folder = shop.folder / "secrets"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in folder.iterdir())
    assert len(shop.secrets()) > 8
    for file in (shop.folder / "deployments").rglob("*.json"):
        shop.assert_tells_no_secret(file.read_text())
    shop("diagnose", "--output-file", shop.folder / "diagnosis.tar.gz")
    told = subprocess.run(["tar", "-xzOf", shop.folder / "diagnosis.tar.gz"], capture_output=True, text=True, check=True).stdout
    assert "config_center_revision" in told
    shop.assert_tells_no_secret(told)


def test_the_node_is_confined(shop):
    told = shop.bed.run("app1", "systemd-analyze security config-center | tail -1")
    assert float(told.split(":")[1].split()[0]) <= 2.0, told


def test_a_change_by_hand_is_shown_and_not_lost_unawares(shop):
    file = "/etc/haproxy/haproxy.cfg"
    shop.bed.run("lb1", f"echo '# by hand' >>{file}")
    [change] = shop.json("plan")["changes"]
    assert change["state"] == "changed by hand" and "-# by hand" in change["message"]
    assert f"lb1: file {file}" in shop("deploy", expect=1)
    assert "# by hand" in shop.bed.run("lb1", f"cat {file}")
    shop("deploy", "--overwrite")
    assert "# by hand" not in shop.bed.run("lb1", f"cat {file}")
    assert shop.to_do() == []


def test_one_operation_at_a_time(shop):
    restart = shop.start("restart", "--component", "exporters")
    assert restart.stdout.readline().startswith("done")
    refused = shop("restart", "--component", "exporters", expect=1)
    assert "restart" in refused and "deployment unlock" in refused
    broken = shop("deployment", "unlock", "--yes")
    output, _ = restart.communicate(timeout=120)
    assert "broke the lock of" in broken and restart.returncode == 0, output
    assert "no operation holds the lock" in shop("deployment", "unlock")


def test_settings_are_read_again_without_a_restart(shop):
    def since():
        return {name: shop.bed.run(host, f"systemctl show -P ExecMainStartTimestampMonotonic {name}")
                for host, name in (("lb1", "haproxy"), ("app1", "config-center"), ("db1", "postgresql@15-main"))}

    before = since()
    assert "done" in shop("reload")
    assert since() == before
    assert "read log level and TLS files again" in shop("logs", "--component", "app", "--host", "app1")


def test_what_only_a_start_reads_is_a_restart(shop):
    """HAProxy's limits are its unit's: a changed one is more than it reads again."""
    unit = "/etc/systemd/system/haproxy.service.d/config-center.conf"
    shop.bed.run("lb1", f"sed -i 's/^/# /' {unit}")
    shop.bed.run("lb1", "sed -i 's/-.*/-of-another-unit/' /var/lib/config-center-deployment/started/haproxy.service")
    assert {"host": "lb1", "message": "restart: what it runs with has changed"}.items() <= next(
        change for change in shop.json("plan")["changes"] if change["step"] == "service haproxy.service").items()
    shop("deploy", "--overwrite")
    assert shop.to_do() == []


def test_services_are_stopped_and_started_by_component_and_host(shop):
    shop("stop", "--component", "app", "--host", "app3", "--yes")
    services = shop.json("status", "--component", "app", expect=1)["services"]
    states = {service["host"]: service["ready"] for service in services}
    assert states == {"app1": True, "app2": True, "app3": False}
    shop("start")
    assert shop.json("verify")["passed"]


def test_an_upgrade_fails_no_request(shop, packages, load):
    with load() as clients:
        began = time.monotonic()
        shop("deploy", "--package", packages.other, "--no-verify")
        print(f"upgrade of three nodes: {time.monotonic() - began:.1f} s", flush=True)
    assert clients.failures == [] and clients.count > 100
    assert shop.json("verify")["passed"]


def test_an_upgrade_to_what_does_not_run_is_undone_and_fails_no_request(shop, packages, load):
    [before] = {release for _, release, result in shop.releases()[-1:]}
    with load() as clients:
        told = shop("deploy", "--package", packages.broken, expect=1)
    assert "this version is broken" in told and "was undone" in told
    assert clients.failures == [] and clients.count > 100
    assert shop.to_do() == []
    assert shop.releases()[-1][2] == "failed" and before in shop.bed.run("app1", "readlink /opt/config-center/current")
    assert shop.json("verify")["passed"]


def test_going_back_fails_no_request(shop, load):
    first = shop.releases()[0][1]
    with load() as clients:
        began = time.monotonic()
        shop("deployment", "rollback", "--yes")
        print(f"rollback with its verification: {time.monotonic() - began:.1f} s", flush=True)
    assert clients.failures == []
    assert first in shop.bed.run("app2", "readlink /opt/config-center/current")
    assert shop.to_do() == []


def test_going_back_with_the_data_tells_what_is_lost(shop, packages):
    """The settings and the program go back, and the data to the backup that was made before the upgrade."""
    kept, changed, new = (f"/v1/configs/dev/data/default/{name}.txt" for name in ("kept", "changed", "new"))
    for path in (kept, changed):
        shop.request("PUT", path, b"before")
    shop("deploy", "--package", packages.other, "--no-verify")
    _, before = shop.request("GET", kept)
    shop.request("PUT", changed, b"after")
    newest, _ = shop.request("PUT", new, b"after")
    assert "dev/data/default/changed.txt" in shop("deployment", "rollback", "--restore-data", expect=2)
    began = time.monotonic()
    told = shop("deployment", "rollback", "--restore-data", "--yes")
    print(f"rollback with the data, verified: {time.monotonic() - began:.1f} s", flush=True)
    assert "2 configs" in told and "dev/data/default/new.txt" in told and "dev/data/default/kept.txt" not in told
    assert shop.to_do() == [] and shop.json("verify")["passed"]
    assert shop.request("GET", kept)[1] == before
    assert shop.request("GET", changed)[1] == b"before"
    assert shop.request("GET", new, expect=404)
    revision, _ = shop.request("PUT", kept, b"afterwards")
    assert revision > newest, "the revision never goes back"


def test_data_that_cannot_be_restored_stay_as_they_are(shop, packages):
    path = "/v1/configs/dev/data/default/stays.txt"
    shop("deploy", "--package", packages.other, "--no-verify")
    shop.request("PUT", path, b"stays")
    limits = "/etc/security/limits.d/test.conf"  # of files that the node's user writes when it is no service
    shop.bed.run("app2", f"echo 'config-center hard fsize 50' >{limits}")
    try:
        told = shop("deployment", "rollback", "--restore-data", "--yes", expect=1)
    finally:
        shop.bed.run("app2", f"rm {limits}")
    assert "app2, data of" in told and "was undone" in told
    assert shop.to_do() == []  # by then the load balancers see that the nodes are back
    assert shop.request("GET", path)[1] == b"stays"
    assert shop.json("verify")["passed"]
    shop("deployment", "rollback", "--yes")


def test_the_address_moves_when_a_load_balancer_dies(shop, load):
    holder = "lb1" if VIRTUAL in shop.bed.run("lb1", "ip -o addr") else "lb2"
    shop.bed("crash", holder)
    crashed = time.monotonic()
    while True:
        assert time.monotonic() < crashed + 20, "nobody took the address"
        try:
            with load() as clients:
                time.sleep(1)
        except (OSError, ValueError):  # not there yet, or it has no node yet
            continue
        if clients.count > 10 and not clients.failures:
            break
    print(f"the address works again after {time.monotonic() - crashed - 1:.1f} s", flush=True)
    shop.bed("start", holder)
    shop.bed.wait_up(holder)
    assert shop.json("verify")["passed"]


def test_security_updates_come_one_host_at_a_time(shop, load, tmp_path):
    """Newer packages of the primary, of a replica and of a node's host."""
    offers = {"db1": "postgresql-15", "db2": "postgresql-15", "app1": "prometheus-node-exporter"}
    with shop.bed.only_newer(offers, tmp_path):
        found = shop.json("maintenance", "run", "--dry-run", "--only", "updates")["due"]
        assert {each["host"]: each["message"].split()[0] for each in found} == offers
        with load() as clients:
            told = shop("maintenance", "run", "--yes")
        assert clients.failures == []
        done = [line.split()[1] for line in told.splitlines() if line.startswith("done") and "security updates" in line]
        assert done == ["db2", "app1", "db1"]
        for host, package in offers.items():
            assert "+newer" in shop.bed.run(host, f"dpkg-query -W {package}")
        assert shop.json("maintenance", "status", "--only", "updates")["due"] == [] and shop.to_do() == []
    assert "of_hosts_last_success" in shop.bed.run("db1", "cat /var/lib/prometheus/node-exporter/config-center-maintenance.prom")


def test_nodes_come_and_go_under_load(shop, load):
    with load() as clients:
        shop("scale", "out", "--host", "app4,app5")
        assert "hosts: [app1, app2, app3, app4, app5]" in shop.file.read_text()
        shop("scale", "in", "--host", "app1,app4", "--yes")
    assert clients.failures == []
    assert "hosts: [app2, app3, app5]" in shop.file.read_text() and "# the archive" in shop.file.read_text()
    assert shop.to_do() == []


def test_a_node_that_lost_its_disk_is_filled_again(shop):
    shop.bed.run("app3", "systemctl stop config-center; rm -rf /var/lib/config-center /opt/config-center")
    assert ("app3", "service config-center.service") in shop.to_do()
    shop("deploy")
    assert shop.json("verify")["passed"]


def test_another_primary_of_the_database_is_chosen_and_the_old_one_comes_back(shop, load):
    with load() as clients:
        shop("failover", "database", "--to", "db2", "--yes")
    assert clients.failures == []
    assert "primary: db2, replicas: [db1, db3]}  # the archive" in shop.file.read_text()
    assert shop.json("verify")["passed"] and shop.to_do() == []


def test_the_primary_of_the_database_is_lost(shop, load):
    shop.bed("crash", "db2")
    with load() as clients:
        shop("failover", "database", "--lost", "--yes")
    assert clients.failures == []
    shop.bed("start", "db2")
    shop.bed.wait_up("db2")
    shop("deploy")
    assert shop.json("verify")["passed"] and shop.to_do() == []


def test_another_primary_of_the_cache_is_chosen(shop):
    shop("failover", "cache", "--yes")
    assert shop.json("verify")["passed"]


def test_it_is_removed_and_deployed_again_from_the_other_form_of_package(shop, packages):
    assert "called shop" in shop("destroy", "--name", "other", expect=2)
    shop("destroy", "--name", "shop")
    for host in ("lb1", "app2", "db1", "cache1", "monitor1"):
        assert shop.bed.run(host, "ls -A /opt /var/lib/config-center-deployment").split() == [
            "/opt:", "/var/lib/config-center-deployment:"]
    assert "config-center" not in shop.bed.run("db1", "cat /etc/postgresql/15/main/pg_hba.conf")
    shop("deploy", "--package", packages.archive)
    assert shop.json("verify")["passed"]
