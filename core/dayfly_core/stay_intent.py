"""What a Stay says before it is stored: why it gets nothing, or what its namespace gets."""

from collections.abc import Iterator

from dayfly_core import api, instant
from dayfly_core.intent import Intent, InvalidSpec, Version, Yardstick, read
from dayfly_core.objects import ObjectMeta
from dayfly_core.policies import Policies
from dayfly_core.receipts import fitted, line, when
from dayfly_core.stays import Denied, Grant, decide
from dayfly_core.violations import Violation


def judge(new: Version, namespace: ObjectMeta, policies: Policies, by: Yardstick) -> Intent:
    """Judge a new one, by the rule that the operator carries out a moment later."""
    try:
        stay = api.Stay(metadata=new.meta, spec=read(api.StaySpec, new.spec))
    except InvalidSpec as error:
        return Intent(violations=error.violations)
    decision = decide(stay, namespace, policies, by.now)
    if isinstance(decision, Denied):
        itself = Violation(decision.reason, "metadata.namespace", namespace.name, decision.message)
        return Intent(violations=decision.violations or (itself,))
    if isinstance(decision, Grant):
        facts = tuple(_granted(decision, namespace, by))
        return Intent(warnings=decision.warnings, receipts=facts)
    stays = f"stays until {decision.expires_at} anyway" if decision.expires_at else "has no end"
    return Intent(receipts=(fitted(f"namespace {namespace.name}", f" {stays}"),))


def _granted(grant: Grant, namespace: ObjectMeta, by: Yardstick) -> Iterator[str]:
    subject = f"namespace {namespace.name}"
    if grant.expires_at:
        ends = f" ends {when(instant.parse(grant.expires_at), by.now)}"
        yield fitted(subject, f"{ends}, by ExpiryPolicy {grant.policy}")
    if grant.wake:
        yield line(f"what ExpiryPolicy {grant.policy} has scaled down in it comes back")
