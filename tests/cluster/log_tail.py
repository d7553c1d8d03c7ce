"""The end of a node's log, byte by byte: where its batches of entries lie in libraft's file, and how one is spoiled.

A segment is its format (8 bytes), then batches: the checksum of the header and that of the data (4 bytes each), the
header (the number of entries in 8 bytes; of each entry the term in 8, its type in 4, its size in 4), the data. What is
not written yet is zero. All numbers are little endian."""

import contextlib
import dataclasses
import functools
import struct


@dataclasses.dataclass
class Batch:
    start: int
    end: int
    whole: bool  # both checksums are right


def last_batch(node):
    """(segment, its content, the last batch that is whole), of the segment that is being written; None where there is none."""
    for segment in sorted((node.data / "raft").glob("open-*"), key=_number, reverse=True):
        with contextlib.suppress(FileNotFoundError):  # it is complete, and has another name
            content = segment.read_bytes()
            whole = [batch for batch in batches(content) if batch.whole]
            if whole:
                return segment, content, whole[-1]
    return None


def _number(segment):
    return int(segment.name.removeprefix("open-"))


def batches(content):
    at = 8
    while at + 16 <= len(content) and (count := struct.unpack_from("<Q", content, at + 8)[0]):
        header = content[at + 8:at + 16 + 16 * count]
        size = sum(struct.unpack_from("<I", header, 8 + 16 * entry + 12)[0] for entry in range(count))
        data = content[at + 8 + len(header):][:size]
        end = at + 8 + len(header) + size
        yield Batch(at, end, end <= len(content) and content[at:at + 8] == struct.pack("<II", crc(header), crc(data)))
        at = end


@functools.cache
def _table():
    table = []
    for byte in range(256):
        rest = byte << 24
        for _ in range(8):
            rest = (rest << 1 ^ 0x04C11DB7 if rest & 0x80000000 else rest << 1) & 0xFFFFFFFF
        table.append(rest)
    return table


def crc(data):
    table, rest = _table(), 0
    for byte in data:
        rest = (rest << 8 & 0xFFFFFFFF) ^ table[rest >> 24 ^ byte]
    return rest
