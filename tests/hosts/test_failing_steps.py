"""Each step made to fail once: what is said, what is undone, and that it goes on when the cause is gone."""

import re
import shutil
import signal
import time

import pytest

from bed import FOLDER
from installation import Installation

HOSTS = ["app1", "app2", "app3", "lb1"]
COMPONENTS = """  load_balancer: {hosts: [lb1]}
  app: {hosts: [app1, app2, app3]}
"""


# The tree of the hosts has all packages.
REMOVE_HAPROXY = "apt-get purge -y -q --autoremove haproxy >/dev/null 2>&1; rm -rf /var/cache/apt/*.bin /var/cache/apt/archives/*.deb; "


@pytest.fixture
def shop(bed, packages, tmp_path):
    """Nothing is on the hosts yet, nor afterwards."""
    it = Installation(bed, tmp_path, COMPONENTS)
    it.package = packages.good
    yield it
    it("destroy", "--name", "shop")


def deploy(shop, *words, **more):
    return shop("deploy", "--package", shop.package, *words, **more)


def in_the_middle(shop):
    """A deployment that has written its first file and goes on."""
    deployment = shop.start("deploy", "--package", shop.package)
    for line in deployment.stdout:
        if line.startswith("done") and "file" in line:
            return deployment
    raise AssertionError("it ended before")


def assert_as_before(shop):
    for host in HOSTS:
        told = shop.bed.run(host, "systemctl is-active config-center haproxy; ls /etc/config-center/config.yaml /etc/systemd/system/"
                                  "config-center.service 2>/dev/null; grep -l config-center /etc/haproxy/haproxy.cfg", expect=None)
        assert set(told.split()) <= {"inactive", "unknown"}, (host, told)


def assert_goes_on(shop):
    deploy(shop)
    assert shop.json("verify")["passed"] and shop.to_do() == []


def test_a_host_whose_key_is_not_known(shop):
    with shop.bed.unknown_key("app2"):
        told = deploy(shop, expect=1)
    assert "app2" in told and "known_hosts" in told
    assert_as_before(shop)
    assert_goes_on(shop)


def test_a_host_that_is_not_reached(shop):
    with shop.bed.cut("app2"):
        told = deploy(shop, "--no-check", expect=1)
    assert "app2 cannot be reached" in told
    assert_as_before(shop)
    assert_goes_on(shop)


def test_a_host_that_is_lost_half_way(shop):
    deployment = in_the_middle(shop)
    with shop.bed.cut("app2"):
        output, _ = deployment.communicate(timeout=300)
    assert deployment.returncode == 1 and "app2" in output, output
    assert_goes_on(shop)


def test_a_package_that_cannot_be_installed(shop):
    # The tree of the hosts has all packages: one is taken away, and so is where it would come from.
    with shop.bed.so("lb1", REMOVE_HAPROXY + "mv /etc/apt /etc/apt.away; mkdir /etc/apt; rm -rf /var/lib/apt/lists",
                     "rm -r /etc/apt; mv /etc/apt.away /etc/apt; apt-get update -q >/dev/null 2>&1"):
        told = deploy(shop, "--no-check", expect=1)
    assert "lb1" in told and "haproxy" in told and "packages" in told
    assert_goes_on(shop)


def test_packages_come_from_files_where_no_archive_is_reached(shop, tmp_path):
    deploy(shop)
    shop("destroy", "--name", "shop")
    files = tmp_path / "debs"
    files.mkdir()
    for each in (FOLDER / "cache" / "archives").glob("*.deb"):
        if re.match("haproxy|liblua|libopentracing", each.name):
            shutil.copy(each, files)
    shop.replace("name: shop\n", f"name: shop\npackages: {files}\n")
    with shop.bed.so("lb1", REMOVE_HAPROXY + "mv /etc/apt/sources.list /root; rm -rf /var/lib/apt/lists",
                     "mv /root/sources.list /etc/apt; apt-get update -q >/dev/null 2>&1"):
        assert ("lb1", "files of packages") in shop.to_do("--package", shop.package)
        assert_goes_on(shop)


def test_a_folder_of_packages_that_is_not_there(shop):
    shop.replace("name: shop\n", "name: shop\npackages: nowhere\n")
    told = deploy(shop, "--no-check", expect=1)
    assert "nowhere" in told and "files of packages" in told
    assert_as_before(shop)


def test_a_firewall_between_two_hosts(shop):
    with shop.bed.so("app2", "nft 'table inet wall { chain in { type filter hook input priority 0; tcp dport 7848 drop; }; }'",
                     "nft delete table inet wall"):
        told = deploy(shop, expect=1)
    assert "not reached: 7848 (the node's Raft)" in told, told
    assert_as_before(shop)
    assert_goes_on(shop)


def test_no_space_is_left(shop):
    with shop.bed.so("app2", "mount -t tmpfs -o size=1m full /opt", "umount /opt"):
        told = deploy(shop, "--no-check", expect=1)
    assert "app2" in told and "there is no space" in told, told
    assert_as_before(shop)
    assert_goes_on(shop)


def test_a_port_that_is_taken(shop):
    takes = "import socket, time; s = socket.create_server((\"\", 8848)); time.sleep(9999)"
    with shop.bed.so("app2", f"systemd-run --unit other python3 -c '{takes}'", "systemctl stop other"):
        told = deploy(shop, expect=1)
        forced = deploy(shop, "--no-check", expect=1, timeout=400)
    assert "port 8848" in told and "is taken" in told
    assert "app2" in forced and "was undone" in forced
    assert_as_before(shop)
    assert_goes_on(shop)


def test_settings_that_are_refused(shop):
    shop.replace("[app1, app2, app3]}", "[app1, app2, app3], settings: {server.timeout: soon}}")
    told = deploy(shop, expect=1)
    assert "config.yaml" in told and "server.timeout" in told
    assert_as_before(shop)
    shop.replace("server.timeout: soon", "server.timeout: 20s")
    assert_goes_on(shop)


def test_a_service_that_does_not_run(shop, packages):
    told = shop("deploy", "--package", packages.broken, expect=1)
    assert "this version is broken" in told and "was undone" in told
    assert_as_before(shop)
    assert_goes_on(shop)


def test_ctrl_c(shop):
    deployment = in_the_middle(shop)
    deployment.send_signal(signal.SIGINT)
    output, _ = deployment.communicate(timeout=300)
    assert deployment.returncode != 0 and "undone" in output
    time.sleep(0.5)
    assert "no operation holds the lock" in shop("deployment", "unlock")
    assert_as_before(shop)
    assert_goes_on(shop)
