#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Gives back the program in a packed file, as packer/FORMAT.md and its neighbours describe it.

usage: tests/unpack.py PACKED OUTPUT

A second reader of the format that follows its description: where the two readers disagree, the
description is wrong or one of them is. Shares no code with the packer; XXH64 and zstd are those of
their own libraries. Ends with 1 and one line on standard error when anything is not as they say,
and then writes nothing.
"""

import ctypes
import hashlib
import mmap
import struct
import sys

from unpack_code import TRANSFORMS
from unpack_go import join_go_table
from unpack_layout import (ElfHeader, Header, Note, ProgramHeader, Region, Segment, Stream, check,
                           read)
from unpack_mix import mix_decoded
from unpack_tables import join_eh_frame, join_exception_tables, join_relocations

libxxhash = ctypes.CDLL("libxxhash.so.0")
libxxhash.XXH64.restype = ctypes.c_uint64
libxxhash.XXH64.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint64]
libzstd = ctypes.CDLL("libzstd.so.1")
libzstd.ZSTD_decompress.restype = ctypes.c_size_t
libzstd.ZSTD_decompress.argtypes = [ctypes.c_char_p, ctypes.c_size_t] * 2


IMAGE, REST, PART = range(3)  # kinds of streams
JOINS = {4: join_go_table, 5: join_eh_frame, 6: join_exception_tables, 7: join_relocations}


def check_inside(pieces, ranges, what):
    """The pieces (address, size) ascend, share nothing and lie in one of the ranges each."""
    check(all(a + n <= b for (a, n), (b, _) in zip(pieces, pieces[1:])), f"{what} overlap")
    check(all(any(b <= a and a + n <= b + m for b, m in ranges) for a, n in pieces),
          f"{what} lie elsewhere")


def find_header(data, elf, programs):
    check(elf.ident[:6] == b"\x7fELF\2\1" and (elf.phoff, elf.phentsize) == (64, 56), "no ELF64")
    stub_at = next((elf.entry - p.vaddr + p.offset for p in programs
                    if p.type == 1 and 0 <= elf.entry - p.vaddr < p.filesz), 0)
    header, = read(data, Header, stub_at - 216)
    check(header.magic == b"\x7fWhittle" and header.version == 1, "no packed file of format 1")
    check(xxh64(data[stub_at - 192:], xxh64(data[:stub_at - 200], 0)) == header.file_digest,
          "file_digest differs")
    check(stub_at % 16 == 0 and header.machine == elf.machine and header.level in (1, 2) and
          1 <= header.segment_count <= 64 and header.stream_count <= 1024 and
          header.region_count <= 1024 and 0 < header.image_size <= 16 << 30 and
          header.original_size <= min(2 << 30, 1024 * len(data)), "a field beyond its limits")
    return header, stub_at


def check_layout(data, header, programs, tables_at, stub_at, payload_at):
    front, notes = 64 + 56 * len(programs), programs[3].offset
    payload, stub = header.payload_size, header.stub_size - front
    check([(p.type, p.flags, p.offset, p.vaddr, p.filesz, p.memsz) for p in programs[:4]] == [
        (1, 6, 0, header.image_vaddr, front, header.image_size),
        (1, 4, payload_at, header.payload_vaddr, payload, payload),
        (1, 5, front, header.stub_vaddr + front, stub, stub),
        (4, 4, notes, header.stub_vaddr + notes, stub_at - notes, stub_at - notes)] and
        [p.type for p in programs[4:]] in ([], [0x6474e551]), "odd program headers")
    check(header.header_vaddr - header.stub_vaddr == stub_at - 216, "header_vaddr is elsewhere")
    check(stub_at < header.stub_size <= payload_at < header.stub_size + 16, "pieces overlap")
    check(front <= notes <= tables_at - 20 and read(data, Note, tables_at - 20) ==
          [(8, stub_at - tables_at, 0x5748, b"WHITTLE\0")], "PackNote is not the last note")


def xxh64(data, seed):
    return libxxhash.XXH64(data, len(data), seed)


def check_segments(header, segments):
    check_inside([(s.vaddr, s.memory_size) for s in segments],
                 [(header.image_vaddr, header.image_size)], "segments")
    check(all(s.file_size <= s.memory_size and s.flags <= 7 and s.guard in (0, 16) and
              s.file_offset + s.file_size <= header.original_size for s in segments),
          "an odd segment")


def check_streams(header, streams):
    kinds, scratch = [s.kind for s in streams], 0
    loaded = len(kinds) - kinds.count(REST)
    check(REST not in kinds[:loaded] and set(kinds) <= {IMAGE, REST, PART}, "streams out of order")
    check(sum(s.packed_size for s in streams[:loaded]) == header.payload_size and
          sum(s.raw_size for s in streams) <= 2 << 30, "sizes of streams")
    for stream in streams:
        if stream.kind == PART:
            check(stream.address == scratch, "a part is elsewhere")
            scratch += -(-stream.raw_size // 16) * 16
        check(stream.kind != REST or stream.address == 0, "a rest stream has an address")


def check_regions(header, segments, streams, regions):
    images = sorted((s.address, s.raw_size) for s in streams if s.kind == IMAGE)
    in_place = sorted((r.address, r.size) for r in regions if r.part_count == 0)
    check_inside(in_place, images, "regions")
    made = [(r.address, r.size) for r in regions if r.part_count]
    in_file = [(s.vaddr, s.file_size) for s in segments]
    check_inside(sorted(images + made), in_file, "streams and regions")
    check(sum(n for _, n in images + made) == sum(n for _, n in in_file), "the image has gaps")
    check(all(r.transform in JOINS and r.part_count <= 40 if r.part_count else
              TRANSFORMS.get(r.transform, [0])[0] == header.machine and r.first_part == 0
              for r in regions), "an unknown transform")
    used = [r.first_part + i for r in regions for i in range(r.part_count)]
    check(sorted(used) == [i for i, s in enumerate(streams) if s.kind == PART],
          "parts are not of one region each")


def decoded(stream, packed):
    if stream.codec == 0:
        raw = packed
    elif stream.codec == 1:
        check(packed[:4] == b"\x28\xb5\x2f\xfd", "a stream is no frame of zstd")
        buffer = ctypes.create_string_buffer(stream.raw_size)
        size = libzstd.ZSTD_decompress(buffer, len(buffer), packed, len(packed))
        raw = buffer.raw if size == len(buffer) else b""
    else:
        check(stream.codec == 2, "an unknown codec")
        raw = mix_decoded(packed, stream.raw_size)
    check(len(raw) == stream.raw_size, "a stream does not decode to its size")
    return raw


def expanded(header, streams, regions, packed):
    """The image and the rest."""
    image = mmap.mmap(-1, header.image_size, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    raws, at = [], 0
    for stream in streams:
        raws.append(decoded(stream, packed[at:at + stream.packed_size]))
        at += stream.packed_size
        if stream.kind == IMAGE:
            offset = stream.address - header.image_vaddr
            image[offset:offset + stream.raw_size] = raws[-1]
    for region in regions:
        offset = region.address - header.image_vaddr
        if region.part_count:
            parts = raws[region.first_part:region.first_part + region.part_count]
            made = JOINS[region.transform](parts, region.size)
        else:
            made = bytearray(image[offset:offset + region.size])
            TRANSFORMS[region.transform][1](made, offset)
        check(len(made) == region.size, "a region is not made to its size")
        image[offset:offset + region.size] = bytes(made)
    return image, b"".join(raw for s, raw in zip(streams, raws) if s.kind == REST)


def reassembled(size, segments, image, start, rest):
    """The original: what its segments have in the image, and between them the rest."""
    original, used, covered = bytearray(size), 0, 0
    for s in segments:
        original[s.file_offset:s.file_offset + s.file_size] = image[
            s.vaddr - start:s.vaddr - start + s.file_size]
    for first, length in sorted((s.file_offset, s.file_size) for s in segments) + [(size, 0)]:
        gap = max(0, first - covered)
        original[covered:covered + gap] = rest[used:used + gap]
        covered, used = max(covered, first + length), used + gap
    check(used == len(rest) and len(original) == size, "the rest does not fill the gaps")
    return original


def check_original(original, header, segments):
    elf, = read(original, ElfHeader, 0)
    loads = [p for p in read(original, ProgramHeader, elf.phoff, elf.phnum) if p.type == 1]
    check((elf.machine, elf.entry, elf.phnum) == (header.machine, header.entry, header.phnum) and
          [(p.vaddr, p.memsz, p.filesz, p.offset, p.flags, 0) for p in loads] == segments and
          header.phdr_vaddr in [p.vaddr + elf.phoff - p.offset for p in loads],
          "the headers speak of another program")


def unpack(data):
    elf, = read(data, ElfHeader, 0)
    programs = read(data, ProgramHeader, 64, elf.phnum)
    check(len(programs) >= 4, "too few program headers")
    header, stub_at = find_header(data, elf, programs)
    regions_at = stub_at - 216 - 24 * header.region_count
    streams_at = regions_at - 32 * header.stream_count
    tables_at = streams_at - 40 * header.segment_count
    segments = read(data, Segment, tables_at, header.segment_count)
    streams = read(data, Stream, streams_at, header.stream_count)
    regions = read(data, Region, regions_at, header.region_count)
    at = len(data) - sum(s.packed_size for s in streams)
    check_layout(data, header, programs, tables_at, stub_at, at)
    digest = xxh64(data[stub_at - 184:stub_at], xxh64(data[tables_at:stub_at - 216], 0))
    check(xxh64(data[at:at + header.payload_size], digest) == header.run_digest,
          "run_digest differs")

    check_segments(header, segments)
    check_streams(header, streams)
    check_regions(header, segments, streams, regions)
    image, rest = expanded(header, streams, regions, data[at:])
    original = reassembled(header.original_size, segments, image, header.image_vaddr, rest)
    check(hashlib.sha256(original).digest() == header.original_sha256, "original_sha256 differs")
    check_original(original, header, segments)
    return original


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    try:
        with open(sys.argv[1], "rb") as file:
            original = unpack(file.read())
        with open(sys.argv[2], "wb") as file:
            file.write(original)
    except (ValueError, LookupError, struct.error, OSError) as error:
        sys.exit(f"unpack.py: {sys.argv[1]}: {error}")


if __name__ == "__main__":
    main()
