# SPDX-License-Identifier: MIT
"""Writes the tables of documents, between their markers, from what was measured."""

import goals
import plots
from contenders import FAST, FORMS, ORIGINAL, SMALL, UPX_LZMA
from store import Missing

COLUMNS = {  # head: figure, and how a number is written
    "start, 2 CPUs": ("start, 2 CPUs, ms", "{:.1f} ms"),
    "1 CPU": ("start, 1 CPU, ms", "{:.1f} ms"),
    "peak memory": ("peak memory at start, MB", "{:.1f} MB"),
    "packing": ("pack time, s", "{:.1f} s"),
}


def markdown(rows, numbers=True):
    head, *body = rows
    align = ["---", *(["---:" if numbers else "---"] * (len(head) - 1))]
    return ["| " + " | ".join(row) + " |" for row in (head, align, *body)]


def measured(results):
    rows = [["program and form", "bytes", "gzip -9", "zstd -19", *COLUMNS]]
    for program in results.programs():
        for form in FORMS:
            name = f"**{program}**" if form == ORIGINAL else form
            try:
                size = results.size(program, form)
            except Missing as error:
                rows.append([name, f"none: {error}", *[""] * (len(rows[0]) - 2)])
                continue
            row = [name, f"{size.file:,}", f"{size.gzip:,}", f"{size.zstd:,}"]
            for figure, pattern in COLUMNS.values():
                spread = results.latency.get((program, form, figure))
                row.append(pattern.format(spread.median) if spread else "")
            rows.append(row)
    return markdown(rows)


def cell(goal):
    if goal.value is None:
        return "not measured"
    compared = f"{goal.value_text()} {'≤' if goal.met else '>'} {goal.limit_text()}"
    return compared if goal.met else f"**{compared}**"


def held_against_goals(results):
    found = goals.evaluate(results)
    figures = list(dict.fromkeys(goal.figure for goal in found))
    by_figure = {figure: {g.program: g for g in found if g.figure == figure} for figure in figures}
    wide = [figure for figure in figures if len(by_figure[figure]) > 1]
    programs = list(dict.fromkeys(g.program for figure in wide for g in by_figure[figure].values()))
    rows = [["figure", *programs]]
    for figure in wide:
        cells = by_figure[figure]
        rows.append([figure, *(cell(cells[p]) if p in cells else "" for p in programs)])
    lines = markdown(rows)
    rows = [["figure", "value and limit"]]
    for figure in figures:
        if figure not in wide:
            (program, goal), = by_figure[figure].items()
            rows.append([f"{program}: {figure}", cell(goal)])
    return [*lines, "", *markdown(rows), "", f"Of {len(found)} goals: {goals.summary(found)}. "
            "What is over its limit is in bold."]


def section(results):
    lines = [f"{results.about_sizes}.",
             f"{results.about_machine}." if results.about_machine else "",
             "", *measured(results), ""]
    lines += [f"![{title}](../bench/plots/{name})" for name, (_, title) in plots.PLOTS.items()]
    return "\n".join([*lines, "", "Against the goals (value and limit; smaller is better):", "",
                      *held_against_goals(results)])


def put(page, name, text):
    """Replaces what stands between the markers of that name. A page that is not there yet gets the
    section alone."""
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    before = after = ""
    if page.exists():
        before, rest = page.read_text(encoding="utf-8").split(begin)
        after = rest.split(end)[1]
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")


def summary(results):
    """The table for newcomers: one row a program."""
    forms = [ORIGINAL, UPX_LZMA, FAST, SMALL]
    rows = [["program", *forms, "start of each, ms"]]
    for program in results.programs():
        row = [program]
        for form in forms:
            try:
                row.append(f"{results.size(program, form).file:,}")
            except Missing:
                row.append("none")
        starts = [results.latency.get((program, form, COLUMNS["start, 2 CPUs"][0]))
                  for form in forms]
        row.append(" · ".join(f"{spread.median:.0f}" if spread else "–" for spread in starts)
                   if any(starts) else "")
        rows.append(row)
    return "\n".join([f"{results.about_sizes}.", "", *markdown(rows)])


def rewrite(folder, results):
    """Rewrites README.md and docs/measurements.md of a project's folder."""
    put(folder / "README.md", "sizes", summary(results))
    put(folder / "docs/measurements.md", "bench", section(results))
