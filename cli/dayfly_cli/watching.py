"""``dayfly list --watch``: the list, and from then on every change as one more line."""

import asyncio
import json
import sys
from typing import NoReturn

from dayfly_cli import table
from dayfly_cli.cluster import Cluster
from dayfly_cli.ends import Entry, as_data, in_order, stamped_end
from dayfly_cli.options import Options
from dayfly_cli.survey import Scope, Survey
from dayfly_cli.terminal import Terminal
from dayfly_core.objects import NAMESPACES, ObjectMeta, PartialObject, Resource
from dayfly_kube.reflector import Reflector

Place = tuple[Resource, str, str]
"""Kind, namespace and name."""


class Watching:
    """Follows everything that the survey found, and whatever of its kinds comes later."""

    def __init__(
        self, terminal: Terminal, cluster: Cluster, options: Options, found: Survey
    ) -> None:
        self._terminal = terminal
        self._cluster = cluster
        self._options = options
        self._found = found
        self._known = {_place(entry): entry for entry in found.entries}
        self._layout = options.layout

    async def run(self) -> NoReturn:
        """Print the list, then changes, until interrupted."""
        self._print_all()
        async with asyncio.TaskGroup() as group:
            for resource in self._found.resources:
                group.create_task(self._reflector(resource, self._options.scope).run())
            if self._options.scope.everywhere and NAMESPACES not in self._found.resources:
                ends_only = Scope(everywhere=True)
                group.create_task(self._reflector(NAMESPACES, ends_only).run())
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

    def _reflector(self, resource: Resource, scope: Scope) -> Reflector[ObjectMeta]:
        place = "" if scope.everywhere else self._cluster.namespace

        def keep(item: PartialObject) -> ObjectMeta:
            return item.metadata

        def changed(name: tuple[str, str], meta: ObjectMeta | None) -> None:
            self._changed(resource, name, meta)

        return Reflector(
            self._cluster.client,
            resource.path(place),
            keep=keep,
            on_change=changed,
            label_selector=scope.selector,
            monotonic=self._terminal.monotonic,
        )

    def _changed(self, resource: Resource, name: tuple[str, str], meta: ObjectMeta | None) -> None:
        place = (resource, *name)
        before = self._known.get(place)
        if meta is None:
            self._gone(place, before)
            return
        entry = Entry(resource, meta, self._found.namespace_ends.get(meta.namespace))
        if resource == NAMESPACES:
            self._found.namespace_ends[meta.name] = stamped_end(meta)
        self._known[place] = entry
        # The first list of the reflector repeats what was printed already; most later changes are
        # of status, and change no column.
        if before is None or self._shown(before) != self._shown(entry):
            self._print(entry)

    def _gone(self, place: Place, before: Entry | None) -> None:
        self._known.pop(place, None)
        if before:
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
