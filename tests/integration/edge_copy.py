"""The edge copy as programs see it that read Redis."""

import json

from node import wait_until

PREFIX = "config-center:"


class Copy:
    def __init__(self, redis, prefix=PREFIX):
        self.redis, self.prefix = redis, prefix

    def content(self, key):
        return self.redis.get(f"{self.prefix}content:{key}")

    def meta(self, key):
        return self.redis.hgetall(f"{self.prefix}meta:{key}")

    def position(self):
        return self.redis.hgetall(f"{self.prefix}position")

    def keys(self):
        return set(self.redis.scan_iter(f"{self.prefix}*"))

    def wait_for(self, key, content):
        wait_until(lambda: self.content(key) == content, f"{key} is {content!r} in Redis")

    def everything(self):
        return {key: self.redis.get(key) if ":content:" in key else self.redis.hgetall(key)
                for key in self.keys() if ":content:" in key or ":meta:" in key}

    def is_what_is_published(self, admin):
        """Content and metadata of every config, and nothing else."""
        expected = {}
        for item in admin.items("/v1/configs"):
            key = item["key"]
            meta = {name: str(item[name]) for name in ("version", "revision", "format", "time", "author", "comment")}
            if item["secret"]:
                meta["secret"] = "true"
            else:
                expected[f"{self.prefix}content:{key}"] = admin.read(key).text
                meta |= {name: str(item[name]) for name in ("md5", "sha256", "size")}
            expected[f"{self.prefix}meta:{key}"] = meta
        return self.everything() == expected

    def subscribe(self):
        subscription = self.redis.pubsub(ignore_subscribe_messages=True)
        subscription.subscribe(f"{self.prefix}changes")
        wait_until(lambda: self.redis.pubsub_numsub(f"{self.prefix}changes")[0][1] == 1, "subscribed")
        return subscription


def next_message(subscription):
    return json.loads(wait_until(subscription.get_message, "a message")["data"])
