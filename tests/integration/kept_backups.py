"""Fixtures: object stores that the tests of a file share, and what each test has of one."""

import base64
import random

import pytest

from client import log_in
from command import Command
from faulty_proxy import FaultyProxy
from node import Node
from object_stores import BUCKET, Azure, Google, Swift


def content(number):
    return base64.b64encode(random.Random(number).randbytes(700_000))


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """The data folder of a node that was stopped, a backup of which is of more than one part."""
    node = Node(tmp_path_factory.mktemp("node")).start()
    admin = log_in(node)
    for number in range(14):
        admin.publish(f"dev/shop/default/{number}", content(number), format="text")
    node.stop()
    node.check_log()
    return node.data


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """stores(name) → that store, which the tests of this file share."""
    running = {}

    def get(name):
        if name not in running:
            folder = tmp_path_factory.mktemp("store")
            running[name] = {"s3": lambda: Swift(folder), "azure": Azure, "azure with a signature": lambda: Azure(with_sas=True),
                             "gcs": lambda: Google(folder), "gcs with a key": lambda: Swift(folder, type="gcs", region="auto")}[name]()
        return running[name]

    yield get
    for store in running.values():
        store.close()


class Kept:
    """What a test has of a store: a prefix, a proxy before it, and the command with settings for them."""

    def __init__(self, store, proxy, prefix, home, data, **more):
        self.store, self.proxy, self.prefix = store, proxy, prefix
        self.settings = {f"backup_storage_{name}": value for name, value in
                         {"path": f"{BUCKET}/{prefix}", **store.settings(proxy.port), **more}.items()}
        self.variables = {f"CONFIG_CENTER_{name.upper()}": value for name, value in self.settings.items()}
        self.data, self.cli = data, Command(home, DATA_DIR=str(data), **self.variables)

    def names(self):
        """Of the objects that the store has below the prefix."""
        return [name.removeprefix(f"{self.prefix}/") for name in self.store.names() if name.startswith(f"{self.prefix}/")]

    def uploads(self):
        return [upload for upload in self.store.uploads() if upload["Key"].startswith(f"{self.prefix}/")]

    def list(self):
        return self.cli.json("backup", "list")


@pytest.fixture
def keep(stores, tmp_path, data):
    """keep("s3", **of_the_storage) → Kept."""
    proxies = []

    def make(name, **more):
        store = stores(name)
        proxies.append(FaultyProxy(store.port))
        return Kept(store, proxies[-1], tmp_path.name, tmp_path / "home", data, **more)

    yield make
    for proxy in proxies:
        proxy.close()
