"""Commands of the CLI against the fake API server, from a kubeconfig as people have it."""

import asyncio
import io
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from dayfly_cli import listing
from dayfly_cli.__main__ import run
from dayfly_cli.cluster import connected
from dayfly_cli.survey import survey
from dayfly_cli.terminal import Terminal
from dayfly_cli.watching import Pauses, Watching
from dayfly_core import names
from support.entries import NOW
from support.fake_api import FakeApi

NOON = "2026-11-22T12:00:00Z"
EVENING = "2026-11-22T18:00:00Z"
SHOP = "/api/v1/namespaces/shop"
WEB = "/apis/apps/v1/namespaces/shop/deployments/web"
API = "/apis/apps/v1/namespaces/shop/deployments/api"


def stamped(end: str, **labels: str) -> dict[str, Any]:
    keys = {names.POLICY: "previews", **labels}
    return {"metadata": {"annotations": {names.EXPIRES_AT: end}, "labels": keys}}


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    out: str
    err: str


class Shell:
    """Runs command lines against one server, from namespace ``shop``."""

    def __init__(self, api: FakeApi, directory: Path) -> None:
        self.api = api
        self.remarks = io.StringIO()
        self.kubeconfig = directory / "kubeconfig"
        self.kubeconfig.write_text(
            yaml.safe_dump(
                {
                    "clusters": [{"name": "c", "cluster": {"server": api.url}}],
                    "users": [{"name": "u", "user": {}}],
                    "contexts": [
                        {"name": "x", "context": {"cluster": "c", "user": "u", "namespace": "shop"}}
                    ],
                    "current-context": "x",
                }
            )
        )

    @asynccontextmanager
    async def watching(self, flags: str) -> AsyncGenerator[Callable[[], list[str]]]:
        """Let ``dayfly list --watch`` run meanwhile; gives the lines it has printed so far.

        What it says beside them is in ``remarks``.
        """
        out = io.StringIO()
        terminal, options = (
            self._terminal(out, self.remarks),
            listing.parse("dayfly", flags.split()),
        )
        async with connected(options.connection, terminal.environ) as cluster:
            found = await survey(cluster, options.scope, terminal)
            watching = Watching(terminal, cluster, options, found, Pauses(0.01, 0.01))
            task = asyncio.create_task(watching.run())
            try:
                yield lambda: out.getvalue().splitlines()
            finally:
                task.cancel()
                await asyncio.wait({task})

    def _terminal(self, out: io.StringIO, err: io.StringIO | None = None) -> Terminal:
        environ = {"KUBECONFIG": str(self.kubeconfig)}
        return Terminal("dayfly", environ, out, err or out, lambda: NOW, time.monotonic)

    async def run(self, command: str) -> Answer:
        out, err = io.StringIO(), io.StringIO()
        terminal = self._terminal(out, err)
        status = await asyncio.to_thread(run, terminal, command.split())
        return Answer(status, out.getvalue(), err.getvalue())
