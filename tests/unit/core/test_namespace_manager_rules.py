"""What a NamespaceManager says, and the body of its webhook."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from dayfly_core import api, grammar, namespace_manager
from dayfly_core.namespace_manager import aimed_at, faults, rules, target, webhook_body
from dayfly_core.objects import ObjectMeta
from dayfly_core.triggers import Condition, PodsSucceed, Ttl, Until
from support.managers import DELETE, TTL, WEBHOOK, a_manager, a_policy, until
from support.originals import (
    CAPTURED,
    CAPTURED_LENGTH,
    EXAMPLE_01,
    EXAMPLE_02,
    EXAMPLE_03,
    EXAMPLE_04,
    loaded,
)
from support.own_kinds import NOW, kept


def spec(*policies: dict[str, Any]) -> api.NamespaceManagerSpec:
    return namespace_manager.read(a_manager(*policies))


@pytest.mark.parametrize(
    ("written", "name"),
    [
        pytest.param({"namespace": "team-a"}, "team-a", id="as it says"),
        pytest.param({"namespace": ""}, "ci", id="an empty name says nothing"),
    ],
)
def test_which_namespace_is_managed(written: dict[str, Any], name: str) -> None:
    stored = a_manager(**written)
    assert aimed_at(stored) == name
    assert target("ci", namespace_manager.read(stored)) == name


def test_an2_without_a_namespace_it_is_the_one_of_its_own_name() -> None:
    assert aimed_at(kept(loaded(EXAMPLE_01))) == "example-01"


def test_of_what_cannot_be_read_no_namespace_is_known() -> None:
    assert aimed_at(a_manager(policies="none")) == ""


SECONDS = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("condition", "wanted"),
    [
        pytest.param(TTL, Ttl(40 * SECONDS), id="a ttl"),
        pytest.param({"type": "TTL"}, Ttl(1800 * SECONDS), id="30 minutes if it does not say"),
        pytest.param({"type": "TTL", "params": {"ttlSeconds": 0}}, Ttl(0 * SECONDS), id="at once"),
        pytest.param(until(NOW), Until(NOW), id="an instant"),
        pytest.param(
            {"type": "PODS_SUCCEED"},
            PodsSucceed(60 * SECONDS, 10 * SECONDS, 1, "end it"),
            id="pods, with the original's defaults",
        ),
        pytest.param(
            {
                "type": "PODS_SUCCEED",
                "params": {"initialDelaySeconds": 5, "periodSeconds": 2, "minChecks": 3},
            },
            PodsSucceed(5 * SECONDS, 2 * SECONDS, 3, "end it"),
            id="pods, all said",
        ),
    ],
)
def test_conditions(condition: dict[str, Any], wanted: Condition) -> None:
    [rule] = rules(spec(a_policy(condition)))
    assert rule.condition == wanted


def test_the_original_s_examples_are_understood() -> None:
    texts = (EXAMPLE_01, EXAMPLE_02, EXAMPLE_03, EXAMPLE_04)
    read = [namespace_manager.read(kept(loaded(text))) for text in texts]
    assert [[rule.name for rule in rules(each)] for each in read] == [
        ["delete namespace when TTL elapses"],
        ["delete namespace when specific pods succeed"],
        ["scale down when specific pods succeed"],
        ["call webhook when specific pods succeed"],
    ]
    assert [faults(each) for each in read] == [{}, {}, {}, {}]


def test_n2_equal_policies_are_two_rules() -> None:
    both = spec(a_policy(), a_policy(name="b"), a_policy())
    assert [rule.name for rule in rules(both)] == ["end it", "b", "end it (3)"]


@pytest.mark.parametrize(
    ("condition", "action", "words"),
    [
        pytest.param({"type": "MOON"}, DELETE, "condition.type: MOON is not known", id="N3"),
        pytest.param(TTL, {"type": "EXPLODE"}, "action.type: EXPLODE is not known", id="an action"),
        pytest.param(TTL, {"type": "WEBHOOK"}, "WEBHOOK needs params.url", id="a missing URL"),
        pytest.param({"type": "UNTIL"}, DELETE, "UNTIL needs params.until", id="no instant"),
        pytest.param(
            {"type": "UNTIL", "params": {"until": "tomorrow"}},
            DELETE,
            "condition.params.until: 'tomorrow' is not an instant in RFC 3339",
            id="an instant that is none",
        ),
    ],
)
def test_n3_a_policy_that_cannot_be_carried_out_stops_no_other(
    condition: dict[str, Any], action: dict[str, Any], words: str
) -> None:
    read = spec(a_policy(condition, action, "odd one"), a_policy())
    assert [rule.name for rule in rules(read)] == ["end it"]
    assert list(faults(read)) == ["odd one"]
    assert words in faults(read)["odd one"]


@pytest.mark.parametrize(
    "params",
    [
        pytest.param({"ttlSeconds": -1}, id="N14: a negative ttl"),
        pytest.param({"initialDelaySeconds": -1}, id="N14: a negative delay"),
        pytest.param({"periodSeconds": 0}, id="N7: no pause between checks"),
        pytest.param({"minChecks": 0}, id="no check at all"),
        pytest.param({"podLabels": {"build": 17}}, id="N14: a label that is no text"),
        pytest.param({"podLabels": ["component"]}, id="N14: labels that are a list"),
    ],
)
def test_n14_a_policy_with_such_parameters_stops_no_other(params: dict[str, Any]) -> None:
    read = spec(a_policy({"type": "TTL", "params": params}, name="odd one"), a_policy())
    assert [rule.name for rule in rules(read)] == ["end it"]
    assert f"$.condition.params.{next(iter(params))}" in faults(read)["odd one"]


@pytest.mark.parametrize(
    ("written", "name"),
    [
        pytest.param({"name": 5}, "policy 1", id="a name that is none"),
        pytest.param("end it", "policy 1", id="text"),
        pytest.param({"name": "end it"}, "end it", id="without condition and action"),
    ],
)
def test_n3_what_is_no_policy_at_all_has_a_name_all_the_same(written: Any, name: str) -> None:
    assert list(faults(spec(written, a_policy(name="b")))) == [name]


@pytest.mark.parametrize("policies", [[], "none"], ids=["none", "text"])
def test_a_spec_without_policies_cannot_be_read(policies: Any) -> None:
    with pytest.raises(msgspec.ValidationError):
        namespace_manager.read(a_manager(policies=policies))


@pytest.mark.parametrize(
    ("condition", "action", "place"),
    [
        pytest.param(
            {"type": "PODS_SUCCEED", "params": {"podLabels": {"component": "a b"}}},
            DELETE,
            "condition.params.podLabels",
            id="of pods",
        ),
        pytest.param(
            TTL,
            {
                "type": "SCALE_DOWN",
                "params": {"selectors": [{"kind": "deployment", "labels": {"component": "a b"}}]},
            },
            "action.params.selectors[0].labels",
            id="of workloads",
        ),
    ],
)
def test_n14_labels_that_nothing_can_have(
    condition: dict[str, Any], action: dict[str, Any], place: str
) -> None:
    [fault] = faults(spec(a_policy(condition, action))).values()
    assert fault == f"{place}: 'a b' {grammar.LABEL_VALUE_HINT}"


# The webhook.


def body(stored: Any, place: int = 0) -> bytes:
    read = namespace_manager.read(stored)
    name = target(stored.metadata.name, read)
    return webhook_body(stored.metadata, read.policies[place], name)


def test_an7_the_body_is_byte_by_byte_what_the_original_sends() -> None:
    assert body(kept(loaded(EXAMPLE_04))) == CAPTURED
    assert len(CAPTURED) == CAPTURED_LENGTH


@pytest.mark.parametrize(
    ("condition", "action", "wanted"),
    [
        pytest.param(
            {"type": "TTL"},
            WEBHOOK,
            b'{"type":"TTL","params":null},"action":{"type":"WEBHOOK","params":{"selectors":null,'
            b'"url":"http://ci.example.com/hook"}}',
            id="no parameters at all",
        ),
        pytest.param(
            {"type": "TTL", "params": {}},
            DELETE,
            b'{"type":"TTL","params":{"ttlSeconds":null,"podLabels":null,"initialDelaySeconds":null,'
            b'"periodSeconds":null,"minChecks":null}},"action":{"type":"DELETE","params":null}',
            id="parameters without a value",
        ),
        pytest.param(
            {"type": "TTL", "params": {"ttlSeconds": 40, "minChecks": 2}},
            {
                "type": "WEBHOOK",
                "params": {
                    "url": "https://x.example.com",
                    "secretRef": {"name": "dayfly-webhook"},
                    "selectors": [
                        {"kind": "Deployment"},
                        {"kind": "StatefulSet", "labels": {"a": "b"}},
                    ],
                },
            },
            b'{"type":"TTL","params":{"ttlSeconds":40,"podLabels":null,"initialDelaySeconds":null,'
            b'"periodSeconds":null,"minChecks":2}},"action":{"type":"WEBHOOK","params":{"selectors":['
            b'{"kind":"Deployment","labels":null},{"kind":"StatefulSet","labels":{"a":"b"}}],'
            b'"url":"https://x.example.com"}}',
            id="all there is, but not who signs it",
        ),
        pytest.param(
            until(NOW),
            WEBHOOK,
            b'{"type":"UNTIL","params":{"ttlSeconds":null,"podLabels":null,"initialDelaySeconds":null,'
            b'"periodSeconds":null,"minChecks":null,"until":"2026-11-22T10:00:00+00:00"}}',
            id="what the original did not know comes last",
        ),
    ],
)
def test_what_is_unset_is_null(
    condition: dict[str, Any], action: dict[str, Any], wanted: bytes
) -> None:
    assert wanted in body(a_manager(a_policy(condition, action)))


def test_the_body_says_who_and_where() -> None:
    policy = namespace_manager.read(a_manager()).policies[0]
    sent = webhook_body(ObjectMeta(name="ci", namespace="tools"), policy, "team-a")
    assert sent.startswith(
        b'{"namespaceManager":{"namespace":"tools","name":"ci"},"policy":{"name"'
    )
    assert sent.endswith(b'},"namespace":"team-a"}')
