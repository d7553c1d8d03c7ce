"""What the tests of deploying share with those of whole processes."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "integration"))

from reports import pytest_runtest_makereport  # noqa: E402, F401 (a hook)
