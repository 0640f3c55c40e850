"""What an object claims, and what nobody could claim."""

from typing import Any

import msgspec
import pytest

from dayfly_core import names
from dayfly_core.claim_key import ClaimKey, KeyKind
from dayfly_core.claimants import (
    MOST,
    Demand,
    Demands,
    HTTPRouteSpec,
    IngressSpec,
    bounded,
    environment_name,
    environment_of,
    ingress_hosts,
    of_namespace,
    route_hosts,
    stamped_host_of,
)
from dayfly_core.objects import ObjectMeta
from dayfly_core.reasons import Reason
from support.build import an_object, controlled

LABEL, OTHER = "metadata.labels[dayfly.dev/environment]", "metadata.labels[envs.sberz.de/name]"
ANNOTATION = "metadata.annotations[dayfly.dev/host]"


def a_namespace(ours: str | None = None, originals: str | None = None) -> ObjectMeta:
    written = {names.ENVIRONMENT: ours, names.ENVIRONMENT_OF_ORIGINAL: originals, "team": "web"}
    return ObjectMeta(name="shop", labels={k: v for k, v in written.items() if v is not None})


def environment(name: str, field: str) -> Demands:
    return Demands((Demand(ClaimKey(KeyKind.ENVIRONMENT, name), name, field),))


ENVIRONMENTS = [
    pytest.param(ObjectMeta(), Demands(), id="no labels"),
    pytest.param(a_namespace(), Demands(), id="other labels"),
    pytest.param(a_namespace("shop"), environment("shop", LABEL), id="our label"),
    pytest.param(a_namespace(None, "shop"), environment("shop", OTHER), id="the original's"),
    pytest.param(a_namespace("shop", "shop"), environment("shop", LABEL), id="both, alike"),
    pytest.param(
        a_namespace("Test-Env_2.0"), environment("Test-Env_2.0", LABEL), id="case and dots are kept"
    ),
    pytest.param(
        msgspec.structs.replace(a_namespace("shop"), owner_references=controlled()),
        environment("shop", LABEL),
        id="of a Namespace that a controller made",
    ),
]


@pytest.mark.parametrize(("meta", "want"), ENVIRONMENTS)
def test_the_environment_that_a_namespace_is(meta: ObjectMeta, want: Demands) -> None:
    assert environment_of(meta) == want
    assert environment_name(meta) == next((demand.written for demand in want.demands), "")


NO_ENVIRONMENTS = [
    pytest.param(
        a_namespace("shop", "store"),
        [
            f'{OTHER}: Invalid value: "store": is not "shop" as in dayfly.dev/environment; '
            "leave one out, or write the same in both"
        ],
        id="two names",
    ),
    pytest.param(
        a_namespace("Shop", "shop"),
        [
            f'{OTHER}: Invalid value: "shop": is not "Shop" as in dayfly.dev/environment; '
            "leave one out, or write the same in both"
        ],
        id="two that differ in case",
    ),
    pytest.param(
        a_namespace(""),
        [
            f'{LABEL}: Invalid value: "": names no environment; write at most 63 letters, '
            "digits, '-', '_' and '.', for example shop-pr-17, or leave the label out"
        ],
        id="an empty name",
    ),
    pytest.param(
        a_namespace(None, "a b"), [f'{OTHER}: Invalid value: "a b": names no '], id="a blank"
    ),
    pytest.param(
        a_namespace("-", "b" * 64),
        [f"{LABEL}: Invalid", f"{OTHER}: Invalid", f"{OTHER}: Invalid"],
        id="everything at once",
    ),
]


@pytest.mark.parametrize(("meta", "want"), NO_ENVIRONMENTS)
def test_what_is_no_environment_says_what_would_be(meta: ObjectMeta, want: list[str]) -> None:
    found = environment_of(meta)
    assert found.demands == ()
    assert {violation.reason for violation in found.violations} == {Reason.INVALID_ENVIRONMENT}
    texts = [violation.text for violation in found.violations]
    assert [text[: len(start)] for text, start in zip(texts, want, strict=True)] == want
    assert environment_name(meta) == ""


def hosts_of(found: Demands) -> list[tuple[str, str]]:
    assert {demand.key.kind for demand in found.demands} <= {KeyKind.HOST}
    return [(demand.field, demand.key.value) for demand in found.demands]


def test_a_stamped_host_is_claimed() -> None:
    found = stamped_host_of(an_object(host="Web.Example.com.", policy="previews"))
    key = ClaimKey(KeyKind.HOST, "web.example.com")
    assert found == Demands((Demand(key, "Web.Example.com.", ANNOTATION),))


@pytest.mark.parametrize(
    "meta",
    [
        pytest.param(ObjectMeta(), id="without annotations"),
        pytest.param(an_object(ttl="8h", policy="previews"), id="without a host"),
        pytest.param(an_object(host="", policy="previews"), id="with an empty one"),
        pytest.param(an_object(host="a.b"), id="with one that nobody gave it"),
        pytest.param(
            an_object(host="a.b", policy="previews", owner_references=controlled()),
            id="with a copy of its owner's",
        ),
    ],
)
def test_an_object_claims_no_host(meta: ObjectMeta) -> None:
    assert stamped_host_of(meta) == Demands()


