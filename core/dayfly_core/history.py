"""What ended, why and by whom: a ring of pages, each the content of one ConfigMap.

::

    0: entries 3410-4102   1: 4103-4822   2: 4823-5101 …   3: 2011-2722   4: 2723-3409
       sequence 8             sequence 9     sequence 10      sequence 6     sequence 7
                                             ▲ written        ▲ overwritten next

The page with the highest sequence is written until it is full; then the one after it is emptied
and gets the next sequence. Whatever is found in a page is read as far as it can be: people may
write there too.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final, cast

import msgspec

from dayfly_core import names
from dayfly_core.api import StepType

SLOTS: Final = 8
LIMIT: Final = 256 * 1024
"""Bytes of entries in a page: about 850 ends. Each commit writes a whole page into etcd."""

LONGEST_TEXT: Final = 1024
"""Characters of any field: no entry may fill a page by itself."""

ENTRIES_KEY: Final = "entries.jsonl"
SEQUENCE_KEY: Final = "sequence"

_LONGEST_SEQUENCE: Final = 30


class Entry(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One act: what was done to which object, when, by whose rule, and what came of it.

    ``by`` names that rule as ``ExpiryPolicy/previews`` or ``NamespaceManager/team-a/cleanup``,
    ``due`` is when it should have happened, ``kind`` is written as kubectl does
    (``deployments.apps``), ``result`` is ``Done`` or a reason; ``replica`` is filled in for you.
    ``id`` is that of the occurrence: a leader tells of it, and perhaps the next one that goes on,
    or who has seen it done. A deletion needs none: an object is deleted once.
    """

    at: datetime
    action: str
    kind: str
    namespace: str = ""
    name: str
    uid: str = ""
    by: str
    due: datetime | None = None
    result: str = "Done"
    message: str = ""
    replica: str = ""
    id: str = ""

    @property
    def act(self) -> tuple[str, ...] | None:
        """Which act it tells of, the same for whoever tells; None if that cannot be said."""
        if self.action == StepType.DELETE and self.uid:
            return self.action, self.uid
        return (self.id,) if self.id else None


class Page(msgspec.Struct, frozen=True):
    """One slot of the ring: its number, the order in which it was begun, and its lines."""

    slot: int
    sequence: int = 0
    text: str = ""

    @property
    def data(self) -> dict[str, str]:
        """The ConfigMap's ``data``."""
        return {SEQUENCE_KEY: str(self.sequence), ENTRIES_KEY: self.text}


class Record(msgspec.Struct, frozen=True):
    """All that could be read, oldest first, and how many lines could not."""

    entries: Sequence[Entry] = ()
    unreadable: int = 0


def slot_name(slot: int) -> str:
    """Name of the ConfigMap of a slot."""
    return f"{names.HISTORY_CONFIG_MAP}-{slot}"


def page(slot: int, data: object) -> Page:
    """Read a ConfigMap's ``data``, whatever it holds."""
    fields = _fields(data)
    text = fields.get(ENTRIES_KEY)
    return Page(slot, _sequence(fields.get(SEQUENCE_KEY)), text if isinstance(text, str) else "")


def foreign(data: object) -> tuple[str, ...]:
    """Return the keys of a ConfigMap's ``data`` that are not ours."""
    return tuple(str(key) for key in _fields(data) if key not in (SEQUENCE_KEY, ENTRIES_KEY))


def _fields(data: object) -> dict[object, object]:
    return cast("dict[object, object]", data) if isinstance(data, dict) else {}


def _sequence(text: object) -> int:
    if not isinstance(text, str) or not (text.isascii() and text.isdigit()):
        return 0
    # Of more digits than int() reads, it is not one of ours.
    return int(text) if len(text) <= _LONGEST_SEQUENCE else 0


def newest(pages: Iterable[Page]) -> Page | None:
    """Return the page that is written now; None if there is none at all."""
    return max(pages, key=lambda found: (found.sequence, -found.slot), default=None)


def line(entry: Entry) -> str:
    """Write one entry as one line."""
    return msgspec.json.encode(_bounded(entry)).decode() + "\n"


def _bounded(entry: Entry) -> Entry:
    long = {
        name: text[:LONGEST_TEXT]
        for name, text in msgspec.structs.asdict(entry).items()
        if isinstance(text, str) and len(text) > LONGEST_TEXT
    }
    return msgspec.structs.replace(entry, **long) if long else entry


def filled(found: Page, lines: Sequence[str], limit: int = LIMIT) -> tuple[Page, int]:
    """Append as many lines as fit; returns the page and how many of them are in it.

    An empty page takes the first line whatever its size.
    """
    text = found.text if not found.text or found.text.endswith("\n") else f"{found.text}\n"
    size, taken = len(text.encode()), 0
    for each in lines:
        size += len(each.encode())
        if size > limit and (taken or text):
            break
        taken += 1
    return Page(found.slot, found.sequence, text + "".join(lines[:taken])), taken


def turned(current: Page, slot: int) -> Page:
    """Begin the page of ``slot``: what it held is the oldest, and goes."""
    return Page(slot, current.sequence + 1)


def after(slot: int) -> Iterator[int]:
    """Yield the other slots in the order in which they are to be overwritten."""
    yield from ((slot + step) % SLOTS for step in range(1, SLOTS))


def read(pages: Iterable[Page]) -> Record:
    """Read all entries, oldest first; among those of one instant as they were written.

    Of those that tell of one act the first counts.
    """
    entries: list[Entry] = []
    unreadable = 0
    for found in sorted(pages, key=lambda each: each.sequence):
        # Not splitlines(): that would tear a text with U+2028 in it.
        for text in found.text.split("\n"):
            entry = _entry(text)
            if entry:
                entries.append(entry)
            elif text.strip():
                unreadable += 1
    entries.sort(key=lambda entry: entry.at)
    return Record(list(_each_once(entries)), unreadable)


def _each_once(entries: Iterable[Entry]) -> Iterator[Entry]:
    acts = set[tuple[str, ...] | None]()
    for entry in entries:
        if entry.act is None or entry.act not in acts:
            yield entry
        acts.add(entry.act)


def _entry(text: str) -> Entry | None:
    try:
        entry = msgspec.json.decode(text, type=Entry)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    # A naive instant cannot be compared with the others.
    return entry if entry.at.tzinfo and (entry.due is None or entry.due.tzinfo) else None
