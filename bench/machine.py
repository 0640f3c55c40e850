"""What the figures were measured on."""

import os
import platform
import re
from pathlib import Path

from playground.build import KUBERNETES


def describe() -> str:
    """Name processor, memory, kernel, Python and Kubernetes in one line."""
    model = _first(r"model name\s*: (.+)", Path("/proc/cpuinfo"))
    memory = int(_first(r"MemTotal:\s*(\d+)", Path("/proc/meminfo"))) / 2**20
    return (
        f"{os.cpu_count()} x {model}, {memory:.0f} GiB, Linux {platform.release()}, "
        f"Python {platform.python_version()}, Kubernetes {KUBERNETES}"
    )


def _first(pattern: str, path: Path) -> str:
    found = re.search(pattern, path.read_text())
    return found[1] if found else "0"
