#!/usr/bin/python3
"""Disturbs groups for as long as it is told to, one random schedule after another, and judges each.

  soak.py [MINUTES] [SEED]     one hour, and a seed of its own, when not given

Called by script/soak, which builds. The first schedule that is not passed ends it, with status 1; the logs of its nodes and
the history stay in the folder that it names, and the nodes' data where they had no small disks of their own: those are in
memory. Schedule N of a seed is always the same: SEED:N repeats it alone."""

import collections
import os
import pathlib
import random
import shutil
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "integration"))

from bed import Bed, Loopback  # noqa: E402
from group import Group  # noqa: E402
from nemesis import disturb, plan  # noqa: E402

STEPS = 30


def schedule(seed, folder):
    """One group, one schedule; its verdict."""
    dice = random.Random(seed)
    size = dice.choice([3, 3, 3, 5])
    root = os.getuid() == 0
    shape = {"clocks": dice.random() < 0.5, "disks": "96m" if root and dice.random() < 0.5 else None,
             "delayed": dice.random() < 0.3, "raft_snapshot_entries": dice.choice([100, 500, 5000])}
    widely = dice.choice([0, 0, 0.1, 0.6])
    print(f"schedule {seed}: {size} nodes, {shape}, {widely:.0%} of the faults may hit all", flush=True)
    place = Bed() if root and dice.random() < 0.7 else Loopback()
    with place:
        group = Group(folder, size, place=place, **shape)
        try:
            group.start()
            return disturb(group, seed, plan(seed, group, STEPS, widely=widely), keys=dice.choice([1, 4, 16]),
                           writers=dice.choice([3, 6, 12]), readers=dice.choice([1, 4]), watchers=dice.choice([2, 6]))
        finally:
            group.close()


def main(minutes="60", seed=None):
    seed = seed or str(random.randrange(1 << 32))
    seed, _, alone = seed.partition(":")
    end = time.monotonic() + 60 * float(minutes)
    kinds, operations, seconds, number = collections.Counter(), 0, 0, 0
    print(f"seed {seed}", flush=True)
    while number == 0 or not alone and time.monotonic() < end:
        name = f"{seed}:{alone or number}"
        folder = pathlib.Path(tempfile.mkdtemp(prefix="config-center-soak-"))
        try:
            verdict = schedule(name, folder)
        except BaseException:
            print(f"schedule {name} failed; what there is of it is in {folder}", flush=True)
            raise
        shutil.rmtree(folder)
        kinds += verdict.faults
        operations += sum(verdict.operations.values())
        seconds += verdict.seconds
        number += 1
    print(f"{number} schedules, {sum(kinds.values())} faults, {operations} operations, {operations / seconds:.0f}/s: nothing lost, all linearizable")
    for (kind, whose), count in sorted(kinds.items()):
        print(f"  {kind:12} of a {whose:8} {count}")


if __name__ == "__main__":
    main(*sys.argv[1:])
