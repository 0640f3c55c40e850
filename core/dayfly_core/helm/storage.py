"""A Helm release as Helm stores it: one Secret for each revision, by name, version and status."""

import binascii
import zlib
from base64 import b64decode
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from dayfly_core.helm.marks import ReleaseRef
from dayfly_core.objects import ObjectMeta

SECRET_TYPE: Final = "helm.sh/release.v1"
"""``type`` of the Secrets; RBAC cannot tell them from others by it."""

OWNER: Final = "helm"
LABEL_OWNER: Final = "owner"
LABEL_NAME: Final = "name"
LABEL_VERSION: Final = "version"
LABEL_STATUS: Final = "status"
LABEL_MODIFIED: Final = "modifiedAt"
"""Unix time at which Helm last wrote the Secret, once it has written it anew."""

DEPLOYED: Final = "deployed"
UNINSTALLED: Final = "uninstalled"
UNDER_WAY: Final = frozenset(
    {"pending-install", "pending-upgrade", "pending-rollback", "uninstalling"}
)
"""Somebody's Helm is at work, or was killed at it; the two look alike from outside."""

LONGEST_WORK: Final = timedelta(hours=1)
"""After this a Helm that is at work is taken for one that was killed: its own time-out is five
minutes, and a release that nobody ever goes on with must not live for ever."""

LARGEST: Final = 32 * 2**20
"""Bytes of a release without compression: a Secret holds 1 MiB, gzip makes at most a thousandth of
what it is given, and whoever may write Secrets must not be able to fill the operator's memory."""

LARGEST_HOOKS: Final = 2 * 2**20
"""Bytes of a release's hooks: an empty one is three bytes there, and twenty times as much here."""

_LONGEST_UNIX_TIME: Final = 11
"""Digits; with one more it is in no year that there is."""

_GZIP: Final = b"\x1f\x8b\x08"


class UnreadableRelease(ValueError):
    """The stored release is not as Helm writes it; says what was expected."""


class Revision(msgspec.Struct, frozen=True):
    """One revision: its Secret, and what the Secret's labels say."""

    meta: ObjectMeta
    number: int
    status: str


class Stored(msgspec.Struct, frozen=True):
    """What is in the Secret of one revision."""

    ref: ReleaseRef
    number: int
    status: str
    manifest: str
    hooks: tuple[str, ...]
    """Hooks of the chart, as ``kind/name``; Dayfly does not run them."""


class Hook(msgspec.Struct, frozen=True, gc=False):
    """``hooks[]`` of a release."""

    kind: str = ""
    name: str = ""


class Info(msgspec.Struct, frozen=True):
    """``info`` of a release."""

    status: str = ""


class Release(msgspec.Struct, frozen=True):
    """The JSON of a release, as far as it is read."""

    name: str
    namespace: str
    version: int = 0
    manifest: str = ""
    info: Info = Info()
    hooks: msgspec.Raw = msgspec.Raw(b"null")
    """A list of :class:`Hook`."""


def revisions(metas: Iterable[ObjectMeta], ref: ReleaseRef) -> tuple[Revision, ...]:
    """Return the revisions of one release, oldest first; others' Secrets are passed over."""
    found = (_revision(meta) for meta in metas if _of(meta, ref))
    return tuple(sorted((r for r in found if r), key=lambda revision: revision.number))


def told(known: Sequence[Revision]) -> tuple[Revision, ...]:
    """Return those that say what is in the cluster: the newest, and the last that is deployed.

    After an upgrade that failed, objects of both may be there.
    """
    deployed = [revision for revision in known if revision.status == DEPLOYED]
    chosen = {revision.number: revision for revision in (*deployed[-1:], *known[-1:])}
    return tuple(chosen[number] for number in sorted(chosen))


def successor(newest: Revision) -> str:
    """Return the name of the Secret that an upgrade or a rollback writes before all else."""
    return f"sh.helm.release.v1.{newest.meta.label_map.get(LABEL_NAME, '')}.v{newest.number + 1}"


def at_work_until(newest: Revision, now: datetime) -> datetime | None:
    """Say how long somebody's Helm is believed to be at work on a release; None: nobody's is."""
    if newest.status not in UNDER_WAY:
        return None
    written = (newest.meta.creation_timestamp, _modified(newest.meta))
    begun = max((at for at in written if at and at <= now), default=now)
    until = begun + LONGEST_WORK
    return until if until > now else None


def decode(payload: str) -> Stored:
    """Read ``data.release`` of a Secret, as the API server answers it; raises UnreadableRelease."""
    try:
        packed = b64decode(b64decode(payload, validate=True), validate=True)
        plain = _unpacked(packed) if packed.startswith(_GZIP) else packed
        release = msgspec.json.decode(plain, type=Release)
        hooks = _hooks(release.hooks)
    except (binascii.Error, zlib.error, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UnreadableRelease(f"is not what Helm stores ({error})") from error
    ref = ReleaseRef(release.namespace, release.name)
    return Stored(ref, release.version, release.info.status, release.manifest, hooks)


def _hooks(written: msgspec.Raw) -> tuple[str, ...]:
    size = len(bytes(written))
    if size > LARGEST_HOOKS:
        raise UnreadableRelease(f"has hooks of more than {LARGEST_HOOKS // 2**20} MiB")
    hooks = msgspec.json.decode(written, type=list[Hook] | None)
    return tuple(f"{hook.kind}/{hook.name}" for hook in hooks or ())


def _of(meta: ObjectMeta, ref: ReleaseRef) -> bool:
    labels = meta.label_map
    mine = labels.get(LABEL_OWNER) == OWNER and labels.get(LABEL_NAME) == ref.name
    return mine and meta.namespace == ref.namespace


def _revision(meta: ObjectMeta) -> Revision | None:
    version = meta.label_map.get(LABEL_VERSION, "")
    if not (version.isascii() and version.isdigit()):
        return None
    return Revision(meta, int(version), meta.label_map.get(LABEL_STATUS, ""))


def _modified(meta: ObjectMeta) -> datetime | None:
    text = meta.label_map.get(LABEL_MODIFIED, "")
    if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST_UNIX_TIME):
        return None
    return datetime.fromtimestamp(int(text), UTC)


def _unpacked(packed: bytes) -> bytes:
    unzip = zlib.decompressobj(wbits=31)
    plain = unzip.decompress(packed, LARGEST)
    if unzip.unconsumed_tail or not unzip.eof:
        raise UnreadableRelease(f"is cut off, or larger than {LARGEST // 2**20} MiB")
    return plain
