"""Which names a request newly asks for, and for whom."""

from typing import Any

import pytest

from dayfly_admission import wanting
from dayfly_admission.review import decode
from dayfly_admission.wanting import Unreadable, Wanted
from dayfly_core import names
from dayfly_core.api import LabelSelector
from dayfly_core.claim_steps import Act
from dayfly_core.objects import ObjectMeta
from dayfly_core.reasons import Reason
from support.reviews import Json, a_namespace, a_review, an_object, encoded, of_namespace

TEAM_A = ObjectMeta(name="team-a", uid="uid-of-team-a", labels={"team": "web"})
WEB = LabelSelector(match_labels={"team": "web"})
OTHERS = LabelSelector(match_labels={"team": "api"})


def wanted(review: Json, opted: LabelSelector | None = WEB) -> Wanted | None:
    got = decode(encoded(review))
    assert got.request
    return wanting.wanted(got, got.request, TEAM_A if got.request.namespaced else None, opted)


def keys(found: Wanted | None) -> list[str]:
    return [d.key.text for want in found.wants for d in want.demands] if found else []


def ingress(*hosts: str, **metadata: Any) -> Json:
    spec = {"rules": [{"host": host} for host in hosts]}
    return an_object("Ingress", uid="u1", **metadata) | {"spec": spec}


def route(*hosts: str) -> Json:
    return an_object("HTTPRoute", uid="u1") | {"spec": {"hostnames": list(hosts)}}


def stamped(host: str, **metadata: Any) -> Json:
    ours: Json = {"labels": {names.POLICY: "previews"}, "annotations": {names.HOST: host}}
    return an_object(uid="u1", **(ours | metadata))


OURS, HOST = {names.POLICY: "previews"}, {names.HOST: "a.example"}
ORIGINAL = {names.ENVIRONMENT_OF_ORIGINAL: "shop-1"}
BOTH = {names.ENVIRONMENT: "shop-1", names.ENVIRONMENT_OF_ORIGINAL: "shop-1"}


@pytest.mark.parametrize(
    ("review", "want"),
    [
        pytest.param(
            of_namespace(a_namespace(environment="Shop")), ["environment:Shop"], id="environment"
        ),
        pytest.param(
            of_namespace(a_namespace(labels=ORIGINAL)),
            ["environment:shop-1"],
            id="by its original label",
        ),
        pytest.param(
            of_namespace(a_namespace(labels=BOTH)), ["environment:shop-1"], id="by both, once"
        ),
        pytest.param(
            of_namespace(a_namespace(environment="b"), a_namespace(environment="a")),
            ["environment:b"],
            id="a changed one",
        ),
        pytest.param(
            of_namespace(a_namespace(environment="a"), a_namespace(environment="a")),
            [],
            id="not one that it has",
        ),
        pytest.param(
            of_namespace(a_namespace(labels=BOTH), a_namespace(labels=ORIGINAL)),
            [],
            id="not one that it has by the other label",
        ),
        pytest.param(
            of_namespace(a_namespace(), a_namespace(environment="a")), [], id="giving one up"
        ),
        pytest.param(of_namespace(a_namespace()), [], id="any other namespace"),
        pytest.param(
            a_review(an_object(labels={names.ENVIRONMENT: "a"})), [], id="a label on another kind"
        ),
        pytest.param(a_review(stamped("A.example.")), ["host:a.example"], id="a stamped host"),
        pytest.param(
            a_review(stamped("a.example"), stamped("A.EXAMPLE")), [], id="the host that it has"
        ),
        pytest.param(
            a_review(stamped("a.example", labels={})), [], id="a host of no policy is inert"
        ),
        pytest.param(
            a_review(ingress("a.example", "b.example", "A.example")),
            ["host:a.example", "host:b.example"],
            id="hosts of an Ingress, once each",
        ),
        pytest.param(
            a_review(ingress("a.example", "b.example"), ingress("b.example")),
            ["host:a.example"],
            id="a host added to an Ingress",
        ),
        pytest.param(
            a_review(route("*.a.example")), ["host:*.a.example"], id="hosts of an HTTPRoute"
        ),
        pytest.param(
            a_review(
                ingress(
                    "a.example", ownerReferences=[{"name": "x", "uid": "y", "controller": True}]
                )
            ),
            [],
            id="an Ingress that a controller made",
        ),
        pytest.param(
            a_review(
                ingress("a.example"),
                ingress(
                    "a.example", ownerReferences=[{"name": "x", "uid": "y", "controller": True}]
                ),
            ),
            ["host:a.example"],
            id="an Ingress that its controller lets go",
        ),
        pytest.param(
            a_review(ingress("a.example", labels=OURS, annotations=HOST)),
            ["host:a.example"],
            id="an Ingress may route its own stamped host",
        ),
        pytest.param(
            a_review(
                ingress("a.example", labels=OURS, annotations=HOST),
                ingress("b.example", labels=OURS, annotations=HOST),
            ),
            [],
            id="also later",
        ),
    ],
)
def test_what_is_asked_for(review: Json, want: list[str]) -> None:
    assert keys(wanted(review)) == want


