"""OpenStack Swift as one process, objects in memory, speaking S3 with signatures that it checks: swift_server.py FOLDER PORT REGION.

Its user is test:tester, whose key is testing."""

import pathlib
import sys

import eventlet

eventlet.monkey_patch()

import eventlet.wsgi  # noqa: E402
from swift.common import storage_policy, utils  # noqa: E402
from swift.common.ring import RingBuilder  # noqa: E402
from swift.common.wsgi import loadapp  # noqa: E402

PROXY = """
[pipeline:main]
pipeline = catch_errors listing_formats s3api tempauth slo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:s3api]
use = egg:swift#s3api
s3_acl = false
location = {region}
storage_domain = localhost
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
[filter:slo]
use = egg:swift#slo
"""
SERVERS = {"account": "account", "container": "container", "object": "mem_object"}


def ring(folder, kind, port):
    """Of one device."""
    builder = RingBuilder(2, 1, 0)
    builder.add_dev({"region": 1, "zone": 1, "ip": "127.0.0.1", "port": port, "device": "disk", "weight": 1})
    builder.rebalance()
    builder.get_ring().save(str(folder / f"{kind}.ring.gz"))


class Cache:
    """In memcached's place."""

    def __init__(self):
        self._values = {}

    def get(self, key, *_, **__):
        return self._values.get(key)

    def set(self, key, value, *_, **__):
        self._values[key] = value

    def delete(self, key, *_, **__):
        self._values.pop(key, None)


def with_cache(app):
    cache = Cache()

    def answer(env, start_response):
        env["swift.cache"] = cache
        return app(env, start_response)

    return answer


def main(folder, port, region):
    folder.joinpath("disks", "disk").mkdir(parents=True)
    folder.joinpath("swift.conf").write_text("[swift-hash]\nswift_hash_path_suffix = of the tests\n[storage-policy:0]\nname = memory\ndefault = yes\n")
    utils.SWIFT_CONF_FILE = str(folder / "swift.conf")
    utils.HASH_PATH_SUFFIX = utils.HASH_PATH_PREFIX = b""
    utils.validate_hash_conf()
    storage_policy.reload_storage_policies()
    quiet = open("/dev/null", "w")
    for kind, app in SERVERS.items():
        config = folder / f"{kind}.conf"
        config.write_text(f"[app:main]\nuse = egg:swift#{app}\n[DEFAULT]\ndevices = {folder}/disks\nmount_check = false\nswift_dir = {folder}\nlog_address = {folder}/no-log\n")
        socket = eventlet.listen(("127.0.0.1", 0))
        ring(folder, kind, socket.getsockname()[1])
        eventlet.spawn(eventlet.wsgi.server, socket, loadapp(str(config)), quiet)
    config = folder / "proxy.conf"
    config.write_text(f"[DEFAULT]\nswift_dir = {folder}\nlog_address = {folder}/no-log\n{PROXY.format(region=region)}")
    app = loadapp(str(config))
    socket = eventlet.listen(("127.0.0.1", port))
    print("ready", flush=True)
    eventlet.wsgi.server(socket, with_cache(app), quiet, keepalive=True)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
