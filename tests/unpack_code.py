# SPDX-License-Identifier: MIT
"""The transforms of machine code that packer/FORMAT.md describes, undone: part of tests/unpack.py.

Each takes a region's bytes (a bytearray, changed in place) and its offset in the image. Written for
likeness with FORMAT.md, not for speed.
"""

import struct


def opcodes(text):
    """What follows each opcode, in FORMAT.md's letters."""
    table = [""] * 256
    for follows, *ranges in map(str.split, text.splitlines()):
        for first, _, last in (word.partition("-") for word in ranges):
            for opcode in range(int(first, 16), int(last or first, 16) + 1):
                table[opcode] = follows
    return table


ONE_BYTE = opcodes("""\
M 00-03 08-0b 10-13 18-1b 20-23 28-2b 30-33 38-3b 63 84-8f d0-d3 d8-df fe ff
1 04 0c 14 1c 24 2c 34 3c 6a 70-7f a8 b0-b7 cd e0-e7 eb
z 05 0d 15 1d 25 2d 35 3d 68 a9
P 26 2e 36 3e 40-4f 64-67 f0 f2 f3
M1 6b 80 82 83 c0 c1 c6
Mz 69 81 c7
Mt f6 f7
2 c2 ca
3 c8
8 a0-a3
v b8-bf
r e8 e9""")
TWO_BYTE = opcodes("""\
M 00-03 0d 10-2f 40-6f 74-76 78-7f 90-9f a3 a5 ab ad-af b0-b9 bb-bf c0 c1 c3 c7 d0-ff
M1 0f 70-73 a4 ac ba c2 c4-c6
4 80-8f""")


def undo_x86_64(code, base):
    at = 0
    while len(code) - at >= 32:
        here, narrow, wide, operand = at, False, False, 0
        while ONE_BYTE[code[here]] == "P" and here - at < 8:
            narrow |= code[here] == 0x66
            wide = 0x48 <= code[here] <= 0x4f
            here += 1
        opcode = code[here]
        follows = ONE_BYTE[opcode]
        here += 1
        if opcode == 0x0f:
            opcode = code[here]
            follows = TWO_BYTE[opcode]
            here += 1
            if opcode in (0x38, 0x3a):
                follows = "M" if opcode == 0x38 else "M1"
                here += 1
        elif opcode in (0xc5, 0xc4, 0x62):
            table = {0xc5: 1, 0xc4: code[here] & 31, 0x62: code[here] & 7}[opcode]
            here += {0xc5: 1, 0xc4: 2, 0x62: 3}[opcode]
            follows = {1: TWO_BYTE[code[here]].replace("4", ""), 3: "M1"}.get(table, "M")
            here += 1
        if follows[:1] == "M":
            modrm = code[here]
            here += 1
            mod, rm = modrm >> 6, modrm & 7
            if mod != 3:
                if rm == 4:
                    here += 5 if mod == 0 and code[here] & 7 == 5 else 1
                elif mod == 0 and rm == 5:
                    operand = here
                    here += 4
                here += (0, 1, 4)[mod]
            follows = follows[1:]
            if follows == "t":
                follows = "" if modrm & 0x30 else "1" if opcode == 0xf6 else "z"
        elif follows == "r":
            operand, follows = here, "4"
        if follows in ("z", "v"):
            here += 8 if follows == "v" and wide else 2 if narrow else 4
        elif follows not in ("", "P"):
            here += int(follows)
        if operand:
            value = int.from_bytes(code[operand:operand + 4], "big") - base - here
            code[operand:operand + 4] = (value & 0xffffffff).to_bytes(4, "little")
        at = here


def undo_aarch64(code, base):
    for at in range(0, len(code) - 3, 4):
        word, here = int.from_bytes(code[at:at + 4], "big"), base + at
        if word >> 26 == 0b100101:
            word = word & 0xfc000000 | word - here // 4 & 0x3ffffff
        elif word & 0x9f000000 == 0x90000000:
            page = ((word >> 29 & 3) << 19 | word >> 5 & 0x7ffff) - here // 4096
            word = word & 0x9f00001f | (page & 3) << 29 | (page >> 2 & 0x7ffff) << 5
        code[at:at + 4] = word.to_bytes(4, "little")


def undo_riscv64(code, base):
    at = 0
    while len(code) - at >= 8:
        word, second = struct.unpack_from("<2I", code, at)
        here, length = base + at, 4 if word & 3 == 3 else 2
        opcode = second & 0x7f
        if word & 0xfff == 0x0ef:
            half = (word >> 12) - here // 2  # the distance's bits 20-1
            word = (word & 0xfff | (half >> 19 & 1) << 31 | (half & 0x3ff) << 21 |
                    (half >> 10 & 1) << 20 | (half >> 11 & 0xff) << 12)
            struct.pack_into("<I", code, at, word)
        elif word & 0x7f == 0x17 and second >> 15 & 31 == word >> 7 & 31 and (
                opcode in (0x03, 0x07, 0x23, 0x27, 0x67) or second & 0x707f == 0x13):
            store = opcode in (0x23, 0x27)
            lower = (second >> 25) << 5 | second >> 7 & 31 if store else second >> 20
            distance = (word >> 12 << 12 | lower) - here
            word = word & 0xfff | distance + 0x800 & 0xfffff000
            second = (second & 0x01fff07f | (distance >> 5 & 0x7f) << 25 | (distance & 31) << 7
                      if store else second & 0xfffff | (distance & 0xfff) << 20)
            struct.pack_into("<2I", code, at, word, second)
            length = 8
        at += length


# transform: (the e_machine it belongs to, its inverse)
TRANSFORMS = {1: (62, undo_x86_64), 2: (183, undo_aarch64), 3: (243, undo_riscv64)}
