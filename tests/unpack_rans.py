# SPDX-License-Identifier: MIT
"""The coder of both codecs of level small, as packer/MIX_FORMAT.md describes it: part of tests/unpack.py."""

import struct

from unpack_layout import check

FINAL_STATE = 1 << 31


class Coder:
    def __init__(self, packed, at):
        self.packed, self.at, self.state = packed, at, FINAL_STATE

    def word(self):
        check(self.at + 4 <= len(self.packed), "words are missing")
        self.at += 4
        return struct.unpack_from("<I", self.packed, self.at - 4)[0]

    def start_block(self):
        self.state = self.word() | self.word() << 32

    def end_block(self):
        check(self.state == FINAL_STATE, "a block does not end where it should")

    def take(self, start, size, bits):
        """Takes a symbol off the state that has these shares of 2^bits."""
        self.state = size * (self.state >> bits) + (self.state & (1 << bits) - 1) - start
        self.refill()

    def raw(self, bits):
        value = self.state & (1 << bits) - 1
        self.state >>= bits
        self.refill()
        return value

    def refill(self):
        if self.state < FINAL_STATE:
            self.state = self.state << 32 | self.word()
