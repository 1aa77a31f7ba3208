#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Gives back the program in a packed file, as packer/FORMAT.md describes it.

usage: tests/unpack.py PACKED OUTPUT

A second reader of the format that follows its description: where the two readers disagree, the
description is wrong or one of them is. Shares no code with the packer; zstd frames go through the zstd
command. Ends with 1 and one line on standard error when anything is not as FORMAT.md says, and then
writes nothing.
"""

import hashlib
import mmap
import struct
import subprocess
import sys
import tempfile
from collections import namedtuple

from unpack_code import TRANSFORMS

MASK = (1 << 64) - 1
MIB = 1 << 20

Note = namedtuple("Note", "name_size descriptor_size type name")
Header = namedtuple("Header", "magic version machine level file_digest run_digest header_vaddr "
                    "image_vaddr image_size entry phdr_vaddr escape_vaddr stub_vaddr stub_size "
                    "payload_vaddr payload_size phnum segment_count stream_count region_count "
                    "original_size source_size original_sha256 source_sha256 packer_version")
Segment = namedtuple("Segment", "vaddr memory_size file_size file_offset flags reserved")
Stream = namedtuple("Stream", "address raw_size packed_size kind codec")
Region = namedtuple("Region", "address size transform reserved")
ProgramHeader = namedtuple("ProgramHeader", "type flags offset vaddr paddr filesz memsz align")
ElfHeader = namedtuple("ElfHeader", "ident type machine version entry phoff shoff flags ehsize "
                       "phentsize phnum shentsize shnum shstrndx")
LAYOUT = {Note: "<3I8s", Header: "<8s2HI12Q4H2Q32s32s16s", Segment: "<4Q2I", Stream: "<3Q2I",
          Region: "<2Q2I", ProgramHeader: "<2I6Q", ElfHeader: "<16s2HI3QI6H"}


class Damaged(Exception):
    pass


def check(condition, text):
    if not condition:
        raise Damaged(text)


def read(data, kind, offset, count=1):
    size = struct.calcsize(LAYOUT[kind])
    check(0 <= offset <= len(data) - size * count, f"no room for {kind.__name__} at {offset}")
    return [kind(*struct.unpack_from(LAYOUT[kind], data, offset + i * size)) for i in range(count)]


def xxh64(data, seed):
    p1, p2, p3, p4, p5 = (0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9,
                          0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5)

    def rotated(x, by):
        return (x << by | x >> (64 - by)) & MASK

    def rounded(lane, value):
        return rotated((lane + value * p2) & MASK, 31) * p1 & MASK

    whole = len(data) & ~31
    if whole:
        lanes = [seed + p1 + p2 & MASK, seed + p2 & MASK, seed, seed - p1 & MASK]
        for values in struct.iter_unpack("<4Q", data[:whole]):
            lanes = [rounded(*pair) for pair in zip(lanes, values)]
        h = sum(map(rotated, lanes, (1, 7, 12, 18))) & MASK
        for lane in lanes:
            h = ((h ^ rounded(0, lane)) * p1 + p4) & MASK
    else:
        h = seed + p5
    h, at = h + len(data) & MASK, whole
    while at + 8 <= len(data):
        h = (rotated(h ^ rounded(0, struct.unpack_from("<Q", data, at)[0]), 27) * p1 + p4) & MASK
        at += 8
    if at + 4 <= len(data):
        h = (rotated(h ^ struct.unpack_from("<I", data, at)[0] * p1 & MASK, 23) * p2 + p3) & MASK
        at += 4
    for byte in data[at:]:
        h = rotated(h ^ byte * p5 & MASK, 11) * p1 & MASK
    h = (h ^ h >> 33) * p2 & MASK
    h = (h ^ h >> 29) * p3 & MASK
    return h ^ h >> 32


def inside(pieces, ranges):
    """Each piece (start, size) inside one of the ranges, and no byte in two pieces."""
    ends = [(start, start + size) for start, size in sorted(pieces)]
    return (all(end <= start for (_, end), (start, _) in zip(ends, ends[1:])) and
            all(any(a <= start and end <= a + n for a, n in ranges) for start, end in ends))


def decoded(stream, packed):
    if stream.codec == 0:
        check(stream.raw_size == stream.packed_size, "a stored stream's sizes differ")
        return packed
    check(stream.codec == 1 and packed[:4] == b"\x28\xb5\x2f\xfd", "a stream of no known codec")
    with tempfile.TemporaryFile() as file:
        file.write(packed)
        file.seek(0)
        command = ["zstd", "-dcq", "--long=31"]
        with subprocess.Popen(command, stdin=file, stdout=subprocess.PIPE) as zstd:
            raw = zstd.stdout.read(stream.raw_size + 1)
            zstd.stdout.close()
    check(zstd.returncode == 0 and len(raw) == stream.raw_size, "a stream does not decode to its size")
    return raw


def check_pieces(data, elf, header, entry, tables):
    """The layout of the packed file: what maps it, and the note."""
    programs = read(data, ProgramHeader, 64, elf.phnum)
    check([p.type for p in programs] in ([1, 1, 1, 4], [1, 1, 1, 4, 0x6474e551]), "other program headers")
    image, payload, stub, note = programs[:4]
    check((image.flags, image.offset, image.vaddr, image.memsz) ==
          (6, 0, header.image_vaddr, header.image_size), "segment 0 is not the image")
    check(0 < image.filesz == 64 + 56 * elf.phnum == stub.offset, "segments 0 and 2 do not meet")
    check((stub.flags, stub.vaddr - stub.offset, stub.offset + stub.filesz) ==
          (5, header.stub_vaddr, header.stub_size), "segment 2 is not the stub")
    check((payload.flags, payload.vaddr, payload.filesz) ==
          (4, header.payload_vaddr, header.payload_size), "segment 1 is not the payload")
    check(header.header_vaddr - header.stub_vaddr == entry - 216, "header_vaddr is elsewhere")
    found, = read(data, Note, tables - 20)
    check(found == (8, entry - tables, 0x5748, b"WHITTLE\0"), "no PackNote before the tables")
    check(stub.offset <= note.offset <= tables - 20 and note.offset + note.filesz == entry,
          "PT_NOTE does not end at the stub")
    check(entry < header.stub_size <= payload.offset < header.stub_size + 16, "pieces overlap")
    return payload.offset


def check_original(original, packed_elf, header, segments):
    """The headers speak of this program."""
    elf, = read(original, ElfHeader, 0)
    for field in ("ident", "type", "machine", "version", "flags", "ehsize", "phentsize"):
        check(getattr(elf, field) == getattr(packed_elf, field), f"the ELF headers differ in {field}")
    loads = [p for p in read(original, ProgramHeader, elf.phoff, elf.phnum) if p.type == 1]
    check((elf.entry, elf.phnum) == (header.entry, header.phnum), "the original's ELF header says otherwise")
    check([(p.vaddr, p.memsz, p.filesz, p.offset, p.flags, 0) for p in loads] == segments,
          "the original's PT_LOADs say otherwise")
    check(any(s.file_offset <= elf.phoff < s.file_offset + s.file_size and
              s.vaddr + elf.phoff - s.file_offset == header.phdr_vaddr for s in segments), "wrong phdr_vaddr")
    escape = header.escape_vaddr
    check(escape == 0 or escape % 16 == 0 and any(
        s.flags & 1 and s.file_size == s.memory_size and s.vaddr + s.memory_size <= escape and
        escape + 32 <= (s.vaddr + s.memory_size + 4095) & -4096 for s in segments), "wrong escape_vaddr")


def reassembled(size, segments, image, start, rest):
    """The original: what its segments have in the image, and between them the rest."""
    original, used, covered = bytearray(size), 0, 0
    for s in segments:
        offset = s.vaddr - start
        original[s.file_offset:s.file_offset + s.file_size] = image[offset:offset + s.file_size]
    for first, length in sorted((s.file_offset, s.file_size) for s in segments) + [(size, 0)]:
        gap = max(0, first - covered)
        original[covered:covered + gap] = rest[used:used + gap]
        covered, used = max(covered, first + length), used + gap
    check(used == len(rest) and len(original) == size, "wrong size of the rest")
    return original


def unpack(data):
    elf, = read(data, ElfHeader, 0)
    check(elf.ident[:6] == b"\x7fELF\2\1" and elf.phoff == 64 and elf.phentsize == 56, "no ELF64 file")
    programs = read(data, ProgramHeader, 64, elf.phnum)
    entry = next((elf.entry - p.vaddr + p.offset for p in programs
                  if p.type == 1 and p.flags & 1 and p.vaddr <= elf.entry < p.vaddr + p.filesz), 0)
    header, = read(data, Header, entry - 216)
    check(header.magic == b"\x7fWhittle" and header.version == 1, "no packed file of format 1")
    check(entry % 16 == 0 and header.machine == elf.machine and header.level == 1, "impossible header")
    check(xxh64(data[entry - 192:], xxh64(data[:entry - 200], 0)) == header.file_digest,
          "file_digest differs")

    check(1 <= header.segment_count <= 64 and header.stream_count <= 1024 and
          header.region_count <= 1024, "too many segments, streams or regions")
    regions_at = entry - 216 - 24 * header.region_count
    streams_at = regions_at - 32 * header.stream_count
    tables = streams_at - 40 * header.segment_count
    segments = read(data, Segment, tables, header.segment_count)
    streams = read(data, Stream, streams_at, header.stream_count)
    regions = read(data, Region, regions_at, header.region_count)
    at = payload_at = check_pieces(data, elf, header, entry, tables)
    digest = xxh64(data[entry - 184:entry], xxh64(data[tables:entry - 216], 0))
    payload = data[payload_at:payload_at + header.payload_size]
    check(xxh64(payload, digest) == header.run_digest, "run_digest differs")

    check(header.original_size <= min(2048 * MIB, 1024 * len(data)) and
          sum(s.raw_size for s in streams) <= 2048 * MIB and
          0 < header.image_size <= 16384 * MIB, "beyond a limit")
    start, rest = header.image_vaddr, []
    for s in segments:
        check(start <= s.vaddr and s.vaddr + s.memory_size <= start + header.image_size and
              s.file_size <= s.memory_size and s.file_offset + s.file_size <= header.original_size and
              s.flags <= 7 and s.reserved == 0, "a segment outside the image or the file")
    in_file = [(s.vaddr, s.file_size) for s in segments]
    filled = [(s.address, s.raw_size) for s in streams if s.kind == 0]
    check(inside(filled, in_file) and sum(n for _, n in filled) == sum(n for _, n in in_file),
          "the image streams do not fill the segments")
    check(inside([(r.address, r.size) for r in regions], filled), "regions outside the image streams")
    image = mmap.mmap(-1, header.image_size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    check([s.kind for s in streams] == sorted(s.kind for s in streams), "streams out of order")
    for stream in streams:
        check(at + stream.packed_size <= len(data), "a stream is cut off")
        raw = decoded(stream, data[at:at + stream.packed_size])
        at += stream.packed_size
        if stream.kind == 0:
            image[stream.address - start:stream.address - start + len(raw)] = raw
        else:
            check(stream.kind == 1 and stream.address == 0, "a stream of no known kind")
            rest.append(raw)
    check(at == len(data), "bytes behind the last stream")
    check(sum(s.packed_size for s in streams if s.kind == 0) == header.payload_size, "wrong payload_size")
    for region in regions:
        machine, undo = TRANSFORMS.get(region.transform, (None, None))
        check(machine == header.machine and region.reserved == 0, "a transform of another machine")
        offset = region.address - start
        code = bytearray(image[offset:offset + region.size])
        undo(code, offset)
        image[offset:offset + region.size] = bytes(code)

    original = reassembled(header.original_size, segments, image, start, b"".join(rest))
    check(hashlib.sha256(original).digest() == header.original_sha256, "original_sha256 differs")
    check_original(original, elf, header, segments)
    return original


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    try:
        with open(sys.argv[1], "rb") as file:
            original = unpack(file.read())
        with open(sys.argv[2], "wb") as file:
            file.write(original)
    except (Damaged, OSError) as error:
        sys.exit(f"unpack.py: {sys.argv[1]}: {error}")


if __name__ == "__main__":
    main()
