# SPDX-License-Identifier: MIT
"""The codec that packer/MIX_FORMAT.md describes, decoded: part of tests/unpack.py.

Written for likeness with the document, not for speed.
"""

from collections import defaultdict, namedtuple

from unpack_code import CALL, DISP8, DISP32, IMM, IMM8, JCC, OPCODE, RIP, asks
from unpack_layout import check
from unpack_rans import Coder

FULL, MASK, GOLDEN = 32752, 0xffffffff, 0x9e3779b1
RATES = [32767] + [131072 // (2 * count + 3) for count in range(1, 121)]

COMMAND_FIELDS = OPCODE, DISP8, IMM8, DISP32, RIP, CALL, IMM, JCC


def fold(number):
    return (number * 0x9e3779b97f4a7c15 & 2 ** 64 - 1) >> 32


def place_of(number):
    return number * 0x85ebca6b & MASK


class Bytes:
    """What is known before a byte: its field and hashes of a general and a specific context."""

    def __init__(self, columns, general, specific):
        self.at = self.before = 0
        self.columns = columns
        self.masks = [sum(255 << 8 * i for i in range(8) if chosen >> i & 1)
                      for chosen in (general, specific)]

    def step(self, byte):
        self.before = self.before << 8 & 2 ** 64 - 1 | byte
        self.at += 1

    def field(self):
        return self.at & self.columns

    def contexts(self, guess):
        known = self.before << 8 & 2 ** 64 - 1 | guess
        return [fold(known & mask) ^ place_of(self.at & self.columns) for mask in self.masks]

    def may_begin_command(self):
        return True


class Aarch64(Bytes):
    MASKS = ((0x7f00000000, 0xffe0000000), (0xff00, 0xffe00000ff00), (0xff1000, 0xff0f00),
             (0xff000300, 0x1fe1000300))

    def field(self):
        k = self.at % 4
        return 8 * k + (self.before >> (8 * k - 8 if k else 24) & 255) // 32

    def contexts(self, guess):
        self.masks = self.MASKS[self.at % 4]
        return super().contexts(guess)

    def may_begin_command(self):
        return self.at % 4 == 0


class X86(Bytes):
    def __init__(self, *header):
        super().__init__(*header)
        self.queue = self.length = self.key = self.key_before = 0

    def step(self, byte):
        super().step(byte)
        field, asked = self.field(), asks(self.field(), byte)
        self.queue = self.queue >> 6 << 6 * len(asked) & 2 ** 64 - 1
        for i, asked_field in enumerate(asked):
            self.queue |= asked_field << 6 * i
        self.length += 1
        if field < DISP8:
            self.key = (self.key + byte + 1) * GOLDEN & MASK
        if self.field() == OPCODE:
            self.key_before, self.key, self.length = self.key, 0, 0

    def field(self):
        return self.queue & 63

    def contexts(self, guess):
        field = self.field()
        so_far = self.before & (1 << 8 * min(self.length, 8)) - 1
        instruction = fold(so_far) ^ place_of(field)
        if field < DISP32:
            return instruction, instruction ^ self.key_before
        return fold(self.before & 255) ^ place_of(field), instruction

    def may_begin_command(self):
        return self.field() in COMMAND_FIELDS


class Model:
    """A distribution: shares of the symbols below each, and how often it was learned."""

    def __init__(self, count=0):
        self.shares, self.count, self.tag = [2047 * k for k in range(16)], count, 0

    def own(self):
        return Input(self, self.shares, self.count, 0)

    def is_old(self):
        return self.count > 12


class Input(namedtuple("Input", "model shares count tag")):
    """What a model says, which may be what its parent says, and what it becomes."""

    def learn(self, symbol):
        rate = RATES[self.count]
        self.model.shares = ([c + (-c * rate >> 16) for c in self.shares[:symbol + 1]] +
                             [c + ((FULL - c) * rate >> 16) for c in self.shares[symbol + 1:]])
        self.model.count, self.model.tag = min(self.count + 1, 120), self.tag


class Decoder:
    def __init__(self, packed):
        check(len(packed) >= 5 and packed[0] < 3 and packed[1] < 8 and packed[4] <= 12,
              "an unknown header")
        self.coder, self.places = Coder(packed, 5), 1 << packed[4]
        self.is_code = packed[0] != 0
        self.walk = (Bytes, X86, Aarch64)[packed[0]](*packed[1:4])
        self.models = defaultdict(Model)  # by table and place
        self.fields = defaultdict(lambda: Model(8))

    def mixed(self, a, b, weight):
        """The next symbol by a mixture of two inputs, of which b has the weight."""
        value, low, start, high, end = self.coder.state & 32767, 0, 0, 16, 32768
        while high - low > 1:
            k = (low + high) // 2
            here = k + (a.shares[k] * (65535 - weight) >> 16) + (b.shares[k] * weight >> 16)
            if here <= value:
                low, start = k, here
            else:
                high, end = k, here
        self.coder.take(start, end - start, 15)
        a.learn(low)
        if b.model is not a.model:
            b.learn(low)
        return low

    def single(self, *place):
        model = self.models[place].own()
        return self.mixed(model, model, 65535)

    def hashed(self, table, size, h, part, parent):
        model, tag = self.models[table, (h ^ part) % size], h >> 23 | 1
        if model.tag == tag:
            return Input(model, model.shares, model.count, tag)
        return Input(model, parent.shares, 2, tag)

    def literal(self, field, general, specific):
        part = byte = 0
        for _ in range(2):
            f = self.fields[field, part].own()
            g = self.hashed("general", 2 * self.places, general, part, f)
            s = self.hashed("specific", self.places, specific, part, g)
            if g.model.tag == g.tag and g.model.is_old():
                symbol = self.mixed(g, s, 41697 if s.model.is_old() else 32768)
            else:
                symbol = self.mixed(f, g, 32768 if self.is_code else 14500)
            part, byte = 1 + symbol, byte * 16 + symbol
        return byte

    def command(self, field, specific, history):
        by_field = ((history & 0xfff) * GOLDEN & MASK) >> 23 ^ field << 3
        return self.mixed(
            self.models["command by field", by_field % 512].own(),
            self.models["command by context", (specific ^ history << 7) % 512].own(), 32768)

    def length(self, kind, field):
        symbol = self.single("length", kind, field)
        if symbol < 15:
            return symbol + 1
        symbol = self.single("longer", kind)
        if symbol < 15:
            return symbol + 16
        bits = self.single("longest", kind)
        return 30 + (1 << bits) + self.coder.raw(bits)

    def distance(self, length, field):
        high = self.single("distance", min(length, 8), field)
        value = self.single("next bits", high)
        if high == 0:
            return value
        bits = 2 * high - 2
        middle = self.coder.raw(bits - 4) << 4 if bits > 4 else 0
        return (value << bits) + middle + (self.single("last bits", high) if bits else 0)

    def decode(self, size):
        out, walk, last, history, left = bytearray(), self.walk, [1, 1, 1, 1], 0, 0
        while len(out) < size:
            if left == 0:
                self.coder.end_block()
                self.coder.start_block()
                left = 1 << 18
            left -= 1
            guess = out[-last[0]] if last[0] <= len(out) else 0
            field, (general, specific) = walk.field(), walk.contexts(guess)
            command = 0
            if history & 3 or walk.may_begin_command():
                command = self.command(field, specific, history)
            if command == 0:
                out.append(self.literal(field, general, specific))
                walk.step(out[-1])
                history = history << 2 & MASK
                continue
            index, length = max(command - 2, 0), command - 5
            if command < 6:
                length = self.length(min(command - 1, 2), field) + (10 if command == 2 else 0)
            else:
                index = 0
            if command == 1:
                last = [self.distance(length, field)] + last[:3]
            else:
                last.insert(0, last.pop(index))
            check(0 < last[0] <= len(out) and length <= size - len(out), "a copy of nothing")
            history = (history << 2 | (1 if command == 1 else 2)) & MASK
            for _ in range(length):
                out.append(out[-last[0]])
                walk.step(out[-1])
        self.coder.end_block()
        check(self.coder.at == len(self.coder.packed), "a stream does not end where it should")
        return bytes(out)


def mix_decoded(packed, size):
    return Decoder(packed).decode(size)
