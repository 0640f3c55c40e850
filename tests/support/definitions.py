"""Kinds of Dayfly's own on a control plane, one at a time, with nothing else of the manifests."""

from pathlib import Path

from playground import ControlPlane
from playground.process import eventually

PATIENCE = 60.0


def define(plane: ControlPlane, definition: Path, plural: str) -> None:
    """Apply a kind and wait until people can use it.

    The API server serves, lists and documents it one after the other, once it is established.
    """
    plane.kubectl("apply", "-f", str(definition))
    plane.kubectl(
        *("wait", "--for=condition=Established", f"--timeout={PATIENCE:g}s"),
        *("-f", str(definition)),
    )
    assert eventually(lambda: _is_usable(plane, plural), PATIENCE), f"{plural} are not served"


def _is_usable(plane: ControlPlane, plural: str) -> bool:
    return plane.try_kubectl("get", plural).ok and plane.try_kubectl("explain", plural).ok
