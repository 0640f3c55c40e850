"""The rules of the custom resources in CEL, as the schema carries them to the API server.

The same rules in Python are in ``faults``; a cluster test holds the two together. Each rule has a
message for people, and costs a small part of the API server's budget: that is why the lists in
``api`` have limits.
"""

from datetime import timedelta
from itertools import combinations
from typing import Final

from dayfly_core import duration, grammar, guard

Rule = dict[str, str]
"""One entry of ``x-kubernetes-validations``."""

BOUNDS: Final = ("min", "default", "max", "maxTotal")
"""Fields of ``spec.ttl``, none longer than the ones after it."""


def rule(expression: str, message: str, *, field: str = "") -> Rule:
    """Return a rule; ``field`` is the path, below the rule's own place, that the message names."""
    return {"rule": expression, "message": message} | ({"fieldPath": field} if field else {})


def spelled(grammar_: str, message: str) -> dict[str, list[Rule]]:
    """Return schema that holds a string to a regular expression, with a message that helps."""
    return validations(rule(f"self.matches({_quoted(grammar_)})", message))


def validations(*rules: Rule) -> dict[str, list[Rule]]:
    """Return schema that holds a value to these rules."""
    return {"x-kubernetes-validations": list(rules)}


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _seconds(text: str) -> str:
    """Return the length of a duration in seconds; 0 for what is not one, never an error."""
    units = ", ".join(f"'{unit}': {seconds}" for unit, seconds in duration.UNITS.items())
    return (
        f"{text}.findAll('[0-9]{{1,10}}[wdhms]')"
        f".map(part, int(part.substring(0, size(part) - 1))"
        f" * {{{units}}}[part.substring(size(part) - 1)]).sum()"
    )


def _in_order(shorter: str, longer: str) -> Rule:
    low, high = f"self.{shorter}", f"self.{longer}"
    return rule(
        f"!has({low}) || !has({high}) || {_seconds(low)} <= {_seconds(high)}",
        grammar.order_hint(longer),
        field=f".{shorter}",
    )


def _listed(values: tuple[str, ...]) -> str:
    return "[" + ", ".join(f"'{value}'" for value in values) + "]"


LABEL_KEY: Final = spelled(grammar.LABEL_KEY, grammar.LABEL_KEY_HINT)
LABEL_VALUE: Final = spelled(grammar.LABEL_VALUE, grammar.LABEL_VALUE_HINT)
LABEL_KEYS: Final = validations(
    rule(f"self.all(key, key.matches({_quoted(grammar.LABEL_KEY)}))", grammar.LABEL_KEY_HINT)
)
API_GROUP: Final = spelled(grammar.API_GROUP, grammar.API_GROUP_HINT)
PLURAL: Final = spelled(grammar.PLURAL, grammar.PLURAL_HINT)

DURATION: Final = validations(
    rule(
        f"self.matches({_quoted(duration.COMPACT)}) && {_seconds('self')} > 0"
        f" && {_seconds('self')} <= {duration.LONGEST // timedelta(seconds=1)}",
        grammar.DURATION_HINT,
    )
)

ORDER: Final = validations(*(_in_order(*pair) for pair in combinations(BOUNDS, 2)))

VALUES: Final = validations(
    rule(
        "(self.operator in ['In', 'NotIn']) == (has(self.values) && size(self.values) > 0)",
        grammar.VALUES_HINT,
    )
)

OFF_LIMITS: Final = validations(
    rule(
        f"!self.apiGroups.exists(group, group in {_listed(guard.OFF_LIMITS_GROUPS)}"
        f" || (group == '' && self.resources.exists(plural,"
        f" plural in {_listed(guard.OFF_LIMITS_CORE)})))",
        grammar.OFF_LIMITS_HINT,
    )
)

SAME_KEY: Final = validations(
    rule("self.kind == oldSelf.kind && self.value == oldSelf.value", grammar.SAME_KEY_HINT)
)

DNS_NAME: Final = spelled(grammar.DNS_NAME, grammar.DNS_NAME_HINT)

TEMPLATE: Final = validations(
    rule(f"self.matches({_quoted(grammar.TEMPLATE)})", grammar.TEMPLATE_HINT),
    rule(
        f"self.findAll({_quoted(grammar.FIELD)})"
        f".all(field, field in {_listed(tuple(f'{{{field}}}' for field in grammar.HOST_FIELDS))})",
        grammar.FIELDS_HINT,
    ),
    rule(
        f"!self.contains('{grammar.DOMAIN}') || (self.endsWith('.{grammar.DOMAIN}')"
        f" && self.indexOf('{grammar.DOMAIN}') == size(self) - {len(grammar.DOMAIN)})",
        grammar.DOMAIN_LAST_HINT,
    ),
)

