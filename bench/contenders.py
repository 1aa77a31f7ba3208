# SPDX-License-Identifier: MIT
"""The forms of a program that are compared, and how each is made.

UPX takes minutes and is always the same, so what it made is kept in build/bench, under the digest
of what was packed. Where several versions of UPX are found, the smaller file counts.
"""

import hashlib
import json
import pathlib
import re
import shutil
from dataclasses import dataclass

import corpus
import measure

ORIGINAL = "original"
UPX_BEST = "UPX --best"
UPX_LZMA = "UPX --best --lzma"
FAST = "whittle fast"
SMALL = "whittle small"
FORMS = [ORIGINAL, UPX_BEST, UPX_LZMA, FAST, SMALL]
AUTO = {f"whittle auto, goal {goal}": goal for goal in ("disk", "pull", "start")}


class CannotPack(Exception):
    """The packer's own words."""


class Contenders:
    def __init__(self, whittle):
        self.whittle = pathlib.Path(whittle).resolve()
        self.upx = {}  # version: path
        self.no_upx = ""
        try:
            corpus.fetch(corpus.UPX)
            (corpus.CORPUS / corpus.UPX / "upx").chmod(0o755)
        except RuntimeError as error:
            self.no_upx = str(error)
        for path in (corpus.CORPUS / corpus.UPX / "upx", shutil.which("upx")):
            if path and pathlib.Path(path).exists():
                self.upx[corpus.output_of(path, "--version").split()[1]] = pathlib.Path(path)

    def versions(self):
        zstd = re.search(r"v([\d.]+)", corpus.output_of("zstd", "--version"))[1]
        return ", ".join([corpus.output_of(self.whittle, "--version").splitlines()[0],
                          *(f"UPX {version}" for version in self.upx), f"zstd {zstd}"])

    def packers(self, form):
        """(name, command without files) of each way to make this form."""
        if form in (UPX_BEST, UPX_LZMA):
            if not self.upx:
                raise CannotPack(self.no_upx)
            return [(f"upx-{version}", [path, *form.split()[1:], "-q"])
                    for version, path in self.upx.items()]
        options = ["--level", form.split()[1]]
        if form in AUTO:
            options = ["--level", "auto", "--goal", AUTO[form]]
        return [("whittle", [self.whittle, "pack", "--quiet", *options])]

    def make(self, form, original):
        """Raises CannotPack."""
        if form == ORIGINAL:
            return Made(original, None)
        digest = hashlib.sha256(original.read_bytes()).hexdigest()[:16]
        made, reasons = [], []
        for packer, command in self.packers(form):
            folder = corpus.CACHE / digest / f"{re.sub('[^a-z]+', '-', form.lower())}-{packer}"
            result = Made(folder / original.name, command)
            if form not in (UPX_BEST, UPX_LZMA) or not result.path.exists():
                print(f"packing {original.name}: {form}", flush=True)
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir(parents=True)
                try:
                    measure.run(result.command_for(original, result.path), corpus.CACHE)
                except measure.Failed as error:
                    reasons.append(str(error).replace(f"{original}: ", ""))
                    continue
                result.path.chmod(0o755)
            made.append(result)
        if not made:
            raise CannotPack("; ".join(dict.fromkeys(reasons)))
        return min(made, key=lambda result: result.path.stat().st_size)

    def chosen_level(self, packed):
        info = json.loads(corpus.output_of(self.whittle, "inspect", "--format", "json", packed))
        return info["packed"]["level"]


@dataclass(frozen=True)
class Made:
    path: pathlib.Path
    packer: list  # the command without files; None: it is the original

    def command_for(self, original, output):
        return [*self.packer, original, "-o", output]
