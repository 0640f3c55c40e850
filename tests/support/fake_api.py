"""An API server over real HTTP, for component tests: what it stores is real, its faults are too.

    async with FakeApi() as api:
        api.put("/api/v1/namespaces/a/configmaps/b", {"metadata": {"labels": {"x": "y"}}})
        api.fault(Fault("status", "/api/v1/namespaces", code=500, times=3))
        async with Client(api.config(), user_agent="test") as client: …

Kinds that are not in ``api.resources`` are 404, as without their CRD. ``api.compact()`` makes every
older version 410. ``await api.down()`` refuses connections until ``await api.up()``.
"""

import asyncio
import ssl
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any, NamedTuple, Self

import msgspec
from aiohttp import web

from dayfly_core.objects import Resource
from dayfly_kube.config import Config
from dayfly_kube.credentials import Credential, Fixed
from support.fake_resources import CONFIG_MAPS, RESOURCES, SECRETS, discover
from support.fake_store import (
    Json,
    Place,
    Refused,
    Store,
    as_map,
    field_selects,
    place_of,
    selects,
)
from support.fake_watch import Fault, Pulse, Recorded, Stream, abort, partial

__all__ = ["CONFIG_MAPS", "RESOURCES", "SECRETS", "FakeApi", "Fault", "Recorded"]


class _Rest(NamedTuple):
    """What is still to come of a list that was begun."""

    version: int
    items: list[Json]


