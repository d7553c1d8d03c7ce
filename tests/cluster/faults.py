"""What can happen to nodes. Each fault is begun on some nodes and ended; an ended one leaves nothing behind but what the
group has to mend by itself."""

import signal

from group import ELECTION_TIMEOUT
from log_tail import last_batch
from machine import fill
from node import wait_until

DAY = 86_400
MOMENT = 0.5 * ELECTION_TIMEOUT / 1000  # seconds, in which clients notice
ELECTION = 2.5 * ELECTION_TIMEOUT / 1000  # in which nodes that hear nothing elect another leader


class Fault:
    least = MOMENT  # seconds that it lasts
    destroys = False  # takes away what a node has acknowledged: one node at a time, and only when all have everything

    def __init__(self, group, nodes, dice):
        self.group, self.nodes, self.dice = group, [group[number] for number in nodes], dice
        self.numbers = list(nodes)

    @classmethod
    def possible(cls, group):
        return True

    def begin(self):
        raise NotImplementedError

    def took_effect(self):
        """Whether it can be seen by now that it happened; it will be soon."""
        return True

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

    least = ELECTION

    def begin(self):
        for node in self.nodes:
            node.pause()

    def took_effect(self):
        return all(node.state() == "T" for node in self.nodes)

    def end(self):
        for node in self.nodes:
            node.resume()


class _Cut(Fault):
    least = ELECTION

    @classmethod
    def possible(cls, group):
        return group.place.cuttable and len(group.nodes) > 1

    def others(self):
        return [number for number in self.group.nodes if number not in self.numbers]

    def took_effect(self):
        return self.group.place.packets_lost() > 0

    def end(self):
        self.group.place.heal()


class Partition(_Cut):
    """nothing passes between these nodes and the others; between any two, when it happens to all"""

    def begin(self):
        if self.others():
            self.group.place.isolate(self.numbers)
        else:
            self.group.place.lose(self.numbers, self.numbers)


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

    least = ELECTION

    @classmethod
    def possible(cls, group):
        return all(node.proxy for node in group)

    def begin(self):
        self._before = [node.proxy.delay(200) for node in self.nodes]

    def took_effect(self):
        return all(node.proxy.delay(200) > before for node, before in zip(self.nodes, self._before))

    def end(self):
        for node in self.nodes:
            node.proxy.delay(0)


class Clock(Fault):
    """the wall clock jumps, by a minute to three days, and comes back"""

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

    def took_effect(self):
        """The node knows of it, if it answers."""
        return all((told := self.group.ask(number)) is None or "trouble" in told for number in self.numbers)

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
    """kill -9, and a bit is flipped in the last write of the log, which was whole: the node says so and does not start.
    Wiped, it comes back"""

    destroys = True

    @classmethod
    def possible(cls, group):
        return len(group.nodes) > 1

    def begin(self):
        for node, (segment, content, last) in zip(self.nodes, kill_and_see(self.group, self.nodes)):
            damaged = bytearray(content)
            damaged[self.dice.randrange(last.start, last.end)] ^= 1 << self.dice.randrange(8)
            segment.write_bytes(damaged)
            reason = node.refusal()
            assert "damaged" in reason and str(segment) in reason, reason
            node.wipe()

    def end(self):
        for node in self.nodes:
            node.start(wait=False)


class TornTail(Fault):
    """kill -9 amid a write: the log's file ends in the middle of it. The node starts, and says what it cuts off; nobody was
    told of that"""

    def begin(self):
        for segment, content, last in kill_and_see(self.group, self.nodes):
            write = content[last.start:last.end]
            segment.write_bytes(content[:last.end] + write[:self.dice.randrange(8, len(write))])

    def end(self):
        for node in self.nodes:
            node.start(wait=False)
            wait_until(lambda: "dropped an unfinished write" in node.log_since_start(), f"node {node.number} starts")


def kill_and_see(group, nodes):
    """What last_batch() says of each then."""
    while True:
        group.wait_serving([node.number for node in nodes])
        wait_until(lambda: all(map(last_batch, nodes)), "the nodes write to their logs")
        for node in nodes:
            node.kill()
        if all(found := [last_batch(node) for node in nodes]):
            return found
        for node in nodes:  # it has begun a segment in between, as after a snapshot, and not written to it
            node.start(wait=False)


HARMLESS = [Kill, Restart, Pause, Partition, Deaf, Mute, Loss, Delay, Clock, FullDisk, TornTail]
ALL = [*HARMLESS, Wipe, DamagedTail]
