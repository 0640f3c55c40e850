from typing import Any

import pytest

from dayfly_core import conformance, crd
from dayfly_core.structural import Schema


def walk(schema: Schema, path: str) -> list[tuple[str, Schema]]:
    nested = [walk(field, f"{path}.{name}") for name, field in schema.get("properties", {}).items()]
    items = walk(schema["items"], f"{path}[]") if "items" in schema else []
    return [(path, schema), *(found for part in nested for found in part), *items]


def roots(definition: dict[str, Any]) -> dict[str, Schema]:
    root = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return {
        part: root["properties"][part] for part in ("spec", "status") if part in root["properties"]
    }


DEFINITION = crd.definition(crd.EXPIRY_POLICY)
CLAIM = crd.definition(crd.NAME_CLAIM)
STAY = crd.definition(crd.STAY)
VERSION = DEFINITION["spec"]["versions"][0]
SCHEMA: Schema = VERSION["schema"]["openAPIV3Schema"]
FIELDS = [
    pytest.param(schema, id=f"{definition['spec']['names']['kind']}.{path}")
    for definition in (DEFINITION, CLAIM, STAY, *crd.components().values())
    for part, root in roots(definition).items()
    for path, schema in walk(root, part)
    if not path.endswith("[]")
]


def test_the_name_is_plural_and_group() -> None:
    assert DEFINITION["metadata"]["name"] == "expirypolicies.dayfly.dev"
    assert DEFINITION["spec"]["scope"] == "Cluster"
    assert crd.definitions() == [DEFINITION, CLAIM, STAY]


def test_kubectl_get_answers_when_it_ends_and_whether_it_is_well() -> None:
    columns = [column["name"] for column in VERSION["additionalPrinterColumns"]]
    assert columns == [
        "Priority",
        "Default",
        "Max",
        "Objects",
        "Next End",
        "Ready",
        "Enforceable",
        "Age",
    ]
    assert VERSION["subresources"] == {"status": {}}


@pytest.mark.parametrize(
    ("component", "name", "short_names", "columns"),
    [
        pytest.param(
            "ephemerator",
            "ephemerators.tessellate.io",
            [],
            ["Namespace", "Ends", "Ready", "Reason", "Age"],
            id="eph stays free: it is Ephemeron's",
        ),
        pytest.param(
            "namespace-manager",
            "namespacemanagers.k8s.consol.de",
            ["nsman"],
            ["Manages", "Deactivated", "Next Check", "Ready", "Reason", "Age"],
            id="nsman, as in the original's documents",
        ),
    ],
)
def test_kinds_of_components(
    component: str, name: str, short_names: list[str], columns: list[str]
) -> None:
    definition = crd.components()[component]
    [version] = definition["spec"]["versions"]
    assert definition["metadata"]["name"] == name
    assert definition["spec"]["names"].get("shortNames", []) == short_names
    assert [column["name"] for column in version["additionalPrinterColumns"]] == columns
    assert version["subresources"] == {"status": {}}


def test_kubectl_get_answers_who_has_a_name() -> None:
    version = CLAIM["spec"]["versions"][0]
    columns = [column["name"] for column in version["additionalPrinterColumns"]]
    assert columns == ["Kind", "Key", "State", "Holder", "Namespace", "Holder Name", "Age"]
    assert "subresources" not in version
    assert list(version["schema"]["openAPIV3Schema"]["properties"]) == ["metadata", "spec"]


def test_kubectl_get_answers_what_came_of_a_stay() -> None:
    version = STAY["spec"]["versions"][0]
    columns = [column["name"] for column in version["additionalPrinterColumns"]]
    assert columns == ["For", "Until", "Wake", "Granted", "Ends", "Age"]
    assert STAY["spec"]["names"]["shortNames"] == []
    assert STAY["spec"]["scope"] == "Namespaced"
    rules = version["schema"]["openAPIV3Schema"]["properties"]["spec"]["x-kubernetes-validations"]
    assert len(rules) == 3


def test_a_policys_name_becomes_a_label_value_that_of_a_claim_does_not() -> None:
    lengths = [
        definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["metadata"]
        for definition in crd.definitions()
    ]
    assert [at["properties"]["name"]["maxLength"] for at in lengths] == [63, 253, 253]


@pytest.mark.parametrize("schema", FIELDS)
def test_every_field_is_documented(schema: Schema) -> None:
    assert schema["description"].endswith((".", '"*".'))


@pytest.mark.parametrize("schema", FIELDS)
def test_every_text_and_list_of_the_spec_is_bounded(schema: Schema) -> None:
    limit = {"string": "maxLength", "array": "maxItems"}.get(schema["type"])
    status = "date-time" in str(schema) or "maxLength" not in str(SCHEMA["properties"]["spec"])
    assert limit is None or status or limit in schema or "enum" in schema


def test_the_api_server_makes_up_no_status() -> None:
    assert "'default'" not in str(SCHEMA["properties"]["status"])


def test_all_that_limits_a_value_is_checked_in_code_too() -> None:
    said = {"description", "type", "format", "properties", "items", "required", "default"}
    by_rule = {"additionalProperties", "x-kubernetes-validations"}
    keywords = {
        keyword for _, schema in walk(SCHEMA["properties"]["spec"], "") for keyword in schema
    }
    assert keywords <= said | by_rule | set(conformance.LIMITS)


@pytest.mark.parametrize(
    ("schema", "value", "want"),
    [
        pytest.param({"type": "integer"}, 5, [], id="a number is a number"),
        pytest.param({"type": "integer"}, True, ["must be of type integer"], id="true is none"),
        pytest.param({"type": "string"}, None, ["must be of type string"], id="null is nothing"),
        pytest.param({"type": "boolean"}, True, [], id="true is a boolean"),
        pytest.param(
            {"type": "string", "maxLength": 3},
            "four",
            ["must have at most 3 characters"],
            id="long",
        ),
        pytest.param(
            {"type": "object", "properties": {}}, {"newer": 1}, [], id="unknown fields may be newer"
        ),
    ],
)
def test_conformance(schema: Schema, value: Any, want: list[str]) -> None:
    assert [fault.detail for fault in conformance.faults(schema, value, "x")] == want
