"""What somebody who asks for a namespace to stay is told at once."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from dayfly_core import names
from dayfly_core.guard import Guard
from dayfly_core.intent import Intent, Version, Yardstick
from dayfly_core.objects import ObjectMeta
from dayfly_core.policies import Policies
from dayfly_core.reasons import Reason
from dayfly_core.stay_intent import judge
from support.build import NOW, a_policy, in_
from support.own_manifests import a_stay

BY = Yardstick(NOW, Guard("dayfly-system"))
NAMESPACE = ObjectMeta(
    name="team-a",
    labels={names.POLICY: "previews"},
    annotations={names.EXPIRES_AT: in_("2h")},
    creation_timestamp=NOW - timedelta(hours=1),
)
NEVER = msgspec.structs.replace(NAMESPACE, annotations={names.TTL: "never"})


def judged(namespace: ObjectMeta = NAMESPACE, enforcement: Any = None, **spec: Any) -> Intent:
    stay = a_stay(**spec)
    changes = {"enforcement": enforcement} if enforcement else {}
    policies = Policies([a_policy(maximum="7d", **changes)])
    new = Version(msgspec.convert(stay["metadata"], ObjectMeta), stay["spec"])
    return judge(new, namespace, policies, BY)


@pytest.mark.parametrize(
    ("found", "want"),
    [
        pytest.param(
            judged(length="8h"),
            ["namespace team-a ends 2026-11-22T18:00:00Z (in 8h), by ExpiryPolicy previews"],
            id="until when",
        ),
        pytest.param(
            judged(wake=True),
            ["what ExpiryPolicy previews has scaled down in it comes back"],
            id="what comes back",
        ),
        pytest.param(
            judged(length="8h", wake=True),
            [
                "namespace team-a ends 2026-11-22T18:00:00Z (in 8h), by ExpiryPolicy previews",
                "what ExpiryPolicy previews has scaled down in it comes back",
            ],
            id="both",
        ),
        pytest.param(
            judged(length="1h"),
            ["namespace team-a stays until 2026-11-22T12:00:00Z anyway"],
            id="that it need not have asked",
        ),
        pytest.param(judged(NEVER, length="1h"), ["namespace team-a has no end"], id="for ever"),
    ],
)
def test_the_receipt_says(found: Intent, want: list[str]) -> None:
    assert not found.violations
    assert list(found.receipts) == want


@pytest.mark.parametrize(
    ("found", "reason", "text"),
    [
        pytest.param(
            judged(length="8d"),
            Reason.TTL_TOO_LONG,
            'spec.for: Invalid value: "8d": ExpiryPolicy previews allows 2026-11-29T10:00:00Z at '
            "the latest",
            id="too long",
        ),
        pytest.param(
            judged(msgspec.structs.replace(NAMESPACE, labels=None), wake=True),
            Reason.NOTHING_TO_EXTEND,
            'metadata.namespace: Invalid value: "team-a": no ExpiryPolicy has given the namespace '
            "an end",
            id="no end",
        ),
        pytest.param(
            judged(until=5),
            Reason.INVALID_SPEC,
            'spec.until: Invalid value: "5": must be of type string',
            id="no instant",
        ),
    ],
)
def test_a_refusal_says(found: Intent, reason: str, text: str) -> None:
    assert [(v.reason, v.text) for v in found.violations] == [(reason, text)]
    assert not found.receipts


def test_a_policy_that_only_warns_says_so() -> None:
    found = judged(enforcement="Warn", length="8d")
    assert not found.violations
    assert found.warnings == (
        "spec.for: ExpiryPolicy previews allows 2026-11-29T10:00:00Z at the latest",
    )
