# SPDX-License-Identifier: MIT
"""The structures that packer/FORMAT.md describes, and those of ELF: part of tests/unpack.py."""

import struct
from collections import namedtuple


def check(condition, text):
    if not condition:
        raise ValueError(text)


def structure(name, layout, fields):
    kind = namedtuple(name, fields)
    kind.layout = struct.Struct("<" + layout)
    return kind


Note = structure("Note", "3I8s", "name_size descriptor_size type name")
Header = structure("Header", "8s2Q4H10Q4H2Q32s32s16s", """
    magic file_digest run_digest version machine level first_held header_vaddr image_vaddr image_size entry
    phdr_vaddr escape_vaddr stub_vaddr stub_size payload_vaddr payload_size phnum segment_count
    stream_count region_count original_size source_size original_sha256 source_sha256
    packer_version""")
Segment = structure("Segment", "4Q2I", "vaddr memory_size file_size file_offset flags guard")
Stream = structure("Stream", "3Q2I", "address raw_size packed_size kind codec")
Region = structure("Region", "2QI2H", "address size transform first_part part_count")
ProgramHeader = structure("ProgramHeader", "2I6Q", """
    type flags offset vaddr paddr filesz memsz align""")
ElfHeader = structure("ElfHeader", "16s2HI3QI6H", """
    ident type machine version entry phoff shoff flags ehsize phentsize phnum shentsize shnum
    shstrndx""")


def read(data, kind, offset, count=1):
    end = offset + kind.layout.size * count
    check(0 <= offset <= end <= len(data), f"no room for {kind.__name__} at {offset}")
    return [kind(*values) for values in kind.layout.iter_unpack(data[offset:end])]
