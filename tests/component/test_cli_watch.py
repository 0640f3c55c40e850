"""``dayfly list --watch``: the list, and from then on every change."""

import asyncio
import json
import signal
import sys

import pytest
import yaml

from dayfly_cli.__main__ import INTERRUPTED
from support.fake_api import Fault
from support.shell import API, EVENING, SHOP, WEB, Shell, stamped
from support.waiting import eventually

LATER = "2026-11-22T19:00:00Z"
API_OWN = "2026-11-23T12:00:00Z"


async def test_watch_prints_every_change_until_interrupted(shell: Shell) -> None:
    watching = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "dayfly_cli", "list", "--watch", "--all-namespaces"),
        env={"KUBECONFIG": str(shell.kubeconfig)},
        stdout=asyncio.subprocess.PIPE,
    )
    output = watching.stdout
    assert output
    listed = [await output.readline() for _ in range(4)]
    assert b"deployment.apps/web" in listed[1]
    shell.api.put(WEB, stamped(EVENING))
    assert EVENING.encode() in await output.readline()
    shell.api.put(SHOP, stamped(LATER))
    assert b"namespace/shop" in await output.readline()
    assert (await output.readline()).split()[:3] == [
        b"shop",
        b"deployment.apps/api",
        LATER.encode(),
    ]
    shell.api.remove(API)
    assert (await output.readline()).split()[-1] == b"gone"
    watching.send_signal(signal.SIGINT)
    assert await watching.wait() == INTERRUPTED


def told(lines: list[str]) -> list[tuple[str, str, bool]]:
    """Name, end and whether it is gone, of each line of ``-o json``."""
    items = map(json.loads, lines)
    return [(item["name"], item["endsAt"], item["gone"]) for item in items]


async def test_each_change_is_a_document_of_yaml(shell: Shell) -> None:
    async with shell.watching("-l app=web -o yaml") as lines:
        shell.api.put(WEB, stamped(EVENING, app="web"))
        await eventually(lambda: EVENING in "".join(lines()))
    first, last = yaml.safe_load_all("\n".join(lines()))
    assert (first["name"], last["name"], last["endsAt"]) == ("web", "web", EVENING)


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        pytest.param("", ["shop", "api"], id="of the one namespace that is looked at"),
        pytest.param("-l tier=back", ["api"], id="though its label selects only what is in it"),
        pytest.param("-A", ["shop", "api"], id="of any namespace"),
        pytest.param("-A -l tier=back", ["api"], id="of any that has not got the label itself"),
    ],
)
async def test_a_later_end(shell: Shell, flags: str, expected: list[str]) -> None:
    shell.api.put(API, stamped(API_OWN, tier="back"))
    async with shell.watching(f"{flags} -o json") as lines:
        await eventually(lambda: ("api", EVENING, False) in told(lines()))
        shell.api.put(SHOP, stamped(LATER))
        await eventually(
            lambda: [name for name, end, _ in told(lines()) if end == LATER] == expected
        )


@pytest.mark.parametrize("flags", ["", "-A"])
async def test_what_is_in_a_namespace_that_loses_its_stamps_has_its_own_end(
    shell: Shell, flags: str
) -> None:
    async with shell.watching(f"{flags} -o json") as lines:
        await eventually(lambda: ("shop", EVENING, False) in told(lines()))
        shell.api.put(SHOP)
        gone_and_left = [("shop", EVENING, True), ("api", API_OWN, False)]
        await eventually(lambda: told(lines())[-2:] == gone_and_left)


@pytest.mark.parametrize("flags", ["", "-A"])
async def test_a_namespace_that_goes(shell: Shell, flags: str) -> None:
    async with shell.watching(f"{flags} -o json") as lines:
        await eventually(lambda: ("shop", EVENING, False) in told(lines()))
        shell.api.remove(SHOP)
        await eventually(lambda: ("shop", EVENING, True) in told(lines()))


async def test_who_may_not_read_the_namespace_watches_what_is_in_it(shell: Shell) -> None:
    shell.api.fault(Fault("status", SHOP, code=403, reason="Forbidden", times=1000))
    async with shell.watching("-o json") as lines:
        shell.api.put(WEB, stamped(LATER))
        await eventually(lambda: ("web", LATER, False) in told(lines()))


async def test_a_namespace_that_cannot_be_read_for_a_moment_is_looked_at_again(
    shell: Shell,
) -> None:
    async with shell.watching("-o json") as lines:
        shell.api.fault(Fault("status", SHOP, code=500, times=2))
        shell.api.fault(Fault("reset", SHOP, times=2))
        shell.api.put(SHOP, stamped(LATER))
        await eventually(lambda: ("api", LATER, False) in told(lines()))
