#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Holds what `whittle audit` says of programs against what other readers of ELF files say.

usage: tests/second_opinions.py [--sample N] [--each-row] WHITTLE READER[,READER...] PATH...

A reader (readelf, file, ldd, hardening-check) answers some of the questions that whittle answers.
Where both know an answer, they have to be equal, or the difference has to be one of those in
second_opinions.tsv, which gives the reason of each. A path may be a folder.

--sample: of programs for which whittle has the same answers to all of a reader's questions, the
reader is asked about N. --each-row: fail as well where a row of these readers explains nothing.

ldd asks the programs' own loader: give it programs of this system only.
"""

import argparse
import collections
import concurrent.futures
import csv
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

TABLE = pathlib.Path(__file__).with_suffix(".tsv")
UNKNOWN = "unknown"  # an answer that says nothing

MACHINES = {  # as readelf and `file` call them
    "Advanced Micro Devices X86-64": "x86-64",
    "AArch64": "aarch64", "ARM aarch64": "aarch64",
    "RISC-V": "riscv64", "UCB RISC-V": "riscv64",
    "Intel 80386": "i386", "Intel i386": "i386",
}


def output_of(*command, path_first=None):
    """What it prints. Readers say "no" by their exit status, so that counts for nothing."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("LD_")}
    environment["LC_ALL"] = "C.UTF-8"
    if path_first:
        environment["PATH"] = f"{path_first}:{environment['PATH']}"
    return subprocess.run(command, check=False, env=environment, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace").stdout


def yes(condition):
    return "yes" if condition else "no"


def found(pattern, text, default=""):
    match = re.search(pattern, text, re.M)
    return match[1] if match else default


def libraries_of(linkage):
    """All of the tree but the loader, as `name => path`."""
    libraries, waiting = set(), list(linkage.get("libraries", []))
    while waiting:
        library = waiting.pop()
        waiting += library.get("needed", [])
        where = library["path"] if library["found"] else "not found"
        if where != linkage["interpreter_path"]:
            libraries.add(f"{library['name']} => {where}")
    return " ".join(sorted(libraries))


def ask_whittle(whittle, paths):
    """{path: {question: answer}}"""
    audited = subprocess.run([whittle, "audit", "--format", "json", "--root", "/", *paths],
                             check=False, stdout=subprocess.PIPE, text=True)
    answers = {}
    for report in json.loads(audited.stdout)["files"]:
        if "verdict" not in report:
            raise SystemExit(f"whittle: {report['path']}: {report['error']}")
        hardening, linkage = report["hardening"], report.get("linkage", {})
        answers[report["path"]] = {
            "verdict": report["verdict"],
            "language": report["toolchain"]["language"],
            "machine": report["machine"],
            "bits": str(report["bits"]),
            "byte order": report["byte_order"],
            "interpreter": report.get("interpreter", ""),
            "needed": " ".join(report.get("needed", [])),
            "build id": report.get("build_id", ""),
            "symbols": yes(not report["stripped"]),
            "debug info": yes(hardening["debug_info"]),
            "run path": ":".join(hardening["rpath"] + hardening["runpath"]),
            "libraries": libraries_of(linkage),
            **{q: hardening[q] for q in ("nx", "relro", "pie", "canary", "fortify")},
            "cet": yes(hardening["ibt"] == hardening["shadow_stack"] == "yes"),
        }
    return answers


def relro_answer(relro, now):
    return "no" if not relro else "yes" if now else "partial"


def ask_readelf(path):
    text = output_of("readelf", "--wide", "--file-header", "--segments", "--dynamic", "--sections",
                     "--notes", path)
    interpreter = found(r"Requesting program interpreter: (.*)\]$", text)
    needed = re.findall(r"\(NEEDED\) .*\[(.*)\]$", text, re.M)
    independent = found(r"^ *Type: *(\w+)", text) == "DYN"
    machine = found(r"^ *Machine: *(.*)$", text)
    return {
        "verdict": "dynamic" if interpreter or needed else "static-pie" if independent else "static",
        "machine": MACHINES.get(machine, machine),
        "bits": found(r"^ *Class: *ELF(\d+)$", text),
        "byte order": found(r"^ *Data: .*(little|big) endian", text),
        "interpreter": interpreter,
        "needed": " ".join(needed),
        "build id": found(r"Build ID: (\w+)$", text),
        "symbols": yes(found(r"\] (\.symtab) ", text)),
        "debug info": yes(found(r"\] (\.z?debug_info) ", text)),
        "run path": ":".join(re.findall(r"\((?:RPATH|RUNPATH)\) .*\[(.*)\]$", text, re.M)),
        "nx": yes(not found(r"^ *(GNU_STACK) .* RWE ", text)),
        "relro": relro_answer(
            found(r"^ *(GNU_RELRO) ", text),
            found(r"(\(BIND_NOW\)|\(FLAGS\).*\bBIND_NOW\b|\(FLAGS_1\).*\bNOW\b)", text)),
        "pie": yes(independent),
    }


def ask_file(path):
    text = output_of("file", "--brief", path).strip()
    said = re.search(r"ELF (\d+)-bit ([LM])SB (pie executable|executable|shared object), ([^,]*),"
                     r".* (dynamically|statically|static-pie) linked", text)
    if not said:
        raise SystemExit(f"what does `file` say of {path}? {text}")
    bits, order, kind, machine, linked = said.groups()
    verdict = {"statically": "static", "static-pie": "static-pie",
               "dynamically": "shared-object" if kind == "shared object" else "dynamic"}[linked]
    return {
        "verdict": verdict,
        "machine": MACHINES.get(machine, machine),
        "bits": bits,
        "byte order": {"L": "little", "M": "big"}[order],
        "interpreter": found(r", interpreter ([^,]*)", text),
        "build id": found(r"BuildID\[\w+\]=(\w+)", text),
        "symbols": yes("not stripped" in text),
        "debug info": yes("with debug_info" in text),
        "pie": yes(kind != "executable"),
    }


def ask_ldd(path):
    text = output_of("ldd", path)
    if "not a dynamic executable" in text:
        # It says so, too, where the system cannot start the loader that the program asks for: one
        # of another machine, or of 32 bits.
        asks = "Requesting program interpreter" in output_of("readelf", "--wide", "--segments", path)
        return {"verdict": UNKNOWN if asks else "static", "libraries": UNKNOWN if asks else ""}
    if "statically linked" in text:
        return {"verdict": "static-pie", "libraries": ""}
    libraries = {f"{name} => {where if where == 'not found' else os.path.realpath(where)}"
                 for name, where in re.findall(r"^\t(\S+) => (not found|/\S+)", text, re.M)}
    return {"verdict": "dynamic", "libraries": " ".join(sorted(libraries))}


def ask_hardening_check(path):
    # It has objdump disassemble the whole program, for a question that whittle does not answer.
    with tempfile.TemporaryDirectory() as folder:
        os.symlink("/bin/true", f"{folder}/objdump")
        text = output_of("hardening-check", path, path_first=folder)
    said = dict(re.findall(r"^ ([\w -]+): (yes|no, regular|no|unknown)", text, re.M))
    return {
        "pie": said["Position Independent Executable"].replace("no, regular", "not-applicable"),
        "canary": said["Stack protected"],
        "fortify": said["Fortify Source functions"],
        "relro": relro_answer(said["Read-only relocations"] == "yes",
                              said["Immediate binding"] == "yes"),
        "cet": said["Control flow integrity"],
    }


READERS = {"readelf": ask_readelf, "file": ask_file, "ldd": ask_ldd,
           "hardening-check": ask_hardening_check}


def read_table(readers):
    with TABLE.open(encoding="utf-8") as file:
        rows = list(csv.DictReader((line for line in file if not line.startswith("#")),
                                   delimiter="\t"))
    return [row for row in rows if set(row["readers"].split("|")) & set(readers)]


def explains(row, reader, question, answers, theirs):
    asked = {"readers": reader, "question": question, "verdict": answers["verdict"],
             "language": answers["language"], "theirs": theirs, "ours": answers[question]}
    return all(row[key] == "any" or value in row[key].split("|") for key, value in asked.items())


def sample(ours, questions, size):
    """Paths: the first `size` of each group of programs with the same answers."""
    groups = collections.defaultdict(list)
    for path, answers in ours.items():
        groups[tuple(answers[q] for q in ("verdict", "language", *questions))].append(path)
    return [path for group in groups.values() for path in group[:size]]


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("usage: ")[1].split("\n\n")[0])
    parser.add_argument("--sample", type=int)
    parser.add_argument("--each-row", action="store_true")
    parser.add_argument("whittle")
    parser.add_argument("readers", type=lambda text: text.split(","))
    parser.add_argument("paths", nargs="+")
    arguments = parser.parse_args()

    table = read_table(arguments.readers)
    uses = [0] * len(table)
    ours = ask_whittle(arguments.whittle, arguments.paths)
    unexplained = 0
    for reader in arguments.readers:
        paths = list(ours)
        if arguments.sample:
            paths = sample(ours, list(READERS[reader](paths[0])), arguments.sample)
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            answered = list(pool.map(READERS[reader], paths))
        compared = differ = 0
        for path, theirs in zip(paths, answered):
            for question, answer in theirs.items():
                if UNKNOWN in (answer, ours[path][question]):
                    continue
                compared += 1
                if ours[path][question] == answer:
                    continue
                differ += 1
                rows = [i for i, row in enumerate(table)
                        if explains(row, reader, question, ours[path], answer)]
                for row in rows[:1]:
                    uses[row] += 1
                if not rows:
                    unexplained += 1
                    print(f"{path} ({ours[path]['verdict']}, {ours[path]['language'] or '?'}): "
                          f"{question}: {reader} says '{answer}', whittle '{ours[path][question]}'")
        print(f"{reader}: {len(paths)} programs, {compared} answers, {differ} differ")
        if compared == 0:
            raise SystemExit(f"nothing to compare with {reader}")
    unused = [row for row, count in zip(table, uses) if count == 0] if arguments.each_row else []
    for row in unused:
        print(f"{TABLE.name}: explains nothing: {' '.join(row.values())}")
    if unexplained or unused:
        raise SystemExit(f"{unexplained} differences that {TABLE.name} does not explain, "
                         f"{len(unused)} rows that explain nothing")


if __name__ == "__main__":
    sys.exit(main())
