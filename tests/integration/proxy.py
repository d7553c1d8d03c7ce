"""A TCP proxy that holds back what it forwards: for networks that are slow or cut, and for seeing what nodes say.

As a program: proxy.py LISTEN TARGET [RECORD], a process of its own; each line on its standard input is the delay from then
on, in milliseconds one way, or one of the words cut, refuse and heal, and is answered with the number of chunks held back by
a delay so far. With RECORD, a folder, what each connection's opener sent first is kept there, a file each, in a folder that
is named LISTEN."""

import asyncio
import contextlib
import itertools
import pathlib
import subprocess
import sys

KEPT = 1 << 16  # bytes of each connection that are recorded


class Proxy:
    """The process, as its owner sees it."""

    def __init__(self, listen, target, inside=(), record=None):
        command = [*inside, sys.executable, __file__, listen, target, *([str(record)] if record else [])]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout.readline() == "ready\n", f"no proxy at {listen}"

    def delay(self, milliseconds):
        """From now on; returns how many chunks it has held back so far."""
        return self._tell(milliseconds)

    def cut(self):
        """From now on nothing passes, not even that a side hangs up; who connects waits for an answer."""
        self._tell("cut")

    def refuse(self):
        """Resets all connections, and refuses new ones from now on."""
        self._tell("refuse")

    def heal(self):
        """All is as it was. Of connections that were cut nothing is lost: it comes late, even from who hung up meanwhile."""
        self._tell("heal")

    def _tell(self, what):
        self._process.stdin.write(f"{what}\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self):
        self._process.kill()
        self._process.communicate()


class _Forwarder:
    def __init__(self, listen, target, record):
        self.delay, self.held_back = 0, 0
        self._listen, self._target = listen, target
        self._record, self._numbers = record, itertools.count()
        if record:
            record.mkdir()
        self._connections, self._server = set(), None
        self._whole = asyncio.Event()  # not set while the network is cut

    async def heal(self):
        self._whole.set()
        if self._server is None:
            self._server = await asyncio.start_server(self._connection, *self._listen)

    async def cut(self):
        self._whole.clear()

    async def refuse(self):
        if self._server is not None:
            self._server.close()
            self._server = None
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connection(self, reader, writer):
        self._connections.add(asyncio.current_task())
        kept = open(self._record / f"{next(self._numbers):04}", "wb") if self._record else None
        try:
            await self._whole.wait()
            far_reader, far_writer = await asyncio.open_connection(*self._target)
            try:
                with contextlib.suppress(OSError):
                    await asyncio.gather(self._forward(reader, far_writer, kept), self._forward(far_reader, writer))
                await self._whole.wait()  # that one side is gone does not get through either
            finally:
                far_writer.transport.abort()
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            if kept:
                kept.close()
            writer.transport.abort()
            self._connections.discard(asyncio.current_task())

    async def _forward(self, reader, writer, kept=None):
        """Chunks leave in their order, each when its time has come."""
        chunks = asyncio.Queue(64)
        loop = asyncio.get_running_loop()

        async def take():
            while data := await reader.read(1 << 16):
                if kept and kept.tell() < KEPT:
                    kept.write(data)
                    kept.flush()
                await chunks.put((loop.time() + self.delay, data))
            await chunks.put((loop.time() + self.delay, b""))

        async def give():
            while True:
                due, data = await chunks.get()
                if (wait := due - loop.time()) > 0:
                    self.held_back += 1
                    await asyncio.sleep(wait)
                await self._whole.wait()
                if not data:
                    return writer.write_eof()
                writer.write(data)
                await writer.drain()

        await asyncio.gather(take(), give())


def _address(text):
    host, _, port = text.rpartition(":")
    return host, int(port)


async def _main(listen, target, record=None):
    forwarder = _Forwarder(_address(listen), _address(target), record and pathlib.Path(record) / listen)
    await forwarder.heal()
    commands = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    print("ready", flush=True)
    while line := (await commands.readline()).decode().strip():
        if line in ("cut", "refuse", "heal"):
            await getattr(forwarder, line)()
        else:
            forwarder.delay = float(line) / 1000
        print(forwarder.held_back, flush=True)


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
