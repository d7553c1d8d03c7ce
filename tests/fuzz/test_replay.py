"""replay.cc keeps the input that a target died of, whatever the way."""

import os
import pathlib
import subprocess

import pytest

PROGRAM = pathlib.Path(os.environ["DIES_REPLAY"])
FAILED = PROGRAM.with_name(PROGRAM.name + ".failed")
WAYS = ["abort", "segv", "bus", "ill", "fpe", "stack"]
if os.environ.get("CONFIG_CENTER_SANITIZER") == "address":
    WAYS.append("leap")
if os.environ.get("CONFIG_CENTER_SANITIZER") == "thread":
    WAYS.remove("ill")  # it keeps SIGILL from the program's own handler


@pytest.mark.parametrize("way", WAYS)
def test_the_input_is_left_beside_the_program(tmp_path, way):
    seed = tmp_path / "seed"
    seed.write_text(way)
    ended = subprocess.run([PROGRAM, seed, "0"], cwd=tmp_path, capture_output=True, text=True)
    assert ended.returncode != 0
    assert FAILED.read_text() == way, ended.stderr
    assert f"the input is in {FAILED}" in ended.stderr
    assert list(tmp_path.iterdir()) == [seed], "nothing is left where it was run"


def test_nothing_is_left_of_a_target_that_lives(tmp_path):
    (tmp_path / "seed").write_text("lives")
    FAILED.write_text("of an earlier run")
    subprocess.run([PROGRAM, tmp_path, "10"], check=True, capture_output=True)
    assert not FAILED.exists()
