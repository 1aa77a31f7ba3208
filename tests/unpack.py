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

from unpack_checks import (IMAGE, JOINS, REST, check_header, check_layout, check_original,
                           check_regions, check_segments, check_streams)
from unpack_code import TRANSFORMS
from unpack_layout import ElfHeader, Header, ProgramHeader, Region, Segment, Stream, check, read
from unpack_mix import mix_decoded
from unpack_quick import quick_decoded

libxxhash = ctypes.CDLL("libxxhash.so.0")
libxxhash.XXH64.restype = ctypes.c_uint64
libxxhash.XXH64.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint64]
libzstd = ctypes.CDLL("libzstd.so.1")
libzstd.ZSTD_decompress.restype = ctypes.c_size_t
libzstd.ZSTD_decompress.argtypes = [ctypes.c_char_p, ctypes.c_size_t] * 2


def find_header(data, elf, programs):
    check(elf.ident[:6] == b"\x7fELF\2\1" and (elf.phoff, elf.phentsize) == (64, 56), "no ELF64")
    stub_at = next((elf.entry - p.vaddr + p.offset for p in programs
                    if p.type == 1 and 0 <= elf.entry - p.vaddr < p.filesz), 0)
    header, = read(data, Header, stub_at - 216)
    check(header.magic == b"\x7fWhittle" and header.version == 1, "no packed file of format 1")
    check(xxh64(data[stub_at - 200:], xxh64(data[:stub_at - 208], 0)) == header.file_digest,
          "file_digest differs")
    check(stub_at % 16 == 0 and header.machine == elf.machine, "another machine's header")
    check_header(header, len(data))
    return header, stub_at


def xxh64(data, seed):
    return libxxhash.XXH64(data, len(data), seed)


def decoded(stream, packed):
    if stream.codec == 0:
        raw = packed
    elif stream.codec == 1:
        check(packed[:4] == b"\x28\xb5\x2f\xfd", "a stream is no frame of zstd")
        buffer = ctypes.create_string_buffer(stream.raw_size)
        size = libzstd.ZSTD_decompress(buffer, len(buffer), packed, len(packed))
        raw = buffer.raw if size == len(buffer) else b""
    elif stream.codec == 2:
        raw = mix_decoded(packed, stream.raw_size)
    else:
        check(stream.codec == 3, "an unknown codec")
        raw = quick_decoded(packed, stream.raw_size)
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
    digest = xxh64(data[stub_at - 192:stub_at], xxh64(data[tables_at:stub_at - 216], 0))
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
