# SPDX-License-Identifier: MIT
"""The transforms of machine code that packer/FORMAT.md describes, undone: part of tests/unpack.py.

Each takes a region's bytes (a bytearray, changed in place) and its offset in the image. Written for
likeness with FORMAT.md, not for speed.
"""

import struct
from functools import lru_cache


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


# What a byte of x86-64 code is: packer/MIX_FORMAT.md's fields.
(OPCODE, AFTER_PREFIX, AFTER_REX_W, AFTER_66, OPCODE2, VEX_OPCODE, VEX_MAP, EVEX_MAP, MODRM,
 MODRM_F6, MODRM_F7, MODRM_66_F7, SIB_MOD_0, SIB, OTHER, DISP8, IMM8, DISP32) = range(18)
RIP, CALL, IMM, JCC = 21, 25, 29, 33


def operand(first, size):
    return [first + min(i, 3) for i in range(size)]


@lru_cache(None)
def asks(field, byte):
    """The fields of the bytes that `byte` in `field` asks for."""
    follows, fields, small = "", [], field == AFTER_66
    if field <= AFTER_66:
        if byte in (0x0f, 0xc4, 0xc5, 0x62):
            return {0x0f: [OPCODE2], 0xc4: [VEX_MAP], 0xc5: [OTHER, VEX_OPCODE],
                    0x62: [EVEX_MAP]}[byte]
        follows = ONE_BYTE[byte]
        if follows == "P":
            return [AFTER_REX_W if byte & 0xf8 == 0x48 else
                    AFTER_66 if byte == 0x66 or small else AFTER_PREFIX]
        if follows == "Mt":
            return [MODRM_F6 if byte == 0xf6 else MODRM_66_F7 if small else MODRM_F7]
    elif field == OPCODE2:
        if byte in (0x38, 0x3a):
            fields, follows = [OTHER], "M" if byte == 0x38 else "M1"
        elif 0x80 <= byte <= 0x8f:
            return operand(JCC, 4)
        else:
            follows = TWO_BYTE[byte]
    elif field == VEX_OPCODE:
        follows = TWO_BYTE[byte].replace("4", "")
    elif field in (VEX_MAP, EVEX_MAP):
        fields = [OTHER] * (field - VEX_MAP + 1)
        fields += [VEX_OPCODE if byte & 7 == 1 else OTHER]
        follows = {1: "", 3: "M1"}.get(byte & 7, "M")
    elif field <= MODRM_66_F7:
        mod, rm = byte >> 6, byte & 7
        if rm == 4 and mod != 3:
            fields += [SIB if mod else SIB_MOD_0]
        if mod == 0 and rm == 5:
            fields += operand(RIP, 4)
        fields += {1: [DISP8], 2: operand(DISP32, 4)}.get(mod, [])
        if field != MODRM and byte & 0x30 == 0:
            follows = {MODRM_F6: "1", MODRM_F7: "4", MODRM_66_F7: "2"}[field]
    elif field == SIB_MOD_0 and byte & 7 == 5:
        return operand(DISP32, 4)
    if follows[:1] == "M":
        fields, follows = fields + [MODRM], follows[1:]
    if follows == "1":
        return fields + [IMM8]
    if follows == "r":
        return operand(CALL, 4)
    if follows in ("z", "v"):
        follows = "8" if follows == "v" and field == AFTER_REX_W else "2" if small else "4"
    return fields + operand(IMM, int(follows or 0))


PIECE, TAIL = 32 * 1024, 16


def undo_x86_64(code, base):
    for piece in range(0, len(code), PIECE):
        at, fields, end = piece, [], min(piece + PIECE, len(code)) - TAIL
        while at < end:
            fields = asks(fields[0] if fields else OPCODE, code[at]) + fields[1:]
            at += 1
            if fields and fields[0] in (RIP, CALL):
                value = int.from_bytes(code[at:at + 4], "big") - base - at - len(fields)
                code[at:at + 4] = (value & 0xffffffff).to_bytes(4, "little")
            while fields and fields[0] >= SIB:  # these ask for nothing
                at += 1
                fields = fields[1:]


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
