"""What makes an ExpiryPolicy impossible.

The API server checks the same with the schema's own rules; this is for policies that were stored
under an older schema, and for tools that read policies from files.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import combinations, product

from msgspec import UNSET, UnsetType

from dayfly_core import api, duration, grammar, guard, reasons, selectors, timeline_faults
from dayfly_core.hosts import Template
from dayfly_core.violations import Violation

_GROUP = re.compile(grammar.API_GROUP)
_DNS_NAME = re.compile(grammar.DNS_NAME)
_PLURAL = re.compile(grammar.PLURAL)
_COMPACT = re.compile(duration.COMPACT)


def of_policy(name: str, spec: api.ExpiryPolicySpec) -> list[Violation]:
    """Return every fault that concerns more than the type and size of one field."""
    return [
        *_name_faults(name),
        *selectors.problems(spec.match.namespace_selector, "spec.match.namespaceSelector"),
        *selectors.problems(spec.match.object_selector, "spec.match.objectSelector"),
        *(fault for i, rule in enumerate(spec.match.resources) for fault in _rule_faults(i, rule)),
        *_ttl_faults(spec.ttl),
        *_host_faults(spec.host),
        *_duration_faults("spec.grace", spec.grace),
        *timeline_faults.of(() if spec.timeline is UNSET else spec.timeline),
    ]


def _name_faults(name: str) -> Iterator[Violation]:
    if len(name) > grammar.LONGEST_NAME:
        yield _fault("metadata.name", name, grammar.LONGEST_NAME_HINT)


def _rule_faults(index: int, rule: api.ResourceRule) -> Iterator[Violation]:
    path = f"spec.match.resources[{index}]"
    for place, group in enumerate(rule.api_groups):
        if not _GROUP.fullmatch(group):
            yield _fault(f"{path}.apiGroups[{place}]", group, grammar.API_GROUP_HINT)
    for place, plural in enumerate(rule.resources):
        if not _PLURAL.fullmatch(plural):
            yield _fault(f"{path}.resources[{place}]", plural, grammar.PLURAL_HINT)
    for group, plural in product(rule.api_groups, rule.resources):
        if guard.off_limits(group, plural):
            yield _fault(path, f"{plural}.{group}".rstrip("."), grammar.OFF_LIMITS_HINT)


def _ttl_faults(ttl: api.TTL) -> Iterator[Violation]:
    written: dict[str, str | UnsetType] = {
        "min": ttl.min,
        "default": ttl.default,
        "max": ttl.max,
        "maxTotal": ttl.max_total,
    }
    texts = {field: text for field, text in written.items() if text is not UNSET}
    for field, text in texts.items():
        yield from _duration_faults(f"spec.ttl.{field}", text)
    for (shorter, low), (longer, high) in combinations(texts.items(), 2):
        if (_length(low) or timedelta()) > (_length(high) or timedelta.max):
            yield _fault(f"spec.ttl.{shorter}", low, grammar.order_hint(longer))


def _host_faults(host: api.Host | UnsetType) -> Iterator[Violation]:
    if host is UNSET:
        return
    template = Template(host.template)
    for problem in template.problems:
        yield _fault("spec.host.template", host.template, problem)
    if template.needs_domain and host.domain is UNSET:
        yield _fault("spec.host.domain", "", grammar.NO_DOMAIN_HINT)
    if host.domain is not UNSET and not _DNS_NAME.fullmatch(host.domain):
        yield _fault("spec.host.domain", host.domain, grammar.DNS_NAME_HINT)


def _duration_faults(field: str, text: str) -> Iterator[Violation]:
    if not _length(text):
        yield _fault(field, text, grammar.DURATION_HINT)


def _length(text: str) -> timedelta | None:
    """Return None for what a policy may not say; unlike annotations it takes no ISO 8601."""
    if not _COMPACT.fullmatch(text):
        return None
    try:
        return duration.parse(text)
    except duration.InvalidDuration:
        return None


def _fault(field: str, value: str, detail: str) -> Violation:
    return Violation(reasons.Reason.INVALID_POLICY, field, value, detail)
