"""Which process a number means: pids are used again, so a pid alone is nobody."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Identity:
    """A process beyond doubt: its pid and when the kernel started it."""

    pid: int
    started: str

    def alive(self) -> bool:
        """Whether this very process still runs; a zombie does not."""
        return started(self.pid) == self.started

    def signal(self, number: int) -> bool:
        """Send a signal to this very process; False if it is gone."""
        if not self.alive():
            return False
        try:
            os.kill(self.pid, number)
        except ProcessLookupError:
            return False
        return True


def started(pid: int) -> str | None:
    """When the process of this pid started, in the kernel's own words; None if it does not run."""
    if not Path("/proc/self/stat").exists():
        return started_by_ps(pid)
    try:
        return start_of_stat(Path(f"/proc/{pid}/stat").read_text())
    except (FileNotFoundError, ProcessLookupError):
        return None


def start_of_stat(line: str) -> str | None:
    """Read field 22 of /proc/PID/stat, unless field 3 says that only a zombie is left."""
    # The second field is the program's name in parentheses and may itself contain any of them.
    fields = line.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else fields[19]


def started_by_ps(pid: int) -> str | None:
    """Ask ps, where there is no /proc (macOS)."""
    argv = ["ps", "-o", "state=,lstart=", "-p", str(pid)]
    answer = subprocess.run(argv, capture_output=True, text=True, check=False).stdout.split()
    return " ".join(answer[1:]) if answer and not answer[0].startswith("Z") else None
