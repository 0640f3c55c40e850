"""The contract of the API server: what it sends is read, what it rejects is never answered."""

from datetime import UTC, datetime
from typing import Any

import pytest

from dayfly_admission import answer
from dayfly_admission.answer import Allowed, Patched, Refused
from dayfly_admission.review import Malformed, decode
from dayfly_core import names
from dayfly_core.reasons import Reason
from dayfly_core.stamps import Stamps
from dayfly_core.verdict import Verdict
from dayfly_core.violations import Violation
from support.reviews import UID, Json, a_review, accepted, an_object, encoded, patched

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
TTL = Violation(Reason.INVALID_TTL, f"metadata.annotations[{names.TTL}]", "5", "has no unit")


def verdict(**fields: Any) -> Verdict:
    return Verdict(fields.pop("reason", Reason.STAMPED), "previews", **fields)


STAMPS = Stamps({names.EXPIRES_AT: "2026-11-22T18:00:00Z"}, {names.POLICY: "previews"})


# What is read.


def test_the_fields_that_are_judged() -> None:
    review = decode(encoded(a_review(an_object(annotations={names.TTL: "8h"}))))
    request = review.request
    assert request
    assert (review.uid, review.api_version) == (UID, "admission.k8s.io/v1")
    assert (request.operation, request.group, request.plural) == ("CREATE", "apps", "deployments")
    assert (request.kind, request.namespace, request.name) == ("Deployment", "team-a", "web")
    assert (request.namespaced, request.username) == (True, "alice")
    assert request.meta.annotation_map == {names.TTL: "8h"}


@pytest.mark.parametrize(
    ("old_spec", "want"),
    [
        pytest.param({"replicas": 1}, False, id="the same spec"),
        pytest.param({"replicas": 2}, True, id="another spec"),
    ],
)
def test_whether_the_spec_changed(old_spec: Json, want: bool) -> None:
    old = an_object() | {"spec": old_spec}
    request = decode(encoded(a_review(an_object(), old))).request
    assert request
    assert request.spec_changed is want


def test_two_objects_without_spec_have_the_same() -> None:
    new = {"kind": "ConfigMap", "metadata": {"name": "web"}, "data": {"a": "b"}}
    request = decode(encoded(a_review(new, {**new, "data": {}}))).request
    assert request
    assert request.spec_changed is False


def test_a_namespace_is_not_inside_of_itself() -> None:
    new = {"kind": "Namespace", "metadata": {"name": "web"}}
    request = decode(encoded(a_review(new, namespace="web"))).request
    assert request
    assert (request.namespaced, request.namespace) == (False, "")


def test_a_generated_name_is_taken_from_the_object() -> None:
    review = a_review(an_object(name="web-x7k2p", generateName="web-"), name="")
    request = decode(encoded(review)).request
    assert request
    assert request.name == "web-x7k2p"


def sent(label: str) -> list[Json]:
    return [{"manager": "kubectl", "fieldsV1": {"f:metadata": {"f:labels": {f"f:{label}": {}}}}}]


@pytest.mark.parametrize(
    ("managed", "operation", "want"),
    [
        pytest.param(sent("a"), "CREATE", True, id="the author did not send it"),
        pytest.param(sent(names.POLICY), "CREATE", False, id="the author sent it: a copy"),
        pytest.param(None, "CREATE", False, id="nobody knows: a copy"),
        pytest.param("x", "CREATE", False, id="unreadable: a copy"),
        pytest.param(sent("a"), "UPDATE", False, id="an update is no reinvoked create"),
    ],
)
def test_whether_an_earlier_call_stamped(managed: Any, operation: str, want: bool) -> None:
    new = an_object(labels={names.POLICY: "previews"}, managedFields=managed)
    request = decode(encoded(a_review(new, operation=operation))).request
    assert request
    assert request.reinvoked is want


def wrote(annotation: str) -> list[Json]:
    annotations: Json = {f"f:{annotation}": {}}
    return [{"manager": "kubectl", "fieldsV1": {"f:metadata": {"f:annotations": annotations}}}]


