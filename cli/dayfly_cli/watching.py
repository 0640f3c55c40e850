"""``dayfly list --watch``: the list, and from then on every change as one more line."""

import asyncio
import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final, NoReturn

import msgspec
from msgspec.structs import replace

from dayfly_cli import table
from dayfly_cli.cluster import Cluster
from dayfly_cli.contact import Contact
from dayfly_cli.ends import Entry, as_data, in_order
from dayfly_cli.following import GAP, Following
from dayfly_cli.formats import DATA, one_of_many
from dayfly_cli.managed import Foreseen
from dayfly_cli.options import Options
from dayfly_cli.survey import Survey
from dayfly_cli.terminal import Failed, Terminal
from dayfly_core import names
from dayfly_core.objects import (
    EPHEMERATORS,
    NAMESPACE_MANAGERS,
    NAMESPACES,
    ObjectMeta,
    PartialObject,
    Resource,
)
from dayfly_kube.errors import ApiError, Unreachable
from dayfly_kube.mirror import Name
from dayfly_kube.reflector import Reflector

Place = tuple[Resource, str, str]
"""Kind, namespace and name."""
Heard = Callable[[Name, ObjectMeta | None], None]

OWN: Final = (EPHEMERATORS, NAMESPACE_MANAGERS)


class Pauses(msgspec.Struct, frozen=True):
    """In seconds."""

    look_every: float = 5.0
    """Between looks at the one namespace: to read it takes a RoleBinding in it, to watch it a
    ClusterRoleBinding."""
    gap: float = GAP
    """Between looks at what managers do."""


class Watching:
    """Follows everything that the survey found, and whatever of its kinds comes later."""

    def __init__(
        self,
        terminal: Terminal,
        cluster: Cluster,
        options: Options,
        found: Survey,
        pauses: Pauses = Pauses(),
    ) -> None:
        self._terminal = terminal
        self._cluster = cluster
        self._options = options
        self._found = found
        self._known = {_place(entry): entry for entry in found.entries}
        self._layout = options.layout
        self._look_every = pauses.look_every
        self._contact = Contact(terminal)
        self._following = Following(cluster, self._contact, options.scope, found, pauses.gap)

    async def run(self) -> NoReturn:
        """Print the list, then changes, until interrupted."""
        self._print_all()
        streams = [*self._streams()]
        with self._contact.listening("dayfly_kube.reflector"):
            async with asyncio.TaskGroup() as group:
                for stream in streams:
                    group.create_task(stream.run())
                group.create_task(self._contact.look(streams))
                group.create_task(self._following.run(self._foreseen))
                if not self._options.scope.everywhere:
                    group.create_task(self._look_at_namespace())
        sys.exit("a watch ended by itself")

    def _streams(self) -> Iterator[Reflector[Any]]:
        scope = self._options.scope
        for resource in self._found.resources:
            if resource != NAMESPACES or scope.labels:
                yield self._reflector(resource, scope.selector, partial(self._heard, resource))
        yield from self._following.reflectors()
        if scope.everywhere:
            # A manager ends any namespace; without managers only what is stamped has an end.
            selector = "" if self._following.any else names.POLICY
            yield self._reflector(NAMESPACES, selector, self._namespace_heard)

    def _print_all(self) -> None:
        entries, now = in_order(self._known.values()), self._terminal.now()
        rows = [self._layout.row(entry, now) for entry in entries]
        self._layout = self._layout.fitted(rows)
        if self._options.output in (*DATA, "name"):
            for entry in entries:
                self._print(entry)
        else:
            table.write(self._terminal.out, self._layout, rows)

    def _reflector(self, resource: Resource, selector: str, heard: Heard) -> Reflector[ObjectMeta]:
        place = "" if self._options.scope.everywhere else self._cluster.namespace

        def keep(item: PartialObject) -> ObjectMeta:
            return item.metadata

        return Reflector(
            self._cluster.client,
            resource.path(place),
            keep=keep,
            on_change=heard,
            label_selector=selector,
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
                if meta != self._following.namespace(meta.name):
                    self._namespace_heard(("", meta.name), meta)

    def _namespace_heard(self, name: Name, meta: ObjectMeta | None) -> None:
        self._following.namespace_heard(name[1], meta)
        self._show_namespace(name[1])

    def _show_namespace(self, name: str) -> None:
        meta = self._following.namespace(name)
        # Where labels select what is shown, of a namespace without them only the end counts.
        if not self._options.scope.labels:
            ends = meta and (names.POLICY in meta.label_map or self._found.foreseen.ending(name))
            self._heard(NAMESPACES, ("", name), meta if ends else None)
        end = self._found.end_of(meta) if meta else None
        if self._found.namespace_ends.get(name) == end:
            return
        self._found.namespace_ends[name] = end
        for place, entry in list(self._known.items()):
            if entry.meta.namespace == name and entry.resource not in OWN:
                self._keep(place, replace(entry, namespace_end=end))

    def _foreseen(self, before: Foreseen) -> None:
        """Print what is different since managers were asked anew what they do."""
        for name in before.differing(self._found.foreseen):
            self._show_namespace(name)
        if self._options.scope.labels:
            return
        errands = {_place(entry): entry for entry in self._found.errands()}
        for place in [each for each in self._known if each[0] in OWN and each not in errands]:
            self._gone(place)
        for place, entry in errands.items():
            self._keep(place, entry)

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
        if self._options.output in DATA:
            data = {**as_data(entry, now), "gone": gone}
            self._terminal.say(one_of_many(data, self._options.output))
        elif self._options.output == "name":
            self._terminal.say(entry.title)
        else:
            cells = self._layout.row(entry, now)
            cells[self._layout.header.index("NOTE")] = "gone" if gone else entry.note or "-"
            self._terminal.say(self._layout.line(cells))


def _place(entry: Entry) -> Place:
    return (entry.resource, entry.meta.namespace, entry.meta.name)
