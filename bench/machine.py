# SPDX-License-Identifier: MIT
"""The machine: what it is, and how measurements are kept apart from what else it does.

Child processes inherit CPU affinity and scheduling class, so both are set here, around a
measurement, and hold for everything that it starts. With real-time priority ("first in, first out")
nothing that runs at ordinary priority takes the processor away; without it a busy machine shows in
the figures, and the description says so.
"""

import contextlib
import os
import pathlib
import platform
import re

PRIORITY = 10


def may_use_real_time():
    try:
        with real_time():
            return True
    except PermissionError:
        return False


@contextlib.contextmanager
def real_time():
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(PRIORITY))
    try:
        yield
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


@contextlib.contextmanager
def only_cpus(count):
    """As `taskset`: the first `count` of the CPUs that this process may use."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[:count])
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class Machine:
    def __init__(self, wants_real_time=True):
        self.has_real_time = wants_real_time and may_use_real_time()
        self.cpus = len(os.sched_getaffinity(0))
        if not self.has_real_time:
            print("warning: measuring at ordinary priority; other load will show in the figures")

    @contextlib.contextmanager
    def quiet(self, cpus=2):
        with only_cpus(cpus), real_time() if self.has_real_time else contextlib.nullcontext():
            yield

    def describe(self):
        cpuinfo = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8")
        model = re.search(r"^model name\s*: (.*)$", cpuinfo, re.M)
        kernel = ".".join(re.findall(r"\d+", platform.release())[:2])
        huge = pathlib.Path("/sys/kernel/mm/transparent_hugepage/enabled")
        setting = huge.read_text(encoding="utf-8") if huge.exists() else "[none]"
        pages = re.search(r"\[(\w+)\]", setting)[1]
        return (f"{self.cpus} CPUs of {model[1] if model else platform.machine()}, Linux {kernel}, "
                f"transparent huge pages: {pages}, "
                f"{'real-time' if self.has_real_time else 'ordinary'} priority")
