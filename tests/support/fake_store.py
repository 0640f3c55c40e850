"""What an API server remembers: objects by path, versions, and the history that watches replay.

Pure: no I/O. Behaves like the real one where Dayfly could notice: one version counter for all,
optimistic concurrency, preconditions, finalizers, label and field selectors that turn a change
into ADDED or DELETED for those who no longer or newly see the object, compaction, server-side
apply (without managedFields).
"""

import copy
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypeGuard, cast

Json = dict[str, Any]
EPOCH = datetime.fromisoformat("2026-01-01T00:00:00+00:00")


class Refused(Exception):
    """A ``Status`` with code and reason, and the object that it is about, if it is known."""

    def __init__(self, code: int, reason: str, message: str, name: str = "") -> None:
        super().__init__(message)
        self.code, self.reason, self.message, self.name = code, reason, message, name


class Place(NamedTuple):
    """What a URL path names."""

    root: str  # /api/v1 or /apis/GROUP/VERSION
    namespace: str
    plural: str
    name: str
    subresource: str

    @property
    def key(self) -> str:
        """Path of the object."""
        scope = f"/namespaces/{self.namespace}" if self.namespace else ""
        return f"{self.root}{scope}/{self.plural}/{self.name}"


@dataclass(frozen=True, slots=True)
class Change:
    """One line of history: the object before and after."""

    version: int
    place: Place
    before: Json | None
    after: Json | None


def place_of(path: str) -> Place:
    """``/api/v1/namespaces/a/pods/b/status`` and every shorter form of it."""
    parts = path.strip("/").split("/")
    head = 2 if parts[0] == "api" else 3
    root, rest = "/" + "/".join(parts[:head]), parts[head:]
    namespace = ""
    if len(rest) >= 3 and rest[0] == "namespaces" and rest[2] not in {"status", "finalize"}:
        namespace, rest = rest[1], rest[2:]
    plural, name, subresource = [*rest, "", "", ""][:3]
    return Place(root, namespace, plural, name, subresource)


def selects(selector: str, labels: Mapping[str, str]) -> bool:
    """``a=b,c!=d,e,!f`` and ``g in (h,i)``, as in ``labelSelector``."""
    return all(_term(term.strip(), labels) for term in _terms(selector))


def _terms(selector: str) -> list[str]:
    terms, depth, start = list[str](), 0, 0
    for index, character in enumerate(selector + ","):
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            terms.append(selector[start:index])
            start = index + 1
    return [term for term in terms if term.strip()]


def _term(term: str, labels: Mapping[str, str]) -> bool:
    for word in (" notin ", " in "):
        key, found, values = term.partition(word)
        if found:
            listed = [value.strip() for value in values.strip(" ()").split(",")]
            return (labels.get(key.strip()) in listed) == (word == " in ")
    if "!=" in term:
        key, _, value = term.partition("!=")
        return labels.get(key) != value
    if "=" in term:
        key, _, value = term.replace("==", "=").partition("=")
        return labels.get(key) == value
    return term[1:] not in labels if term.startswith("!") else term in labels


def field_selects(selector: str, item: Json) -> bool:
    """``metadata.name=a,metadata.namespace!=b``."""
    for term in _terms(selector):
        path, _, value = term.replace("==", "=").partition("=")
        found: Any = item
        for step in path.removesuffix("!").split("."):
            found = as_map(found).get(step, "")
        if (found == value) == path.endswith("!"):
            return False
    return True


def as_map(value: Any) -> Json:
    """The value if it is a JSON object, else an empty one."""
    return cast("Json", value) if isinstance(value, dict) else {}


def as_list(value: Any) -> list[Any]:
    """The value if it is a JSON array, else an empty one."""
    return value if _is_list(value) else []


