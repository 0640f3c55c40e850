from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from dayfly_core import api
from dayfly_core.hosts import Naming, Template
from dayfly_core.objects import ObjectMeta
from dayfly_core.policies import (
    InvalidPolicy,
    Policies,
    Policy,
    compile_policy,
    fits,
    read_policy,
)
from support import host_manifests, timeline_manifests
from support.policy_manifests import ACCEPTED, ODD, manifest
from support.refused_policies import REFUSED

DEPLOYMENTS = ("apps", "deployments")
NAMESPACES = ("", "namespaces")
NODES = ("example.com", "widgets")


def stored(written: dict[str, Any]) -> api.StoredPolicy:
    return msgspec.json.decode(msgspec.json.encode(written), type=api.StoredPolicy)


def policy(name: str = "previews", **spec: Any) -> Policy:
    return read_policy(stored(manifest(name, **spec)))


def matching(**match: Any) -> dict[str, Any]:
    groups = [{"apiGroups": ["", "apps"], "resources": ["deployments", "namespaces"]}]
    widgets = {"apiGroups": ["example.com"], "resources": ["widgets"]}
    return {"match": {"resources": [*groups, widgets]} | match}


@pytest.mark.parametrize(
    "written", [*ACCEPTED, *host_manifests.ACCEPTED, *timeline_manifests.ACCEPTED]
)
def test_what_the_schema_accepts_can_be_read(written: dict[str, Any]) -> None:
    assert read_policy(stored(written)).name == written["metadata"]["name"]
    typed = msgspec.convert(written, api.ExpiryPolicy)
    assert compile_policy(typed) == read_policy(stored(written))


@pytest.mark.parametrize("written", ODD)
def test_what_is_not_set_may_be_written_as_null(written: dict[str, Any]) -> None:
    read = read_policy(stored(written))
    assert (read.maximum, read.suspended) == (None, False)


@pytest.mark.parametrize(
    ("written", "field", "words"), [*REFUSED, *host_manifests.REFUSED, *timeline_manifests.REFUSED]
)
def test_what_the_schema_refuses_is_refused(
    written: dict[str, Any], field: str, words: str
) -> None:
    with pytest.raises(InvalidPolicy) as caught:
        read_policy(stored(written))
    named = {violation.field: violation.detail for violation in caught.value.violations}
    place = next(place for place in named if place.startswith(field))
    assert words in named[place]


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param(b"[" * 9999 + b"]" * 9999, id="nested too deeply to be decoded"),
        pytest.param(b'{"a":' * 600 + b"1" + b"}" * 600, id="nested too deeply to be walked"),
        pytest.param(b'{"match":"\xff"}', id="no UTF-8"),
    ],
)
def test_what_cannot_be_read_is_refused(spec: bytes) -> None:
    unread = api.StoredPolicy(metadata=ObjectMeta(name="previews"), spec=msgspec.Raw(spec))
    with pytest.raises(InvalidPolicy, match="cannot be read"):
        read_policy(unread)


def test_every_fault_is_named_at_once() -> None:
    with pytest.raises(InvalidPolicy) as caught:
        policy("a" * 64, ttl={"min": "5", "default": "8d", "max": "1w"}, grace="0s")
    assert str(caught.value) == (
        f'metadata.name: Invalid value: "{"a" * 64}": '
        "must be no longer than 63 characters: it becomes a label value; "
        'spec.ttl.min: Invalid value: "5": '
        "must be from 1s to 100 years, written for example 90s, 8h, 1d12h or 2w; "
        'spec.ttl.default: Invalid value: "8d": must not be longer than max; '
        'spec.grace: Invalid value: "0s": '
        "must be from 1s to 100 years, written for example 90s, 8h, 1d12h or 2w"
    )


def test_types_are_checked_again_when_a_policy_is_built_in_code() -> None:
    spec = api.ExpiryPolicySpec(match=api.Match(resources=[]))
    with pytest.raises(InvalidPolicy, match=r"spec\.match\.resources: .* at least 1 items"):
        compile_policy(api.ExpiryPolicy(spec=spec))


def test_a_host_is_read() -> None:
    assert policy().host is None
    named = policy(host={"template": "{name}.{domain}", "domain": "dev.example.com"}).host
    assert named == Naming(Template("{name}.{domain}"), "dev.example.com")
    assert policy(host={"template": "{hash}.example"}).host == Naming(Template("{hash}.example"))


def test_durations_are_read() -> None:
    ttl = {"min": "1m", "default": "24h", "max": "7d", "maxTotal": "30d"}
    read = policy(ttl=ttl, grace="2h")
    assert (read.minimum, read.default) == (timedelta(minutes=1), timedelta(days=1))
    assert (read.maximum, read.max_total) == (timedelta(days=7), timedelta(days=30))
    assert read.grace == timedelta(hours=2)


