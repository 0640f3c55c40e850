"""YAML that others wrote, read as nothing but maps, lists and texts.

PyYAML's own way from events to values is not for strangers' texts: its C code follows any nesting
until the stack is full and the process dies, merge keys multiply without bound, and what another
YAML takes for a text (``2026-11-22``, ``12:30``) becomes a date or a number.
"""

from collections.abc import Iterator
from typing import Any, Final

import yaml
from yaml import events

DEEPEST: Final = 100
"""Levels of nesting: a custom resource's schema has thirty."""

MOST: Final = 1_000_000
"""Values in all documents of a text: as many as fit into a Secret without a trick, a hundred MB in
memory, two seconds of work. Ten thousand times as many fit with one."""

NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})

Value = str | None | list[Any] | dict[str, Any]

_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_ENDS: Final = (events.SequenceEndEvent, events.MappingEndEvent)


class UnreadableText(ValueError):
    """It is no YAML, or such as nobody means; says where."""


def load_all(text: str) -> Iterator[Value]:
    """Yield the value of each document; raises UnreadableText.

    Merge keys and tags mean nothing here: ``<<`` is a key like any other.
    """
    try:
        yield from _Reader(yaml.parse(text, Loader=_LOADER)).documents()
    except yaml.YAMLError as error:
        raise UnreadableText(" ".join(str(error).split())) from error


class _Reader:
    """Makes values of events, as deep as :data:`DEEPEST`."""

    def __init__(self, source: Iterator[Any]) -> None:
        self._source = source
        self._anchors: dict[str, Value] = {}
        self._values = 0

    def documents(self) -> Iterator[Value]:
        for event in self._source:
            if isinstance(event, events.DocumentStartEvent):
                self._anchors = {}
                yield self._value(next(self._source), 0)

    def _value(self, event: Any, depth: int) -> Value:
        if depth > DEEPEST:
            raise UnreadableText(f"is nested more than {DEEPEST} deep")
        self._values += 1
        if self._values > MOST:
            raise UnreadableText(f"has more than {MOST} values")
        if isinstance(event, events.AliasEvent):
            return self._alias(event.anchor)
        value = self._anchorless(event, depth)
        if event.anchor:
            self._anchors[event.anchor] = value
        return value

    def _anchorless(self, event: Any, depth: int) -> Value:
        if isinstance(event, events.SequenceStartEvent):
            return [self._value(item, depth + 1) for item in self._until_end()]
        if isinstance(event, events.MappingStartEvent):
            keys = (self._key(key, depth + 1) for key in self._until_end())
            return {key: self._value(next(self._source), depth + 1) for key in keys}
        plain = event.implicit[0]
        return None if plain and event.value in NULLS else str(event.value)

    def _key(self, event: Any, depth: int) -> str:
        key = self._value(event, depth)
        if isinstance(key, list | dict):
            # To write it out would take as long as its aliases like.
            raise UnreadableText("has a key that is no text")
        return key or ""

    def _until_end(self) -> Iterator[Any]:
        for event in self._source:
            if isinstance(event, _ENDS):
                return
            yield event

    def _alias(self, anchor: str | None) -> Value:
        if anchor is None or anchor not in self._anchors:
            raise UnreadableText(f"refers to *{anchor}, which is not written before it")
        return self._anchors[anchor]
