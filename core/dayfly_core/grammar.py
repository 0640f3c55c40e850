"""Spellings that the schema of ExpiryPolicy and the code check alike (RE2 and Python agree)."""

from typing import Final

from dayfly_core import duration

_LABEL_NAME: Final = "[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_DNS_LABEL: Final = "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"

LABEL_VALUE: Final = f"^({_LABEL_NAME})?$"
LABEL_KEY: Final = f"^({_DNS_LABEL}([.]{_DNS_LABEL})*/)?{_LABEL_NAME}$"
API_GROUP: Final = f"^({_DNS_LABEL}([.]{_DNS_LABEL})*)?$"
PLURAL: Final = f"^{_DNS_LABEL}$"
DNS_NAME: Final = f"^{_DNS_LABEL}([.]{_DNS_LABEL})*$"

HOST_FIELDS: Final = ("name", "namespace", "environment", "hash", "domain")
"""What a host's template may hold in braces."""

FIELD: Final = "[{][^{}]*[}]"
_EDGE: Final = f"([a-z0-9]|{FIELD})"
_LABEL: Final = f"{_EDGE}(([-a-z0-9]|{FIELD})*{_EDGE})?"
TEMPLATE: Final = f"^{_LABEL}([.]{_LABEL})*$"
"""A DNS name with fields in it; which fields there are, and where, are rules of their own."""
DOMAIN: Final = "{domain}"
"""The field that stands for whole labels, the last ones: they are never cut."""

LABEL_KEY_HINT: Final = "must be a label key, for example team or example.com/team"
LABEL_VALUE_HINT: Final = "must be a label value: at most 63 letters, digits, '-', '_' and '.'"
VALUES_HINT: Final = "In and NotIn need at least one value, Exists and DoesNotExist take none"
API_GROUP_HINT: Final = (
    "must be one API group, for example apps; '' is the core group, '*' is not possible"
)
PLURAL_HINT: Final = "must be one plural name, for example deployments; no '*', no subresource"

LONGEST_NAME: Final = 63
"""A policy's name becomes a label value."""

LONGEST_NAME_HINT: Final = "must be no longer than 63 characters: it becomes a label value"

DURATION_HINT: Final = "must be from 1s to 100 years, written for example 90s, 8h, 1d12h or 2w"
INSTANT: Final = (
    "^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?"
    "([Zz]|[+-][0-9]{2}:[0-9]{2})$"
)
INSTANT_HINT: Final = (
    "must be an instant in RFC 3339 with its offset, for example 2026-11-22T10:00:00Z"
)
STAY_EMPTY_HINT: Final = "must ask for something: set for or until, or wake to true"
STAY_TWICE_HINT: Final = "takes for or until, not both"
STAY_ONCE_HINT: Final = "a Stay is carried out once: to ask for more, create another"
OFF_LIMITS_HINT: Final = (
    "no policy may end API definitions, admission rules, RBAC, leases, events, nodes, persistent "
    "volumes or Dayfly's own kinds"
)
SAME_KEY_HINT: Final = "a claim is for one name for ever: delete it and create another"

DNS_NAME_HINT: Final = "must be a DNS name in lower case, for example dev.example.com"
TEMPLATE_HINT: Final = (
    "must be a DNS name with fields in braces, for example {name}-{namespace}.{domain}; "
    "beside the fields only lower-case letters, digits, '-' and '.'"
)
FIELDS_HINT: Final = (
    "knows the fields " + ", ".join(f"{{{field}}}" for field in HOST_FIELDS) + ", and no other"
)
DOMAIN_LAST_HINT: Final = (
    "must have {domain} at its end, after a dot, for example {name}.{domain}, or not at all"
)
NO_DOMAIN_HINT: Final = "is needed, because the template has {domain}: for example dev.example.com"

OFFSET: Final = f"^-?{duration.COMPACT.removeprefix('^')}"
OFFSET_HINT: Final = (
    "must be a time before or after the end, of at most 100 years, written for example -1h, 0s, "
    "1d12h"
)
HTTP_URL: Final = "^https?://[^ /?#]+([/?#][^ ]*)?$"
HTTP_URL_HINT: Final = "must be a URL, for example https://hooks.example.com/ended"
NEEDS_WEBHOOK_HINT: Final = (
    "is needed by WEBHOOK: for example {url: https://hooks.example.com/ended}"
)
NO_WEBHOOK_HINT: Final = "is possible for WEBHOOK and NOTIFY only"
ASCENDING_HINT: Final = "must have its steps in the order of their times"
UNIQUE_STEPS_HINT: Final = "must not have two steps that do the same at the same time"
DELETE_LAST_HINT: Final = "must have DELETE as the last step, or not at all"


def order_hint(longer: str) -> str:
    """Say that a bound of ``spec.ttl`` must not be longer than the next."""
    return f"must not be longer than {longer}"


# Ephemerators and NamespaceManagers. What the originals took is taken: days and hours of one digit.
CALENDAR_DATE: Final = "^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}$"
TIME_OF_DAY: Final = "^[0-9]{1,2}:[0-9]{1,2}(:[0-9]{1,2})?$"
POLICY_NAME: Final = "^[0-9A-Za-z_][0-9A-Za-z_ ]{1,90}[0-9A-Za-z_]$"
UNITS: Final = ("years", "months", "weeks", "days", "hours", "minutes", "seconds")
"""Of an Ephemerator's duration."""

NAMESPACE_NAME_HINT: Final = "must be the name of a namespace, for example team-a"
ONE_TARGET_HINT: Final = (
    "must name the namespace that ends: write namespaceToWatch: team-a, or "
    "resourceToWatch: {namespace: team-a}"
)
SAME_TARGET_HINT: Final = (
    "must name the same namespace as resourceToWatch.namespace, or one of the two is left out"
)
ONE_LIFETIME_HINT: Final = (
    "takes either duration or until: write for example duration: {hours: 8}, or "
    'until: {date: "2026-11-26", time: "12:00:00", timezone: America/Phoenix}'
)
SOME_DURATION_HINT: Final = (
    f"must be some time: one or more of {', '.join(UNITS)}, for example {{days: 1, hours: 12}}"
)
CALENDAR_DATE_HINT: Final = "must be a day, for example 2026-11-26"
TIME_OF_DAY_HINT: Final = "must be a time of day, 24 hours, for example 22:20:00"
POLICY_NAME_HINT: Final = (
    "must be 3 to 92 letters, digits, '_' and inner spaces, for example delete after tests"
)
UNTIL_NEEDED_HINT: Final = "UNTIL needs params.until, for example 2026-11-22T10:00:00Z"
URL_NEEDED_HINT: Final = "WEBHOOK needs params.url, for example https://ci.example.com/hooks/ended"
