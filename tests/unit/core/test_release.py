"""How a release ends: tables of what is in the way, and of who is waited for."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from dayfly_core import names
from dayfly_core.actions import Action, Delete, Stamp
from dayfly_core.guard import Guard
from dayfly_core.helm import marks as helm
from dayfly_core.helm.manifest import Document, Identity
from dayfly_core.helm.marks import ReleaseRef
from dayfly_core.helm.release import (
    Blocker,
    Hold,
    Sighting,
    Step,
    Surroundings,
    holding,
    judge,
    marked,
    of_records,
)
from dayfly_core.helm.storage import Revision
from dayfly_core.objects import DEPLOYMENTS, NAMESPACES, Key, ObjectMeta, Resource
from dayfly_core.reasons import Reason
from dayfly_core.stamps import Stamps
from dayfly_core.subject import Plan
from support.build import CONFIG_MAPS, NOW, controlled
from support.helm_secrets import SHOP

OTHER = ReleaseRef("team-b", "shop")
ROLES = Resource("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", namespaced=False)
CRDS = Resource(
    "apiextensions.k8s.io",
    "v1",
    "customresourcedefinitions",
    "CustomResourceDefinition",
    namespaced=False,
)
CLAIMS = Resource("dayfly.dev", "v1alpha1", "stays", "Stay", namespaced=True)
AROUND = Surroundings(Guard("dayfly-system"))
WEB = Key(DEPLOYMENTS, "team-a", "web")


def made(
    ref: ReleaseRef = SHOP,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    **fields: Any,
) -> ObjectMeta:
    """Make the metadata of what Helm made."""
    marks = {helm.RELEASE_NAME: ref.name, helm.RELEASE_NAMESPACE: ref.namespace}
    return ObjectMeta(
        uid="u-1",
        resource_version="7",
        labels={helm.MANAGED_BY: "Helm", **(labels or {})},
        annotations={**marks, **(annotations or {})},
        **fields,
    )


def seen(key: Key | None, meta: ObjectMeta | None, *, stays: bool = False) -> Sighting:
    name = key.name if key else "gone"
    kind = key.resource.kind if key else "Thing"
    return Sighting(Document(Identity("v1", kind, "", name), stays), key, meta)


@pytest.mark.parametrize(
    ("sighting", "steps", "kept"),
    [
        pytest.param(seen(WEB, made()), [Step(WEB, "u-1", "7")], [], id="an object of its own"),
        pytest.param(
            seen(WEB, made(annotations={names.ENDED_BY: "ExpiryPolicy/a"})),
            [Step(WEB, "u-1", "7", marked=True)],
            [],
            id="one that an earlier leader has marked",
        ),
        pytest.param(
            seen(WEB, made(labels={names.ENDED_BY: "previews"})),
            [Step(WEB, "u-1", "7", marked=True)],
            [],
            id="one that is marked by a label",
        ),
        pytest.param(seen(None, None), [], [], id="of a kind that is not served any more"),
        pytest.param(seen(WEB, None), [], [], id="gone"),
        pytest.param(seen(WEB, made(deletion_timestamp=NOW)), [], [], id="going"),
        pytest.param(seen(WEB, made(), stays=True), [], [str(WEB)], id="kept by the manifest"),
        pytest.param(
            seen(WEB, made(annotations={helm.RESOURCE_POLICY: "keep"})),
            [],
            [str(WEB)],
            id="kept by what somebody wrote on it",
        ),
        pytest.param(
            seen(WEB, ObjectMeta(labels={names.PROTECTED: "true"}), stays=True),
            [],
            [str(WEB)],
            id="what is kept is in nobody's way",
        ),
        pytest.param(
            seen(Key(ROLES, "", "shop"), made()),
            [Step(Key(ROLES, "", "shop"), "u-1", "7")],
            [],
            id="a role, that no policy may name",
        ),
    ],
)
def test_what_ends_and_what_is_kept(sighting: Sighting, steps: list[Step], kept: list[str]) -> None:
    plan = judge(SHOP, [sighting], AROUND, ["Job/migrate"])
    assert (list(plan.steps), list(plan.kept)) == (steps, kept)
    assert plan.hooks == ("Job/migrate",)
    assert plan.blockers == ()


@pytest.mark.parametrize(
    ("key", "meta", "around", "reason", "says"),
    [
        pytest.param(
            WEB,
            ObjectMeta(uid="u-1"),
            AROUND,
            Reason.RELEASE_FOREIGN,
            "deployments.apps/team-a/web is not marked as made by the Helm release team-a/shop",
            id="what Helm did not make",
        ),
        pytest.param(
            WEB,
            made(OTHER),
            AROUND,
            Reason.RELEASE_FOREIGN,
            "deployments.apps/team-a/web belongs to the Helm release team-b/shop",
            id="another release's, of the same name elsewhere",
        ),
        pytest.param(
            WEB,
            made(),
            replace(AROUND, others={WEB: OTHER}),
            Reason.RELEASE_FOREIGN,
            "deployments.apps/team-a/web is listed by the Helm release team-b/shop too",
            id="shared",
        ),
        pytest.param(
            WEB,
            made(owner_references=controlled()),
            AROUND,
            Reason.CONTROLLED,
            "deployments.apps/team-a/web is controlled by another object",
            id="controlled",
        ),
        pytest.param(
            WEB,
            made(labels={names.PROTECTED: "true"}),
            AROUND,
            Reason.PROTECTED,
            "deployments.apps/team-a/web carries the label dayfly.dev/protected",
            id="protected",
        ),
        pytest.param(
            Key(CONFIG_MAPS, "kube-system", "a"),
            made(),
            AROUND,
            Reason.GUARDED,
            "configmaps/kube-system/a cannot end: objects in namespace kube-system are guarded and "
            "never ended",
            id="in a guarded namespace",
        ),
        pytest.param(
            Key(NAMESPACES, "", "default"),
            made(),
            AROUND,
            Reason.GUARDED,
            "namespaces/default cannot end: namespace default is guarded and never ended",
            id="a guarded namespace",
        ),
        pytest.param(
            Key(CRDS, "", "things.example.com"),
            made(),
            AROUND,
            Reason.GUARDED,
            "customresourcedefinitions.apiextensions.k8s.io/things.example.com "
            "cannot end: customresourcedefinitions.apiextensions.k8s.io are never ended, not with "
            "a release either",
            id="a definition, with which all that others made of it would go",
        ),
        pytest.param(
            Key(CLAIMS, "team-a", "a"),
            made(),
            AROUND,
            Reason.GUARDED,
            "stays.dayfly.dev/team-a/a cannot end: stays.dayfly.dev are never ended, not with "
            "a release either",
            id="a kind of Dayfly's own",
        ),
        pytest.param(
            Key(CONFIG_MAPS, "team-a", "kube-root-ca.crt"),
            made(),
            AROUND,
            Reason.GUARDED,
            "configmaps/team-a/kube-root-ca.crt cannot end: kube-root-ca.crt belongs to the "
            "control plane, which would make it again",
            id="furniture of the control plane",
        ),
        pytest.param(
            WEB,
            made(),
            replace(AROUND, obstacles={WEB: Blocker(Reason.MISSING_RIGHTS, "cannot end", WEB)}),
            Reason.MISSING_RIGHTS,
            "deployments.apps/team-a/web cannot end",
            id="what only the API server knows",
        ),
    ],
)
def test_what_is_in_the_way(
    key: Key, meta: ObjectMeta, around: Surroundings, reason: str, says: str
) -> None:
    (blocker,) = judge(SHOP, [seen(key, meta)], around).blockers
    assert (blocker.reason, blocker.text) == (reason, says)


def test_one_that_is_in_the_way_hides_no_other() -> None:
    strangers = [Key(CONFIG_MAPS, "team-a", name) for name in "ab"]
    plan = judge(SHOP, [seen(key, ObjectMeta()) for key in strangers], AROUND)
    assert [blocker.key for blocker in plan.blockers] == strangers


@pytest.mark.parametrize(
    ("meta", "says"),
    [
        pytest.param(ObjectMeta(namespace="team-a"), None, id="as Helm writes it"),
        pytest.param(
            ObjectMeta(namespace="team-a", labels={names.PROTECTED: "true"}),
            "secrets/team-a/ carries the label dayfly.dev/protected",
            id="protected",
        ),
        pytest.param(
            ObjectMeta(namespace="team-a", owner_references=controlled()),
            "secrets/team-a/ is controlled by another object",
            id="controlled",
        ),
        pytest.param(
            ObjectMeta(namespace="kube-system"),
            "secrets/kube-system/ cannot end: objects in namespace kube-system are guarded and "
            "never ended",
            id="in a guarded namespace: whatever it lists elsewhere",
        ),
    ],
)
def test_what_keeps_helms_own_secret_keeps_the_release(meta: ObjectMeta, says: str | None) -> None:
    records = of_records([Revision(meta, 1, "deployed")], AROUND.guard)
    plan = judge(SHOP, [seen(WEB, made())], replace(AROUND, records=records))
    assert [blocker.text for blocker in plan.blockers] == ([says] if says else [])


def test_what_is_about_no_object_says_only_itself() -> None:
    assert Blocker(Reason.RELEASE_UNREADABLE, "it is no gzip").text == "it is no gzip"


DELETE: Action = Delete(WEB, "u-1", "7", NOW, "previews")
STAMP: Action = Stamp(WEB, "u-1", "7", Stamps(), Reason.CAUGHT_UP, "previews")
LATER = NOW + timedelta(hours=1)


@pytest.mark.parametrize(
    ("plan", "brake", "want"),
    [
        pytest.param(Plan((DELETE,), None, Reason.EXPIRED), None, None, id="its end has come"),
        pytest.param(
            Plan((DELETE,), None, Reason.EXPIRED),
            "the breaker is open",
            Hold(WEB, None, "is held back: the breaker is open"),
            id="its end has come and is held back",
        ),
        pytest.param(
            Plan((), LATER, Reason.NOT_DUE),
            None,
            Hold(WEB, LATER, "has its next step at 2026-11-22T11:00:00Z"),
            id="it ends later",
        ),
        pytest.param(
            Plan((), None, Reason.UNCHANGED, "never ends"),
            None,
            Hold(WEB, None, "never ends"),
            id="it never ends",
        ),
        pytest.param(
            Plan((), None, Reason.INERT),
            None,
            Hold(WEB, None, "has an end, but no policy covers it any more", forsaken=True),
            id="its policy is gone",
        ),
        pytest.param(
            Plan((STAMP,), NOW, Reason.CAUGHT_UP),
            None,
            Hold(WEB, None, "does not end (CaughtUp)"),
            id="it gets its end just now",
        ),
        pytest.param(Plan((), None, Reason.DELETED), None, None, id="it is going already"),
        pytest.param(
            Plan((), None, Reason.PROTECTED), None, None, id="it is protected: that is named"
        ),
        pytest.param(Plan((), None, Reason.GUARDED), None, None, id="it is guarded: likewise"),
        pytest.param(Plan((), None, Reason.CONTROLLED), None, None, id="controlled: likewise"),
    ],
)
def test_who_is_waited_for(plan: Plan, brake: str | None, want: Hold | None) -> None:
    assert holding(WEB, plan, NOW, brake) == want


def test_a_hold_says_who_holds() -> None:
    assert Hold(WEB, None, "never ends").text == "deployments.apps/team-a/web never ends"


def test_what_says_itself_that_it_is_of_the_release() -> None:
    stranger = Key(CONFIG_MAPS, "team-a", "stranger")
    sightings = [seen(WEB, made()), seen(stranger, made(OTHER)), seen(stranger, None)]
    assert marked(SHOP, [*sightings, seen(None, made())]) == (WEB,)
