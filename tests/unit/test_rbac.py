"""The shipped roles grant what the programs use, and nothing more."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from dayfly_core import guard, names
from support.rights import ENDING, NEEDED, granted

BASE = Path(__file__).parents[2] / "manifests" / "base"
ROLES = ("rbac-admission.yaml", "rbac-operator.yaml")
DOCUMENTS: list[dict[str, Any]] = [
    document for file in ROLES for document in yaml.safe_load_all((BASE / file).read_text())
]
ENDING_RULES: list[dict[str, Any]] = [
    rule
    for document in DOCUMENTS
    if names.AGGREGATE_LABEL in document["metadata"].get("labels", {})
    for rule in document["rules"]
]


def test_roles_grant_exactly_what_the_programs_use() -> None:
    assert granted(DOCUMENTS) == NEEDED


@pytest.mark.parametrize("rule", ENDING_RULES, ids=lambda rule: ",".join(rule["resources"]))
def test_ending_a_kind_takes_these_verbs(rule: dict[str, Any]) -> None:
    assert set(rule["verbs"]) == ENDING


def test_no_kind_that_no_policy_may_name_can_be_ended() -> None:
    pairs = [
        (group, resource)
        for rule in ENDING_RULES
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    ]
    assert pairs
    assert not [pair for pair in pairs if guard.off_limits(*pair)]


@pytest.mark.parametrize(
    ("account", "verbs"),
    [
        pytest.param(
            names.ADMISSION_ACCOUNT,
            {"get", "list", "watch", "create", "patch", "delete"},
            id="admission reads, and writes claims",
        ),
        pytest.param(
            names.OPERATOR_ACCOUNT,
            {"get", "list", "watch", "create", "update", "patch", "delete"},
            id="the operator's own role",
        ),
    ],
)
def test_verbs_of_an_account(account: str, verbs: set[str]) -> None:
    assert {right.verb for right in granted(DOCUMENTS) if right.account == account} == verbs


@pytest.mark.parametrize(
    ("verb", "resources"),
    [
        pytest.param(
            "create",
            {"leases", "events", "nameclaims", "subjectaccessreviews"},
            id="nobody creates Secrets or webhook configurations",
        ),
        pytest.param("delete", {"nameclaims"}, id="by their own roles they delete claims alone"),
    ],
)
def test_what_a_verb_is_granted_for(verb: str, resources: set[str]) -> None:
    assert {right.resource for right in granted(DOCUMENTS) if right.verb == verb} == resources


def test_admission_writes_nothing_but_claims() -> None:
    writes = {"create", "update", "patch", "delete", "deletecollection"}
    written = {
        (right.resource, right.verb)
        for right in granted(DOCUMENTS)
        if right.account == names.ADMISSION_ACCOUNT and right.verb in writes
    }
    claims = {("nameclaims", verb) for verb in ("create", "patch", "delete")}
    assert written == claims | {("subjectaccessreviews", "create")}


def test_what_base_may_end_can_be_looked_up_as_a_holder() -> None:
    ended = {
        (group, resource)
        for rule in ENDING_RULES
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }
    read = {
        (right.group, right.resource)
        for right in granted(DOCUMENTS)
        if right.account == names.ADMISSION_ACCOUNT and right.verb == "get"
    }
    assert ended == read - {(names.GROUP, "nameclaims")}


def test_no_wildcards() -> None:
    text = "".join((BASE / file).read_text() for file in ROLES)
    assert '"*"' not in text
