"""A failing test shows the end of each node's log."""

import pytest

from node import Node


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.failed:
        for node in Node.running:
            report.sections.append((f"end of the log in {node.folder}", node.log()[-6000:]))
