"""Starts a peer that serves HTTPS with the control plane's own (elliptic-curve) certificate."""

import socket
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from playground import ControlPlane, ports
from playground.process import eventually

HERE = Path(__file__).parent


@contextmanager
def serving(script: str, plane: ControlPlane, *more: str) -> Generator[tuple[int, str]]:
    """Run a script of this folder until the block ends; yields its pid and its URL."""
    certificate, key = plane.paths.pki / "server.crt", plane.paths.pki / "server.key"
    [port] = ports.free(1)
    command = [sys.executable, str(HERE / script), str(port), str(certificate), str(key), *more]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            if not eventually(lambda: _listens(port), 20):
                log.seek(0)
                raise RuntimeError(log.read().decode(errors="replace"))
            yield process.pid, f"https://127.0.0.1:{port}"
        finally:
            process.kill()
            process.wait()


def _listens(port: int) -> bool:
    with socket.socket() as trial:
        return trial.connect_ex(("127.0.0.1", port)) == 0
