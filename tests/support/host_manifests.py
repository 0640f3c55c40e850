"""ExpiryPolicies with a host: ones that must be accepted, and refused, with where and why."""

import pytest

from support.policy_manifests import Manifest, manifest


def hosting(template: object, **fields: object) -> Manifest:
    """Return a policy that gives hosts."""
    return manifest(host={"template": template, **fields})


_LONGEST = ".".join(["a" * 63] * 3)[:189]

ACCEPTED = [
    pytest.param(
        hosting("{name}-{namespace}.{domain}", domain="dev.example.com"), id="the usual host"
    ),
    pytest.param(hosting("{environment}-{hash}.shop.example"), id="a host without {domain}"),
    pytest.param(hosting("x{name}y", domain="dev"), id="one label, and a domain that is not used"),
    pytest.param(hosting("{name}.{domain}", domain=_LONGEST), id="the longest domain"),
    pytest.param(hosting(f"{'{hash}' * 42}a"), id="the longest template"),
]

_SHAPE = "must be a DNS name with fields in braces"
_FIELDS = "knows the fields {name}, {namespace}, {environment}, {hash}, {domain}, and no other"
_LAST = "must have {domain} at its end"
_DOMAIN = "must be a DNS name in lower case"

REFUSED_TEMPLATES = [
    pytest.param(hosting(text, domain="a.b"), "spec.host.template", words, id=f"a template {why}")
    for text, words, why in (
        ("{name}-{cluster}.{domain}", _FIELDS, "with an unknown field"),
        ("{Name}.{domain}", _FIELDS, "with a field in upper case"),
        ("{}.{domain}", _FIELDS, "with a field of no name"),
        ("{name.{domain}", _SHAPE, "with a brace that is not closed"),
        ("Shop.{domain}", _SHAPE, "in upper case"),
        ("*.{name}.{domain}", _SHAPE, "with a wildcard"),
        ("-{name}.{domain}", _SHAPE, "with a dash first"),
        ("{name}-.{domain}", _SHAPE, "with a dash before a dot"),
        ("{name}..{domain}", _SHAPE, "with an empty label"),
        ("{name}.example.", _SHAPE, "with a dot at the end"),
        ("https://{name}.{domain}", _SHAPE, "that is a URL"),
        ("{name}.example\n", _SHAPE, "with a line break"),
        ("{name}-{domain}", _LAST, "with a domain in a label"),
        ("{domain}", _LAST, "that is the domain"),
        ("{name}.{domain}.example", _LAST, "with the domain in the middle"),
        ("{name}.{domain}.{domain}", _LAST, "with the domain twice"),
    )
]

REFUSED_DOMAINS = [
    pytest.param(
        hosting("{name}.{domain}", domain=text), "spec.host.domain", _DOMAIN, id=f"a domain {why}"
    )
    for text, why in (
        ("", "that is empty"),
        ("Example.com", "in upper case"),
        ("example.com.", "with a dot at the end"),
        (".example.com", "with a dot first"),
        ("*.example.com", "with a wildcard"),
        ("a_b.example", "with an underscore"),
        ("bücher.example", "that is not in ASCII"),
        (f"{'a' * 64}.example", "with a label of 64 characters"),
    )
]

REFUSED = [
    *REFUSED_TEMPLATES,
    *REFUSED_DOMAINS,
    pytest.param(hosting("{name}.{domain}"), "spec.host.domain", "is needed", id="no domain"),
    pytest.param(
        hosting("{name}.{domain}", domain="a" * 63 + "." + _LONGEST[:126]),
        "spec.host.domain",
        "189",
        id="a domain of 190 characters",
    ),
    pytest.param(hosting("a" * 254), "spec.host.template", "253", id="254 characters of template"),
    pytest.param(hosting(""), "spec.host.template", "1", id="an empty template"),
    pytest.param(hosting(5), "spec.host.template", "string", id="a template that is a number"),
    pytest.param(hosting(None), "spec.host.template", "equired", id="no template"),
]
