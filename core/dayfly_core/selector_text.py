"""Label selectors as flags write them, and as ``kubectl -l`` does."""

import re
from collections.abc import Iterator
from typing import Final

from dayfly_core import selectors
from dayfly_core.api import LabelSelector, LabelSelectorRequirement, Operator

EVERYTHING: Final = ("", "*")

_SETS: Final = re.compile(r"(\S+)\s+(in|notin)\s*\(([^()]*)\)")
_OPERATORS: Final = {"in": Operator.IN, "notin": Operator.NOT_IN}


class InvalidSelector(ValueError):
    """Not a label selector; the text says what is wrong, and what one looks like."""


def parse(text: str) -> LabelSelector:
    """Read ``team=web,tier!=db,env in (dev,test),shared,!system``; empty or ``*`` is all."""
    if text.strip() in EVERYTHING:
        return LabelSelector()
    found = LabelSelector(match_expressions=[_requirement(term) for term in _terms(text)])
    for wrong in selectors.problems(found, ""):
        raise InvalidSelector(
            f"{text!r} is not a label selector: {wrong.value!r} {wrong.detail}; "
            "write for example team=web,env in (dev,test)"
        )
    return found


def _terms(text: str) -> Iterator[str]:
    # A comma inside parentheses is between values, any other is between terms.
    return (term.strip() for term in re.split(r",(?![^()]*\))", text))


def _requirement(term: str) -> LabelSelectorRequirement:
    listed = _SETS.fullmatch(term)
    if listed:
        values = [value.strip() for value in listed[3].split(",")]
        return _one(listed[1], _OPERATORS[listed[2]], *values)
    for sign, operator in (("!=", Operator.NOT_IN), ("==", Operator.IN), ("=", Operator.IN)):
        key, found, value = term.partition(sign)
        if found:
            return _one(key.strip(), operator, value.strip())
    if term.startswith("!"):
        return _one(term[1:].strip(), Operator.DOES_NOT_EXIST)
    return _one(term, Operator.EXISTS)


def _one(key: str, operator: Operator, *values: str) -> LabelSelectorRequirement:
    return LabelSelectorRequirement(key=key, operator=operator, values=list(values))
