# SPDX-License-Identifier: MIT
"""The tables that packer/TABLES.md takes apart, joined: part of tests/unpack.py.

Each function takes the streams (bytes) and the region's size, and returns the region's bytes.
Written for likeness with the document, not for speed.
"""

import bisect
import struct


def check(condition, text):
    if not condition:
        raise ValueError(text)


class Stream:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, size):
        piece = self.data[self.at:self.at + size]
        check(len(piece) == size, "a part ends too early")
        self.at += size
        return piece

    def number(self):
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def signed(self):
        return unzigzag(self.number())

    def used_up(self):
        return self.at == len(self.data)


def check_used_up(*streams):
    check(all(stream.used_up() for stream in streams), "a part is longer than its region needs")


def unzigzag(value):
    return -(value + 1 >> 1) if value & 1 else value >> 1


def number_bytes(value):
    out = bytearray()
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return out


def u32(value):
    return struct.pack("<I", value & 0xffffffff)


def join_eh_frame(streams, size):
    index, kinds, sizes, cies, begins, ranges, data, contents = map(Stream, streams)
    address, first, entries = index.number(), index.number(), index.number()
    records = bytearray()
    cie = end = lsda = 0
    fdes = {}  # begin of the function, by position
    starts = []  # of all records
    while not kinds.used_up():
        kind, length, here = kinds.take(1)[0], sizes.number(), first + len(records)
        starts.append(here)
        record = bytearray(u32(length))
        if kind == 0:
            cie = here
        else:
            if kind & 2:
                cie = cies.number()
            begin = -(-(end + address) // 16) * 16 - address + begins.signed() & 0xffffffff
            span = ranges.number()
            end = begin + span & 0xffffffff
            record += u32(here + 4 - cie) + u32(begin - here - 8) + u32(span)
            fdes[here] = begin
            if kind & 64:
                lsda += data.signed()
                record += contents.take(1) + u32(lsda - here - 17)
        record += contents.take(4 + length - len(record))
        records += record
    table, behind = bytearray(), first
    for _ in range(entries):
        here = bisect.bisect_left(starts, behind)
        expected = next((start for start in starts[here:here + 4] if start in fdes), 0)
        at = expected + index.signed()
        table += u32(fdes[at]) + u32(at)
        behind = at + 4 + struct.unpack_from("<I", records, at - first)[0]
    head = index.take(12) if entries else b""
    out = head + table
    out += index.take(first - len(out)) + records
    out += contents.take(size - len(out))
    check_used_up(index, sizes, cies, begins, ranges, data, contents)
    return bytes(out)


def join_exception_tables(streams, size):
    heads, begins, lengths, pads, actions, rest = map(Stream, streams)
    out = bytearray()
    while not heads.used_up():
        out += rest.take(heads.number())
        encoding = heads.take(1)
        out += b"\xff" + encoding
        if encoding != b"\xff":
            out += number_bytes(heads.number())
        table = heads.number()
        out += b"\x01" + number_bytes(table)
        table_end, covered, pad = len(out) + table, 0, 0
        while len(out) < table_end:
            begin, length, coded = covered + begins.signed(), lengths.number(), pads.number()
            covered = begin + length
            if coded:
                pad += unzigzag(coded - 1)
            for field in begin, length, pad if coded else 0, actions.number():
                out += number_bytes(field)
    out += rest.take(size - len(out))
    check_used_up(begins, lengths, pads, actions, rest)
    return bytes(out)


def join_relocations(streams, size):
    where, addends = map(Stream, streams)
    out, offset = bytearray(), 0
    for _ in range(size // 24):
        offset += where.signed()
        out += struct.pack("<QQq", offset & 2 ** 64 - 1, where.number(),
                           struct.unpack(">i", addends.take(4))[0])
    check_used_up(where, addends)
    return bytes(out)
