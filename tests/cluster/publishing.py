"""What most tests of groups begin with: something is published, by one of the nodes."""

import itertools

KEY = "dev/shop/default/a"
_numbers = itertools.count()


def publish(group, number, content, key=KEY):
    """By this node; the revision. No content comes twice."""
    return group.client(number).publish(key, f"{content}, {next(_numbers)}")["revision"]
