"""A scene of a policy that would end too much, and what keeps it from doing so."""

import time
from datetime import UTC, datetime
from typing import Any, Final

from dayfly_core import instant, names
from playground.stage import Stage

NOTES: Final = 40


def mistake(stage: Stage) -> None:
    """Apply it to what has been there for long."""
    tell = stage.teller
    tell.chapter("A mistake: 2s where 2w was meant, and the breaker that keeps it from harm")
    stage.plane.apply(_notes())
    tell.say(f"{NOTES} ConfigMaps that nobody has ever given an end")
    tell.run("cat mistake.yaml")
    tell.run("kubectl apply -f mistake.yaml")
    tell.run("kubectl wait --for=condition=BreakerOpen expirypolicy/tidy --timeout=20s")
    tell.run("kubectl dayfly breaker show")
    last = max(_end(note) for note in _left(stage))
    time.sleep(max(0.0, (last - datetime.now(UTC)).total_seconds() + 1.0))
    late = (datetime.now(UTC) - last).total_seconds()
    tell.expect(
        that=len(_left(stage)) == NOTES,
        fact=f"{NOTES} of {NOTES} are there, {late:.0f} s past their end; a person has to decide",
    )
    tell.run("kubectl delete expirypolicy tidy")


def _notes() -> str:
    space = "{apiVersion: v1, kind: Namespace, metadata: {name: notes, labels: {team: docs}}}"
    note = "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: note-{}, namespace: notes}}}}"
    return "\n---\n".join([space, *(note.format(number) for number in range(NOTES))])


def _left(stage: Stage) -> list[Any]:
    found = stage.plane.read("configmaps", "-n", "notes")["items"]
    return [item for item in found if item["metadata"]["name"].startswith("note-")]


def _end(item: Any) -> datetime:
    return instant.parse(item["metadata"]["annotations"][names.EXPIRES_AT])