@pytest.mark.parametrize(
    ("managed", "operation", "want"),
    [
        pytest.param(wrote("a"), "CREATE", True, id="the author did not write it"),
        pytest.param(wrote(names.HOST), "CREATE", False, id="the author wrote it"),
        pytest.param(None, "CREATE", False, id="nobody knows"),
        pytest.param(wrote("a"), "UPDATE", False, id="of an update the stored object tells"),
    ],
)
def test_whether_a_webhook_gave_the_host(managed: Any, operation: str, want: bool) -> None:
    stamps: Json = {"labels": {names.POLICY: "previews"}, "annotations": {names.HOST: "a.example"}}
    new = an_object(managedFields=managed, **stamps)
    request = decode(encoded(a_review(new, operation=operation))).request
    assert request
    assert request.host_given is want


@pytest.mark.parametrize(
    ("review", "reason"),
    [
        pytest.param(
            a_review(None, an_object(), operation="DELETE"), Reason.EXEMPT, id="a deletion"
        ),
        pytest.param(
            a_review(an_object(), operation="DELETE", name=""),
            Reason.EXEMPT,
            id="one of a collection that is deleted",
        ),
        pytest.param(a_review({}, operation="CONNECT"), Reason.EXEMPT, id="kubectl exec"),
        pytest.param(a_review(an_object(), subResource="status"), Reason.EXEMPT, id="a status"),
        pytest.param(a_review(None), Reason.UNREADABLE, id="no object"),
        pytest.param(a_review("text"), Reason.UNREADABLE, id="an object that is none"),
        pytest.param(a_review({"metadata": 5}), Reason.UNREADABLE, id="metadata of a wrong type"),
        pytest.param(
            a_review(an_object(annotations={names.TTL: 5})),
            Reason.UNREADABLE,
            id="an annotation that is a number",
        ),
        pytest.param(
            a_review(an_object(labels=["a"])), Reason.UNREADABLE, id="labels that are a list"
        ),
        pytest.param(
            a_review(an_object(creationTimestamp="10000-01-01T00:00:00Z")),
            Reason.UNREADABLE,
            id="a year that no calendar here has",
        ),
        *(
            pytest.param(
                a_review(an_object(), **{field: text}), Reason.UNREADABLE, id=f"{field} {text}"
            )
            for field in ("name", "namespace")
            for text in ("..", ".", "a/b", "../../secrets", "a%2fb")
        ),
        pytest.param(
            a_review(an_object(), resource={"group": "apps", "resource": "a/../b"}),
            Reason.UNREADABLE,
            id="a resource that is two steps",
        ),
    ],
)
def test_what_is_not_judged_is_allowed_untouched(review: Json, reason: str) -> None:
    got = decode(encoded(review))
    assert (got.request, got.reason, got.uid) == (None, reason, UID)


@pytest.mark.parametrize(
    "new",
    [
        pytest.param({"spec": "DEEP"}, id="and nothing else"),
        pytest.param({"metadata": [], "spec": "DEEP"}, id="with metadata of a wrong type"),
        pytest.param({"metadata": "DEEP"}, id="where metadata should be"),
    ],
)
def test_an_object_nested_too_deeply_is_allowed_untouched(new: Json) -> None:
    body = encoded(a_review(new)).replace(b'"DEEP"', b"[" * 9999 + b"]" * 9999)
    got = decode(body)
    assert (got.uid, got.request, got.reason) == (UID, None, Reason.UNREADABLE)


def test_v1beta1_is_answered_in_kind() -> None:
    review = a_review(an_object()) | {"apiVersion": "admission.k8s.io/v1beta1"}
    got = decode(encoded(review))
    answered = answer.encode(answer.allow(got, verdict()), got.api_version)
    assert accepted(answered, mutating=False, api_version="admission.k8s.io/v1beta1")


@pytest.mark.parametrize(
    ("body", "uid"),
    [
        pytest.param(b"", "", id="an empty body"),
        pytest.param(b"{", "", id="half a body"),
        pytest.param(b"null", "", id="null"),
        pytest.param(b"[]", "", id="a list"),
        pytest.param(b"\xff\xfe", "", id="no text"),
        pytest.param(b"[" * 99999, "", id="nothing but depth"),
        pytest.param(b"{}", "", id="an empty object"),
        pytest.param(b'{"request":{"uid":"u"}}', "u", id="a uid and no more"),
        pytest.param(b'{"request":{"uid":5}}', "", id="a uid that is a number"),
        pytest.param(
            encoded(a_review({}) | {"apiVersion": "admission.k8s.io/v9"}),
            UID,
            id="a version from the future",
        ),
        pytest.param(encoded(a_review({}) | {"kind": "Pod"}), UID, id="another kind"),
    ],
)
def test_what_is_no_review_gets_a_well_formed_refusal(body: bytes, uid: str) -> None:
    with pytest.raises(Malformed) as caught:
        decode(body)
    response = accepted(answer.encode(answer.malformed(caught.value)), mutating=True)
    assert (response["allowed"], response["uid"]) == (False, uid)
    assert response["status"]["code"] == 400


