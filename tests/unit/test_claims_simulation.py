"""No name twice, at any moment, whatever happens; and the harness catches what is nearly right.

Everyday a few seeds of each setting; with DAYFLY_SOAK=1 all of them.
"""

import os
from dataclasses import dataclass, field, replace

import msgspec
import pytest

from dayfly_core import claims
from dayfly_core.api import Holder, NameClaim
from dayfly_core.claim_key import ClaimKey
from dayfly_core.claim_steps import (
    Attempt,
    Found,
    Granted,
    Inspected,
    Looked,
    Outcome,
    Presence,
    Replace,
    Seen,
    Step,
    Survey,
)
from support.claim_clients import FAMILIES, HOSTS, SHARED_NAMES, WILDCARDS, Setting, simulate
from support.claim_world import Desk, Lagging, Store, World

SOAK = os.environ.get("DAYFLY_SOAK") == "1"
SEEDS = range(30 if SOAK else 2)

PLAIN = Setting(seconds=120.0 if SOAK else 30.0)
OVERLAPPING = replace(PLAIN, keys=WILDCARDS)
SHARED = replace(PLAIN, names=SHARED_NAMES)
MIXED = replace(PLAIN, keys=WILDCARDS, names=SHARED_NAMES)
KIN = replace(PLAIN, keys=HOSTS, names=FAMILIES)
MIXED_KIN = replace(PLAIN, keys=WILDCARDS, names=FAMILIES)
UNDISTURBED = replace(OVERLAPPING, seconds=60.0, rejected=0.0, crashed=0.0, lost=0.0)
# Few clients and a slow operator: claims become Bound, and stay so when their holders go.
CALM = replace(UNDISTURBED, keys=HOSTS, names=FAMILIES, clients=3, rests=1.0)
BRISK = replace(CALM, clients=6, rests=0.08)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    "setting",
    [
        pytest.param(PLAIN, id="environments, each held by its own object"),
        pytest.param(OVERLAPPING, id="hosts that overlap"),
        pytest.param(SHARED, id="names held by namespaces, in which several objects list them"),
        pytest.param(MIXED, id="hosts that overlap, held by namespaces"),
        pytest.param(KIN, id="hosts of objects and of Ingresses beside them"),
        pytest.param(CALM, id="the same, with little contention"),
        pytest.param(MIXED_KIN, id="hosts that overlap, of objects and of Ingresses beside them"),
    ],
)
def test_no_name_is_held_twice_and_nothing_is_left_over(seed: int, setting: Setting) -> None:
    result = simulate(seed, setting)
    assert (result.duplicates, result.orphans, result.unclaimed) == (0, [], [])
    assert result.stored > 20
    assert result.refused > 20


def test_one_seed_is_one_run() -> None:
    setting = replace(PLAIN, seconds=5.0)
    assert simulate(7, setting) == simulate(7, setting)
    assert simulate(7, setting) != simulate(8, setting)


# What the harness must find: rules that are nearly right.


def unrefreshed(attempt: Attempt, seen: Seen) -> Step | Outcome:
    """Allow what has its claim already, without writing it again: it may be about to be deleted."""
    step = claims.decide(attempt, seen)
    if isinstance(step, Replace) and isinstance(seen, Looked | Found) and seen.claim:
        own = claims.same_object(seen.claim.spec.holder, attempt.holder)
        return Granted(seen.claim) if own else step
    return step


def by_order(attempt: Attempt, seen: Seen) -> Step | Outcome:
    """Let the first of two overlapping claims win: the later may not have been there to be seen."""
    step = claims.decide(attempt, seen)
    if isinstance(seen, Inspected) and isinstance(step, Survey):
        return Granted(step.mine)
    return step


def by_namespace(attempt: Attempt, seen: Seen) -> Step | Outcome:
    """Let a namespace take the claim of an object in it that may be under way."""
    step = claims.decide(attempt, seen)
    if isinstance(step, Replace) and isinstance(seen, Looked) and seen.claim:
        return Replace(claims.taken(attempt, seen.claim))
    return step


class Strange(Store):
    """Asks after the holder alone, not whether its namespace has the name as well."""

    async def find(self, holder: Holder, key: ClaimKey, seconds: float) -> Presence | None:
        found = await super().find(holder, key, seconds)
        return found._replace(kin=False) if found and found.uid else None


class Forgetful(Store):
    """Binds a claim at once, though an earlier request for the same holder may be under way."""

    async def replace(self, claim: NameClaim, seconds: float) -> NameClaim:
        spec = msgspec.structs.replace(claim.spec, contested=False)
        return await super().replace(msgspec.structs.replace(claim, spec=spec), seconds)


@dataclass(kw_only=True)
class Trusting(Desk):
    """Believes the watches instead of asking etcd."""

    view: Lagging

    async def find(self, holder: Holder, key: ClaimKey) -> Presence | None:
        for claimant in self.view.claimants(key):
            if claims.same_object(claimant.holder, holder):
                return Presence(claimant.holder.uid, lists=True)
        return None


def trusting(world: World, view: Lagging) -> Desk:
    return Trusting(world=world, view=view)


@dataclass(kw_only=True)
class Hasty(Desk):
    """Believes the watches that an object is gone, where its namespace has the name as well."""

    view: Lagging
    seen: dict[ClaimKey, list[Holder]] = field(default_factory=dict[ClaimKey, list[Holder]])

    async def find(self, holder: Holder, key: ClaimKey) -> Presence | None:
        if not holder.namespace:
            self.seen[key] = [each.holder for each in self.view.claimants(key)]
            return await super().find(holder, key)
        seen = self.seen.pop(key, [])
        near = any(claims.kin(other, holder) for other in seen)
        gone = not any(claims.same_object(other, holder) for other in seen)
        return None if near and gone else await super().find(holder, key)


def hasty(world: World, view: Lagging) -> Desk:
    return Hasty(world=world, view=view)


WRONG = [
    pytest.param(replace(PLAIN, naive=True), 1, 100, id="looking by quorum, then storing"),
    pytest.param(replace(PLAIN, rule=unrefreshed), 5, 0, id="its own claim, not written again"),
    pytest.param(replace(SHARED, store=Forgetful), 5, 0, id="bound with a CREATE under way"),
    pytest.param(replace(KIN, rule=by_namespace), 5, 0, id="a namespace takes an object's claim"),
    pytest.param(replace(CALM, store=Strange), 8, 0, id="a host that only the namespace has"),
    pytest.param(replace(UNDISTURBED, rule=by_order), 20, 0, id="the first of two that overlap"),
]
if SOAK:
    late = replace(PLAIN, seconds=60.0, desk=trusting)
    WRONG.append(pytest.param(late, 60, 0, id="bound by what the watches say"))
    given = replace(BRISK, desk=hasty)
    WRONG.append(pytest.param(given, 60, 0, id="a namespace is given an object's claim"))


@pytest.mark.parametrize(("setting", "seeds", "more_than"), WRONG)
def test_what_is_nearly_right_is_caught(setting: Setting, seeds: int, more_than: int) -> None:
    assert any(simulate(seed, setting).duplicates > more_than for seed in range(seeds))
