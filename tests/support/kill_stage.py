"""Dayfly with all components, and all that a series of kills needs, on a plane of its own."""

import json
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from playground import ControlPlane, System, ports
from support import base
from support.deeds import Deed
from support.kill_places import HOST, scenery
from support.kill_verdicts import idle, is_excused, missing, wrong
from support.kills import Series
from support.plots import until

LATE = 20.0
"""Seconds that what is told of the deeds may be behind them."""


@dataclass(frozen=True, slots=True)
class Scene:
    """It runs, and finds the receiver of its webhooks on that port."""

    system: System
    port: int


@contextmanager
def scene(home: Path) -> Generator[Scene]:
    """Set it up."""
    [port] = ports.free(1)
    flags = (
        *("--webhook-host", f"{HOST}=127.0.0.1:{port}", "--webhook-allow", "127.0.0.1/32"),
        *("--max-deletes-per-second", "0"),
    )
    with (
        ControlPlane.start(home) as plane,
        System.install(
            plane, admissions=1, operator_flags=flags, manifests=base.MANIFESTS / "everything"
        ) as installed,
    ):
        plane.apply(json.dumps({"apiVersion": "v1", "kind": "List", "items": [*scenery()]}))
        installed.wait_enforced(["configmaps", "deployments", "namespaces"])
        yield Scene(installed, port)


async def unwritten(begun: Series, *, killed: bool) -> list[Deed]:
    """Return what the history lacks when it has had time to be written.

    What a killed leader may not have written nobody waits for; who stood still writes it later.
    """
    found = dict[tuple[str, str], Deed]()

    async def explained() -> bool:
        found.clear()
        found.update(await missing(begun))
        return all(killed and excused(begun, deed) for deed in found.values())

    with suppress(TimeoutError):
        await until(explained, LATE)
    return list(found.values())


async def mistakes(begun: Series) -> list[str]:
    """Return what is wrong when the audit log, which comes after the answers, has been written."""
    found = list[str]()

    async def none() -> bool:
        begun.tail.follow()
        found[:] = sorted(wrong(begun))
        return not found

    with suppress(TimeoutError):
        await until(none, LATE)
    return found


def excused(begun: Series, deed: Deed) -> bool:
    """Whether a kill explains that the history lacks it."""
    return is_excused(deed, begun.kills, begun.tail.events, idle(begun, deed.replica))