@pytest.mark.parametrize(
    "opted",
    [
        pytest.param(None, id="where nothing is claimed for Ingresses"),
        pytest.param(OTHERS, id="where it is claimed for other namespaces"),
    ],
)
def test_an_ingress_claims_only_where_the_admin_opts_in(opted: LabelSelector | None) -> None:
    assert wanted(a_review(ingress("a.example")), opted) is None


@pytest.mark.parametrize(
    ("review", "holder", "act"),
    [
        pytest.param(
            of_namespace(a_namespace(environment="a")), "Namespace shop", Act.CREATE, id="itself"
        ),
        pytest.param(
            of_namespace(a_namespace(environment="a"), a_namespace()),
            "Namespace shop",
            Act.UPDATE,
            id="itself, later",
        ),
        pytest.param(
            a_review(stamped("a.example")), "Deployment team-a/web", Act.CREATE, id="the object"
        ),
        pytest.param(
            a_review(ingress("a.example")), "Namespace team-a", Act.INSIDE, id="the namespace"
        ),
    ],
)
def test_for_whom(review: Json, holder: str, act: Act) -> None:
    found = wanted(review)
    assert found
    (want,) = found.wants
    inside = f"{want.holder.namespace}/" if want.holder.namespace else ""
    assert f"{want.holder.kind} {inside}{want.holder.name}" == holder
    assert want.holder.version == "v1"
    assert want.holder.uid
    assert want.act is act


DIFFERENT = {names.ENVIRONMENT: "a", names.ENVIRONMENT_OF_ORIGINAL: "b"}


@pytest.mark.parametrize(
    ("review", "reasons"),
    [
        pytest.param(
            of_namespace(a_namespace(labels=DIFFERENT)),
            [Reason.INVALID_ENVIRONMENT],
            id="two names",
        ),
        pytest.param(
            of_namespace(a_namespace(labels=DIFFERENT), a_namespace(labels=DIFFERENT)),
            [],
            id="a ratchet: two names as before",
        ),
        pytest.param(
            of_namespace(a_namespace(environment="a", generateName="shop-")),
            [Reason.GENERATED_NAME],
            id="a generated name",
        ),
        pytest.param(
            of_namespace(
                a_namespace(environment="a", generateName="shop-"),
                a_namespace(generateName="shop-"),
            ),
            [],
            id="a name generated long ago",
        ),
        pytest.param(
            a_review(ingress("a_b", "*", "ok.example")),
            [Reason.INVALID_HOST, Reason.INVALID_HOST],
            id="two hosts that are none",
        ),
        pytest.param(a_review(ingress("a_b"), ingress("a_b")), [], id="a host that never was one"),
    ],
)
def test_what_nobody_could_have(review: Json, reasons: list[str]) -> None:
    found = wanted(review)
    assert [violation.reason for violation in found.violations] == reasons if found else not reasons


@pytest.mark.parametrize(
    "review",
    [
        pytest.param(
            of_namespace(a_namespace(environment="a"), userInfo={"username": "a", "groups": 5}),
            id="a user with groups of a wrong type",
        ),
        pytest.param(of_namespace(a_namespace(environment="a"), dryRun="no"), id="dryRun as text"),
        pytest.param(
            of_namespace({"kind": "Namespace", "metadata": {"name": "a", "labels": BOTH}}),
            id="no uid",
        ),
        pytest.param(a_review(ingress("a.example") | {"spec": 5}), id="a spec that is a number"),
        pytest.param(
            a_review(ingress("a.example") | {"spec": {"rules": "x"}}), id="rules that are text"
        ),
        pytest.param(
            of_namespace(
                a_namespace(environment="a"),
                resource={"version": "../v1", "resource": "namespaces"},
            ),
            id="a version that leads elsewhere",
        ),
    ],
)
def test_what_cannot_be_told(review: Json) -> None:
    with pytest.raises(Unreadable):
        wanted(review)


def test_a_host_that_is_no_text_cannot_be_told() -> None:
    body = encoded(a_review(ingress("a.example"))).replace(b"a.example", b"\xff")
    got = decode(body)
    assert got.request
    with pytest.raises(Unreadable):
        wanting.wanted(got, got.request, TEAM_A, WEB)


def test_who_asks_and_whether_in_earnest() -> None:
    user = {"username": "alice", "uid": "7", "groups": ["dev"], "extra": {"scopes": ["a", "b"]}}
    found = wanted(of_namespace(a_namespace(environment="a"), userInfo=user, dryRun=True))
    assert found
    assert (found.user.username, found.user.uid, found.user.groups) == ("alice", "7", ["dev"])
    assert found.user.extra == {"scopes": ["a", "b"]}
    assert found.dry_run is True


@pytest.mark.parametrize(
    ("new", "old", "asked", "wrong"),
    [
        pytest.param(100, 0, 100, [], id="as many as there may be"),
        pytest.param(101, 0, 0, ["spec.rules[100].host"], id="one more: none is asked for"),
        pytest.param(101, 1, 100, [], id="what it had before does not count"),
        pytest.param(300, 300, 0, [], id="however many it had"),
    ],
)
def test_how_many_hosts_one_request_may_add(
    new: int, old: int, asked: int, wrong: list[str]
) -> None:
    listed = [f"h{number}.example" for number in range(new)]
    found = wanted(a_review(ingress(*listed), ingress(*listed[:old]) if old else None))
    assert len(keys(found)) == asked
    assert [violation.field for violation in (found.violations if found else ())] == wrong
