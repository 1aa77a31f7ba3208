# SPDX-License-Identifier: MIT
"""The codec that packer/QUICK_FORMAT.md describes, decoded: part of tests/unpack.py.

Written for likeness with the document, not for speed.
"""

from unpack_layout import check
from unpack_rans import Coder

BITS = 11
RUN, OFFSET, REPEATED_LENGTH, LENGTH, LITERAL = range(5)


class Decoder:
    def __init__(self, packed):
        self.coder, self.tables = Coder(packed, 0, states=2), None

    def gamma(self):
        value = 1
        while self.coder.raw(1):
            value = value * 2 + self.coder.raw(1)
        return value

    def distribution(self, symbols):
        """By share: the symbol that has it, the first of its shares, and how many it has."""
        shares, symbol, bits = [], 0, 3
        while len(shares) < 1 << BITS:
            symbol += self.gamma() - 1
            step = self.gamma() - 1
            bits += -(step + 1) // 2 if step % 2 else step // 2
            check(symbol < symbols and 0 <= bits <= BITS, "a distribution of other symbols")
            size = (1 << bits) + self.coder.raw(bits)
            shares += [(symbol, len(shares), size)] * size
            symbol += 1
        check(len(shares) == 1 << BITS, "a distribution of too many shares")
        return shares

    def symbol(self, table):
        symbol, start, size = self.tables[table][self.coder.state & (1 << BITS) - 1]
        self.coder.take(start, size, BITS)
        return symbol

    def number(self, table):
        symbol = self.symbol(table)
        if symbol < 16:
            return symbol
        bits = symbol // 2 - 5
        return (2 + symbol % 2 << bits) + self.coder.raw(bits)

    def decode(self, size):
        out, last = bytearray(), [1, 4, 8]
        while len(out) < size:
            self.coder.start_block()
            self.tables = [self.distribution(256 if t == LITERAL else 72) for t in range(5)]
            for _ in range(self.coder.raw(16) + 1):
                for _ in range(self.number(RUN)):
                    out.append(self.symbol(LITERAL))
                if len(out) >= size:
                    break
                offset = self.number(OFFSET)
                length = self.number(REPEATED_LENGTH if offset < 3 else LENGTH) + 1
                distance = last.pop(offset) if offset < 3 else offset - 2
                last = [distance] + last[:2]
                check(distance <= len(out), "a copy from before the start")
                for _ in range(length):
                    out.append(out[-distance])
            self.coder.end_block()
        check(len(out) == size and self.coder.at == len(self.coder.packed), "more than its bytes")
        return bytes(out)


def quick_decoded(packed, size):
    return Decoder(packed).decode(size)
