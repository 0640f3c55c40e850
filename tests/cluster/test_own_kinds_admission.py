"""Whoever has Dayfly end, scale down or extend a namespace: what they read if they may not."""

import json
from collections.abc import Iterator
from functools import partial

import pytest

from playground import ControlPlane, System
from playground.commands import Result
from playground.process import eventually
from support import base
from support.own_manifests import a_manager, a_policy, a_stay, an_ephemerator, until
from support.reviews import Json
from support.tenants import Stage, prepared

pytestmark = pytest.mark.cluster

SOON = 60.0
"""Seconds until waiting for what takes a moment is given up."""

DAYS: Json = {"duration": {"days": 9}}
"""Of all Ephemerators here: none comes to its end."""
MONTHS: Json = {"ttlSeconds": 9_000_000}
DELETE = a_policy(condition_params=MONTHS)
DOWN = a_policy("SCALE_DOWN", condition_params=MONTHS)


@pytest.fixture(scope="module")
def plane(binaries: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with ControlPlane.start(tmp_path_factory.mktemp("own-kinds")) as started:
        yield started


@pytest.fixture(scope="module")
def stage(plane: ControlPlane) -> Iterator[Stage]:
    with System.install(
        plane, admissions=1, operators=1, manifests=base.MANIFESTS / "everything"
    ) as installed:
        yield prepared(plane, installed)


ASK = (
    ", and Dayfly does for nobody what they may not do themselves; ask for that right, or have "
    "dayfly admission run with --allow-any-target"
)


def forbidden(result: Result) -> str:
    """Return what was refused, and why, without kubectl's own words."""
    assert not result.ok
    assert "Error from server (Forbidden)" in result.stderr, result.stderr
    return result.stderr.strip().partition("denied the request: ")[2]


WAYS = [
    pytest.param(words.split(), id=f"kubectl {words}")
    for words in ("apply", "create", "apply --server-side", "create --dry-run=server")
]


@pytest.mark.parametrize("words", WAYS)
def test_p14_an_ephemerator_needs_the_right_to_delete_its_namespace(
    stage: Stage, words: list[str]
) -> None:
    refused = stage.write("tenant", an_ephemerator("shop", DAYS), *words)
    assert forbidden(refused) == (
        'ephemerators.tessellate.io "shop-ends" is forbidden: spec.resourceToWatch.namespace: '
        f"tenant may not delete namespaces/shop{ASK}"
    )


@pytest.mark.parametrize("words", WAYS)
def test_n13_a_namespace_manager_needs_the_right_to_delete_its_namespace(
    stage: Stage, words: list[str]
) -> None:
    refused = stage.write("tenant", a_manager(DELETE, target="shop"), *words)
    assert forbidden(refused) == (
        'namespacemanagers.k8s.consol.de "ci" is forbidden: spec.namespace: tenant may not '
        f"delete namespaces/shop{ASK}"
    )


def test_p14_who_may_delete_the_namespace_may_have_it_ended(stage: Stage) -> None:
    ends = an_ephemerator("shop", DAYS)
    let_in = stage.write("keeper", ends, "create", "--dry-run=server")
    assert let_in.ok, let_in.stderr
    assert "Warning: namespace shop ends " in let_in.stderr
    assert "by Ephemerator shop-ends" in let_in.stderr


@pytest.mark.parametrize(
    ("user", "manifest", "right"),
    [
        pytest.param("worker", a_manager(DOWN, target="shop"), "", id="who edits may scale down"),
        pytest.param(
            "worker",
            a_manager(DOWN, DELETE, target="shop"),
            "worker may not delete namespaces/shop",
            id="and not delete",
        ),
        pytest.param(
            "keeper",
            a_manager(DOWN, target="shop"),
            "keeper may not patch deployments.apps in namespace shop, nor patch statefulsets.apps "
            "in namespace shop",
            id="who deletes may not scale down",
        ),
        pytest.param("keeper", a_manager(DELETE, target="shop"), "", id="but delete"),
        pytest.param("tenant", a_manager(DELETE, name="team-a"), "", id="one's own is one's own"),
        pytest.param(
            "tenant",
            a_manager(a_policy("NOTIFY", "PODS_SUCCEED"), target="shop"),
            "tenant may not patch namespaces/shop",
            id="a warning is written there for who may write there",
        ),
        pytest.param(
            "tenant",
            a_manager(DELETE, target="not-there-yet"),
            "tenant may not delete namespaces/not-there-yet",
            id="before there is such a namespace",
        ),
    ],
)
def test_n13_what_is_done_needs_the_right_to_do_it(
    stage: Stage, user: str, manifest: Json, right: str
) -> None:
    result = stage.write(user, manifest, "create", "--dry-run=server")
    if right:
        assert f": {right}{ASK}" in forbidden(result)
    else:
        assert result.ok, result.stderr


@pytest.mark.parametrize(
    ("manifest", "causes"),
    [
        pytest.param(
            an_ephemerator("kube-system", until("2026-02-30", "10:00:00", "Mars/Base")),
            [
                'spec.resourceToWatch.namespace: Invalid value: "kube-system": namespace '
                "kube-system is guarded and never ended; name another one",
                'spec.lifetime.until.timezone: Invalid value: "Mars/Base": is no IANA time zone',
                'spec.lifetime.until.date: Invalid value: "2026-02-30":',
                'spec.resourceToWatch.namespace: Invalid value: "kube-system": tenant may not '
                "delete namespaces/kube-system",
            ],
            id="an Ephemerator",
        ),
        pytest.param(
            a_manager(DELETE, a_policy("WEBHOOK", url="http://169.254.169.254/"), target="default"),
            [
                'spec.namespace: Invalid value: "default": namespace default is guarded',
                'spec.policies[1].action.params.url: Invalid value: "http://169.254.169.254/":',
                'spec.namespace: Invalid value: "default": tenant may not delete',
            ],
            id="a NamespaceManager",
        ),
    ],
)
def test_everything_that_is_wrong_is_told_at_once(
    stage: Stage, manifest: Json, causes: list[str]
) -> None:
    refused = stage.write("tenant", manifest, "create")
    assert f'The {manifest["kind"]} "' in refused.stderr
    assert "is invalid:" in refused.stderr
    lines = refused.stderr.splitlines()[1:]
    assert len(lines) == len(causes)
    for line, cause in zip(lines, causes, strict=True):
        assert line.startswith(f"* {cause}")


def test_negative_numbers_are_refused_by_the_schema_itself(stage: Stage) -> None:
    negative = an_ephemerator("shop", {"duration": {"hours": -1}})
    assert "should be greater than or equal to 0" in stage.write("keeper", negative).stderr


def test_a_kind_that_is_skipped_is_said_and_let_in(stage: Stage) -> None:
    selectors = [{"kind": "CronJob"}, {"kind": "Deployment"}]
    down = a_policy("SCALE_DOWN", selectors=selectors, condition_params=MONTHS)
    result = stage.write("worker", a_manager(down, target="shop"), "create", "--dry-run=server")
    assert result.ok, result.stderr
    skipped = "policy the policy skips the kind CronJob: it knows deployment and statefulset"
    assert f"Warning: {skipped}" in result.stderr


def test_who_is_not_asked_again(stage: Stage) -> None:
    """An administrator's manager, in the hands of a tenant who may not delete its namespace."""
    stage.given(a_manager(DELETE, target="shop", name="handed-over"))
    there = ("namespacemanager", "handed-over", "-n", "team-a")

    def patched(spec: Json) -> Result:
        return stage.run("tenant", "patch", *there, "--type=merge", "-p", json.dumps(spec))

    assert stage.run("tenant", "label", *there, "seen=yes").ok
    assert patched({"spec": {"deactivated": True}}).ok
    for change in (
        {"deactivated": False},
        {"policies": [a_policy(condition_params={"ttlSeconds": 1})]},
        {"namespace": "kept"},
    ):
        assert "tenant may not delete namespaces/" in forbidden(patched({"spec": change}))


def test_an_ephemerator_is_switched_on_by_who_may_end_its_namespace(stage: Stage) -> None:
    stage.given(an_ephemerator("shop", DAYS, enabled=False))
    switch = ("annotate", "ephemerator", "shop-ends")
    for key in ("ephemerators.tessellate.io/enabled", "ephmerators.tessellate.io/enabled"):
        refused = stage.run("tenant", *switch, f"{key}=true")
        assert "tenant may not delete namespaces/shop" in forbidden(refused)
    assert stage.run("tenant", *switch, "note=seen").ok
    assert stage.run("keeper", *switch, "ephemerators.tessellate.io/enabled=true").ok
    off = stage.run("tenant", *switch, "--overwrite", "ephemerators.tessellate.io/enabled=false")
    assert off.ok, off.stderr


def test_what_is_protected_is_said(stage: Stage) -> None:
    manager = an_ephemerator("kept", DAYS)
    manager["metadata"]["name"] = "kept-ends"
    told = stage.system.plane.try_kubectl(
        "create", "--dry-run=server", "-f", "-", stdin=json.dumps(manager)
    )
    assert "as long as it carries the label dayfly.dev/protected" in told.stderr


# Stays.


def test_a_tenant_asks_for_the_namespace_to_stay(stage: Stage) -> None:
    granted = stage.write("tenant", unnamed(a_stay(length="3d")), "create", "--dry-run=server")
    assert granted.ok, granted.stderr
    assert "Warning: namespace team-a ends " in granted.stderr
    assert "by ExpiryPolicy teams" in granted.stderr


@pytest.mark.parametrize(
    ("spec", "refusal"),
    [
        pytest.param(
            {"length": "9d"},
            'spec.for: Invalid value: "9d": ExpiryPolicy teams allows',
            id="too long",
        ),
        pytest.param(
            {"until": "2020-01-01T00:00:00Z", "length": "1h"}, "takes for or until", id="both"
        ),
        pytest.param({}, "must ask for something", id="nothing"),
        pytest.param({"until": "tomorrow"}, "must be an instant in RFC 3339", id="no instant"),
        pytest.param({"length": "3 days"}, "must be from 1s to 100 years", id="no length"),
    ],
)
def test_a_stay_that_is_refused(stage: Stage, spec: Json, refusal: str) -> None:
    refused = stage.write("tenant", unnamed(a_stay(**spec)), "create")
    assert 'The Stay "longer" is invalid' in refused.stderr
    assert refusal in refused.stderr


def test_a_stay_where_nothing_ends(stage: Stage) -> None:
    stay = unnamed(a_stay(wake=True))
    stay["metadata"]["namespace"] = "shop"
    refused = stage.write("worker", stay, "create")
    assert "no ExpiryPolicy has given the namespace an end" in refused.stderr


def test_a_stay_is_asked_once(stage: Stage) -> None:
    stay = unnamed(a_stay(length="2d"))
    stay["metadata"]["name"] = "once"
    assert stage.write("tenant", stay, "create").ok
    stay["spec"]["for"] = "3d"
    assert "create another" in stage.write("tenant", stay, "apply").stderr


def unnamed(stay: Json) -> Json:
    """Leave the uid to the API server."""
    del stay["metadata"]["uid"]
    return stay


# The flag, at last: it takes other programs.


def let_in(stage: Stage, manifest: Json) -> bool:
    """Whether the tenant may write it, as soon as the API server asks those that run now."""
    result = stage.write("tenant", manifest, "create", "--dry-run=server")
    assert "Forbidden" not in result.stderr
    return result.ok or "AlreadyExists" in result.stderr


def test_a_flag_restores_the_openness_of_the_originals(plane: ControlPlane, stage: Stage) -> None:
    stage.system.stop()
    with System.install(
        plane,
        admissions=1,
        operators=1,
        admission_flags=("--allow-any-target",),
        manifests=base.MANIFESTS / "everything",
    ):
        for manifest in (an_ephemerator("shop", DAYS), a_manager(DELETE, target="shop")):
            assert eventually(partial(let_in, stage, manifest), SOON)
        guarded = stage.write("tenant", a_manager(DELETE, target="default"), "create")
        assert "namespace default is guarded" in guarded.stderr
