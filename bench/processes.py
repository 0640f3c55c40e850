"""What the kernel knows of a process: CPU time and memory."""

import os
from pathlib import Path

MIB = 1024 * 1024


def rss_bytes(pid: int) -> int:
    """Resident memory now, in bytes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def cpu_clock(pid: int) -> float:
    """CPU seconds of all its threads with nanosecond resolution, where the kernel offers it."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9
