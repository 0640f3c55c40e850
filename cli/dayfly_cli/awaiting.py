"""What Ephemerators and NamespaceManagers do at no instant that is known, as ``list`` shows it."""

from collections.abc import Iterator, Mapping
from typing import Final

from dayfly_cli.ends import Awaited
from dayfly_cli.managed import Managers
from dayfly_cli.standing import Idle, idle, named, rules_of, waits_for_pods
from dayfly_core import namespace_manager
from dayfly_core.api.namespace_manager import ActionType
from dayfly_core.lifecycle import Result
from dayfly_core.objects import NAMESPACE_MANAGERS, NAMESPACES, Key
from dayfly_core.reasons import Reason
from dayfly_core.simulation import Player, World
from dayfly_operator.own.kinds import OwnObject

PODS: Final = "when its pods succeed"

WORDS: Final[Mapping[str, str]] = {
    Reason.DEACTIVATED: "deactivated",
    Reason.DISABLED: "disabled",
    Reason.GUARDED: "guarded",
    Reason.IGNORED: "ignored",
    Reason.PROTECTED: "protected",
    Reason.TARGET_MISSING: "no namespace",
    Reason.TERMINATING: "going",
}
"""Why nothing happens, in a word; of the others it is that they cannot be read."""

ACTS: Final[Mapping[str, str]] = {
    ActionType.DELETE: "delete namespaces/{}",
    ActionType.SCALE_DOWN: "scale down namespaces/{}",
    ActionType.WEBHOOK: "call its webhook",
    ActionType.NOTIFY: "warn of namespaces/{}",
}


def awaited(managers: Managers, world: World) -> dict[Key, Awaited]:
    """Say it of each, and of the namespaces that they end; nothing of one that is done."""
    found: dict[Key, Awaited] = {}
    for player in managers.players:
        for key, each in _of(player, managers.found[player.key], world):
            found.setdefault(key, each)
    return found


def _of(player: Player, stored: OwnObject, world: World) -> Iterator[tuple[Key, Awaited]]:
    if why := idle(player, stored, world):
        if not _is_done(why, stored):
            when = WORDS.get(why.reason, "invalid")
            yield player.key, Awaited(when, why.note, why.reason, f"it does nothing: {why.note}")
    elif player.key.resource == NAMESPACE_MANAGERS:
        yield from _of_manager(player, stored)


def _is_done(why: Idle, stored: OwnObject) -> bool:
    """Whether it has acted, as it was made for: nobody looks for that among what is to come."""
    if why.reason != Reason.DEACTIVATED:
        return False
    results = namespace_manager.read_status(stored).policies
    return any(each.result == Result.DONE for each in results)


def _of_manager(player: Player, stored: OwnObject) -> Iterator[tuple[Key, Awaited]]:
    for name, policy, rule in rules_of(stored):
        if isinstance(rule, str):
            says = f"its policy {name} cannot be carried out: {rule}"
            yield player.key, Awaited("invalid", says, Reason.INVALID_RULE, says)
        elif sentence := waits_for_pods(stored, name, policy, rule):
            action = policy.action.type
            what = ACTS.get(action, "").format(player.target)
            each = Awaited(PODS, what, Reason.PODS_RUNNING, sentence, named(player.key))
            yield player.key, each
            if action == ActionType.DELETE:
                yield Key(NAMESPACES, "", player.target), each
