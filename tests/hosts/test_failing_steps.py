"""Each step made to fail once: what is said, what is undone, and that it goes on when the cause is gone."""

import signal
import time

import pytest

from installation import Installation

HOSTS = ["app1", "app2", "app3", "lb1"]
COMPONENTS = """  load_balancer: {hosts: [lb1]}
  app: {hosts: [app1, app2, app3]}
"""


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
    known = shop.bed.forget_key("app2")
    told = deploy(shop, expect=1)
    known()
    assert "app2" in told and "known_hosts" in told
    assert_as_before(shop)
    assert_goes_on(shop)


def test_a_host_that_is_not_reached(shop):
    shop.bed("cut", "app2")
    told = deploy(shop, "--no-check", expect=1)
    shop.bed("heal", "app2")
    assert "app2 cannot be reached" in told
    assert_as_before(shop)
    assert_goes_on(shop)


def test_a_host_that_is_lost_half_way(shop):
    deployment = in_the_middle(shop)
    shop.bed("cut", "app2")
    output, _ = deployment.communicate(timeout=300)
    shop.bed("heal", "app2")
    assert deployment.returncode == 1 and "app2" in output, output
    assert_goes_on(shop)


def test_a_package_that_cannot_be_installed(shop):
    # The tree of the hosts has all packages: one is taken away, and so is where it would come from.
    shop.bed.run("lb1", "apt-get remove -y -q haproxy >/dev/null 2>&1; mv /etc/apt /etc/apt.away; mkdir /etc/apt; rm -rf "
                        "/var/lib/apt/lists /var/cache/apt/*.bin /var/cache/apt/archives/haproxy*")
    told = deploy(shop, "--no-check", expect=1)
    shop.bed.run("lb1", "rm -r /etc/apt; mv /etc/apt.away /etc/apt; apt-get update -q >/dev/null 2>&1")
    assert "lb1" in told and "haproxy" in told and "packages" in told
    assert_goes_on(shop)


def test_no_space_is_left(shop):
    shop.bed.run("app2", "mount -t tmpfs -o size=1m full /opt")
    told = deploy(shop, "--no-check", expect=1)
    shop.bed.run("app2", "umount /opt")
    assert "app2" in told and "there is no space" in told, told
    assert_as_before(shop)
    assert_goes_on(shop)


def test_a_port_that_is_taken(shop):
    shop.bed.run("app2", "systemd-run --unit other python3 -c 'import socket, time; s = socket.create_server((\"\", 8848)); time.sleep(9999)'")
    told = deploy(shop, expect=1)
    assert "port 8848" in told and "is taken" in told
    forced = deploy(shop, "--no-check", expect=1, timeout=400)
    shop.bed.run("app2", "systemctl stop other")
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
