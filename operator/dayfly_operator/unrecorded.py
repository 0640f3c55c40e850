"""What was done to an object that takes no note of it: remembered by whoever leads.

A tenant may fill an object's annotations, another webhook may refuse every change of it, a right
may be missing. If only what can be recorded were done, each of these would be a way around the end:
so its steps go on by this memory. It ends with the process: the next leader does them once more,
with the same ids.
"""

from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from dayfly_core.objects import Key, ObjectMeta
from dayfly_core.stamps import Changes, applied
from dayfly_core.subject import Subject
from dayfly_operator.stamped import Stamped


class Note(msgspec.Struct, frozen=True):
    """What annotations should say, and what they say instead."""

    uid: str
    wanted: Changes
    stored: Changes


class Unrecorded(msgspec.Struct):
    """Notes by object: none, but of those whose annotations the API server does not change."""

    _notes: dict[Key, Note] = {}

    def keep(self, subject: Subject, changes: Changes) -> ObjectMeta:
        """Remember what could not be written; returns the object as it is to be judged now."""
        meta = subject.meta
        before = self._notes.get(subject.key)
        if before is None or before.uid != meta.uid:
            before = Note(meta.uid, {}, {})
        wanted = {**before.wanted, **changes}
        stored = {**_said(meta, changes), **before.stored}
        self._notes[subject.key] = Note(meta.uid, wanted, stored)
        return _noted(meta, wanted)

    def noted(self, subject: Subject) -> Subject:
        """Return an object as it is to be judged: with what it did not take."""
        meta = self._seen(subject.key, subject.meta)
        return subject if meta is subject.meta else replace(subject, meta=meta)

    def stamped(self, key: Key, found: Stamped) -> Stamped:
        """Return what a watch has of an object, likewise."""
        meta = self._seen(key, found.meta)
        return found if meta is found.meta else Stamped(meta, found.end)

    def over(self, key: Key) -> None:
        """Hear that an object is gone."""
        self._notes.pop(key, None)

    def _seen(self, key: Key, meta: ObjectMeta) -> ObjectMeta:
        note = self._notes.get(key)
        if note is None:
            return meta
        said = _said(meta, note.wanted)
        if said == note.wanted:
            return meta
        if note.uid != meta.uid or said != note.stored:
            self.over(key)  # another object; or it was written after all, by us or somebody else
            return meta
        return _noted(meta, note.wanted)


def _said(meta: ObjectMeta, changes: Changes) -> Mapping[str, str | None]:
    return {name: meta.annotation_map.get(name) for name in changes}


def _noted(meta: ObjectMeta, changes: Changes) -> ObjectMeta:
    annotations = applied(meta.annotation_map, changes)
    return msgspec.structs.replace(meta, annotations=annotations)