def test_fields_of_a_newer_schema_are_ignored() -> None:
    written = manifest(weather={"rain": "0s"}, ttl={"max": "8h", "rounding": "day"})
    assert read_policy(stored(written)).maximum == timedelta(hours=8)


WEB = {"matchLabels": {"team": "web"}}


@pytest.mark.parametrize(
    ("match", "group_resource", "labels", "around", "want"),
    [
        pytest.param({}, DEPLOYMENTS, {}, {}, True, id="an empty match fits its kinds"),
        pytest.param({}, ("apps", "daemonsets"), {}, {}, False, id="a kind not named"),
        pytest.param({}, ("extensions", "deployments"), {}, {}, False, id="another group"),
        pytest.param({"objectSelector": WEB}, DEPLOYMENTS, {"team": "web"}, {}, True, id="label"),
        pytest.param({"objectSelector": WEB}, DEPLOYMENTS, {}, {}, False, id="no such label"),
        pytest.param(
            {"namespaceSelector": WEB}, DEPLOYMENTS, {}, {"team": "web"}, True, id="namespace label"
        ),
        pytest.param(
            {"namespaceSelector": WEB},
            DEPLOYMENTS,
            {"team": "web"},
            {},
            False,
            id="an object's label is not its namespace's",
        ),
        pytest.param(
            {"namespaceSelector": WEB},
            NAMESPACES,
            {"team": "web"},
            None,
            True,
            id="a Namespace is its own namespace",
        ),
        pytest.param(
            {"namespaceSelector": WEB}, NAMESPACES, {}, {"team": "web"}, False, id="and no other"
        ),
        pytest.param({}, NODES, {}, None, True, id="cluster-scoped fits an empty selector"),
        pytest.param(
            {"namespaceSelector": WEB},
            NODES,
            {"team": "web"},
            None,
            False,
            id="cluster-scoped fits no other selector",
        ),
        pytest.param(
            {"namespaceSelector": {"matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]}},
            NODES,
            {},
            None,
            False,
            id="cluster-scoped has no namespace that lacks a label",
        ),
    ],
)
def test_matching(
    match: dict[str, Any],
    group_resource: tuple[str, str],
    labels: dict[str, str],
    around: Mapping[str, str] | None,
    want: bool,
) -> None:
    meta = ObjectMeta(name="x", labels=labels)
    assert fits(policy(**matching(**match)), group_resource, meta, around) is want


@pytest.mark.parametrize(
    ("policies", "deciding", "auditing"),
    [
        pytest.param([], None, [], id="no policy decides nothing"),
        pytest.param([policy("b"), policy("a")], "a", [], id="the first by name"),
        pytest.param(
            [policy("a"), policy("b", priority=1)], "b", [], id="priority before the name"
        ),
        pytest.param(
            [policy("a", **matching(objectSelector=WEB)), policy("b")], "b", [], id="it must fit"
        ),
        pytest.param(
            [policy("a", suspend=True), policy("b")], "a", [], id="a suspended one keeps its own"
        ),
        pytest.param(
            [policy("a", enforcement="Audit"), policy("b"), policy("c", enforcement="Audit")],
            "b",
            ["a"],
            id="Audit lets the next decide and reports before it",
        ),
        pytest.param(
            [policy("a", enforcement="Audit")], None, ["a"], id="Audit alone decides nothing"
        ),
        pytest.param([policy("a", enforcement="Warn"), policy("b")], "a", [], id="Warn decides"),
    ],
)
def test_which_policy_decides(
    policies: list[Policy], deciding: str | None, auditing: list[str]
) -> None:
    known = Policies(policies)
    decided = known.deciding(DEPLOYMENTS, ObjectMeta(), {})
    assert (decided.name if decided else None) == deciding
    assert [audit.name for audit in known.auditing(DEPLOYMENTS, ObjectMeta(), {})] == auditing


def test_a_set_of_policies_knows_its_own() -> None:
    low = policy("low", **matching())
    high = policy("high", priority=5)
    known = Policies([low, high])
    assert list(known) == [high, low]
    assert len(known) == 2
    assert known.get("low") is low
    assert known.get("other") is None
    assert known.resources == low.resources | high.resources


DOWN = {"at": "0s", "action": {"type": "SCALE_DOWN"}}
GONE = {"at": "1d", "action": {"type": "DELETE"}}
NAMESPACED = {"resources": [{"apiGroups": [""], "resources": ["namespaces"]}]}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        pytest.param({"timeline": [DOWN, GONE], "match": NAMESPACED}, True, id="all it holds"),
        pytest.param({"timeline": [GONE], "match": NAMESPACED}, False, id="it is only deleted"),
        pytest.param({"timeline": [DOWN, GONE]}, False, id="each Deployment for itself"),
    ],
)
def test_whether_namespaces_are_scaled_down(spec: dict[str, Any], *, expected: bool) -> None:
    assert policy(**spec).scales_namespaces is expected
