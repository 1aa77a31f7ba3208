# SPDX-License-Identifier: MIT
"""What must hold in a packed file beside its digests (packer/FORMAT.md): part of tests/unpack.py."""

from unpack_code import TRANSFORMS
from unpack_go import join_go_table
from unpack_layout import ElfHeader, Note, ProgramHeader, check, read
from unpack_tables import join_eh_frame, join_exception_tables, join_relocations

IMAGE, REST, PART, STUB = range(4)  # kinds of streams
JOINS = {4: join_go_table, 5: join_eh_frame, 6: join_exception_tables, 7: join_relocations}


def check_inside(pieces, ranges, what):
    """The pieces (address, size) ascend, share nothing and lie in one of the ranges each."""
    check(all(a + n <= b for (a, n), (b, _) in zip(pieces, pieces[1:])), f"{what} overlap")
    check(all(any(b <= a and a + n <= b + m for b, m in ranges) for a, n in pieces),
          f"{what} lie elsewhere")


def check_header(header, size):
    check(header.level in (1, 2) and 1 <= header.segment_count <= 64 and
          header.first_held <= header.stream_count <= 1024 and header.region_count <= 1024 and
          0 < header.image_size <= 16 << 30 and
          header.original_size <= min(2 << 30, 1024 * size), "a field beyond its limits")


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


def check_segments(header, segments):
    check_inside([(s.vaddr, s.memory_size) for s in segments],
                 [(header.image_vaddr, header.image_size)], "segments")
    check(all(s.file_size <= s.memory_size and s.flags <= 7 and
              s.guard in ((0, 16) if s.flags & 1 and header.machine == 183 else (0,)) and
              s.file_offset + s.file_size <= header.original_size for s in segments),
          "an odd segment")


def check_streams(header, streams):
    kinds, scratch = [s.kind for s in streams], 0
    loaded = len(kinds) - kinds.count(REST)
    check(REST not in kinds[:loaded] and STUB not in kinds[1:] and
          set(kinds) <= {IMAGE, REST, PART, STUB}, "streams out of order")
    check(sum(s.packed_size for s in streams[:loaded]) == header.payload_size and
          sum(s.raw_size for s in streams) <= 2 << 30, "sizes of streams")
    for stream in streams:
        if stream.kind == PART:
            check(stream.address == scratch, "a part is elsewhere")
            scratch += -(-stream.raw_size // 16) * 16
        check(stream.kind in (IMAGE, PART) or stream.address == 0, "an address without a meaning")
        check(stream.kind != STUB or stream.codec == 2, "another codec than the stub's")


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


def check_original(original, header, segments):
    elf, = read(original, ElfHeader, 0)
    loads = [p for p in read(original, ProgramHeader, elf.phoff, elf.phnum) if p.type == 1]
    check((elf.machine, elf.entry, elf.phnum) == (header.machine, header.entry, header.phnum) and
          [(p.vaddr, p.memsz, p.filesz, p.offset, p.flags) for p in loads] ==
          [s[:5] for s in segments] and
          header.phdr_vaddr in [p.vaddr + elf.phoff - p.offset for p in loads],
          "the headers speak of another program")
