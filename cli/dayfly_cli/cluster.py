"""What commands read from the cluster, as the person who runs them."""

import argparse
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial

import msgspec

from dayfly_cli import kinds
from dayfly_cli.ends import title
from dayfly_cli.reasons import explain
from dayfly_cli.terminal import Failed
from dayfly_core import __version__
from dayfly_core.api import StoredPolicy
from dayfly_core.objects import EXPIRY_POLICIES, NAMESPACES, ObjectMeta, PartialObject, Resource
from dayfly_core.policies import InvalidPolicy, Policies, Policy, read_policy
from dayfly_kube.client import Client
from dayfly_kube.config import ConfigError, load
from dayfly_kube.errors import ApiError, Unreachable
from dayfly_kube.paging import items

PAGE = "500"


class StoredPolicies(msgspec.Struct, frozen=True):
    """All policies as they are stored."""

    items: list[StoredPolicy] | None = None


class Connection(msgspec.Struct, frozen=True):
    """Where to connect, and which namespace is meant when none is named."""

    kubeconfig: str | None = None
    context: str = ""
    namespace: str | None = None

    @classmethod
    def of(cls, flags: argparse.Namespace) -> "Connection":
        """Take it from the parsed command line."""
        return cls(flags.kubeconfig, flags.context, flags.namespace)


def add_connection(flags: argparse.ArgumentParser) -> None:
    """Add kubectl's own flags for where to connect."""
    flags.add_argument("-n", "--namespace", metavar="NAME", help="default: the context's")
    flags.add_argument("--kubeconfig", metavar="PATH", help="kubeconfig to use")
    flags.add_argument("--context", metavar="NAME", default="", help="context in it")


class Cluster(msgspec.Struct, frozen=True):
    """One API server and the namespace that is meant."""

    client: Client
    namespace: str
    heard: list[str] = []
    """The server's warnings so far."""

    async def find(self, target: kinds.Target) -> Resource:
        """Find the kind of ``KIND/NAME``; raises Failed."""
        return kinds.resolve(target.kind, await kinds.served(self.client))

    async def read(self, resource: Resource, name: str) -> ObjectMeta:
        """Read one object's metadata; raises Failed if it or its namespace is not there."""
        try:
            return await self._meta(resource.path(self.namespace, name))
        except ApiError as error:
            if not error.not_found:
                raise
        if resource.namespaced:
            await self.namespace_meta()
            raise Failed(
                f"no {title(resource, name)} in namespace {self.namespace}; -n names another, "
                "`dayfly history` says what has ended"
            )
        raise Failed(
            f"no {title(resource, name)} in this cluster; `dayfly history -A` says what has ended"
        )

    async def namespace_meta(self) -> ObjectMeta | None:
        """Read the namespace; None for who may not look. Raises Failed if it is not there."""
        try:
            return await self._meta(NAMESPACES.path(name=self.namespace))
        except ApiError as error:
            if error.not_found:
                raise Failed(
                    f"no namespace {self.namespace}; `kubectl get namespaces` lists all"
                ) from error
            if error.forbidden:
                return None
            raise

    async def namespace_called(self, name: str) -> ObjectMeta | None:
        """Read any namespace; None if it is not there, or for who may not look."""
        try:
            return await self._meta(NAMESPACES.path(name=name))
        except ApiError as error:
            if error.not_found or error.forbidden:
                return None
            raise

    async def policies(self, warn: Callable[[str], None]) -> Policies | None:
        """Read all policies; None for who may not. Of an invalid one is told, the others count."""
        try:
            body = await self.client.get_list(EXPIRY_POLICIES.path())
        except ApiError as error:
            if error.not_found:
                raise Failed("Dayfly is not installed here: no ExpiryPolicies") from error
            if error.forbidden:
                return None
            raise
        stored = msgspec.json.decode(body, type=StoredPolicies).items or ()
        return Policies(policy for one in stored if (policy := _readable(one, warn)))

    async def listed(self, resource: Resource, namespace: str, selector: str) -> list[ObjectMeta]:
        """List metadata, page by page; an empty ``namespace`` means all."""
        path, params = resource.path(namespace), {"labelSelector": selector, "limit": PAGE}
        fetch = partial(self.client.get_list, metadata_only=True)
        return [item.metadata async for item in items(fetch, path, PartialObject, params)]

    async def _meta(self, path: str) -> ObjectMeta:
        body = await self.client.get(path, metadata_only=True)
        return msgspec.json.decode(body, type=PartialObject).metadata


def _readable(stored: StoredPolicy, warn: Callable[[str], None]) -> Policy | None:
    try:
        return read_policy(stored)
    except (InvalidPolicy, msgspec.MsgspecError) as error:
        warn(f"ExpiryPolicy {stored.metadata.name} is not in force: {error}")
        return None


@asynccontextmanager
async def connected(connection: Connection, environ: Mapping[str, str]) -> AsyncGenerator[Cluster]:
    """Connect; whatever the API server has against it comes out as one line in Failed."""
    try:
        config = load(connection.kubeconfig, environ, context=connection.context)
    except ConfigError as error:
        raise Failed(str(error)) from error
    agent = f"dayfly-cli/{__version__}"
    try:
        heard: list[str] = []
        async with Client(config, user_agent=agent, on_warning=heard.append) as client:
            yield Cluster(client, connection.namespace or config.namespace, heard)
    except (ApiError, Unreachable) as error:
        raise Failed(explain(error, config.server)) from error
    except msgspec.DecodeError as error:
        raise Failed(f"{config.server} gave no Kubernetes object: {error}") from error
