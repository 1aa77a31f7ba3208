# SPDX-License-Identifier: MIT
"""The goals of goals.csv held against what was measured.

Each figure is a ratio of whittle to its peer, or a plain number, and a goal is met where it does
not exceed its limit. Start overhead is the start of a packed form less that of the original.
"""

import csv
import math
import pathlib
import re
from dataclasses import dataclass

from contenders import FAST, ORIGINAL, SMALL, UPX_BEST, UPX_LZMA
from store import Missing

GOALS = pathlib.Path(__file__).resolve().parent / "goals.csv"


@dataclass(frozen=True)
class Goal:
    figure: str
    program: str
    limit: float
    value: float     # None: not measured
    reason: str = ""  # why not

    @property
    def met(self):
        return self.value is not None and self.value <= self.limit

    def verdict(self):
        return "not measured" if self.value is None else "met" if self.met else "missed"

    def value_text(self):
        """Rounded up, so that what is over the limit is so as it is written, too."""
        if self.limit >= 100:
            return f"{math.ceil(self.value):,}"
        return f"{math.ceil(self.value * 1000) / 1000:.3f}"

    def limit_text(self):
        return f"{self.limit:,.0f}" if self.limit >= 100 else f"{self.limit:.2f}"


def size_ratio(form, peer):
    return lambda results, program: (results.size(program, form).file /
                                     results.size(program, peer).file)


def to_zstd(form):
    return lambda results, program: (results.size(program, form).file /
                                     results.size(program, ORIGINAL).zstd)


def ratio(form, peer, figure):
    return lambda results, program: (results.value(program, form, figure) /
                                     results.value(program, peer, figure))


def overhead_ratio(form, peer, figure):
    def of(results, program):
        original = results.value(program, ORIGINAL, figure)
        peer_overhead = results.value(program, peer, figure) - original
        if peer_overhead <= 0:
            raise Missing(f"{peer} starts as fast as the original here")
        return (results.value(program, form, figure) - original) / peer_overhead
    return of


def to_least_upx(form, figure):
    return lambda results, program: (results.value(program, form, figure) /
                                     min(results.value(program, upx, figure)
                                         for upx in (UPX_BEST, UPX_LZMA)))


def large(results):
    """[(megabytes, name)] of the large programs, ascending."""
    found = {key[0] for key in results.latency if re.match(r"large \d+ MB$", key[0])}
    sizes = sorted((results.value(name, ORIGINAL, "size, MB"), name) for name in found)
    if len(sizes) < 2:
        raise Missing("not measured")
    return sizes


def largest(form, figure):
    return lambda results, _: results.value(large(results)[-1][1], form, figure)


def growth(form):
    """Seconds a byte of the largest over those of the one that is nearest to a quarter of it."""
    def of(results, _):
        sizes = large(results)
        most, name = sizes[-1]
        part, part_name = min(sizes, key=lambda size: abs(size[0] - most / 4))
        return (results.value(name, form, "pack time, s") / most /
                (results.value(part_name, form, "pack time, s") / part))
    return of


FIGURES = {
    "fast size ÷ UPX --best": size_ratio(FAST, UPX_BEST),
    "fast size ÷ UPX --best --lzma": size_ratio(FAST, UPX_LZMA),
    "small size ÷ UPX --best --lzma": size_ratio(SMALL, UPX_LZMA),
    "fast size ÷ zstd -19 of the original": to_zstd(FAST),
    "small size ÷ zstd -19 of the original": to_zstd(SMALL),
    "fast start overhead ÷ UPX --best, 2 CPUs": overhead_ratio(FAST, UPX_BEST, "start, 2 CPUs, ms"),
    "fast start overhead ÷ UPX --best, 1 CPU": overhead_ratio(FAST, UPX_BEST, "start, 1 CPU, ms"),
    "small start overhead ÷ UPX --best --lzma, 2 CPUs":
        overhead_ratio(SMALL, UPX_LZMA, "start, 2 CPUs, ms"),
    "fast peak memory at start ÷ UPX": to_least_upx(FAST, "peak memory at start, MB"),
    "small peak memory at start ÷ UPX": to_least_upx(SMALL, "peak memory at start, MB"),
    "fast pack time ÷ UPX --best --lzma": ratio(FAST, UPX_LZMA, "pack time, s"),
    "user time, seconds of work, fast ÷ original": ratio(FAST, ORIGINAL, "seconds of work, user s"),
    "wall time, half a second of work, fast ÷ original":
        ratio(FAST, ORIGINAL, "half a second of work, wall s"),
    "fast pack memory (MB)": largest(FAST, "pack memory, MB"),
    "small pack memory (MB)": largest(SMALL, "pack memory, MB"),
    "fast pack time for a byte ÷ that at a quarter of the size": growth(FAST),
    "small pack time for a byte ÷ that at a quarter of the size": growth(SMALL),
}


def evaluate(results):
    """Every goal of goals.csv, in its order."""
    found = []
    with GOALS.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            figure = row.pop("figure")
            for program, limit in row.items():
                if not limit:
                    continue
                try:
                    value, reason = FIGURES[figure](results, program), ""
                except Missing as error:
                    value, reason = None, str(error)
                found.append(Goal(figure, program, float(limit), value, reason))
    return found


def summary(found):
    counts = {word: sum(goal.verdict() == word for goal in found)
              for word in ("met", "missed", "not measured")}
    return ", ".join(f"{count} {word}" for word, count in counts.items() if count)


def text(results, programs):
    """One line a goal, of these programs alone; of all where there are none."""
    found = [goal for goal in evaluate(results) if not programs or goal.program in programs]
    lines = []
    for goal in found:
        compared = (f"({goal.reason})" if goal.value is None else
                    f"{goal.value_text()} {'≤' if goal.met else '>'} {goal.limit_text()}")
        lines.append(f"{goal.verdict():12}  {goal.program:15}  {goal.figure}: {compared}")
    return "\n".join([*lines, f"goals: {summary(found)}"])
