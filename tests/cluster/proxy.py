"""A TCP proxy that holds back what it forwards: for networks that are slow, and for seeing what nodes say.

As a program: proxy.py LISTEN TARGET [RECORD], a process of its own; each line on its standard input is the delay from then
on, in milliseconds one way. With RECORD, a folder, what each connection's opener sent first is kept there, a file each."""

import asyncio
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
        self._process.stdin.write(f"{milliseconds}\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "done\n"

    def close(self):
        self._process.kill()
        self._process.communicate()


class _Forwarder:
    def __init__(self, target, record):
        self.delay = 0
        self._host, self._port = target
        self._record, self._numbers = record, itertools.count()
        self._connections = set()

    async def connection(self, reader, writer):
        self._connections.add(asyncio.current_task())
        kept = open(pathlib.Path(self._record) / f"{next(self._numbers):04}", "wb") if self._record else None
        try:
            far_reader, far_writer = await asyncio.open_connection(self._host, self._port)
            try:
                await asyncio.gather(self._forward(reader, far_writer, kept), self._forward(far_reader, writer))
            finally:
                far_writer.transport.abort()
        except (OSError, asyncio.IncompleteReadError):
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
                    await asyncio.sleep(wait)
                if not data:
                    return writer.write_eof()
                writer.write(data)
                await writer.drain()

        await asyncio.gather(take(), give())


def _address(text):
    host, _, port = text.rpartition(":")
    return host, int(port)


async def _main(listen, target, record=None):
    forwarder = _Forwarder(_address(target), record)
    await asyncio.start_server(forwarder.connection, *_address(listen))
    commands = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    print("ready", flush=True)
    while line := await commands.readline():
        forwarder.delay = float(line) / 1000
        print("done", flush=True)


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
