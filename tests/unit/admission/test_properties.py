"""Whatever is sent: a well-formed answer, a patch that applies, and nothing left to patch then."""

import asyncio
import copy
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dayfly_admission import answer
from dayfly_admission.claiming import Claiming
from dayfly_admission.naming import LoopClock, Naming
from dayfly_admission.own_kinds import OwnKinds
from dayfly_admission.permission import Permissions
from dayfly_admission.review import Malformed, Review, User, decode
from dayfly_admission.turnstile import Turnstile, Turnstiles
from dayfly_admission.webhooks import Answered, Webhook, Webhooks
from dayfly_core import names
from dayfly_core.api import Holder, LabelSelector
from dayfly_core.guard import Guard
from dayfly_core.intent import Yardstick
from dayfly_core.objects import ObjectMeta
from dayfly_core.policies import Policies
from support.own_manifests import of
from support.reviews import Json, a_policy, a_review, accepted, an_object, encoded, patched
from support.shelf import Shelf

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
MODERATE = settings(suppress_health_check=[HealthCheck.too_slow], derandomize=True)


class OneNamespace:
    def known(self, name: str) -> ObjectMeta | None:
        return ObjectMeta(name=name, labels={"team": "web"})

    async def ask(self, name: str, seconds: float) -> ObjectMeta | None:
        raise AssertionError(f"{name} is known, nobody has to ask for {seconds} s")


POLICIES = Policies([a_policy()])


class NoTeller:
    async def may_see(self, user: User, holder: Holder, seconds: float) -> bool:
        raise AssertionError(f"nobody has anything: {user}, {holder}, {seconds}")


def webhooks(now: datetime = NOW) -> Webhooks:
    """All of them, over an empty register."""
    claiming = Claiming(Shelf(), LoopClock(lambda: 0.0, lambda: now))
    naming = Naming(
        claiming, NoTeller(), Turnstiles(), lambda _kind, _outcome: None, LabelSelector()
    )
    return Webhooks(lambda: POLICIES, OneNamespace(), lambda: now, frozenset(), naming)


WEBHOOKS = webhooks()


class Nobody:
    """Lets anybody do anything."""

    async def create(self, path: str, body: object) -> bytes:
        return b'{"status":{"allowed":true}}'


OWN_KINDS = OwnKinds(
    lambda: POLICIES,
    OneNamespace(),
    Permissions(Nobody()),
    lambda: Yardstick(NOW, Guard("dayfly-system")),
    Turnstile(),
    lambda: 0.0,
)


def say(webhook: Webhook, body: bytes, *, mutating: bool) -> Json:
    """Answer without the server's safety net: a fault of ours must show."""
    try:
        review = decode(body)
    except Malformed as error:
        return accepted(answer.encode(answer.malformed(error)), mutating=mutating)
    said, _ = asyncio.run(_answer(webhook, review))
    return accepted(answer.encode(said, review.api_version), mutating=mutating)


async def _answer(webhook: Webhook, review: Review) -> Answered:
    return await webhook(review, 5.0)


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=12
)
WISHES = (
    st.sampled_from(["8h", "5", "never", "P1DT12H", "-1h", "9999999w", "1d12h", "", "\x00", "²h"])
    | st.sampled_from(["2026-11-22T18:00:00Z", "10000-01-01T00:00:00Z", "2020-01-01T00:00:00Z"])
    | st.text(max_size=20)
    | st.just("x" * 10240)
)
ANNOTATIONS = st.dictionaries(
    st.sampled_from([*names.OUR_ANNOTATIONS, "a/b~c", "~1", ""]), WISHES, max_size=5
)
LABELS = st.dictionaries(
    st.sampled_from([*names.OUR_LABELS, *names.ENVIRONMENT_LABELS, "app"]),
    st.sampled_from(["previews", "true", "other", ""]),
    max_size=3,
)
METADATA = st.fixed_dictionaries(
    {},
    optional={
        "annotations": ANNOTATIONS | st.none(),
        "labels": LABELS | st.none(),
        "creationTimestamp": st.sampled_from([None, "2026-11-20T10:00:00Z"]),
    },
)


@MODERATE
@given(body=st.binary(max_size=200) | ANYTHING.map(lambda v: json.dumps(v).encode()))
def test_any_bytes_get_a_well_formed_answer(body: bytes) -> None:
    say(WEBHOOKS.stamp, body, mutating=True)
    say(WEBHOOKS.judge, body, mutating=False)
    say(OWN_KINDS.judge, body, mutating=False)
    say(WEBHOOKS.environments, body, mutating=False)


