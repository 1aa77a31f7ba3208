# SPDX-License-Identifier: MIT
"""The coder of both codecs of level small, as packer/MIX_FORMAT.md describes it: part of tests/unpack.py."""

import struct

from unpack_layout import check

FINAL_STATE = 1 << 31


class Coder:
    """The words from `at` on; `state` is the one whose turn it is, of one or two."""

    def __init__(self, packed, at, states=1):
        self.packed, self.at, self.states = packed, at, [FINAL_STATE] * states

    @property
    def state(self):
        return self.states[0]

    @state.setter
    def state(self, value):
        self.states[0] = value

    def word(self):
        check(self.at + 4 <= len(self.packed), "words are missing")
        self.at += 4
        return struct.unpack_from("<I", self.packed, self.at - 4)[0]

    def start_block(self):
        for k in reversed(range(len(self.states))):
            self.states[k] = self.word() | self.word() << 32

    def end_block(self):
        check(set(self.states) == {FINAL_STATE}, "a block does not end where it should")

    def take(self, start, size, bits):
        """Takes a symbol off the state that has these shares of 2^bits. The other one is next."""
        self.state = size * (self.state >> bits) + (self.state & (1 << bits) - 1) - start
        self.refill()
        self.states.reverse()

    def raw(self, bits):
        value = self.state & (1 << bits) - 1
        self.state >>= bits
        self.refill()
        return value

    def refill(self):
        if self.state < FINAL_STATE:
            self.state = self.state << 32 | self.word()