HOST: Final = validations(
    rule(
        f"!self.template.endsWith('.{grammar.DOMAIN}') || has(self.domain)",
        grammar.NO_DOMAIN_HINT,
        field=".domain",
    )
)

INSTANT: Final = spelled(grammar.INSTANT, grammar.INSTANT_HINT)

# `for` is a word of CEL's own, hence the underscores.
STAY: Final = validations(
    rule(
        "has(self.__for__) || has(self.until) || (has(self.wake) && self.wake)",
        grammar.STAY_EMPTY_HINT,
    ),
    rule("!has(self.__for__) || !has(self.until)", grammar.STAY_TWICE_HINT, field=".until"),
    rule("self == oldSelf", grammar.STAY_ONCE_HINT),
)

OFFSET: Final = validations(
    rule(
        f"self.matches({_quoted(grammar.OFFSET)})"
        f" && {_seconds('self')} <= {duration.LONGEST // timedelta(seconds=1)}"
        f" && (self == '0s' || {_seconds('self')} > 0)",
        grammar.OFFSET_HINT,
    )
)


HTTP_URL: Final = spelled(grammar.HTTP_URL, grammar.HTTP_URL_HINT)

ACTION: Final = validations(
    rule(
        "self.type != 'WEBHOOK' || has(self.webhook)",
        grammar.NEEDS_WEBHOOK_HINT,
        field=".webhook",
    ),
    rule(
        "!has(self.webhook) || self.type in ['WEBHOOK', 'NOTIFY']",
        grammar.NO_WEBHOOK_HINT,
        field=".webhook",
    ),
)

_OFFSETS: Final = f"self.map(step, (step.at.startsWith('-') ? -1 : 1) * {_seconds('step.at')})"

TIMELINE: Final = validations(
    rule(f"{_OFFSETS}.isSorted()", grammar.ASCENDING_HINT),
    rule(
        "self.all(step, self.exists_one(other, other.action.type == step.action.type"
        f" && other.at.startsWith('-') == step.at.startsWith('-')"
        f" && {_seconds('other.at')} == {_seconds('step.at')}))",
        grammar.UNIQUE_STEPS_HINT,
    ),
    rule(
        "!self.exists(step, step.action.type == 'DELETE')"
        " || (self.exists_one(step, step.action.type == 'DELETE')"
        " && self[size(self) - 1].action.type == 'DELETE')",
        grammar.DELETE_LAST_HINT,
    ),
)

NAMESPACE_NAME: Final = spelled(grammar.PLURAL, grammar.NAMESPACE_NAME_HINT)
CALENDAR_DATE: Final = spelled(grammar.CALENDAR_DATE, grammar.CALENDAR_DATE_HINT)
TIME_OF_DAY: Final = spelled(grammar.TIME_OF_DAY, grammar.TIME_OF_DAY_HINT)
POLICY_NAME: Final = spelled(grammar.POLICY_NAME, grammar.POLICY_NAME_HINT)

_EITHER_TARGET: Final = "has(self.resourceToWatch) && has(self.resourceToWatch.namespace)"

ONE_TARGET: Final = validations(
    rule(f"has(self.namespaceToWatch) || ({_EITHER_TARGET})", grammar.ONE_TARGET_HINT),
    rule(
        f"!has(self.namespaceToWatch) || !({_EITHER_TARGET})"
        " || self.namespaceToWatch == self.resourceToWatch.namespace",
        grammar.SAME_TARGET_HINT,
        field=".namespaceToWatch",
    ),
)

ONE_LIFETIME: Final = validations(
    rule("has(self.duration) != has(self.until)", grammar.ONE_LIFETIME_HINT)
)

SOME_DURATION: Final = validations(
    rule(
        " + ".join(f"self.?{unit}.orValue(0)" for unit in grammar.UNITS) + " > 0",
        grammar.SOME_DURATION_HINT,
    )
)

CONDITION_PARAMS: Final = validations(
    rule(
        "self.type != 'UNTIL' || (has(self.params) && has(self.params.until))",
        grammar.UNTIL_NEEDED_HINT,
    )
)

ACTION_PARAMS: Final = validations(
    rule(
        "self.type != 'WEBHOOK' || (has(self.params) && has(self.params.url))",
        grammar.URL_NEEDED_HINT,
    )
)
