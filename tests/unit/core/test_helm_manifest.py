import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayfly_core.helm.manifest import (
    INSTALL_ORDER,
    MOST,
    Document,
    Identity,
    documents,
    ending_order,
)
from dayfly_core.helm.storage import UnreadableRelease, decode
from support.helm_secrets import recorded


def an_item(kind: str, name: str = "a", namespace: str = "") -> Document:
    return Document(Identity("v1", kind, namespace, name))


def kinds_and_names(revision: int) -> list[str]:
    listed = documents(decode(recorded(revision)["data"]["release"]).manifest)
    return [f"{d.identity.kind}/{d.identity.name}" for d in ending_order(listed)]


def test_a_real_release_ends_in_reverse_order_and_without_its_hook_and_definition() -> None:
    assert kinds_and_names(2) == [
        "Thing/first",
        "Deployment/web",
        "Service/web",
        "ClusterRole/team-a:shop",
        "ConfigMap/2026-11-22",
        "ConfigMap/settings",
    ]


def test_a_list_in_a_real_release_stands_for_what_it_lists() -> None:
    found = kinds_and_names(1)
    assert found[-1] == "ServiceAccount/shop"
    assert "ConfigMap/elsewhere" in found
    assert "List/" not in "".join(found)


def test_what_is_to_stay_and_what_lies_elsewhere_is_known() -> None:
    listed = documents(decode(recorded(1)["data"]["release"]).manifest)
    assert [d.identity.name for d in listed if d.stays] == ["2026-11-22"]
    assert [d.identity.namespace for d in listed if d.identity.name == "elsewhere"] == ["default"]


@pytest.mark.parametrize(
    ("manifest", "want"),
    [
        pytest.param("", [], id="a chart without templates"),
        pytest.param("---\n# nothing\n---\n", [], id="nothing but comments"),
        pytest.param(
            "{apiVersion: apps/v1, kind: Deployment, metadata: {name: a, namespace: null}}",
            [Identity("apps/v1", "Deployment", "", "a")],
            id="a namespace that is null is none",
        ),
        pytest.param(
            "{apiVersion: v1, kind: SecretList, items: null, metadata: {name: a}}",
            [Identity("v1", "SecretList", "", "a")],
            id="a list without items is an object as any other",
        ),
        pytest.param(
            "{apiVersion: x/v1, kind: Playlist, items: [a], metadata: {name: b}}",
            [Identity("x/v1", "Playlist", "", "b")],
            id="not every kind that sounds like one is a list",
        ),
        pytest.param(
            "{apiVersion: x/v1, kind: Thing, items: {a: b}, metadata: {name: b}}",
            [Identity("x/v1", "Thing", "", "b")],
            id="items may be anything",
        ),
    ],
)
def test_what_is_listed(manifest: str, want: list[Identity]) -> None:
    assert [document.identity for document in documents(manifest)] == want


@pytest.mark.parametrize(
    ("manifest", "says"),
    [
        pytest.param("a: [", "not read as YAML", id="no YAML"),
        pytest.param("just a text", "no object", id="a text"),
        pytest.param("{kind: A, metadata: {name: a}}", "no object", id="no apiVersion"),
        pytest.param("{apiVersion: v1, kind: A, metadata: {}}", "no object", id="no name"),
        pytest.param("{apiVersion: v1, kind: A}", "no object", id="no metadata"),
        pytest.param("{kind: List, items: [a]}", "no object", id="a list of texts"),
        pytest.param(
            "--- {apiVersion: v1, kind: A, metadata: {name: a}}\n" * (MOST + 1),
            "more than 5000 objects",
            id="more than any chart has",
        ),
    ],
)
def test_what_is_not_read(manifest: str, says: str) -> None:
    with pytest.raises(UnreadableRelease, match=says):
        documents(manifest)


def test_group_and_version() -> None:
    assert (Identity("v1", "A", "", "a").group, Identity("v1", "A", "", "a").version) == ("", "v1")
    named = Identity("apps/v1", "A", "", "a")
    assert (named.group, named.version) == ("apps", "v1")


def test_what_is_listed_twice_ends_once() -> None:
    twice = [an_item("Pod"), an_item("Secret"), an_item("Pod")]
    assert ending_order(twice) == (an_item("Pod"), an_item("Secret"))


KINDS = st.sampled_from([*INSTALL_ORDER, "Thing", "Widget"])
ITEMS = st.lists(st.builds(an_item, KINDS, st.sampled_from("abc")), unique=True, max_size=30)


@given(ITEMS)
def test_custom_resources_go_first_then_every_kind_before_what_helm_installs_before_it(
    items: list[Document],
) -> None:
    ordered = ending_order(items)
    assert set(ordered) == set(items)
    assert len(ordered) == len(items)
    places = [_place(document.identity.kind) for document in ordered]
    assert places == sorted(places, reverse=True)


@given(ITEMS, st.randoms(use_true_random=False))
def test_the_order_of_kinds_does_not_depend_on_the_order_of_the_manifest(
    items: list[Document], chance: random.Random
) -> None:
    shuffled = chance.sample(items, len(items))
    kinds = [document.identity.kind for document in ending_order(items)]
    assert [document.identity.kind for document in ending_order(shuffled)] == kinds


@given(ITEMS)
def test_within_a_kind_the_last_that_was_installed_goes_first(items: list[Document]) -> None:
    ordered = ending_order(items)
    for kind in {document.identity.kind for document in items}:
        mine = [document for document in items if document.identity.kind == kind]
        assert [d for d in ordered if d.identity.kind == kind] == mine[::-1]


def _place(kind: str) -> int:
    return INSTALL_ORDER.index(kind) if kind in INSTALL_ORDER else len(INSTALL_ORDER)