@MODERATE
@given(metadata=METADATA, uid=st.sampled_from(["", "u1"]), spec=ANYTHING, old=ANYTHING)
@pytest.mark.parametrize("kind", ["Namespace", "Ingress", "HTTPRoute", "Deployment"])
def test_names_of_any_shape_are_asked_for(
    kind: str, metadata: Json, uid: str, spec: Any, old: Any
) -> None:
    new = an_object(kind, uid=uid, **metadata) | {"spec": spec}
    body = encoded(a_review(new, old))
    say(WEBHOOKS.judge, body, mutating=False)
    say(WEBHOOKS.environments, body, mutating=False)


HOSTS = st.sampled_from(["a.example", "*.example", "A.example.", "a_b", "", "ü.example", None, 5])
INGRESS = st.fixed_dictionaries(
    {},
    optional={
        "rules": st.lists(st.fixed_dictionaries({}, optional={"host": HOSTS}), max_size=3)
        | SCALARS,
        "tls": st.lists(st.fixed_dictionaries({}, optional={"hosts": st.lists(HOSTS) | SCALARS})),
        "hostnames": st.lists(HOSTS, max_size=3) | SCALARS,
    },
)


@MODERATE
@given(kind=st.sampled_from(["Ingress", "HTTPRoute"]), new=INGRESS, old=INGRESS)
def test_specs_that_nearly_are_ones_are_asked_for(kind: str, new: Json, old: Json) -> None:
    objects = [an_object(kind) | {"spec": spec} for spec in (new, old)]
    say(WEBHOOKS.judge, encoded(a_review(*objects)), mutating=False)


@MODERATE
@given(metadata=METADATA, spec=ANYTHING, old=ANYTHING)
@pytest.mark.parametrize("kind", ["Ephemerator", "NamespaceManager", "Stay", "ExpiryPolicy"])
def test_own_kinds_of_any_shape_are_judged(kind: str, metadata: Json, spec: Any, old: Any) -> None:
    for about in ({"metadata": metadata}, {}):
        new = an_object("ConfigMap") | {"kind": kind, "spec": spec} | about
        say(OWN_KINDS.judge, encoded(of(new, old)), mutating=False)
        say(OWN_KINDS.judge, encoded(of(new, new | {"spec": old})), mutating=False)


@MODERATE
@given(new=ANYTHING, old=ANYTHING)
def test_any_object_is_allowed_or_patched_by_a_patch_that_applies(new: Any, old: Any) -> None:
    body = encoded(a_review(new, old))
    patched(new, say(WEBHOOKS.stamp, body, mutating=True))
    say(WEBHOOKS.judge, body, mutating=False)
    say(OWN_KINDS.judge, body, mutating=False)


@MODERATE
@given(data=st.data())
def test_a_real_review_with_anything_anywhere_is_answered(data: st.DataObject) -> None:
    review = a_review(an_object(annotations={names.TTL: "8h"}, labels={}), an_object())
    where: Any = review
    while True:
        key = data.draw(st.sampled_from(sorted(where)))
        if not (isinstance(where[key], dict) and where[key] and data.draw(st.booleans())):
            break
        where = where[key]
    where[key] = data.draw(ANYTHING)
    say(WEBHOOKS.stamp, encoded(review), mutating=True)
    say(WEBHOOKS.judge, encoded(review), mutating=False)
    say(WEBHOOKS.environments, encoded(review), mutating=False)


@MODERATE
@given(first=METADATA, second=METADATA, update=st.booleans())
def test_applying_twice_changes_nothing_more(first: Json, second: Json, *, update: bool) -> None:
    old = an_object(**second) if update else None
    new = an_object(**first)
    once = patched(
        copy.deepcopy(new), say(WEBHOOKS.stamp, encoded(a_review(new, old)), mutating=True)
    )
    again = a_review(once, old)
    # What the API server notes of a CREATE: what its author sent, not what webhooks added.
    again["request"]["object"]["metadata"]["managedFields"] = [
        {
            "fieldsV1": {
                "f:metadata": {"f:labels": {f"f:{key}": {} for key in first.get("labels") or ()}}
            }
        }
    ]
    assert "patch" not in say(WEBHOOKS.stamp, encoded(again), mutating=True)


@MODERATE
@given(wish=ANNOTATIONS)
def test_what_was_stamped_and_accepted_stays_untouched_by_later_updates(wish: Json) -> None:
    new = an_object(annotations=wish)
    stored = patched(copy.deepcopy(new), say(WEBHOOKS.stamp, encoded(a_review(new)), mutating=True))
    if not say(WEBHOOKS.judge, encoded(a_review(stored)), mutating=False)["allowed"]:
        return
    later = webhooks(NOW + timedelta(days=9))
    response = say(later.stamp, encoded(a_review(stored, stored)), mutating=True)
    assert "patch" not in response
