"""Label selectors, with the meaning that Kubernetes gives them."""

import re
from collections.abc import Iterator, Mapping

from dayfly_core import api, grammar, reasons
from dayfly_core.violations import Violation

_KEY = re.compile(grammar.LABEL_KEY)
_VALUE = re.compile(grammar.LABEL_VALUE)
_LISTING = (api.Operator.IN, api.Operator.NOT_IN)


def matches(selector: api.LabelSelector, labels: Mapping[str, str]) -> bool:
    """Whether all parts of the selector fit; an empty selector fits everything."""
    # Asked for each object several times while a replica starts: without expressions it is one
    # comparison, in C.
    if not selector.match_labels.items() <= labels.items():
        return False
    expressions = selector.match_expressions
    return not expressions or all(_holds(expression, labels) for expression in expressions)


def _holds(expression: api.LabelSelectorRequirement, labels: Mapping[str, str]) -> bool:
    value = labels.get(expression.key)
    if expression.operator in _LISTING:
        return (value in expression.listed) == (expression.operator is api.Operator.IN)
    return (value is not None) == (expression.operator is api.Operator.EXISTS)


def problems(selector: api.LabelSelector, path: str) -> list[Violation]:
    """Return everything that makes the selector impossible; ``path`` is the selector's own."""
    return [*_label_problems(selector, path), *_expression_problems(selector, path)]


def _label_problems(selector: api.LabelSelector, path: str) -> Iterator[Violation]:
    for key, value in selector.match_labels.items():
        field = f"{path}.matchLabels[{key}]"
        if not _KEY.fullmatch(key):
            yield _invalid(f"{path}.matchLabels", key, grammar.LABEL_KEY_HINT)
        if not _VALUE.fullmatch(value):
            yield _invalid(field, value, grammar.LABEL_VALUE_HINT)


def _expression_problems(selector: api.LabelSelector, path: str) -> Iterator[Violation]:
    for index, expression in enumerate(selector.match_expressions):
        field = f"{path}.matchExpressions[{index}]"
        if not _KEY.fullmatch(expression.key):
            yield _invalid(f"{field}.key", expression.key, grammar.LABEL_KEY_HINT)
        for place, value in enumerate(expression.listed):
            if not _VALUE.fullmatch(value):
                yield _invalid(f"{field}.values[{place}]", value, grammar.LABEL_VALUE_HINT)
        if bool(expression.listed) != (expression.operator in _LISTING):
            yield _invalid(field, expression.operator, grammar.VALUES_HINT)


def _invalid(field: str, value: str, detail: str) -> Violation:
    return Violation(reasons.Reason.INVALID_POLICY, field, value, detail)
