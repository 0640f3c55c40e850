"""An admission replica with everything around it that it follows, and callers of it."""

import asyncio
import io
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import aiohttp
import msgspec
from msgspec.structs import replace

from dayfly_admission.assembly import Clocks
from dayfly_admission.program import Program
from dayfly_admission.settings import Settings, parse
from dayfly_admission.turnstile import CONNECTIONS
from dayfly_certs import secrets
from dayfly_certs.bundle import Bundle
from dayfly_core import names
from dayfly_kube.client import Client
from support.fake_api import FakeApi
from support.handshakes import NAMES, client_context, today
from support.policy_manifests import manifest
from support.reviews import (
    Json,
    a_namespace,
    a_review,
    accepted,
    an_object,
    encoded,
    of_namespace,
)

JSON = {"Content-Type": "application/json"}
REVIEW = encoded(a_review(an_object()))
SETTINGS = replace(
    parse(["--listen=127.0.0.1:0", "--health-listen=127.0.0.1:0"], {}), lame_duck=0.0
)
TLS_PATH = secrets.path(names.SYSTEM_NAMESPACE, names.TLS_SECRET)


def publish(api: FakeApi, bundle: Bundle) -> None:
    """Write the serving Secret."""
    secret = secrets.Secret(
        data={"ca.crt": bundle.ca_pem, "tls.crt": bundle.cert_pem, "tls.key": bundle.key_pem}
    )
    api.put(TLS_PATH, {"data": msgspec.to_builtins(secret)["data"]})


def install(api: FakeApi, bundle: Bundle) -> None:
    """Put there what a replica waits for: a policy, a namespace, the certificate."""
    api.put("/apis/dayfly.dev/v1alpha1/expirypolicies/previews", manifest(ttl={"default": "8h"}))
    api.put("/api/v1/namespaces/team-a", {"metadata": {"labels": {"team": "web"}}})
    publish(api, bundle)


@dataclass(slots=True)
class Replica:
    """A running program, and what its callers need."""

    program: Program
    trusted: bytes

    def session(self, *authorities: bytes) -> aiohttp.ClientSession:
        """Connect as an API server does: by name, with the ``caBundle`` that is configured."""
        context = client_context(*(authorities or (self.trusted,)))
        return aiohttp.ClientSession(
            f"https://127.0.0.1:{self.program.port}",
            connector=aiohttp.TCPConnector(ssl=context, limit=0),
            headers=JSON,
        )

    async def post(
        self, path: str, body: bytes = REVIEW, content_type: str = "application/json"
    ) -> tuple[int, bytes]:
        """Ask on a connection of its own."""
        headers = {"Content-Type": content_type}
        async with (
            self.session() as session,
            session.post(path, data=io.BytesIO(body), headers=headers) as response,
        ):
            return response.status, await response.read()

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a connection to write bytes to."""
        return await asyncio.open_connection(
            "127.0.0.1",
            self.program.port,
            ssl=client_context(self.trusted),
            server_hostname=NAMES[0],
        )

    async def health(self, path: str) -> tuple[int, str]:
        """Ask as kubelet does."""
        async with (
            aiohttp.ClientSession(f"http://127.0.0.1:{self.program.health_port}") as session,
            session.get(path) as response,
        ):
            return response.status, await response.text()


@asynccontextmanager
async def a_replica(
    api: FakeApi,
    bundle: Bundle | None = None,
    settings: Settings = SETTINGS,
    journal: Callable[[bytes], object] = lambda line: None,
) -> AsyncGenerator[Replica]:
    """Run a replica until the block ends; then it leaves in order."""
    agent = "dayfly-admission/0 (test)"
    async with Client(api.config(), user_agent=agent, connections=CONNECTIONS) as client:
        program = Program(client, settings, Clocks(today, monotonic), journal)
        running = asyncio.create_task(program.run())
        try:
            async with asyncio.timeout(10):
                while not (program.port and program.health_port):
                    await asyncio.wait([running], timeout=0.01)
            yield Replica(program, bundle.ca_pem if bundle else b"")
        finally:
            program.leave.set()
            await running


def ready(replica: Replica) -> bool:
    """Whether requests may come to it."""
    return replica.program.unready() is None


async def ask(replica: Replica, review: Json, path: str = "/environments?timeout=5s") -> Json:
    """Have a review answered; a well-formed answer that has no patch."""
    status, said = await replica.post(path, encoded(review))
    assert status == 200
    return accepted(said, mutating=False)


def new_environment(namespace: str = "shop", **request: Any) -> Json:
    """Review a Namespace that becomes the environment ``shop-1``."""
    return of_namespace(a_namespace(namespace, environment="shop-1"), **request)


def write_kubeconfig(directory: Path, server: str) -> Path:
    """Write how to reach an API server that asks for no credentials."""
    path = directory / "kubeconfig"
    config = {
        "clusters": [{"name": "test", "cluster": {"server": server}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        "users": [{"name": "test"}],
        "current-context": "test",
    }
    path.write_text(json.dumps(config))
    return path
