"""What the tests on hosts share."""

import pytest

from bed import Bed
from installation import Packages


@pytest.fixture(scope="session")
def packages(tmp_path_factory):
    return Packages(tmp_path_factory.mktemp("packages"))


@pytest.fixture(scope="module")
def bed(request, tmp_path_factory):
    """The hosts that the module names in HOSTS."""
    it = Bed(request.module.HOSTS, tmp_path_factory.mktemp("bed"))
    yield it
    it.close()