def ingress(*rules: Any, tls: Any = None, **more: Any) -> IngressSpec:
    return msgspec.convert({"rules": list(rules), "tls": tls, **more}, IngressSpec)


INGRESSES = [
    pytest.param(IngressSpec(), [], id="nothing at all"),
    pytest.param(ingress({"host": ""}, {}, {"host": None}), [], id="what is left over"),
    pytest.param(
        ingress(defaultBackend={"service": {"name": "web"}}), [], id="nothing but a backend"
    ),
    pytest.param(
        ingress({"host": "a.example", "http": {"paths": []}}, {}, {"host": "*.b.example"}),
        [("spec.rules[0].host", "a.example"), ("spec.rules[2].host", "*.b.example")],
        id="hosts of rules, also of the later ones",
    ),
    pytest.param(
        ingress(tls=[{"secretName": "x"}, {"hosts": ["a.example", "B.example"]}]),
        [("spec.tls[1].hosts[0]", "a.example"), ("spec.tls[1].hosts[1]", "b.example")],
        id="hosts of certificates",
    ),
    pytest.param(
        ingress({"host": "a.example"}, {"host": "A.example."}, tls=[{"hosts": ["a.example"]}]),
        [("spec.rules[0].host", "a.example")],
        id="each once, where it comes first",
    ),
]


@pytest.mark.parametrize(("spec", "want"), INGRESSES)
def test_the_hosts_of_an_ingress(spec: IngressSpec, want: list[tuple[str, str]]) -> None:
    found = ingress_hosts(spec)
    assert (hosts_of(found), found.violations) == (want, ())


def test_every_host_that_is_none_is_named_at_once() -> None:
    spec = ingress(
        {"host": "a.example"}, {"host": "a b"}, tls=[{"hosts": ["x.*.example", "c.example"]}]
    )
    found = ingress_hosts(spec)
    assert hosts_of(found) == [
        ("spec.rules[0].host", "a.example"),
        ("spec.tls[0].hosts[1]", "c.example"),
    ]
    assert [violation.text for violation in found.violations] == [
        'spec.rules[1].host: Invalid value: "a b": is not a DNS name; write for example '
        "shop.example.com, or *.example.com for all names below it",
        'spec.tls[0].hosts[0]: Invalid value: "x.*.example": has a * that is not the whole first '
        "label; write for example shop.example.com, or *.example.com for all names below it",
    ]
    assert {violation.reason for violation in found.violations} == {Reason.INVALID_HOST}


def test_the_hosts_of_a_route() -> None:
    spec = HTTPRouteSpec(hostnames=["a.example", "*.a.example", "A.Example", "-"])
    found = route_hosts(spec)
    assert hosts_of(found) == [
        ("spec.hostnames[0]", "a.example"),
        ("spec.hostnames[1]", "*.a.example"),
    ]
    assert [violation.field for violation in found.violations] == ["spec.hostnames[3]"]
    assert route_hosts(HTTPRouteSpec()) == Demands()


GIVEN = ObjectMeta(
    name="web", labels={names.POLICY: "previews"}, annotations={names.HOST: "Own.example"}
)


@pytest.mark.parametrize(
    ("meta", "want"),
    [
        pytest.param(an_object(), ["a.example", "own.example"], id="all that is routed"),
        pytest.param(GIVEN, ["a.example"], id="but not the host it was given itself"),
        pytest.param(an_object(owner_references=controlled()), [], id="and none of a controller's"),
    ],
)
def test_what_the_namespace_claims(meta: ObjectMeta, want: list[str]) -> None:
    routed = route_hosts(HTTPRouteSpec(hostnames=["a.example", "own.example", "-"]))
    found = of_namespace(meta, routed)
    assert [demand.key.value for demand in found.demands] == want
    assert bool(found.violations) is bool(want)


def test_who_asks_for_too_much_reads_how_much_and_what_to_do() -> None:
    listed = [f"h{number}.example" for number in range(MOST + 20)]
    found = bounded(route_hosts(HTTPRouteSpec(hostnames=["a_b", *listed])))
    assert found.demands == ()
    _, violation = found.violations
    assert (violation.reason, violation.field) == (Reason.TOO_MANY_HOSTS, "spec.hostnames[101]")
    assert violation.text == (
        'spec.hostnames[101]: Invalid value: "h100.example": is one of 120 hosts that this adds, '
        "and one request may add 100; spread them over several objects, or add them in several "
        "steps"
    )


def test_as_many_as_one_may_ask_for_are_all_asked_for() -> None:
    found = route_hosts(HTTPRouteSpec(hostnames=[f"h{number}.example" for number in range(MOST)]))
    assert bounded(found) == found
