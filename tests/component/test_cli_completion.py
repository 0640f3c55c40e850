"""Names that a shell completes, asked of a cluster over real HTTP."""

import asyncio
import sys
from pathlib import Path

import pytest

from dayfly_core.objects import EXPIRY_POLICIES
from support.fake_api import Fault
from support.shell import Shell


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param("show dep", ["deployment/", ":6"], id="kinds, which go on"),
        pytest.param(
            "show deployments/ -n bare deployments/", [":4"], id="one word too many says nothing"
        ),
        pytest.param("wake deployment/w", ["deployment/web", ":4"], id="objects of a kind"),
        pytest.param("extend namespace/s", ["namespace/shop", ":4"], id="namespaces"),
        pytest.param("list -n b", ["bare", ":4"], id="a flag's namespace"),
        pytest.param("breaker reset p", ["previews", ":4"], id="policies"),
        pytest.param("history --kind depl", ["deployments", ":4"], id="kinds by their plural"),
        pytest.param("show nonsense/x", [":4"], id="a kind that there is not"),
    ],
)
async def test_names_are_asked_of_the_cluster(shell: Shell, line: str, expected: list[str]) -> None:
    assert (await shell.run(f"__complete {line}")).out.split() == expected


async def test_objects_are_those_of_the_namespace_that_was_typed_before(shell: Shell) -> None:
    shell.api.put("/apis/apps/v1/namespaces/bare/deployments/other")
    answer = await shell.run("__complete show -n bare deployment/")
    assert answer.out.split() == ["deployment/other", ":4"]


async def test_who_may_not_list_is_offered_nothing(shell: Shell) -> None:
    shell.api.fault(Fault("status", EXPIRY_POLICIES.path(), code=403, reason="Forbidden"))
    answer = await shell.run("__complete breaker reset p")
    assert (answer.status, answer.out, answer.err) == (0, ":4\n", "")


async def test_kubectl_asks_by_a_program_of_that_name(shell: Shell, tmp_path: Path) -> None:
    program = tmp_path / "kubectl_complete-dayfly"
    program.write_text("from dayfly_cli.__main__ import main\nmain()\n")
    asked = await asyncio.create_subprocess_exec(
        *(sys.executable, str(program), "list", "-n", "sh"),
        env={"KUBECONFIG": str(shell.kubeconfig)},
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await asked.communicate()
    assert out == b"shop\n:4\n"
