"""Objects on a timeline, and what they carry of it."""

from typing import Any

import msgspec

from dayfly_core import duration, names
from dayfly_core.actions import Action, Annotate, Call, Delete, ScaleDown, Stamp, Wake
from dayfly_core.api import StepType
from dayfly_core.lifecycle import Record, Result
from dayfly_core.objects import ObjectMeta
from dayfly_core.policies import Policy
from dayfly_core.timeline import Ledger, Step, Webhook
from support.build import NOW, a_policy, an_object

HOOK = Webhook("https://hooks.example.com/ended", "dayfly-webhook")


def a_step(name: str) -> Step:
    """Make a step from its name; a WEBHOOK calls, and so does NOTIFY if it is written NOTIFY+."""
    kind, _, at = name.partition("@")
    calls = kind in ("WEBHOOK", "NOTIFY+")
    length = duration.parse_signed(at)
    return Step(length, StepType(kind.removesuffix("+")), HOOK if calls else None)


def on_timeline(*steps: str, **changes: Any) -> Policy:
    """Make a policy with these steps, for Deployments, ConfigMaps and Namespaces."""
    kinds = frozenset({("apps", "deployments"), ("", "configmaps"), ("", "namespaces")})
    written: dict[str, Any] = {"resources": kinds, **changes}
    return a_policy(timeline=tuple(map(a_step, steps)), **written)


def recorded(
    at: str, *results: tuple[str, Result], woken: str = "", attempts: int = 0, uid: str = "u-1"
) -> str:
    """Write the annotation ``steps`` for an end."""
    records = {name: Record(name, "id", result, NOW, attempts) for name, result in results}
    return Ledger(at, records, woken, uid).text


def ending(at: str, steps: str = "", **annotations: str) -> ObjectMeta:
    """Make a stamped object; keywords are annotations of ours, ``warning`` or ``caught_up``."""
    meta = an_object(at=at, policy="previews", age=duration.parse("1h"))
    ours = {f"dayfly.dev/{key.replace('_', '-')}": text for key, text in annotations.items()}
    more = {names.STEPS: steps} if steps else {}
    return msgspec.structs.replace(meta, annotations={**meta.annotation_map, **more, **ours})


def told(action: Action) -> str:
    """Say in a word or two what an action is."""
    match action:
        case Delete():
            return f"DELETE {action.step}".strip()
        case ScaleDown() | Call():
            return action.step
        case Annotate():
            return action.reason
        case Stamp():
            return "stamp"
        case Wake():
            return "wake"


def ledger_of(action: Action) -> dict[str, str]:
    """Return step and result of what an action records."""
    text = action.steps if isinstance(action, ScaleDown) else ""
    if isinstance(action, Annotate | Wake):
        text = action.annotations[names.STEPS] or ""
    stored = msgspec.json.decode(text or "{}")
    return {done["step"]: done["result"] for done in stored.get("done", [])}
