"""What a policy whose turn it is does, as a value."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

import msgspec

from dayfly_core import api
from dayfly_core.api.namespace_manager import ActionParams, ActionType, PolicyResult
from dayfly_core.errand import Act, Announce, EndNamespace, ScaleNamespace, Send, Workloads
from dayfly_core.lifecycle import Rule
from dayfly_core.namespace_manager.case import Case
from dayfly_core.namespace_manager.rules import policy_of, webhook_body
from dayfly_core.objects import NAMESPACE_MANAGERS


class Turn(msgspec.Struct, frozen=True):
    """A rule whose turn it is."""

    case: Case
    rule: Rule
    entry: PolicyResult
    due: datetime

    @property
    def policy(self) -> api.ManagerPolicy:
        """What the rule was made from."""
        return policy_of(self.rule)

    @property
    def params(self) -> ActionParams:
        """What the action depends on."""
        return self.policy.action.params or ActionParams()

    @property
    def uid(self) -> str:
        """Uid of the namespace that it is meant for."""
        return self.entry.target_uid or ""

    @property
    def id(self) -> str:
        """Id of the occurrence."""
        return self.entry.id or ""

    @property
    def by(self) -> str:
        """Who does it, for people."""
        meta = self.case.stored.metadata
        return f"{NAMESPACE_MANAGERS.kind}/{meta.namespace}/{meta.name}"


def _delete(turn: Turn) -> Act:
    return EndNamespace(turn.case.target, turn.uid, turn.by, turn.due, turn.id)


def _scale_down(turn: Turn) -> Act:
    workloads = tuple(
        Workloads(each.kind, each.labels or {}) for each in turn.params.selectors or ()
    )
    return ScaleNamespace(turn.case.target, turn.uid, turn.by, turn.due, turn.id, workloads)


def _webhook(turn: Turn) -> Act:
    params = turn.params
    body = webhook_body(turn.case.stored.metadata, turn.policy, turn.case.target)
    secret = params.secret_ref.name if params.secret_ref else ""
    return Send(params.url or "", body, turn.id, (turn.entry.attempts or 0) + 1, secret)


def _notify(turn: Turn) -> Act:
    sentence = f"policy {turn.policy.name} of {turn.by}: its time has come"
    return Announce(turn.case.target, turn.uid, sentence, turn.id)


ACTS: Final[Mapping[ActionType, Callable[[Turn], Act]]] = {
    ActionType.DELETE: _delete,
    ActionType.SCALE_DOWN: _scale_down,
    ActionType.WEBHOOK: _webhook,
    ActionType.NOTIFY: _notify,
}
