"""What people read of a name that they cannot have: who has it, and what they can do."""

from typing import NamedTuple

from dayfly_core import names
from dayfly_core.api import KeyKind
from dayfly_core.claim_key import key_of
from dayfly_core.claim_steps import Taken
from dayfly_core.claimants import HOST_FIELD, Demand
from dayfly_core.objects import NAMESPACES
from dayfly_core.receipts import fitted, line


class Whose(NamedTuple):
    """Who has a name, and what can be done about that."""

    fact: str
    remedy: str


def whose(demand: Demand, taken: Taken) -> Whose:
    """Name the holder, to who may see it."""
    holder, overlap = taken.claim.spec.holder, _overlap(demand, taken)
    inside = f"{holder.namespace}/" if holder.namespace else ""
    who = f"{holder.kind} {inside}{holder.name}"
    fact = f"overlaps {overlap}, which {who} has" if overlap else f"already used by {who}"
    if taken.ending:
        also = "and which" if overlap else "which"
        return Whose(f"{fact}, {also} is being deleted", "wait until that is gone")
    # A Namespace has the hosts of what is in it.
    whole = demand.key.kind is KeyKind.ENVIRONMENT or holder.kind != NAMESPACES.kind
    return Whose(fact, f"delete that {holder.kind} first" if whole else "take it away there first")


def hidden(demand: Demand, taken: Taken) -> Whose:
    """Say that somebody has it, to who may not see whom."""
    overlaps = "overlaps a name that another object holds"
    fact = overlaps if _overlap(demand, taken) else "held by another object"
    return Whose(fact, "ask who runs the cluster (kubectl get nameclaims)")


def _overlap(demand: Demand, taken: Taken) -> str:
    key = key_of(taken.claim)
    return "" if key == demand.key else key.value


def instead(demand: Demand, policy: str) -> str:
    """Say what the author of the object can do alone."""
    if demand.key.kind is KeyKind.ENVIRONMENT:
        return "choose another name"
    if demand.field != HOST_FIELD:
        return "choose another host"
    by = f"ExpiryPolicy {policy}" if policy else "its policy"
    return f"{by} gives this host: choose another metadata.name, have spec.host.template changed"


def reserved(seconds: int) -> str:
    """Say that another request was first, and may yet come to nothing."""
    freed = "if that one failed, it comes free in little more than a minute"
    return f"reserved by a concurrent request, retry in {seconds} s; {freed}"


# Where the policy only warns, and the object is stored all the same: one fact a warning.


def shared(demand: Demand, fact: str) -> tuple[str, ...]:
    """Say that the object carries a host which is another's."""
    then = f"stored all the same, and marked with {names.NAME_CONFLICT}"
    return (
        fitted(f"host {demand.written}", f" {_verb(fact)}{fact}"),
        line(f"{then}; another metadata.name gives another host"),
    )


def awaited(demand: Demand) -> tuple[str, ...]:
    """Say that the object carries a host which may become its own."""
    return (
        fitted(f"host {demand.written}", " is reserved by a concurrent request"),
        line(f"if that one is stored, this object is marked with {names.NAME_CONFLICT}"),
    )


def _verb(fact: str) -> str:
    return "" if fact.startswith("overlaps") else "is "
