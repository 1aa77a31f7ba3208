# SPDX-License-Identifier: MIT
"""Draws the plots of bench/plots as SVG, from what was measured.

Plain SVG text, without a library: the files are small, the same on every machine for the same
numbers, and their lines change where a number does. Colours follow the reader's light or dark
setting; each form has a colour and a shape of its own everywhere.
"""

import math
from xml.sax.saxutils import escape

from contenders import FAST, ORIGINAL, SMALL, UPX_BEST, UPX_LZMA
from store import Missing

PACKED = [UPX_BEST, UPX_LZMA, FAST, SMALL]
CLASSES = {UPX_BEST: "upx", UPX_LZMA: "lzma", FAST: "fast", SMALL: "small"}
START = "start, 2 CPUs, ms"
ZSTD = "zstd -19 of the original"

STYLE = """
text { font: 13px system-ui, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328; }
.title { font-size: 16px; font-weight: 600; } .head { font-size: 14px; font-weight: 600; }
.quiet { fill: #59636e; } .axis { stroke: #59636e; } .grid { stroke: #d1d9e0; }
.end { text-anchor: end; } .middle { text-anchor: middle; }
.zstd { fill: #8c959f; stroke: #8c959f; } .upx { fill: #9a6700; } .lzma { fill: #bc4c00; }
.fast { fill: #0969da; } .small { fill: #1a7f37; } line.zstd { stroke-dasharray: 5 4; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; } .quiet { fill: #9198a1; } .axis { stroke: #9198a1; }
  .grid { stroke: #3d444d; } .upx { fill: #d29922; } .lzma { fill: #f0883e; }
  .fast { fill: #58a6ff; } .small { fill: #3fb950; }
}
"""


class Svg:
    def __init__(self, width, height, title):
        self.width, self.height = width, height
        self.parts = []
        self.label(16, 26, title, "title")

    def label(self, x, y, text, kind=""):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}">{escape(text)}</text>')

    def line(self, x1, y1, x2, y2, kind):
        self.parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
                          f'class="{kind}"/>')

    def bar(self, x, y, width, height, kind):
        self.parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" '
                          f'height="{height:.1f}" class="{kind}"/>')

    def mark(self, x, y, form):
        """UPX's forms are squares, whittle's are circles."""
        if form in (FAST, SMALL):
            self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6" class="{CLASSES[form]}"/>')
        else:
            self.bar(x - 5, y - 5, 10, 10, CLASSES[form])

    def write(self, path):
        path.write_text("\n".join([
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" '
            f'width="{self.width}" height="{self.height}">',
            f"<style>{STYLE}</style>", *self.parts, "</svg>", ""]), encoding="utf-8")


def round_step(span, most):
    """The smallest of 1, 2, 5, 10 … that divides the span into at most that many steps."""
    scale = 10 ** math.floor(math.log10(span / most))
    return next(step * scale for step in (1, 2, 5, 10) if span / (step * scale) <= most)


