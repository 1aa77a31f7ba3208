#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Holds the project to rooms.toml: who includes whom, what CMake links, what ARCHITECTURE.md says.

usage: tests/edges.py [PROJECT_FOLDER]

A room may include its own headers, the public headers of the rooms that it builds on, and the
libraries that are its own to use. Headers of the system and of the standard library belong to
everyone, except to the stub of the packer, which runs without either. What rooms.toml allows and
nothing uses is an error as well.
"""

import pathlib
import re
import sys
import tomllib

# name: (headers, targets and variables of CMake)
LIBRARIES = {
    "OpenSSL": (r"openssl/", r"OpenSSL::"),
    "fmt": (r"fmt/", r"fmt::fmt"),
    "LIEF": (r"LIEF/", r"LIEF::LIEF"),
    "zlib": (r"zlib\.h$", r"ZLIB::ZLIB"),
    "zstd": (r"zstd(_errors)?\.h$|zdict\.h$", r"ZSTD_LIBRARY"),
    "libarchive": (r"archive(_entry)?\.h$", r"LibArchive::"),
    "libyaml": (r"yaml\.h$", r"LIBYAML_LIBRARY"),
    "JSON": (r"nlohmann/", r"nlohmann_json::"),
    "CLI11": (r"CLI/", r"CLI11::"),
}
STUB = "packer/stub"
# What a program without a C library may include: types, and the kernel's own interface.
STUB_SYSTEM = r"(std(int|def|arg|bool)\.h|emmintrin\.h|immintrin\.h|(asm|linux|asm-generic)/\w+\.h)$"

INCLUDE = re.compile(r'^\s*#\s*include\s*(?:<([^>]+)>|"([^"]+)")', re.M)


def outer(room):
    """The room of the top level that a room is part of: what CMake makes a library of."""
    return room.split("/")[0]


class House:
    def __init__(self, root):
        self.root = root
        self.rooms = tomllib.loads((root / "rooms.toml").read_text(encoding="utf-8"))
        self.problems = []
        self.used = {room: set() for room in self.rooms}  # rooms, headers and libraries

    def problem(self, where, text):
        self.problems.append(f"{where}: {text}")

    def room_of(self, path):
        """The innermost room that a path below the project's folder is in."""
        parents = [p.as_posix() for p in pathlib.PurePosixPath(path).parents]
        return next((p for p in parents if p in self.rooms), None)

    def why_not(self, room, source, header, is_system):
        """Why `source` of `room` may not include `header`, or None."""
        rules = self.rooms[room]
        library = next((n for n, (form, _) in LIBRARIES.items() if re.match(form, header)), None)
        if library:
            self.used[room].add(library)
            return None if library in rules["libraries"] else f"{room}/ may not use {library}"
        if is_system:
            if room.startswith(STUB) and not re.match(STUB_SYSTEM, header):
                return "the stub has no C library"
            return None
        if not (self.root / header).exists():
            if (source.parent / header).exists():
                return "includes are written from the project's folder"
            return "there is no such file"
        target = self.room_of(header)
        if target == room:
            return None
        if header in rules.get("headers", []):
            self.used[room].add(header)
            return None
        if target not in rules["rooms"]:
            return f"{room}/ may not include {target or 'anything outside the rooms'}"
        self.used[room].add(target)
        public = self.rooms[target].get("public")
        inside = outer(room) == outer(target)
        if public is not None and not inside and pathlib.PurePosixPath(header).name not in public:
            return f"{header} is not a public header of {target}/"
        return None

    def check_includes(self):
        """Returns how many sources there are."""
        sources = 0
        for room in self.rooms:
            for source in sorted((self.root / room).rglob("*")):
                where = source.relative_to(self.root).as_posix()
                if source.suffix not in (".cc", ".h", ".S") or self.room_of(where) != room:
                    continue
                sources += 1
                for match in INCLUDE.finditer(source.read_text(encoding="utf-8")):
                    header = match.group(1) or match.group(2)
                    reason = self.why_not(room, source, header, match.group(1) is not None)
                    if reason:
                        self.problem(where, f"includes {header}: {reason}")
        return sources

    def check_use(self):
        for room, rules in self.rooms.items():
            for name in [*rules["rooms"], *rules.get("headers", []), *rules["libraries"]]:
                if name not in self.used[room]:
                    self.problem("rooms.toml", f"[{room}] has {name}, which nothing there includes")
            for header in rules.get("public", []):
                if not (self.root / room / header).exists():
                    self.problem("rooms.toml", f"[{room}] has no {header}")

    def allowed(self, room):
        """(rooms, libraries) of a room of the top level, with all that is inside it."""
        inside = [rules for name, rules in self.rooms.items() if outer(name) == room]
        rooms = [name for rules in inside for name in rules["rooms"] if outer(name) != room]
        libraries = [name for rules in inside for name in rules["libraries"]]
        return list(dict.fromkeys(rooms)), list(dict.fromkeys(libraries))

    def check_cmake(self):
        for room in self.rooms:
            if room != outer(room):
                continue
            page = self.root / room / "CMakeLists.txt"
            text = re.sub(r"#[^\n]*", "", page.read_text(encoding="utf-8")) if page.exists() else ""
            linked = re.search(rf"whittle_room\({room}\b.*?\n\s*(DEPENDS.*?)\)\n|"
                               r"target_link_libraries\(whittle PRIVATE(.*?)\)\n", text, re.S)
            if not linked:
                self.problem(page.relative_to(self.root), "links nothing")
                continue
            words = linked.group(1) or linked.group(2)
            rooms, libraries = self.allowed(room)
            found = set(re.findall(r"\bwhittle_(\w+)", words)) - {"options"}
            for name in found ^ set(rooms):
                self.problem(f"{room}/CMakeLists.txt", f"links {name}/ and may not" if name in found
                             else f"does not link {name}/")
            for name, (_, target) in LIBRARIES.items():
                is_linked = re.search(target, words) is not None
                # fmt comes with common/, which is for everyone.
                if is_linked != (name in libraries) and (is_linked or name != "fmt"):
                    self.problem(f"{room}/CMakeLists.txt",
                                 f"{'links' if is_linked else 'does not link'} {name}")

    def check_table(self):
        """ARCHITECTURE.md's rows, "| `room/` | contents | what it may include |"."""
        page = (self.root / "ARCHITECTURE.md").read_text(encoding="utf-8")
        rows = dict(re.findall(r"^\| `([\w/]+)/` \|.*\| ([^|]*) \|$", page, re.M))
        for room in self.rooms:
            if room != outer(room):
                continue
            rooms, libraries = self.allowed(room)
            wanted = ", ".join([*rooms, *(name for name in libraries if name != "fmt")])
            if rows.get(room) != wanted:
                self.problem("ARCHITECTURE.md", f"`{room}/` may include: {wanted}; the table has: "
                             f"{rows.get(room)}")


def main():
    house = House(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve())
    sources = house.check_includes()
    house.check_use()
    house.check_cmake()
    house.check_table()
    for problem in house.problems:
        print(problem)
    if sources == 0:
        print(f"{house.root} has no sources")
        return 1
    print(f"{sources} sources, {len(house.problems)} problems")
    return 1 if house.problems else 0


if __name__ == "__main__":
    sys.exit(main())
