"""DNS names: how two spellings of one are told to be the same, and how a template gives one."""

import hashlib
import re
from collections.abc import Iterator
from functools import cached_property
from typing import Final, NamedTuple

import msgspec

from dayfly_core import grammar
from dayfly_core.violations import shown

EXAMPLE: Final = "write for example shop.example.com, or *.example.com for all names below it"
LONGEST_NAME: Final = 253
LONGEST_LABEL: Final = 63
_DIGEST: Final = 10
"""Hexadecimal digits: enough to tell a cluster's objects apart. Claims make it certain."""
_WILDCARD: Final = "*."

_DNS_NAME = re.compile(grammar.DNS_NAME)
_TEMPLATE = re.compile(grammar.TEMPLATE)
_FIELD = re.compile(f"({grammar.FIELD})")
_KNOWN: Final = frozenset(f"{{{field}}}" for field in grammar.HOST_FIELDS)
_ENDING: Final = f".{grammar.DOMAIN}"


class InvalidHost(ValueError):
    """Not a DNS name; the text is a whole sentence with a valid example."""

    def __init__(self, text: str, problem: str) -> None:
        super().__init__(f"'{shown(text)}' {problem}; {EXAMPLE}")
        self.detail = f"{problem}; {EXAMPLE}"
        """The sentence without its subject, for messages that show the value already."""


def normalise(text: str) -> str:
    """Write a host as it is compared: lower case, IDNA A-labels, no dot at the end.

    A first label ``*`` may stand for all names below. Raises InvalidHost, and nothing else.
    """
    if not text:
        raise InvalidHost(text, "is empty")
    # Before anything expensive is done with it; no character takes less than one in ASCII.
    if len(text) > LONGEST_NAME + len("."):
        raise InvalidHost(text, _TOO_LONG)
    host = _ascii(text).removesuffix(".")
    if len(host) > LONGEST_NAME:
        raise InvalidHost(text, _TOO_LONG)
    name = host.removeprefix(_WILDCARD)
    if "*" in name:
        raise InvalidHost(text, "has a * that is not the whole first label")
    if not _DNS_NAME.fullmatch(name):
        raise InvalidHost(text, "is not a DNS name")
    return host


_TOO_LONG: Final = f"is longer than {LONGEST_NAME} characters"


def _ascii(text: str) -> str:
    """Write a name in ASCII. What is in ASCII stays: DNS compares it letter by letter."""
    if text.isascii():
        return text.lower()
    import idna  # its tables take longer to load than most programs here need them

    try:
        mapped = idna.uts46_remap(text, std3_rules=False)
        labels = [_a_label(label) for label in mapped.split(".")]
    except UnicodeError as error:
        raise InvalidHost(text, "has characters that no DNS name can have") from error
    return ".".join(labels)


def _a_label(label: str) -> str:
    import idna

    return label if label.isascii() else idna.alabel(label).decode("ascii")


class Facts(NamedTuple):
    """What a template can put into a host; empty for what the object does not have."""

    name: str
    namespace: str
    environment: str
    kind: str
    """``deployments.apps``: objects of one name have hosts of their own by ``{hash}``."""


class Skipped(NamedTuple):
    """There is no host, because of this."""

    reason: str


class Template(msgspec.Struct, frozen=True, dict=True):
    """A host with fields in braces, such as ``{name}-{namespace}.{domain}``."""

    text: str

    @cached_property
    def problems(self) -> tuple[str, ...]:
        """Everything that makes the template impossible, as sentences about it."""
        return tuple(self._problems())

    def _problems(self) -> Iterator[str]:
        if not _TEMPLATE.fullmatch(self.text):
            yield grammar.TEMPLATE_HINT
        if not set(_FIELD.findall(self.text)) <= _KNOWN:
            yield grammar.FIELDS_HINT
        if grammar.DOMAIN in self.text.removesuffix(_ENDING):
            yield grammar.DOMAIN_LAST_HINT

    @property
    def needs_domain(self) -> bool:
        """Whether it ends in ``{domain}``."""
        return self.text.endswith(_ENDING)

    @cached_property
    def labels(self) -> tuple[tuple[str, ...], ...]:
        """The labels before the domain, each as its pieces: text and fields in turn."""
        labels = self.text.removesuffix(_ENDING).split(".")
        return tuple(tuple(filter(None, _FIELD.split(label))) for label in labels)


class Naming(NamedTuple):
    """How a policy names its objects."""

    template: Template
    domain: str = ""


def render(template: Template, domain: str, facts: Facts) -> str | Skipped:
    """Write the host that the template gives: a DNS name, always the same for the same facts."""
    if template.problems:
        return Skipped(f"its template {template.problems[0]}")
    missing = _missing(template, domain, facts)
    if missing:
        return Skipped(missing)
    values = {**facts._asdict(), "hash": _digest(facts.kind, facts.namespace, facts.name)}
    pieces = [[_piece(piece, values) for piece in label] for label in template.labels]
    host = ".".join([*map(_label, pieces), *([domain] if template.needs_domain else [])])
    return host if len(host) <= LONGEST_NAME else Skipped(f"its host {_TOO_LONG}")


def _missing(template: Template, domain: str, facts: Facts) -> str:
    if not facts.name:
        # Whatever the template says: what has a host of its own must be told apart by its name.
        return "its name is made up by the API server (generateName)"
    if "{namespace}" in template.text and not facts.namespace:
        return "it is in no namespace"
    if "{environment}" in template.text and not facts.environment:
        return "its namespace is no environment (label dayfly.dev/environment)"
    if template.needs_domain and not _DNS_NAME.fullmatch(domain):
        return "its policy names no domain"
    return ""


def _piece(piece: str, values: dict[str, str]) -> str:
    return values[piece[1:-1]] if piece.startswith("{") else piece


def _label(pieces: list[str]) -> str:
    """Write one label; what is too long is cut, with a hash of all of it to tell it from others."""
    text = _slug("".join(pieces))
    if 0 < len(text) <= LONGEST_LABEL:
        return text
    cut = text[: LONGEST_LABEL - _DIGEST - 1].rstrip("-")
    return f"{cut}-{_digest(*pieces)}".lstrip("-")


def _slug(text: str) -> str:
    return re.sub("[^-a-z0-9]", "-", text.lower()).strip("-")


def _digest(*parts: str) -> str:
    written = "\0".join(parts).encode("utf-8", "surrogatepass")
    return hashlib.sha256(written).hexdigest()[:_DIGEST]