def scatter(svg, results, program, left, top, width, height):
    """One program: bytes of a form against its start-up, on a logarithmic scale."""
    points = []
    for form in PACKED:
        try:
            points.append((form, results.value(program, form, START),
                           results.size(program, form).file / 1e6))
        except Missing:
            continue
    zstd = results.size(program, ORIGINAL).zstd / 1e6
    start = results.value(program, ORIGINAL, START)
    right, bottom = left + width, top + height
    x_low = math.floor(math.log10(start) * 3) / 3
    x_high = math.ceil(math.log10(max([start * 10, *(x for _, x, _ in points)]) * 1.1) * 3) / 3
    values = [zstd, *(y for _, _, y in points)]
    step = round_step((max(values) - min(values)) * 1.3 or 1, 5)
    y_low = math.floor(min(values) / step - 0.4) * step
    y_high = math.ceil(max(values) / step + 0.3) * step

    def place_x(value):
        return left + (math.log10(value) - x_low) / (x_high - x_low) * width

    def place_y(value):
        return bottom - (value - y_low) / (y_high - y_low) * height

    svg.label(left, top - 18, program, "head")
    svg.label(left - 6, top - 18, "MB", "quiet end")
    svg.label(right, bottom + 36, "ms to start and end, of 2 CPUs", "quiet end")
    digits = max(0, -math.floor(math.log10(step)))
    for i in range(round((y_high - y_low) / step) + 1):
        y = place_y(y_low + i * step)
        svg.line(left, y, right, y, "grid")
        svg.label(left - 6, y + 4, f"{y_low + i * step:.{digits}f}", "quiet end")
    for power in range(math.floor(x_low), math.ceil(x_high) + 1):
        for digit in (1, 2, 5):
            value = digit * 10 ** power
            if x_low <= math.log10(value) <= x_high:
                svg.line(place_x(value), bottom, place_x(value), bottom + 5, "axis")
                svg.label(place_x(value), bottom + 19, f"{value:g}", "quiet middle")
    svg.line(left, bottom, right, bottom, "axis")
    svg.line(left, top, left, bottom, "axis")
    svg.line(left, place_y(zstd), right, place_y(zstd), "zstd")
    svg.label(place_x(start) + 5, place_y(zstd) - 5, ZSTD, "quiet")
    svg.line(place_x(start), top, place_x(start), bottom, "zstd")
    svg.label(place_x(start) + 5, bottom - 7, "start of the original", "quiet")
    for form, x, y in points:
        svg.mark(place_x(x), place_y(y), form)
        is_at_edge = place_x(x) > right - 50
        is_below = 0 < place_y(y) - place_y(zstd) < 28  # else the line would cross its name
        svg.label(right if is_at_edge else place_x(x), place_y(y) + (21 if is_below else -11), form,
                  "end" if is_at_edge else "middle")


def size_against_start(results, path):
    programs = [p for p in results.programs() if (p, ORIGINAL, START) in results.latency]
    if not programs:
        return False
    rows = math.ceil(len(programs) / 2)
    svg = Svg(900, 50 + 310 * rows, "Size of the file against start-up: lower left is better")
    for i, program in enumerate(programs):
        scatter(svg, results, program, 60 + 440 * (i % 2), 84 + 310 * (i // 2), 370, 220)
    svg.write(path)
    return True


def size_by_level(results, path):
    programs = [p for p in results.programs() if (p, ORIGINAL) in results.sizes]
    if not programs:
        return False
    forms = [ZSTD, *PACKED]
    left, width, thick = 140, 620, 16
    svg = Svg(900, 80 + len(programs) * (len(forms) * thick + 22) + 20,
              "Size of the file in percent of the original: shorter is better")
    x = left
    for form in forms:
        svg.bar(x, 42, 12, 12, CLASSES.get(form, "zstd"))
        svg.label(x + 17, 53, form)
        x += 30 + 7.2 * len(form)
    longest = 0.6
    bottom = 70 + len(programs) * (len(forms) * thick + 22)
    for tenth in range(int(longest * 10) + 1):
        at = left + tenth / 10 / longest * width
        svg.line(at, 66, at, bottom, "grid")
        svg.label(at, bottom + 17, f"{tenth * 10} %", "quiet middle")
    y = 70
    for program in programs:
        svg.label(left - 10, y + len(forms) * thick / 2 + 5, program, "head end")
        original = results.size(program, ORIGINAL)
        for form in forms:
            try:
                size = original.zstd if form == ZSTD else results.size(program, form).file
                share = size / original.file
                length = min(share / longest, 1) * width
                svg.bar(left, y, length, thick - 3, CLASSES.get(form, "zstd"))
                svg.label(left + length + 6, y + 11, f"{100 * share:.1f} %", "quiet")
            except Missing:
                svg.label(left + 6, y + 11, f"{form}: none", "quiet")
            y += thick
        y += 22
    svg.line(left, 66, left, bottom, "axis")
    svg.write(path)
    return True


PLOTS = {
    "size-start.svg": (size_against_start, "Size against start-up, for each packer and level"),
    "sizes.svg": (size_by_level, "Size of each packer and level in percent of the original"),
}


def draw(results, folder):
    folder.mkdir(parents=True, exist_ok=True)
    for name, (plot, _) in PLOTS.items():
        if not plot(results, folder / name):
            print(f"{name} is not drawn: its figures were not measured")
            (folder / name).unlink(missing_ok=True)
