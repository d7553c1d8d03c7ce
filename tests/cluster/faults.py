"""What can happen to nodes. Each fault is begun on some nodes and ended; an ended one leaves nothing behind but what the
group has to mend by itself."""

import contextlib
import signal

from group import ELECTION_TIMEOUT
from machine import fill
from node import PATIENCE, StartFailed, wait_until

DAY = 86_400


class Fault:
    least = 0  # seconds that it must last
    destroys = False  # takes away what a node has acknowledged: one node at a time, and only when all have everything

    def __init__(self, group, nodes, dice):
        self.group, self.nodes, self.dice = group, [group[number] for number in nodes], dice
        self.numbers = list(nodes)

    @classmethod
    def possible(cls, group):
        return True

    def begin(self):
        raise NotImplementedError

    def end(self):
        raise NotImplementedError


class Kill(Fault):
    """kill -9"""

    def begin(self):
        for node in self.nodes:
            node.kill()

    def end(self):
        for node in self.nodes:
            node.start(wait=False)


class Restart(Fault):
    """SIGTERM; the node must end by itself, cleanly"""

    def begin(self):
        for node in self.nodes:
            node.signal(signal.SIGTERM)
        for node in self.nodes:
            status = node.wait_end()
            begun = any(record["message"] == "serving" for record in node.records(since_start=True))
            assert status == 0 or status == -signal.SIGTERM and not begun, f"node {node.number} ended with status {status}"

    def end(self):
        for node in self.nodes:
            node.start(wait=False)


class Pause(Fault):
    """SIGSTOP for longer than the election timeout"""

    least = 1.5 * ELECTION_TIMEOUT / 1000 / PATIENCE

    def begin(self):
        for node in self.nodes:
            node.pause()

    def end(self):
        for node in self.nodes:
            node.resume()


class _Cut(Fault):
    @classmethod
    def possible(cls, group):
        return group.place.cuttable and len(group.nodes) > 1

    def others(self):
        return [number for number in self.group.nodes if number not in self.numbers]

    def end(self):
        self.group.place.heal()


class Partition(_Cut):
    """nothing passes between these nodes and the others"""

    def begin(self):
        self.group.place.isolate(self.numbers)


class Deaf(_Cut):
    """one-way loss: what is sent to them is lost"""

    def begin(self):
        self.group.place.lose(self.others() or self.numbers, self.numbers)


class Mute(_Cut):
    """one-way loss: what they send is lost"""

    def begin(self):
        self.group.place.lose(self.numbers, self.others() or self.numbers)


class Loss(_Cut):
    """30 % of all packets are lost, from and to them"""

    def begin(self):
        everybody = list(self.group.nodes)
        self.group.place.lose(self.numbers, everybody, 30)
        self.group.place.lose(everybody, self.numbers, 30)


class Delay(Fault):
    """what is said over connections to them takes 200 ms longer, each way"""

    @classmethod
    def possible(cls, group):
        return all(node.proxy for node in group)

    def begin(self):
        for node in self.nodes:
            node.proxy.delay(200)

    def end(self):
        for node in self.nodes:
            node.proxy.delay(0)


class Clock(Fault):
    """the wall clock jumps, by a minute or by years, and comes back"""

    @classmethod
    def possible(cls, group):
        return all(node.clock for node in group)

    def begin(self):
        for node in self.nodes:
            node.set_clock(self.dice.choice([-1, 1]) * self.dice.choice([60, 3600, 3 * DAY]))

    def end(self):
        for node in self.nodes:
            node.set_clock(0)


class FullDisk(Fault):
    """not a byte is left on the disk"""

    @classmethod
    def possible(cls, group):
        return all(node.disk for node in group)

    def begin(self):
        self._fillers = [fill(node.disk) for node in self.nodes]

    def end(self):
        for filler in self._fillers:
            filler.unlink(missing_ok=True)


class Wipe(Fault):
    """kill -9, and the data folder is deleted"""

    destroys = True

    @classmethod
    def possible(cls, group):
        return len(group.nodes) > 1

    def begin(self):
        for node in self.nodes:
            node.kill()
            node.wipe()

    def end(self):
        for node in self.nodes:
            node.start(wait=False)


class DamagedTail(Fault):
    """kill -9, and bits are flipped at the end of the log, in what was acknowledged: the node says so and does not start,
    or has not lost anything; wiped, it comes back"""

    destroys = True

    @classmethod
    def possible(cls, group):
        return len(group.nodes) > 1

    def begin(self):
        for node in self.nodes:
            # One that has just been started may have written nothing yet.
            wait_until(lambda: written_segment(node), f"node {node.number} writes to its log")
            node.kill()
            segment, used = written_segment(node)
            content = bytearray(segment.read_bytes())
            content[used - self.dice.randrange(1, 64)] ^= 1 << self.dice.randrange(8)
            segment.write_bytes(content)
            try:
                node.start()
                node.kill()
            except StartFailed as refusal:
                assert refusal.status == 1, refusal
                assert "damaged" in refusal.output and str(segment) in refusal.output, refusal
            node.wipe()

    def end(self):
        for node in self.nodes:
            node.start(wait=False)


def written_segment(node):
    """The segment of the log that is being written, and where its entries end; None when nothing was written to one."""
    used = {}
    for path in (node.data / "raft").glob("open-*"):
        with contextlib.suppress(FileNotFoundError):  # it is complete, and has another name
            used[path] = len(path.read_bytes().rstrip(b"\0"))
    written = [path for path in used if used[path] > 8]
    return max(((path, used[path]) for path in written), key=lambda each: each[0].name, default=None)


HARMLESS = [Kill, Restart, Pause, Partition, Deaf, Mute, Loss, Delay, Clock, FullDisk]
ALL = [*HARMLESS, Wipe, DamagedTail]