class FakeApi:
    """The server; use as an async context manager."""

    def __init__(
        self,
        resources: Iterable[Resource] = RESOURCES,
        *,
        tls: ssl.SSLContext | None = None,
        token: str = "",
        host: str = "127.0.0.1",
    ) -> None:
        self.resources = list(resources)
        self.verbs: dict[Resource, list[str]] = {}
        self.store = Store()
        self.requests: list[Recorded] = []
        self.bookmark_seconds = 60.0
        self.token = token
        """If set, requests without this bearer token are 401."""
        self.allowed: Callable[[Json], bool] = lambda attributes: True
        """Answers SelfSubjectAccessReviews, by their resourceAttributes."""
        self.may: Callable[[Json], bool] = lambda spec: False
        """Answers SubjectAccessReviews, by their spec."""
        self.port = 0
        self._tls = tls
        self._host = host
        self._faults: list[Fault] = []
        self._pages: dict[str, _Rest] = {}
        self._changed = Pulse()
        self._open: set[asyncio.Task[Any]] = set()
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        await self.up()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.down()

    async def up(self) -> None:
        """Listen, after ``down`` on the same port as before."""
        application = web.Application(client_max_size=2**24)
        application.router.add_route("*", "/{path:.*}", self._answer)
        # A time-out of 0 would be none at all, for a connection between two requests.
        runner = web.AppRunner(
            application, shutdown_timeout=0.05, access_log=None, handler_cancellation=True
        )
        await runner.setup()
        site = web.TCPSite(runner, self._host, self.port, ssl_context=self._tls, reuse_address=True)
        await site.start()
        self._runner = runner
        self.port = runner.addresses[0][1]

    async def down(self) -> None:
        """Close all connections and refuse new ones."""
        self.release()
        if self._runner:
            await self._runner.cleanup()
            self._runner = None

    @property
    def url(self) -> str:
        """Base URL."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{'https' if self._tls else 'http'}://{host}:{self.port}"

    def config(self, ca_data: str | None = None) -> Config:
        """How to reach it, with the right token."""
        return Config(self.url, ca_data, Fixed(Credential(self.token)))

    @property
    def streams(self) -> int:
        """Watches that are open, and requests that hang."""
        return len(self._open)

    @property
    def objects(self) -> dict[str, Json]:
        """Everything stored, by path of the object."""
        return self.store.objects

    def put(self, path: str, item: Json | None = None) -> Json:
        """Create or replace an object, past all faults and preconditions."""
        place, item = place_of(path), {**(item or {})}
        resource = self._resource(place)
        defaults = {"apiVersion": resource.api_version, "kind": resource.kind}
        item = {**defaults, **item, "metadata": {**as_map(item.get("metadata"))}}
        item["metadata"]["name"] = place.name
        item["metadata"].pop("resourceVersion", None)
        if place.key in self.objects:
            stored = self.store.replace(place, item)
        else:
            stored = self.store.create(place, item)
        self._changed.fire()
        return stored

    def remove(self, path: str) -> None:
        """Delete an object, past all faults and preconditions."""
        self.store.delete(place_of(path), {})
        self._changed.fire()

    def compact(self) -> None:
        """Forget history: watches from older versions and continue tokens are 410."""
        self.store.compact()
        self._pages.clear()
        self._changed.fire()

    def fault(self, fault: Fault) -> None:
        """Let something go wrong; the first of several that fit is used up first."""
        self._faults.append(fault)

    def heal(self) -> None:
        """Let nothing go wrong any more."""
        self._faults.clear()

    def release(self) -> None:
        """Break off what hangs, and all watches."""
        for task in self._open:
            task.cancel()

    def watches(self, path: str = "/") -> list[Recorded]:
        """Watch requests so far."""
        return [r for r in self.requests if r.watch and r.path.startswith(path)]

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        recorded = Recorded(
            request.method,
            request.path,
            dict(request.query),
            dict(request.headers),
            msgspec.json.decode(body) if body else None,
            time.monotonic(),
        )
        self.requests.append(recorded)
        if self.token and request.headers.get("Authorization") != f"Bearer {self.token}":
            return _status(401, "Unauthorized", "Unauthorized")
        fault = self._fault_for(recorded)
        if fault and fault.kind in {"status", "hang", "reset"}:
            return await self._fail(request, fault)
        try:
            if recorded.watch:
                return await self._watch(request, recorded, fault)
            return web.json_response(self._route(recorded), status=_success(recorded))
        except Refused as refused:
            return _status(refused.code, refused.reason, refused.message, refused.name)

    def _fault_for(self, recorded: Recorded) -> Fault | None:
        for fault in self._faults:
            if (
                recorded.path.startswith(fault.path)
                and fault.method in {"", recorded.method}
                and fault.watch in {None, recorded.watch}
            ):
                fault.times -= 1
                if fault.times <= 0:
                    self._faults.remove(fault)
                return fault
        return None

    async def _fail(self, request: web.Request, fault: Fault) -> web.StreamResponse:
        if fault.kind == "hang":
            await self._hold(asyncio.Event().wait())
        if fault.kind in {"hang", "reset"}:
            abort(request)
            return web.Response(status=500)
        response = _status(fault.code, fault.reason, fault.message)
        if fault.retry_after is not None:
            response.headers["Retry-After"] = str(fault.retry_after)
        return response

    async def _hold(self, work: Coroutine[Any, Any, Any]) -> bool:
        """Do it until ``release``; whether it ended by itself."""
        task = asyncio.create_task(work)
        self._open.add(task)
        try:
            await asyncio.wait({task})
        finally:
            task.cancel()
            self._open.discard(task)
        return not task.cancelled() and task.exception() is None

    def _route(self, recorded: Recorded) -> Json:
        found = discover(recorded.path, self.resources, self.verbs)
        if found is not None:
            return found
        if recorded.path.endswith("/selfsubjectaccessreviews"):
            attributes = as_map(as_map(recorded.body).get("spec")).get("resourceAttributes")
            return {**recorded.body, "status": {"allowed": self.allowed(as_map(attributes))}}
        if recorded.path.endswith("/subjectaccessreviews"):
            allowed = self.may(as_map(as_map(recorded.body).get("spec")))
            return {**recorded.body, "status": {"allowed": allowed}}
        place = place_of(recorded.path)
        self._resource(place)
        if recorded.method == "GET":
            return self._read(place, recorded)
        changed = self._write(place, recorded)
        self._changed.fire()
        return changed

    def _resource(self, place: Place) -> Resource:
        for resource in self.resources:
            if resource.path() == f"{place.root}/{place.plural}":
                return resource
        raise Refused(404, "NotFound", "the server could not find the requested resource")

    def _read(self, place: Place, recorded: Recorded) -> Json:
        if place.name:
            item = self.store.get(place)
            return partial(item) if recorded.partial else item
        return self._list(place, recorded)

    def _list(self, place: Place, recorded: Recorded) -> Json:
        query = recorded.query
        begun = self._begun(query["continue"]) if "continue" in query else self._begin(place, query)
        limit = int(query.get("limit", "0")) or len(begun.items)
        page, rest = begun.items[:limit], begun.items[limit:]
        meta: Json = {"resourceVersion": str(begun.version)}
        if rest:
            token = f"{begun.version}-{len(self._pages)}-{len(rest)}"
            self._pages[token] = _Rest(begun.version, rest)
            meta |= {"continue": token, "remainingItemCount": len(rest)}
        return {
            "kind": "PartialObjectMetadataList" if recorded.partial else "List",
            "apiVersion": "meta.k8s.io/v1" if recorded.partial else "v1",
            "metadata": meta,
            "items": [partial(item) if recorded.partial else item for item in page],
        }

    def _begun(self, token: str) -> _Rest:
        if token not in self._pages:
            raise Refused(410, "Expired", "The provided continue parameter is too old")
        return self._pages[token]

    def _begin(self, place: Place, query: Mapping[str, str]) -> _Rest:
        selector, fields = query.get("labelSelector", ""), query.get("fieldSelector", "")
        items = [
            item
            for item in self.store.listed(place)
            if selects(selector, item["metadata"].get("labels") or {})
            and field_selects(fields, item)
        ]
        return _Rest(self.store.version, items)

    def _write(self, place: Place, recorded: Recorded) -> Json:
        dry_run = recorded.query.get("dryRun") == "All"
        body: Any = recorded.body
        match recorded.method:
            case "POST":
                return self.store.create(place, body, dry_run=dry_run)
            case "PUT":
                return self.store.replace(place, body, dry_run=dry_run)
            case "PATCH":
                kind = recorded.headers["Content-Type"]
                return self.store.patch(place, kind, body, dry_run=dry_run)
            case _:
                return self.store.delete(place, as_map(body), dry_run=dry_run)

    async def _watch(
        self, request: web.Request, recorded: Recorded, fault: Fault | None
    ) -> web.StreamResponse:
        place = place_of(recorded.path)
        self._resource(place)
        version = int(recorded.query.get("resourceVersion") or self.store.version)
        self.store.since(version)
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        stream = Stream(
            place, recorded, request, response, self.store, self._changed, self.bookmark_seconds
        )
        work = stream.fail(version, fault) if fault else stream.feed(version)
        # Ended by an error: the client is gone, or the version has been compacted meanwhile.
        if not await self._hold(work):
            abort(request)
        return response


def _success(recorded: Recorded) -> int:
    return 201 if recorded.method == "POST" else 200


def _status(code: int, reason: str, message: str, name: str = "") -> web.Response:
    said = {"status": "Failure", "reason": reason, "message": message, "code": code}
    details = {"name": name} if name else {}
    body = {"kind": "Status", "apiVersion": "v1", **said, "details": details}
    return web.json_response(body, status=code)
