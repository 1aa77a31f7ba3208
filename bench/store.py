# SPDX-License-Identifier: MIT
"""What was measured, in memory and in the two CSV files.

Sizes (results.csv) are the same at every run; a change in them is reviewed. Everything that depends
on the machine (latency.csv) is a median with the quartiles around it. What could not be measured
has its reason in place of numbers, so that nothing is left out in silence.
"""

import csv
import statistics
from dataclasses import dataclass, field

SIZE_COLUMNS = ["program", "form", "file", "gzip-9", "zstd-19", "note"]
LATENCY_COLUMNS = ["program", "form", "figure", "median", "low", "high", "runs", "note"]


class Missing(Exception):
    """A figure that is not there; the text says why."""


@dataclass(frozen=True)
class Sizes:
    """Bytes of a file, and of the file compressed as registries store it."""
    file: int
    gzip: int
    zstd: int


@dataclass(frozen=True)
class Spread:
    median: float
    low: float   # first quartile
    high: float  # third quartile
    runs: int

    @staticmethod
    def of(values):
        if len(values) == 1:
            return Spread(values[0], values[0], values[0], 1)
        low, median, high = statistics.quantiles(values, n=4, method="inclusive")
        return Spread(median, low, high, len(values))


@dataclass
class Results:
    """Keys are (program, form), or (program, form, figure) for what depends on the machine."""
    about_sizes: str = ""    # versions of what was run
    about_machine: str = ""
    sizes: dict = field(default_factory=dict)
    latency: dict = field(default_factory=dict)
    notes: dict = field(default_factory=dict)  # by any of these keys: why it is not there

    def programs(self):
        return list(dict.fromkeys(key[0] for key in [*self.sizes, *self.notes]))

    def size(self, program, form):
        return self._get(self.sizes, (program, form))

    def value(self, program, form, figure):
        """The median. Raises Missing."""
        return self._get(self.latency, (program, form, figure)).median

    def note(self, key, reason):
        self.notes[key] = reason
        print(f"not measured: {', '.join(key)}: {reason}", flush=True)

    def _get(self, table, key):
        if key in table:
            return table[key]
        raise Missing(self.notes.get(key) or self.notes.get(key[:2]) or "not measured")


def write_sizes(results, path):
    rows = [[*key, sizes.file, sizes.gzip, sizes.zstd, results.notes.get(key, "")]
            for key, sizes in results.sizes.items()]
    rows += [[*key, "", "", "", reason] for key, reason in results.notes.items()
             if len(key) == 2 and key not in results.sizes]
    _write(path, results.about_sizes, SIZE_COLUMNS, rows)


def write_latency(results, path):
    programs = list(dict.fromkeys(key[0] for key in results.latency))
    rows = [[*key, *(f"{value:.3f}" for value in (spread.median, spread.low, spread.high)),
             spread.runs, ""]
            for key, spread in sorted(results.latency.items(),
                                      key=lambda item: programs.index(item[0][0]))]
    rows += [[*key, "", "", "", "", reason] for key, reason in results.notes.items()
             if len(key) == 3]
    _write(path, results.about_machine, LATENCY_COLUMNS, rows)


def read(sizes_path, latency_path):
    results = Results()
    if sizes_path.exists():
        results.about_sizes, rows = _read(sizes_path, SIZE_COLUMNS)
        for row in rows:
            key = (row["program"], row["form"])
            if row["file"]:
                results.sizes[key] = Sizes(*(int(row[c]) for c in ("file", "gzip-9", "zstd-19")))
            if row["note"]:
                results.notes[key] = row["note"]
    if latency_path.exists():
        results.about_machine, rows = _read(latency_path, LATENCY_COLUMNS)
        for row in rows:
            key = (row["program"], row["form"], row["figure"])
            if row["median"]:
                results.latency[key] = Spread(float(row["median"]), float(row["low"]),
                                              float(row["high"]), int(row["runs"]))
            else:
                results.notes[key] = row["note"]
    return results


def _write(path, about, columns, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        file.write(f"# {about}\n")
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def _read(path, columns):
    with path.open(newline="", encoding="utf-8") as file:
        about = file.readline().lstrip("# ").rstrip("\n")
        reader = csv.DictReader(file)
        if reader.fieldnames != columns:
            raise SystemExit(f"{path} has other columns than {','.join(columns)}: run make bench")
        return about, list(reader)
