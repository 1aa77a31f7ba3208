#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Fails on an include that crosses a wall which ARCHITECTURE.md's table of rooms does not open.

usage: tests/edges.py [PROJECT_FOLDER]

A room may include its own headers, those of the rooms it builds on, and the libraries that are its
own to use. Headers of the system and of the standard library belong to everyone, except to the stub
of the packer, which runs without either.
"""

import pathlib
import re
import sys

# room: (rooms, libraries)
ROOMS = {
    "common": ([], ["openssl", "fmt"]),
    "analyzer": (["common"], ["fmt", "LIEF", "zlib", "json"]),
    "packer": (["common", "packer/stub"], ["fmt", "zstd"]),
    "imagegen": (["common"], ["fmt", "libarchive", "openssl", "json"]),
    "report": (["common", "analyzer", "packer", "imagegen"], ["fmt", "json"]),
    "flow": (["common", "analyzer", "packer", "imagegen", "report"], ["fmt", "libyaml"]),
    "cli": (["common", "analyzer", "packer", "imagegen", "report", "flow"],
            ["fmt", "json", "CLI11"]),
    "packer/stub": ([], []),
}

LIBRARIES = {
    "openssl": r"openssl/",
    "fmt": r"fmt/",
    "LIEF": r"LIEF/",
    "zlib": r"zlib\.h$",
    "zstd": r"zstd(_errors)?\.h$|zdict\.h$",
    "libarchive": r"archive(_entry)?\.h$",
    "libyaml": r"yaml\.h$",
    "json": r"nlohmann/",
    "CLI11": r"CLI/",
}

# What a program without a C library may include: types, and the kernel's own interface.
STUB_SYSTEM = r"(std(int|def|arg|bool)\.h|emmintrin\.h|immintrin\.h|(asm|linux|asm-generic)/\w+\.h)$"
# The packed file's one definition.
STUB_PROJECT = {"packer/format.h"}

INCLUDE = re.compile(r'^\s*#\s*include\s*(?:<([^>]+)>|"([^"]+)")', re.M)


def room_of(path):
    """The room of a path below the project's folder, the stub being a room of its own."""
    parts = pathlib.PurePosixPath(path).parts
    for room in ("/".join(parts[:2]), parts[0]):
        if room in ROOMS:
            return room
    return None


def library_of(header):
    return next((name for name, form in LIBRARIES.items() if re.match(form, header)), None)


def problem(room, source, header, is_system, root):
    """Why `source` of `room` may not include `header`, or None."""
    rooms, libraries = ROOMS[room]
    library = library_of(header)
    if library:
        return None if library in libraries else f"{room}/ may not use {library}"
    if is_system:
        if room == "packer/stub" and not re.match(STUB_SYSTEM, header):
            return "the stub has no C library"
        return None
    beside = source.parent / header
    if (root / header).exists():
        target = room_of(header)
    elif beside.exists():
        return "includes are written from the project's folder"
    else:
        return "there is no such file"
    if target in (room, *rooms) or (room == "packer/stub" and header in STUB_PROJECT):
        return None
    return f"{room}/ may not include {target or 'anything outside the rooms'}"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    sources = problems = 0
    for room in ROOMS:
        for source in sorted((root / room).rglob("*")):
            if source.suffix not in (".cc", ".h", ".S") or room_of(source.relative_to(root)) != room:
                continue
            sources += 1
            for match in INCLUDE.finditer(source.read_text(encoding="utf-8")):
                header = match.group(1) or match.group(2)
                reason = problem(room, source, header, match.group(1) is not None, root)
                if reason:
                    problems += 1
                    print(f"{source.relative_to(root)}: includes {header}: {reason}")
    if sources == 0:
        print(f"{root} has no sources")
        return 1
    print(f"{sources} sources, {problems} wrong includes")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
