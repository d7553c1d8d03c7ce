"""A failing test shows the end of the log of each node and of each server that it has started."""

import pytest

from daemon import Daemon
from node import Node


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.failed:
        for node in (*Node.running, *Daemon.running):
            report.sections.append((f"end of the log in {node.folder}", node.log()[-6000:]))
