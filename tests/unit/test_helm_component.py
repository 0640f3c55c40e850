"""The component for Helm releases: what it grants, and what not."""

from pathlib import Path
from typing import Any

import yaml

from dayfly_core import guard, names
from dayfly_core.objects import Resource
from dayfly_operator.helm.survey import needed
from dayfly_operator.rights import FOR_RELEASES

FOLDER = Path(__file__).parents[2] / "manifests" / "components" / "helm"
[ROLE] = yaml.safe_load_all((FOLDER / "rights.yaml").read_text())
RULES: list[dict[str, Any]] = ROLE["rules"]
VERBS = {
    (group, plural): set(rule["verbs"])
    for rule in RULES
    for group in rule["apiGroups"]
    for plural in rule["resources"]
}


def test_it_adds_to_what_the_operator_may_end_and_every_file_is_used() -> None:
    assert ROLE["metadata"]["labels"][names.AGGREGATE_LABEL] == "true"
    [kustomization] = yaml.safe_load_all((FOLDER / "kustomization.yaml").read_text())
    files = {path.name for path in FOLDER.glob("*.yaml")}
    assert set(kustomization["resources"]) == files - {"kustomization.yaml"}


def test_it_grants_what_is_asked_for_before_anything_begins() -> None:
    assert set(FOR_RELEASES) <= VERBS["", "secrets"]
    for (group, plural), verbs in VERBS.items():
        resource = Resource(group, "v1", plural, "", namespaced=True)
        assert {"get", *needed(resource)} <= verbs, plural


def test_roles_can_be_ended_but_not_changed() -> None:
    roles = {pair: verbs for pair, verbs in VERBS.items() if "rbac" in pair[0]}
    assert len(roles) == 4
    assert all(verbs == {"get", "delete"} for verbs in roles.values())


def test_of_what_no_policy_may_name_it_grants_nothing_but_roles() -> None:
    limits = {pair for pair in VERBS if guard.off_limits(*pair)}
    assert {group for group, _ in limits} == {"rbac.authorization.k8s.io"}
