# SPDX-License-Identifier: MIT
"""Go's function table, joined from the streams of packer/GO_TABLES.md: part of tests/unpack.py.

Written for likeness with the document, not for speed.
"""

import struct
from collections import defaultdict

from unpack_layout import check
from unpack_tables import Stream, check_used_up, number_bytes, unzigzag

(PARAMETERS, PLAIN, NAME_PREFIXES, NAME_SUFFIXES, LOW_BYTES, WIDE, SHAPES, ARGUMENTS, START_LINES,
 FUNCTION_MISC, TABLE_REFERENCES, DATA_REFERENCES, DATA_OFFSETS, TREE_SIZES, NODE_NAMES, NODE_MISC,
 NODE_START_LINES, NODE_PARENTS, STEP_KINDS, STEP_PCS, LINES_SAME, LINES_BACK, LINES_ENTRY,
 SP_VALUES, SP_PCS, UNSAFE_VALUES, UNSAFE_PCS, STACK_MAP_VALUES, STACK_MAP_PCS, OTHER_VALUES,
 OTHER_PCS, STREAM_COUNT) = range(32)
NONE, NEW, EXPLICIT, RANKED = range(4)  # references
NOWHERE = NO_NAME = MASK = 0xffffffff
VALUES = {0: SP_VALUES, 3: UNSAFE_VALUES, 4: STACK_MAP_VALUES}  # of a kind of pc table


def pc_table(runs, length):
    """The bytes of a pc table: from pc on (units of the quantum), the value, for each run."""
    out, before = bytearray(), -1
    for (pc, value), (end, _) in zip(runs, runs[1:] + [(length, None)]):
        delta = (value - before + 2 ** 31 & MASK) - 2 ** 31
        out += number_bytes((delta << 1 ^ delta >> 31) & MASK) + number_bytes(end - pc & MASK)
        before = value
    return out + b"\0"


class Memory:
    """Values by key, the last used first."""

    def __init__(self):
        self.values = defaultdict(list)

    def add(self, key, value):
        self.values[key & MASK].insert(0, value)

    def take(self, key, rank):
        values = self.values[key & MASK]
        values.insert(0, values.pop(rank))
        return values[0]


class Guesses:
    """What is expected of a key: what was last seen with its hash."""

    def __init__(self):
        self.values = defaultdict(int)

    def __getitem__(self, key):
        return self.values[(key * 0x9e3779b1 & MASK) >> 18]

    def __setitem__(self, key, value):
        self.values[(key * 0x9e3779b1 & MASK) >> 18] = value


class Slot:
    def __init__(self, line, file=0, name=NO_NAME):
        self.line, self.file, self.name, self.step = line, file, name, None


