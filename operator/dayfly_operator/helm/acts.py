"""What is written when a Helm release ends: the intent, each object's end, and that it is over.

::

    intent on the newest Secret ──> each object: mark, DELETE ──> the Secrets, newest last

Killed anywhere, the next leader finds the intent by its label, looks at everything anew, and goes
on with what is left: what was deleted is not there any more, or going.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final

import msgspec

from dayfly_core import instant, names
from dayfly_core.actions import Delete
from dayfly_core.helm.marks import ReleaseRef
from dayfly_core.helm.release import Step
from dayfly_core.helm.storage import LABEL_NAME, Revision
from dayfly_core.objects import SECRETS, Key, ObjectMeta, PartialObject
from dayfly_core.stamps import Changes
from dayfly_kube.errors import ApiError
from dayfly_kube.releases import ReleaseReader
from dayfly_operator.helm.survey import unmarkable
from dayfly_operator.marking import Judged, mark
from dayfly_operator.writing import Outdated, Writer

BY: Final = "ExpiryPolicy/"


class Order(msgspec.Struct, frozen=True):
    """The end of a release: by which policy, and when it was due."""

    ref: ReleaseRef
    policy: str
    due: datetime
    key: Key | None = None
    """The member whose end has come; None when the end was begun and is gone on with."""
    uid: str = ""
    record: ObjectMeta | None = None
    """The Secret that says that the end was begun."""

    @property
    def by(self) -> str:
        """As it is written on what ends."""
        return f"{BY}{self.policy}"

    @classmethod
    def of(cls, action: Delete, ref: ReleaseRef) -> "Order":
        """Return what the end of one member means."""
        return cls(ref, action.policy, action.due, action.key, action.uid)

    @classmethod
    def begun(cls, secret: ObjectMeta) -> "Order | None":
        """Read the intent on a Secret; None if it cannot be read, or was not written on this one.

        Whoever may create Secrets may write there what they like, and a backup may bring an intent
        back; but only whoever writes on a Secret that is there already knows its uid.
        """
        by = secret.annotation_map.get(names.ENDED_BY, "")
        name = secret.label_map.get(LABEL_NAME, "")
        text, _, uid = secret.annotation_map.get(names.RELEASE_DUE, "").partition(" ")
        try:
            due = instant.parse(text)
        except instant.InvalidInstant:
            return None
        if not (by.startswith(BY) and name and uid == secret.uid):
            return None
        return cls(ReleaseRef(secret.namespace, name), by.removeprefix(BY), due, record=secret)


def is_begun(revision: Revision) -> bool:
    """Whether the intent is on this Secret."""
    return revision.meta.label_map.get(names.RELEASE_ENDING) == "true"


class ReleaseActs:
    """Writes over the very versions that were judged; raises Outdated if they are others by now.

    Raises NotLeading, ApiError and Unreachable as well.
    """

    def __init__(self, writer: Writer, reader: ReleaseReader, now: Callable[[], datetime]) -> None:
        self._writer = writer
        self._reader = reader
        self._now = now

    async def begin(self, newest: Revision, order: Order) -> None:
        """Record that the release ends."""
        begun = Order.begun(newest.meta) if is_begun(newest) else None
        if begun and begun.by == order.by:
            return
        due = f"{instant.render(order.due)} {newest.meta.uid}"
        await self._write_intent(
            newest.meta, "true", {names.ENDED_BY: order.by, names.RELEASE_DUE: due}
        )

    async def withdraw(self, record: ObjectMeta) -> None:
        """Record that it does not, after all."""
        await self._write_intent(record, None, {names.ENDED_BY: None, names.RELEASE_DUE: None})

    async def end(self, step: Step, by: str) -> datetime | None:
        """End one object; returns when its DELETE was sent, None if it was gone already."""
        path = step.key.resource.path(step.key.namespace, step.key.name)
        try:
            version = await self._marked(step, path, by)
            sent_at = self._now()
            await self._writer.delete(path, uid=step.uid, resource_version=version)
        except ApiError as error:
            if error.conflict:
                raise Outdated from error
            if error.absent:
                return None
            raise
        return sent_at

    async def forget(self, ref: ReleaseRef, newest: Revision) -> None:
        """Delete what Helm has stored, the Secret with the intent last."""
        known = await self._reader.revisions(ref)
        if known and known[-1].number != newest.number:
            raise Outdated  # installed or upgraded meanwhile
        for revision in known:
            await self._delete_secret(revision.meta)

    async def _marked(self, step: Step, path: str, by: str) -> str:
        """Write who ends it; returns the version that says so."""
        if step.marked or unmarkable(step.key.resource):
            return step.resource_version
        return await mark(self._writer, Judged(path, step.uid, step.resource_version), by)

    async def _write_intent(
        self, meta: ObjectMeta, label: str | None, annotations: Changes
    ) -> None:
        labels = {names.RELEASE_ENDING: label}
        body = _patch(meta.uid, meta.resource_version, annotations, labels)
        try:
            await self._patched(SECRETS.path(meta.namespace, meta.name), body)
        except ApiError as error:
            if error.conflict or error.absent:
                raise Outdated from error
            raise

    async def _delete_secret(self, meta: ObjectMeta) -> None:
        path = SECRETS.path(meta.namespace, meta.name)
        try:
            await self._writer.delete(path, uid=meta.uid, resource_version=meta.resource_version)
        except ApiError as error:
            if error.conflict:
                raise Outdated from error
            if not error.absent:
                raise

    async def _patched(self, path: str, body: object) -> str:
        answer = await self._writer.merge_patch(path, body)
        # A rehearsal answers with nothing.
        return msgspec.json.decode(answer, type=PartialObject).metadata.resource_version


def _patch(
    uid: str, version: str, annotations: Changes, labels: Changes | None = None
) -> dict[str, object]:
    meta: dict[str, object] = {"uid": uid, "resourceVersion": version}
    return {"metadata": meta | {"annotations": dict(annotations), "labels": dict(labels or {})}}
