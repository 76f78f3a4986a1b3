"""What the figures depend on: program, k6, machine, and how busy it was before."""

import os
import platform
import subprocess
import time
from pathlib import Path

from . import k6

LOOKED_SECONDS = 3


def facts(program, load, root):
    """Names and values, in the order of the page."""
    said = lambda *command: subprocess.run(command, cwd=root, capture_output=True, text=True).stdout.strip()
    changed = said("git", "status", "--porcelain", "--", ".", ":!loadtest/report")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores = os.cpu_count()
    return {
        "program": f"{said(program, '--version')}, commit {said('git', 'rev-parse', '--short', 'HEAD')}"
        + (" and changes" if changed else ""),
        "k6": k6.version(load),
        "machine": f"{cores} cores, shared by the server and its load; {model()}; {memory:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "busy before": f"{busy_cores():.2f} of {cores} cores, by other work",
    }


def model():
    """The processor, as the system names it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def busy_cores():
    """How many cores others keep busy; where the system does not tell (it is not Linux), its load average."""
    try:
        busy, all_time = cpu_times()
        time.sleep(LOOKED_SECONDS)
        busy_after, all_after = cpu_times()
        return (busy_after - busy) / max(all_after - all_time, 1) * os.cpu_count()
    except OSError:
        return os.getloadavg()[0]


def cpu_times():
    """Of all cores since the start, in ticks: busy, and in all."""
    times = [int(each) for each in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    idle = times[3] + times[4]
    return sum(times) - idle, sum(times)
