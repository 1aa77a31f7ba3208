# SPDX-License-Identifier: MIT
"""Single measurements: sizes, start-up, memory, and the cost of a longer run.

Contenders take turns: each round runs all of them, so that a machine that gets slower or faster
meanwhile does so for all alike.
"""

import json
import os
import re
import subprocess
import time
from dataclasses import dataclass

import store


@dataclass(frozen=True)
class Usage:
    wall: float    # seconds
    user: float    # seconds
    system: float  # seconds
    memory: float  # megabytes, the most that were resident


def sizes(path):
    def compressed(*command):
        with subprocess.Popen([*command, path], stdout=subprocess.PIPE) as process:
            size = sum(len(block) for block in iter(lambda: process.stdout.read(1 << 20), b""))
        if process.returncode != 0:
            raise subprocess.CalledProcessError(process.returncode, command)
        return size
    return store.Sizes(path.stat().st_size, compressed("gzip", "-9", "-n", "-c"),
                       compressed("zstd", "-19", "-q", "-c"))


class Failed(Exception):
    """A command did; the text is what it said."""


def what_it_said(stderr, status):
    """The first line in which a packer names itself, else the last."""
    said = re.search(r"^(?:upx|whittle): .*$", stderr, re.M)
    lines = [said[0]] if said else stderr.strip().splitlines() or [f"exit status {status}"]
    return " ".join(lines[-1].split())


def start_up(commands, runs, scratch):
    """For each command the milliseconds of each of its runs, measured by hyperfine without a shell,
    and the statuses other than 0 that runs ended with. Failed runs have no time."""
    export = scratch / "hyperfine.json"
    done = subprocess.run(
        ["hyperfine", "-N", "--style", "none", "--warmup", "1", "--runs", str(runs),
         "--ignore-failure", "--export-json", export,
         *(" ".join(map(str, command)) for command in commands)],
        check=False, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise Failed(what_it_said(done.stderr, done.returncode))
    seen = []
    for result in json.loads(export.read_text(encoding="utf-8"))["results"]:
        ends = list(zip(result["times"], result["exit_codes"]))
        seen.append(([seconds * 1000 for seconds, status in ends if status == 0],
                     [status for _, status in ends if status != 0]))
    return seen


def run(command, scratch, succeeds=(0,)):
    """Runs a command, its output thrown away. Raises Failed where it ends with another status.

    Below `time`, a small parent: what a process has of its parent before it becomes another program
    counts as its memory, and a Python is larger than many programs."""
    said, memory = scratch / "stderr.txt", scratch / "memory.txt"
    command = [os.fsdecode(part) for part in ["time", "-q", "-f", "%M", "-o", memory, *command]]
    files = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
             (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
             (os.POSIX_SPAWN_OPEN, 2, said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)]
    start = time.perf_counter()
    pid = os.posix_spawnp(command[0], command, os.environ, file_actions=files)
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - start
    if os.waitstatus_to_exitcode(status) not in succeeds:
        raise Failed(what_it_said(said.read_text(encoding="utf-8", errors="replace"),
                                  os.waitstatus_to_exitcode(status)))
    return Usage(wall, usage.ru_utime, usage.ru_stime,
                 int(memory.read_text(encoding="utf-8")) * 1024 / 1e6)


def take_turns(commands, rounds, scratch):
    """The Usage of each run of each command."""
    seen = [[] for _ in commands]
    for _ in range(rounds):
        for usages, command in zip(seen, commands):
            usages.append(run(command, scratch))
    return seen
