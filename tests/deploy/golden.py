"""The golden files: what each host of the installation of examples/topologies/full.yaml gets. src/deploy/*_test.cc hold
the program against them; here they are held against the programs that read them."""

import dataclasses
import pathlib
import re

GOLDEN = pathlib.Path(__file__).parent / "golden"


@dataclasses.dataclass
class File:
    host: str
    path: str  # on the host
    mode: int
    owner: str
    validator: str  # with {} for the file; empty: none

    @property
    def here(self):
        return GOLDEN / self.host / self.path.lstrip("/")

    def __str__(self):
        return self.host + self.path


def files(component=None, host=None):
    """As listed in golden/<host>/<component>.files."""
    found = []
    for listed in sorted(GOLDEN.glob(f"{host or '*'}/{component or '*'}.files")):
        for line in listed.read_text().splitlines():
            mode, owner, path, validator = re.fullmatch(r"(\d+) (\S+)(?: secret)?(?: once)? (/\S+)(?:  # (.*))?", line).groups()
            found.append(File(listed.parent.name, path, int(mode, 8), owner, validator or ""))
    assert found, f"there are no golden files of {component or 'anything'}"
    return found


def named(path):
    """The files of that path, on all hosts."""
    return [file for file in files() if file.path == path]
