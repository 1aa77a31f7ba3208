# SPDX-License-Identifier: MIT
"""Single measurements: sizes, start-up, memory, and the cost of a longer run.

Contenders take turns: each round runs all of them, so that a machine that gets slower or faster
meanwhile does so for all alike.
"""

import json
import os
import subprocess
import time
from dataclasses import dataclass

import store

MEMORY_RUNS = 5


@dataclass(frozen=True)
class Usage:
    wall: float    # seconds
    user: float    # seconds
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


def start_up(commands, rounds, runs, scratch):
    """The milliseconds of each run of each command, measured by hyperfine without a shell."""
    seen = [[] for _ in commands]
    export = scratch / "hyperfine.json"
    for _ in range(rounds):
        subprocess.run(
            ["hyperfine", "-N", "--style", "none", "--warmup", "1", "--runs", str(runs),
             "--export-json", export, *(" ".join(map(str, command)) for command in commands)],
            check=True, stdout=subprocess.DEVNULL)
        results = json.loads(export.read_text(encoding="utf-8"))["results"]
        for values, result in zip(seen, results):
            values += [seconds * 1000 for seconds in result["times"]]
    return seen


def peak_memory(command):
    """Megabytes resident, of each run. Measured below a small parent: what a child has of its
    parent before it becomes another program counts, and a Python is larger than most of them."""
    return [int(subprocess.run(["time", "-f", "%M", *command], check=True, text=True,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE).stderr) / 1000
            for _ in range(MEMORY_RUNS)]


def run(command):
    """Runs a command that must succeed, its output thrown away."""
    command = [os.fsdecode(part) for part in command]
    null = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)]
    start = time.perf_counter()
    pid = os.posix_spawnp(command[0], command, os.environ, file_actions=null)
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - start
    if status != 0:
        raise subprocess.CalledProcessError(os.waitstatus_to_exitcode(status), command)
    return Usage(wall, usage.ru_utime, usage.ru_maxrss / 1000)


def take_turns(commands, rounds):
    """The Usage of each run of each command."""
    seen = [[] for _ in commands]
    for _ in range(rounds):
        for usages, command in zip(seen, commands):
            usages.append(run(command))
    return seen
