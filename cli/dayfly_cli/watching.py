"""``dayfly list --watch``: the list, and from then on every change as one more line."""

import asyncio
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final, NoReturn

from dayfly_cli import table
from dayfly_cli.cluster import Cluster
from dayfly_cli.ends import Entry, as_data, in_order
from dayfly_cli.options import Options
from dayfly_cli.survey import Scope, Survey
from dayfly_cli.terminal import Failed, Terminal
from dayfly_core import names
from dayfly_core.objects import NAMESPACES, ObjectMeta, PartialObject, Resource
from dayfly_kube.errors import ApiError, Unreachable
from dayfly_kube.mirror import Name
from dayfly_kube.reflector import Reflector

Place = tuple[Resource, str, str]
"""Kind, namespace and name."""
Heard = Callable[[Name, ObjectMeta | None], None]

LOOK_EVERY: Final = 5.0
"""Seconds between looks at the one namespace: to read it takes a RoleBinding in it, to watch it a
ClusterRoleBinding."""


class Watching:
    """Follows everything that the survey found, and whatever of its kinds comes later."""

    def __init__(
        self,
        terminal: Terminal,
        cluster: Cluster,
        options: Options,
        found: Survey,
        look_every: float = LOOK_EVERY,
    ) -> None:
        self._terminal = terminal
        self._cluster = cluster
        self._options = options
        self._found = found
        self._known = {_place(entry): entry for entry in found.entries}
        self._layout = options.layout
        self._look_every = look_every

    async def run(self) -> NoReturn:
        """Print the list, then changes, until interrupted."""
        self._print_all()
        scope = self._options.scope
        async with asyncio.TaskGroup() as group:
            for resource in self._found.resources:
                group.create_task(self._reflector(resource, scope, self._hearing(resource)).run())
            if not scope.everywhere:
                group.create_task(self._look_at_namespace())
            elif scope.labels or NAMESPACES not in self._found.resources:
                ends = self._reflector(NAMESPACES, Scope(everywhere=True), self._namespace_heard)
                group.create_task(ends.run())
        sys.exit("a watch ended by itself")

    def _print_all(self) -> None:
        entries, now = in_order(self._known.values()), self._terminal.now()
        rows = [self._layout.row(entry, now) for entry in entries]
        self._layout = self._layout.fitted(rows)
        if self._options.output in ("json", "name"):
            for entry in entries:
                self._print(entry)
        else:
            table.write(self._terminal.out, self._layout, rows)

    def _reflector(self, resource: Resource, scope: Scope, heard: Heard) -> Reflector[ObjectMeta]:
        place = "" if scope.everywhere else self._cluster.namespace

        def keep(item: PartialObject) -> ObjectMeta:
            return item.metadata

        return Reflector(
            self._cluster.client,
            resource.path(place),
            keep=keep,
            on_change=heard,
            label_selector=scope.selector,
            monotonic=self._terminal.monotonic,
        )

    async def _look_at_namespace(self) -> None:
        while True:
            await asyncio.sleep(self._look_every)
            try:
                meta = await self._cluster.namespace_meta()
            except Failed:
                self._namespace_heard(("", self._cluster.namespace), None)
            except (ApiError, Unreachable):
                continue  # the watches tell of it
            else:
                if meta is None:
                    return  # somebody who may not read it
                stamped = meta if names.POLICY in meta.label_map else None
                self._namespace_heard(("", meta.name), stamped)

    def _hearing(self, resource: Resource) -> Heard:
        if resource == NAMESPACES and not self._options.scope.labels:
            return self._namespace_heard
        return partial(self._heard, resource)

    def _namespace_heard(self, name: Name, meta: ObjectMeta | None) -> None:
        # Where labels select what is shown, of a namespace without them only the end counts.
        if not self._options.scope.labels:
            self._heard(NAMESPACES, name, meta)
        end = self._found.end_of(meta) if meta else None
        if self._found.namespace_ends.get(name[1]) == end:
            return
        self._found.namespace_ends[name[1]] = end
        for place, entry in list(self._known.items()):
            if entry.meta.namespace == name[1]:
                self._keep(place, replace(entry, namespace_end=end))

    def _heard(self, resource: Resource, name: Name, meta: ObjectMeta | None) -> None:
        place = (resource, *name)
        if meta is None:
            self._gone(place)
        else:
            self._keep(place, self._found.entry(resource, meta))

    def _keep(self, place: Place, entry: Entry) -> None:
        before = self._known.get(place)
        self._known[place] = entry
        # The first list of the reflector repeats what was printed already; most later changes are
        # of status, and change no column.
        if before is None or self._shown(before) != self._shown(entry):
            self._print(entry)

    def _gone(self, place: Place) -> None:
        if before := self._known.pop(place, None):
            self._print(before, gone=True)

    def _shown(self, entry: Entry) -> list[str]:
        # One instant for all: the time left changes by itself and is no change of the object.
        return self._layout.row(entry, entry.end or self._terminal.now())

    def _print(self, entry: Entry, *, gone: bool = False) -> None:
        now = self._terminal.now()
        if self._options.output == "json":
            self._terminal.say(json.dumps({**as_data(entry, now), "gone": gone}))
        elif self._options.output == "name":
            self._terminal.say(entry.title)
        else:
            cells = self._layout.row(entry, now)
            cells[self._layout.header.index("NOTE")] = "gone" if gone else entry.note or "-"
            self._terminal.say(self._layout.line(cells))


def _place(entry: Entry) -> Place:
    return (entry.resource, entry.meta.namespace, entry.meta.name)
