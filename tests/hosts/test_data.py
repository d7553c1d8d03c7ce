"""Going back with the data, of an installation whose nodes are not the ones that it began with."""

import pytest

from installation import VIRTUAL, Installation

HOSTS = ["app1", "app2", "app3", "app4", "app5", "lb1", "lb2"]
COMPONENTS = f"""  load_balancer: {{hosts: [lb1, lb2], virtual_address: {VIRTUAL}/24, interface: eth0, router_id: 62}}
  app: {{hosts: [app1, app2, app3]}}
"""


@pytest.fixture(scope="module")
def shop(bed, packages, tmp_path_factory):
    it = Installation(bed, tmp_path_factory.mktemp("shop"), COMPONENTS)
    it("deploy", "--package", packages.good, "--no-verify", timeout=600)
    it.wait_for_the_virtual_address()
    return it


def test_a_node_that_joined_later_goes_back_with_the_others(shop, packages):
    path = "/v1/configs/dev/shop/default/a.txt"
    shop.request("PUT", path, b"before")
    shop("scale", "out", "--host", "app4,app5")
    shop("scale", "in", "--host", "app1,app5", "--yes")
    shop("deploy", "--package", packages.other)
    shop.request("PUT", path, b"after")
    assert path.removeprefix("/v1/configs/") in shop("deployment", "rollback", "--restore-data", "--yes")
    assert shop.request("GET", path)[1] == b"before"
    assert shop.to_do() == [] and shop.json("verify")["passed"]
    for host in ("app2", "app3", "app4"):
        told = shop.bed.run(host, "/opt/config-center/current/bin/config-center health --for-writes --server http://127.0.0.1:8848")
        assert "ok" in told
    shop("destroy", "--name", "shop")
