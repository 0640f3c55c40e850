"""Scenes of a preview that follows a timeline: it sleeps, is woken, and kept by a tenant."""

from datetime import UTC, datetime, timedelta
from typing import Final

from playground.stage import Stage

PREVIEW: Final = "pr-8"
FIVE: Final = timedelta(seconds=5)


def sleeper(stage: Stage) -> None:
    """Create a preview whose policy has a timeline."""
    tell = stage.teller
    tell.chapter("A preview that sleeps before it goes: its policy has a timeline")
    tell.say("a second act: the policies of the first have played their part")
    tell.run("kubectl delete expirypolicy namespaces team-web")
    tell.run("cat sleeping.yaml")
    tell.run("kubectl apply -f sleeping.yaml")
    tell.run("kubectl wait --for=condition=Ready expirypolicy/sleeping --timeout=20s")
    stage.system.wait_enforced(["namespaces"])
    tell.run("cat preview.yaml")
    tell.run("kubectl apply -f preview.yaml")
    told = tell.run(f"kubectl dayfly explain ns/{PREVIEW}").output
    tell.expect(
        that=all(step in told for step in ("SCALE_DOWN@0s", "DELETE@12s")),
        fact="explain tells what will happen to it, when, and by which rule",
    )


def waking(stage: Stage) -> None:
    """See it come to rest, and wake it."""
    tell = stage.teller
    tell.chapter("It is asleep, and woken with as many replicas as it had")
    tell.wait(lambda: _replicas(stage) == 0, f"{PREVIEW} to be scaled down", 30)
    tell.run(f"kubectl get deployments -n {PREVIEW}")
    slept = stage.end_of("namespaces", PREVIEW)
    tell.run(f"kubectl dayfly wake ns/{PREVIEW}")
    tell.run(f"kubectl get deployments -n {PREVIEW}")
    tell.expect(that=_replicas(stage) == 3, fact="3 replicas, 0 while it slept, 3 again")
    tell.expect(
        that=stage.end_of("namespaces", PREVIEW) > slept,
        fact="and it lives anew: warning, sleep and deletion are still to come, later",
    )


def tenant(stage: Stage) -> None:
    """Ask for more time as somebody who has no rights on the Namespace."""
    tell = stage.teller
    tell.chapter("Kim may work in the preview, not change the Namespace; a Stay asks for time")
    _introduce(stage, "kim")
    refused = tell.run(f"kubectl label namespace {PREVIEW} kim=was-here --context kim", fails=True)
    tell.expect(that="forbidden" in refused.output, fact="Kim has no right to change it")
    before = stage.end_of("namespaces", PREVIEW)
    tell.run(f"kubectl dayfly extend ns/{PREVIEW} 5s --context kim")
    answered = datetime.now(UTC)
    tell.run(f"kubectl get stays -n {PREVIEW} --context kim")
    later = is_extended(before, stage.end_of("namespaces", PREVIEW), FIVE, answered)
    tell.expect(that=later, fact="5 seconds more, as the policy allows")
    too_much = tell.run(f"kubectl dayfly extend ns/{PREVIEW} 2h --context kim", fails=True)
    tell.expect(that="at the latest" in too_much.output, fact="2 hours more are too much for it")


def is_extended(before: datetime, end: datetime, length: timedelta, answered: datetime) -> bool:
    """Whether an end has been moved by so much, and no more, when the answer came.

    On a machine that is busy it may just have passed: then it counts from now, in whole seconds.
    """
    latest = before if answered <= before else answered + timedelta(seconds=1)
    return before + length <= end <= latest + length


def _introduce(stage: Stage, name: str) -> None:
    token = stage.plane.kubectl("create", "token", name, "-n", PREVIEW).strip()
    stage.plane.kubectl("config", "set-credentials", name, f"--token={token}")
    stage.plane.kubectl("config", "set-context", name, "--cluster=playground", f"--user={name}")


def _replicas(stage: Stage) -> int:
    found: int = stage.plane.read("deployment", "web", "-n", PREVIEW)["spec"]["replicas"]
    return found