class Table:
    def __init__(self, parts, size):
        check(len(parts) == STREAM_COUNT and len(parts[PARAMETERS]) == 32, "no Go table's parts")
        self.streams, self.out = [Stream(part) for part in parts], bytearray(size)
        (self.table, self.functions_end, self.go_func, self.find_func, self.align, self.depth_unit,
         _, _) = struct.unpack("<8I", self.streams[PARAMETERS].take(32))
        check(self.align > 0, "odd parameters of a Go table")
        self.memory, self.guesses = Memory(), Guesses()

    def byte(self, stream):
        return self.streams[stream].take(1)[0]

    def wide(self):
        return self.streams[WIDE].number() & MASK

    def number(self, stream):
        first = self.byte(stream)
        if first < 224:
            return first
        return 224 + 256 * (first - 224) + self.byte(LOW_BYTES) if first < 255 else self.wide()

    def signed(self, stream):
        return unzigzag(self.number(stream))

    def store(self, at, *values):
        struct.pack_into(f"<{len(values)}I", self.out, at, *(value & MASK for value in values))

    def load(self, at):
        return struct.unpack_from("<I", self.out, at)[0]

    def plain(self, begin, end):
        check(begin <= end <= len(self.out), "a Go table's header is odd")
        self.out[begin:end] = self.streams[PLAIN].take(end - begin)

    def join(self):
        at = self.table
        self.plain(0, at + 72)
        self.quantum, functions = self.out[at + 6], self.load(at + 8)
        self.since_120 = self.load(at) == 0xfffffff1
        names, units, pcs, functab = (at + self.load(at + i) for i in (32, 40, 56, 64))
        self.plain(at + 72, names)
        self.plain(units, pcs)
        self.plain(self.functions_end, len(self.out))
        self.names, self.next_name, self.last_name, self.pcs = names, 0, 0, pcs
        self.pctab = bytearray(1)
        self.join_functions(functions, functab)
        check(len(self.pctab) <= functab - pcs, "pc tables are larger than pctab")
        self.out[pcs:pcs + len(self.pctab)] = self.pctab
        while self.next_name < units - names:
            self.new_name()
        if self.find_func != NOWHERE:
            self.join_find_functions(functions, functab)
        check_used_up(*self.streams)
        return bytes(self.out)

    def new_name(self):
        """Writes the next name and returns its offset."""
        name, shared = self.next_name, self.names + self.last_name
        suffixes = self.streams[NAME_SUFFIXES]
        end = suffixes.data.index(0, suffixes.at) + 1
        text = self.out[shared:shared + self.number(NAME_PREFIXES)]
        text += suffixes.take(end - suffixes.at)
        self.out[self.names + name:self.names + name + len(text)] = text
        self.last_name, self.next_name = name, name + len(text)
        return name

    def recall(self, reference, key):
        if reference >= RANKED:
            return self.memory.take(key, reference - RANKED)
        value = self.wide()
        self.memory.add(key, value)
        return value

    def join_functions(self, functions, functab):
        entry, unit, line, data_ends = self.number(FUNCTION_MISC), 0, 0, [0] * 16
        end, fixed = functab + 8 * functions + 4, 44 if self.since_120 else 40
        for index in range(functions):
            pcdata, data, flag, identity = (self.number(SHAPES) for _ in range(4))
            at = end + (end - functab) % 8
            end = at + fixed + 4 * (pcdata + data)
            self.store(functab + 8 * index, entry, at - functab)
            name = self.number(FUNCTION_MISC)
            name = unzigzag(name - 1) + self.next_name if name else self.new_name()
            arguments, deferreturn = self.number(ARGUMENTS), self.number(FUNCTION_MISC)
            unit = unit + self.signed(FUNCTION_MISC) & MASK
            self.store(at, entry, name, arguments, deferreturn)
            self.store(at + 28, pcdata, unit)
            if self.since_120:
                line = line + self.signed(START_LINES) & MASK
                self.store(at + 36, line)
            self.store(at + fixed - 4, identity | flag << 8 | data << 24)
            slots, tree = [Slot(line, self.guesses[NO_NAME + unit])], 0
            for column in range(data):
                reference, key = self.number(DATA_REFERENCES), arguments * 64 + 32 + column
                offset = NOWHERE
                if reference == NEW:
                    offset = data_ends[column] + self.signed(DATA_OFFSETS) & MASK
                    self.memory.add(key, offset)
                    data_ends[column] = offset
                    if column == 3 and self.go_func != NOWHERE:
                        tree = self.go_func + offset
                        data_ends[column] += self.join_tree(tree, slots)
                elif reference != NONE:
                    offset = self.recall(reference, key)
                self.store(end - 4 * (data - column), offset)
            steps, length = self.join_tables(at + 16, at + fixed, pcdata, slots, unit)
            if steps:
                line = slots[0].line
            self.join_parents(tree, slots[1:], steps)
            entry += length * self.quantum
            if index + 1 < functions:
                entry = -(-entry // self.align) * self.align
            entry = entry + self.signed(FUNCTION_MISC) & MASK
        self.store(functab + 8 * functions, entry)
        check(end == self.functions_end, "functions do not end where they should")

    def join_tree(self, at, slots):
        """The nodes of a new inlining tree, which become slots; returns their bytes."""
        begin, name, nodes = at, NO_NAME, self.number(TREE_SIZES)
        for _ in range(nodes):
            reference, key = self.number(NODE_NAMES), name * 64 + 63
            if reference == NEW:
                name = self.new_name()
                self.memory.add(key, name)
            else:
                name = self.recall(reference, key)
            misc = self.number(NODE_MISC)
            if misc & 1:
                self.guesses[~name] = self.number(NODE_START_LINES)
            line = self.guesses[~name]
            if self.since_120:
                self.store(at, misc >> 1, name, 0, line)
            else:
                self.store(at, misc >> 1 << 16, 0, 0, name, 0)
            slots.append(Slot(line, 0, name))
            at += 16 if self.since_120 else 20
        self.nodes = nodes
        return at - begin

    def join_parents(self, at, nodes, steps):
        """Where nodes are called, in steps from where they are entered."""
        step = 0
        for node in nodes[:self.nodes if at else 0]:
            step = step if node.step is None else node.step
            distance = self.number(NODE_PARENTS)
            parent = step + unzigzag(distance >> 1)
            check(0 <= parent < len(steps), "a node is called outside its function")
            pc, line, file, slot = steps[parent]
            pc = pc * self.quantum + (self.wide() if distance & 1 else 0)
            if self.since_120:
                self.store(at + 8, pc)
            else:
                self.store(at, self.load(at) | slot - 1 & 0xffff, file, line)
                self.store(at + 16, pc)
            at += 16 if self.since_120 else 20

    def join_tables(self, first, others, pcdata, slots, unit):
        """A function's pc tables. Returns its steps, if they are new, and its length."""
        reference, steps, lines = self.number(TABLE_REFERENCES), [], 0
        if reference == NEW:
            steps, length = self.join_steps(slots, unit)
        else:
            length = self.number(STEP_PCS)
            if reference != NONE:
                lines = self.recall(reference, length * 64 + 2)
        kinds = [kind for kind in range(3 + pcdata) if kind != 5] + [5] * (pcdata > 2)
        for kind in kinds:
            offset, key = 0, length * 64 + kind
            if kind == 2:
                reference, offset = NEW if steps else NONE, lines
            else:
                reference = self.number(TABLE_REFERENCES)
            if reference == NEW:
                offset = len(self.pctab)
                self.memory.add(key, offset)
                if steps and kind in (1, 2, 5):
                    runs = [(pc, {1: file, 2: line, 5: slot - 1}[kind])
                            for pc, line, file, slot in steps]
                    runs = runs[:1] + [b for a, b in zip(runs, runs[1:]) if a[1] != b[1]]
                else:
                    runs = self.runs(VALUES.get(kind, OTHER_VALUES))
                self.pctab += pc_table(runs, length)
            elif reference != NONE:
                offset = self.recall(reference, key)
            self.store(first + 4 * kind if kind < 3 else others + 4 * (kind - 3), offset)
        return steps, length

    def runs(self, stream):
        delta, pc, unit = self.signed(stream), 0, self.depth_unit if stream == SP_VALUES else 1
        runs = [(0, delta - 1)]
        while number := self.number(stream):
            # What goes up comes down: 1 takes the change before back.
            delta = -delta if number == 1 else unzigzag(number - 1) * unit
            pc += self.number(stream + 1)
            runs.append((pc, runs[-1][1] + delta))
        return runs

    def join_steps(self, slots, unit):
        """The steps (pc, line, file, slot) of a function, and its length."""
        steps, recent, now, largest, pc = [], [0], 0, 0, 0
        slots[0].step, line, file = 0, slots[0].line, slots[0].file

        def leave():
            slots[now].line, slots[now].file = line, file
            self.guesses[slots[now].name + unit] = file

        while kind := self.byte(STEP_KINDS):
            action, line_stays, other_file = kind - 1 >> 2, kind - 1 & 2, kind - 1 & 1
            lines = LINES_SAME
            if action:
                leave()
                if action > 2:
                    slot = recent.pop(action - 2)
                else:
                    slot = largest + 1 if action == 1 else now + unzigzag(self.wide()) & MASK
                check(slot < 65536, "a slot is too far")
                slots += [Slot(line) for _ in range(len(slots), slot + 1)]
                recent = [slot] + recent[:15]
                now, largest = slot, max(largest, slot)
                line, file, lines = slots[now].line, slots[now].file, LINES_BACK
                if slots[now].step is None:
                    slots[now].step, lines = len(steps), LINES_ENTRY
                    file = self.guesses[slots[now].name + unit]
            if not line_stays:
                line = line + self.signed(lines) & MASK
            if other_file:
                file = file + unzigzag(self.wide()) & MASK
            steps.append((pc, line, file, now))
            pc += self.number(STEP_PCS)
        leave()
        check(steps, "a function has no steps")
        return steps, pc

    def join_find_functions(self, functions, functab):
        entries = [self.load(functab + 8 * i) for i in range(functions + 1)]
        at, function, base = self.find_func, 0, 0
        for piece in range((entries[-1] - entries[0] & MASK) + 255 >> 8):
            while function + 1 < functions and entries[function + 1] - entries[0] <= 256 * piece:
                function += 1
            if piece % 16 == 0:
                base = function
                self.store(at, base)
                at += 4
            self.out[at] = function - base & 255
            at += 1


def join_go_table(parts, size):
    return Table(parts, size).join()
