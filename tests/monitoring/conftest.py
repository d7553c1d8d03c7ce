"""What the tests of monitoring share with those of whole processes, and of whole installations."""

import pathlib
import sys

TESTS = pathlib.Path(__file__).parent.parent
sys.path[:0] = [str(TESTS / "integration"), str(TESTS / "deploy"), str(TESTS / "cluster")]

from reports import pytest_runtest_makereport  # noqa: E402, F401 (a hook)