def _is_list(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def merge(target: Any, patch: Any) -> Any:
    """RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    result = dict(as_map(target))
    for key, value in as_map(patch).items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge(result.get(key), value)
    return result


def apply(target: Any, wanted: Any) -> Any:
    """Server-side apply that takes nothing back; lists are merged by ``name`` or ``type``."""
    if isinstance(wanted, dict):
        merged = dict(as_map(target))
        return merged | {key: apply(merged.get(key), v) for key, v in as_map(wanted).items()}
    return _apply_list(as_list(target), as_list(wanted)) if as_list(wanted) else wanted


def _apply_list(target: list[Any], wanted: list[Any]) -> list[Any]:
    for key in ("name", "type"):
        if all(key in as_map(item) for item in [*target, *wanted]):
            merged = {item[key]: item for item in target}
            merged |= {item[key]: apply(merged.get(item[key]), item) for item in wanted}
            return list(merged.values())
    return wanted


def _patched(kind: str, before: Json, patch: Any) -> Json:
    match kind.partition(";")[0]:
        case "application/merge-patch+json":
            return as_map(merge(before, patch))
        case "application/apply-patch+yaml":
            return as_map(apply(before, patch))
        case _:
            raise Refused(415, "UnsupportedMediaType", f"content type {kind}")


class Store:
    """All objects, and how they came to be."""

    def __init__(self) -> None:
        self.objects: dict[str, Json] = {}
        self.history: list[Change] = []
        self.version = 100
        self.compacted = 0

    def get(self, place: Place) -> Json:
        """The object, or 404."""
        if place.key not in self.objects:
            message = f'{place.plural} "{place.name}" not found'
            raise Refused(404, "NotFound", message, place.name)
        return self.objects[place.key]

    def listed(self, place: Place) -> list[Json]:
        """Objects of a collection in the order of their names; without a namespace, of all."""
        found: list[tuple[Place, Json]] = []
        for path, item in self.objects.items():
            each = place_of(path)
            if (each.root, each.plural) == (place.root, place.plural):
                found.append((each, item))
        return [item for each, item in sorted(found) if place.namespace in {"", each.namespace}]

    def create(self, place: Place, item: Json, *, dry_run: bool = False) -> Json:
        """POST: system fields are filled in, a taken name is refused."""
        item = copy.deepcopy(item)
        meta = item.setdefault("metadata", {})
        if not meta.get("name"):
            meta["name"] = f"{meta['generateName']}{uuid.uuid4().hex[:5]}"
        place = place._replace(name=meta["name"])
        if place.key in self.objects:
            raise Refused(409, "AlreadyExists", f'{place.plural} "{place.name}" already exists')
        if place.namespace:
            meta["namespace"] = place.namespace
        meta.setdefault("uid", str(uuid.uuid4()))
        meta.setdefault("creationTimestamp", self._time())
        if "spec" in item:
            meta.setdefault("generation", 1)
        if place.plural == "namespaces":
            meta.setdefault("labels", {})["kubernetes.io/metadata.name"] = place.name
        return self._commit(place, None, item, dry_run=dry_run)

    def replace(self, place: Place, item: Json, *, dry_run: bool = False) -> Json:
        """PUT: over the version that it carries, if it carries one."""
        return self._update(place, self.get(place), copy.deepcopy(item), dry_run=dry_run)

    def patch(self, place: Place, kind: str, patch: Any, *, dry_run: bool = False) -> Json:
        """PATCH by its content type; apply creates what is not there."""
        if "apply" in kind and place.key not in self.objects:
            return self.create(place, as_map(patch), dry_run=dry_run)
        before = self.get(place)
        return self._update(
            place, before, _patched(kind, copy.deepcopy(before), patch), dry_run=dry_run
        )

    def delete(self, place: Place, options: Json, *, dry_run: bool = False) -> Json:
        """DELETE under its preconditions; finalizers turn it into a deletionTimestamp."""
        before = self.get(place)
        wanted = as_map(options.get("preconditions"))
        for field in ("uid", "resourceVersion"):
            _same(place, before, field, wanted.get(field))
        if before["metadata"].get("finalizers"):
            after = copy.deepcopy(before)
            after["metadata"].setdefault("deletionTimestamp", self._time())
            return self._commit(place, before, after, dry_run=dry_run)
        self._commit(place, before, None, dry_run=dry_run)
        if place.plural == "namespaces" and not dry_run:
            self._empty(place.name)
        return before

    def compact(self) -> None:
        """Forget all history: every older version is 410 from now on."""
        self.history.clear()
        self.version += 1
        self.compacted = self.version

    def since(self, version: int) -> list[Change]:
        """Changes after a version, or 410."""
        if version < self.compacted:
            raise Refused(410, "Expired", f"too old resource version: {version}")
        return [change for change in self.history if change.version > version]

    def _empty(self, namespace: str) -> None:
        for path in list(self.objects):
            place = place_of(path)
            if place.namespace == namespace:
                self._commit(place, self.objects[path], None, dry_run=False)

    def _update(self, place: Place, before: Json, after: Json, *, dry_run: bool) -> Json:
        meta, old = after.setdefault("metadata", {}), before["metadata"]
        for field in ("uid", "resourceVersion"):
            _same(place, before, field, meta.get(field))
        for field in ("uid", "creationTimestamp", "name", "namespace", "deletionTimestamp"):
            if field in old:
                meta[field] = old[field]
        if place.subresource == "status":
            after = {**before, "metadata": meta, "status": after.get("status", {})}
        elif "status" in before:
            after["status"] = before["status"]
        if "spec" in after:
            changed = before.get("spec") != after["spec"]
            meta["generation"] = old.get("generation", 1) + changed
        meta["resourceVersion"] = old["resourceVersion"]
        if after == before:
            return before
        gone = "deletionTimestamp" in meta and not meta.get("finalizers")
        self._commit(place, before, None if gone else after, dry_run=dry_run)
        return after

    def _commit(
        self, place: Place, before: Json | None, after: Json | None, *, dry_run: bool
    ) -> Json:
        if dry_run:
            return after or before or {}
        self.version += 1
        shown = after if after is not None else copy.deepcopy(before or {})
        shown["metadata"]["resourceVersion"] = str(self.version)
        if after is None:
            del self.objects[place.key]
        else:
            self.objects[place.key] = after
        # A watch shows what was deleted under the version of its deletion.
        last = before if after is not None else shown
        self.history.append(Change(self.version, place, last, after))
        return shown

    def _time(self) -> str:
        moment = EPOCH + timedelta(seconds=self.version)
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _same(place: Place, item: Json, field: str, wanted: Any) -> None:
    actual = item["metadata"].get(field)
    if wanted and wanted != actual:
        raise Refused(
            409,
            "Conflict",
            f'Operation cannot be fulfilled on {place.plural} "{place.name}": the {field} in the '
            f"precondition ({wanted}) does not match the one in record ({actual})",
        )


def event_of(change: Change, selector: str, fields: str) -> tuple[str, Json] | None:
    """What a watcher with these selectors sees of a change."""
    before = change.before if _shown(change.before, selector, fields) else None
    after = change.after if _shown(change.after, selector, fields) else None
    if after is not None:
        return ("MODIFIED" if before is not None else "ADDED"), after
    if before is None:
        return None
    gone = {**before, "metadata": {**before["metadata"], "resourceVersion": str(change.version)}}
    return "DELETED", gone


def _shown(item: Json | None, selector: str, fields: str) -> bool:
    if item is None:
        return False
    return selects(selector, item["metadata"].get("labels") or {}) and field_selects(fields, item)