# What is answered.

ANSWERS: list[Any] = [
    pytest.param(verdict(), Allowed, id="nothing to do"),
    pytest.param(verdict(warnings=("it ends",)), Allowed, id="a receipt"),
    pytest.param(verdict(stamps=STAMPS), Patched, id="stamps"),
    pytest.param(verdict(stamps=Stamps()), Allowed, id="stamps that change nothing"),
]


@pytest.mark.parametrize(("given", "want"), ANSWERS)
def test_stamping_is_answered_as_the_api_server_demands(given: Verdict, want: type) -> None:
    review = decode(encoded(a_review(an_object())))
    assert review.request
    said = answer.stamped(review, review.request, given)
    assert type(said) is want
    response = accepted(answer.encode(said), mutating=True)
    assert (response["uid"], response["allowed"]) == (UID, True)
    assert response["auditAnnotations"] == {"reason": "Stamped", "policy": "previews"}


def test_the_patch_applies_where_parents_are_missing() -> None:
    new = an_object()
    review = decode(encoded(a_review(new)))
    assert review.request
    said = answer.stamped(review, review.request, verdict(stamps=STAMPS))
    meta = patched(new, accepted(answer.encode(said), mutating=True))["metadata"]
    assert meta["annotations"] == {names.EXPIRES_AT: "2026-11-22T18:00:00Z"}
    assert meta["labels"] == {names.POLICY: "previews"}


def test_a_refusal_is_complete_for_kubectl_and_for_helm() -> None:
    other = Violation(Reason.STAMP_FORGED, "metadata.labels[a]", "b", "only Dayfly writes it")
    review = decode(encoded(a_review(an_object())))
    assert review.request
    said = answer.judged(review, review.request, verdict(violations=(TTL, other)))
    assert type(said) is Refused
    status = accepted(answer.encode(said), mutating=False)["status"]
    assert (status["code"], status["reason"], status["status"]) == (422, "Invalid", "Failure")
    assert status["message"] == (
        'Deployment.apps "web" is invalid: '
        'metadata.annotations[dayfly.dev/ttl]: Invalid value: "5": has no unit; '
        'metadata.labels[a]: Invalid value: "b": only Dayfly writes it'
    )
    assert status["details"] == {
        "group": "apps",
        "kind": "Deployment",
        "name": "web",
        "causes": [
            {
                "reason": "FieldValueInvalid",
                "field": "metadata.annotations[dayfly.dev/ttl]",
                "message": 'Invalid value: "5": has no unit',
            },
            {
                "reason": "FieldValueInvalid",
                "field": "metadata.labels[a]",
                "message": 'Invalid value: "b": only Dayfly writes it',
            },
        ],
    }


def test_judging_never_patches() -> None:
    review = decode(encoded(a_review(an_object())))
    assert review.request
    said = answer.judged(review, review.request, verdict(stamps=STAMPS))
    assert "patch" not in accepted(answer.encode(said), mutating=False)


@pytest.mark.parametrize(
    ("text", "want"),
    [
        pytest.param("ends at six", "ends at six", id="as it is"),
        pytest.param("x" * 200, "x" * 119 + "…", id="cut to what survives the header"),
        pytest.param("a\r\nb\x1b[31m", "a  b [31m", id="no control characters"),
    ],
)
def test_warnings_fit_into_a_header(text: str, want: str) -> None:
    review = decode(encoded(a_review(an_object())))
    said = answer.encode(answer.allow(review, verdict(warnings=(text,))))
    assert accepted(said, mutating=False)["warnings"] == [want]


def test_what_audit_policies_would_refuse_is_in_the_audit_log() -> None:
    review = decode(encoded(a_review(an_object())))
    said = answer.encode(answer.allow(review, verdict(audited=("a is wrong", "b is wrong"))))
    annotations = accepted(said, mutating=False)["auditAnnotations"]
    assert annotations["would-refuse"] == "a is wrong; b is wrong"
