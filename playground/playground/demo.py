"""The story of ``make demo`` and its first act: the main job, each step held to its word."""

import signal
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from playground.lags import OPERATOR, Ending, endings
from playground.plane import ControlPlane, Options
from playground.process import DidNotStartError
from playground.progress import Say
from playground.rivals import names
from playground.roster import Roster
from playground.second_act import others
from playground.stage import Stage
from playground.system import EVERYTHING, Shape, System
from playground.teller import BrokenPromiseError, Teller

STORY = Path(__file__).resolve().parents[1] / "story"
PROLOGUE = """\
Dayfly on a real control plane on this machine. First act: what is deployed gets an end, and ends
then. Second act: timelines, Ephemerators, NamespaceManagers, Helm releases, and a mistake.
Nodes and pods are simulated; etcd, kube-apiserver, controllers, kubectl and Helm are the real ones.
Lines with $ are commands, with their output; ✓ marks a promise that was checked.

Ctrl-C stops it and leaves nothing behind. Logs while it runs: {logs}
"""
GUARDED = ("default", "kube-system", "kube-public", "kube-node-lease", "dayfly-system")


def perform(say: Say) -> int:
    """Play the whole story and clean up; 0 only if every step happened as told."""
    with tempfile.TemporaryDirectory(prefix="dayfly-demo-") as directory:
        logs = Path(directory) / "logs"
        print(PROLOGUE.format(logs=logs), flush=True)
        try:
            with _cleared(Path(directory)), _stage(Path(directory), say) as stage:
                started = time.monotonic()
                for act in (
                    _policies,
                    _receipts,
                    _refusals,
                    names,
                    _extension,
                    _kills,
                    _ends,
                    others,
                ):
                    act(stage)
                took = time.monotonic() - started
        except (BrokenPromiseError, DidNotStartError) as broken:
            print(f"\n✗ {broken}\n\nThe ends of the logs:", file=sys.stderr)
            _print_logs(logs)
            return 1
        print(
            f"\nAll {stage.teller.kept} promises kept, in {took:.0f} s."
            " `make up` starts such a system for you to try."
        )
        return 0


def _print_logs(logs: Path) -> None:
    for log in sorted(logs.glob("*-[0-9].log")):
        print(f"--- {log.name}", file=sys.stderr)
        print(*log.read_text().splitlines()[-15:], sep="\n", file=sys.stderr)


@contextmanager
def _cleared(directory: Path) -> Generator[None]:
    """Stop at the end whatever is written down there: Ctrl-C may come between start and block."""
    try:
        yield
    finally:
        Roster.load(directory).stop()


@contextmanager
def _stage(directory: Path, say: Say) -> Generator[Stage]:
    with (
        ControlPlane.start(directory, Options(say=say)) as plane,
        System.install_shape(plane, Shape(manifests=EVERYTHING), say) as system,
    ):
        yield Stage(plane, system, Teller(plane.commands.environ, STORY))


def _policies(stage: Stage) -> None:
    tell = stage.teller
    tell.chapter("Two policies: one for namespaces, one for what team web deploys")
    tell.run("cat policies.yaml")
    tell.run("kubectl apply -f policies.yaml")
    tell.run(
        "kubectl wait --for=condition=Ready expirypolicy/namespaces expirypolicy/team-web"
        " --timeout=20s"
    )
    tell.run("kubectl get expirypolicies")
    stage.system.wait_enforced(("namespaces", "deployments", "jobs", "configmaps"))


def _receipts(stage: Stage) -> None:
    tell = stage.teller
    tell.chapter("Deploy as always: the receipt says when it ends")
    made = tell.run("kubectl create namespace pr-1")
    tell.expect(that="ends 20" in made.output, fact="kubectl printed when pr-1 ends")
    tell.run("kubectl label namespace pr-1 team=web")
    made = tell.run("helm install shop ./chart --namespace pr-1")
    tell.expect(that="ends 20" in made.output, fact="Helm printed when the Deployment ends")
    tell.run("kubectl dayfly list -n pr-1")
    for kind in ("deployments", "jobs"):
        name = "shop" if kind == "deployments" else "shop-migrate"
        stage.end_of(kind, name, "pr-1")
    stage.end_of("namespaces", "pr-1")
    tell.expect(that=True, fact="Deployment, Job and Namespace carry their end, as an annotation")
    dry = tell.run("kubectl create namespace pr-2 --dry-run=server")
    tell.expect(
        that="ends 20" in dry.output and not stage.exists("namespace", "pr-2"),
        fact="--dry-run=server shows the receipt and changes nothing",
    )


def _refusals(stage: Stage) -> None:
    tell = stage.teller
    tell.chapter("Three mistakes: each is refused with what would be right")
    tell.run("cat wrong.yaml")
    refused = tell.run("kubectl apply -f wrong.yaml -n pr-1", fails=True)
    for name, hint in (("no-unit", "90s"), ("too-long", "2h"), ("long-ago", "past")):
        told = name in refused.output and hint in refused.output
        tell.expect(
            that=told and not stage.exists("configmap", name, "pr-1"),
            fact=f"{name}: refused, not stored, and the message says how to do it right",
        )


def _extension(stage: Stage) -> None:
    tell = stage.teller
    tell.chapter("Extend it; applying the manifest again does not take that back")
    tell.run("cat settings.yaml")
    tell.run("kubectl apply -f settings.yaml -n pr-1")
    before = stage.end_of("configmaps", "settings", "pr-1")
    tell.run("kubectl dayfly extend configmap/settings 30m -n pr-1")
    after = stage.end_of("configmaps", "settings", "pr-1")
    moved = f"its end moved by 30 minutes, from {before:%H:%M:%S} to {after:%H:%M:%S} UTC"
    tell.expect(that=after - before == timedelta(minutes=30), fact=moved)
    tell.run("kubectl apply -f settings.yaml -n pr-1")
    again = stage.end_of("configmaps", "settings", "pr-1")
    tell.expect(
        that=again == after, fact="applied again, the manifest still says 1h: the extension stands"
    )
    tell.run("kubectl replace -f settings.yaml -n pr-1")
    again = stage.end_of("configmaps", "settings", "pr-1")
    tell.expect(that=again == after, fact="not even replacing the whole object takes it back")
    del stage.ends["configmaps/pr-1/settings"]


def _kills(stage: Stage) -> None:
    tell = stage.teller
    tell.chapter(
        "Kill the leading operator while ends come, and a webhook replica while people deploy"
    )
    start = datetime.now(UTC) + timedelta(seconds=3)
    ends = {f"tick-{i:02}": start + timedelta(seconds=i / 4) for i in range(24)}
    stage.plane.apply("\n---\n".join(_tick(name, end) for name, end in ends.items()))
    stage.ends.update({f"configmaps/pr-1/{name}": end for name, end in ends.items()})
    leader = stage.system.leader()
    tell.say(f"24 ConfigMaps end from {start:%H:%M:%S} UTC on, 4 a second; {leader.name} leads")
    time.sleep(max(0.0, (start - datetime.now(UTC)).total_seconds() + 1.0))
    killed = datetime.now(UTC)
    leader.kill(signal.SIGKILL)
    tell.say(f"a second later: kill -9 {leader.pid}, which is {leader.name}")
    tell.wait(lambda: not any(stage.exists("configmap", n, "pr-1") for n in ends), "24 ends", 20)
    after = [e for e in _seen(stage) if e.at > killed and e.replica != leader.name]
    gap = (after[0].at - killed).total_seconds()
    tell.expect(
        that=gap <= 3,
        fact=f"{after[0].replica} acts {gap:.2f} s after the kill, and all 24 have ended",
    )
    victim = stage.system.admissions[0]
    victim.kill(signal.SIGKILL)
    tell.say(f"kill -9 {victim.pid}, which is {victim.name}; people deploy 10 times:")
    receipts = 0
    for i in range(10):
        made = tell.run(f"kubectl create configmap after-{i} -n pr-1", quiet=i > 0)
        receipts += "ends 20" in made.output
    tell.expect(that=receipts == 10, fact=f"10 deploys, 10 stored, {receipts} with receipt")


def _tick(name: str, end: datetime) -> str:
    return f"""apiVersion: v1
kind: ConfigMap
metadata:
  name: {name}
  namespace: pr-1
  annotations: {{dayfly.dev/expires-at: "{end.isoformat().replace("+00:00", "Z")}"}}"""


def _seen(stage: Stage) -> list[Ending]:
    return endings(stage.plane.audit(), stage.ends)


def _ends(stage: Stage) -> None:
    tell = stage.teller
    tell.chapter("The ends come, and what must stay stays")
    tell.run("kubectl create configmap precious -n default")
    tell.run("kubectl create namespace archive")
    tell.run("kubectl label namespace archive dayfly.dev/protected=true")
    tell.run("kubectl annotate namespace archive dayfly.dev/ttl=5s")
    tell.run("kubectl annotate namespace pr-1 dayfly.dev/ttl=15s")
    archive = stage.end_of("namespaces", "archive")
    stage.end_of("namespaces", "pr-1")
    tell.run("kubectl dayfly list -A")
    tell.say("nothing to do but wait, some 15 seconds")
    tell.wait(lambda: not stage.exists("deployment", "shop", "pr-1"), "the Deployment's end", 60)
    tell.wait(lambda: not stage.exists("job", "shop-migrate", "pr-1"), "the Job's end", 60)
    tell.wait(lambda: not _pods(stage, "job-name=shop-migrate"), "the Job's pods' end", 20)
    tell.expect(that=True, fact="Deployment and Job are gone, and the Job's pods with it")
    tell.wait(lambda: not stage.exists("namespace", "pr-1"), "the end of namespace pr-1", 60)
    tell.expect(that=True, fact="namespace pr-1 is gone with all that was in it")
    tell.expect(
        that=stage.exists("configmap", "precious", "default"),
        fact="precious stays: no policy is for it",
    )
    for name in GUARDED:
        tell.expect(that=stage.exists("namespace", name), fact=f"namespace {name} stays")
    overdue = datetime.now(UTC) - archive
    tell.expect(
        that=overdue > timedelta(0) and stage.exists("namespace", "archive"),
        fact=f"archive is protected: {overdue.total_seconds():.0f} s past its end, and still there",
    )
    _report(stage)


def _pods(stage: Stage, selector: str) -> list[object]:
    found: list[object] = stage.plane.read("pods", "-n", "pr-1", "-l", selector)["items"]
    return found


def _report(stage: Stage) -> None:
    tell = stage.teller
    tell.say(
        "from the API server's audit log: each DELETE of Dayfly, how late it came, and by whom"
    )
    tell.say("(late are those whose end came between the kill and the next leader)")
    done = _seen(stage)
    for ending in done:
        lag = (
            f"{ending.lag.total_seconds() * 1000:6.0f} ms"
            if ending.lag is not None
            else "        ?"
        )
        print(f"  {ending.target:<40}{lag}   {ending.replica}")
    tell.expect(
        that=not [e for e in done if e.target.startswith(("replicasets/", "pods/"))],
        fact="what the Deployment copied onto its ReplicaSet had no effect of its own",
    )
    early = [e.target for e in done if e.lag is not None and e.lag < timedelta(0)]
    tell.expect(that=not early, fact="nothing was deleted before its end")
    others = {e.user.username for e in stage.plane.audit() if e.verb == "delete"} - {OPERATOR}
    tell.say(
        f"who else deleted anything, as a consequence: {', '.join(sorted(others)) or 'nobody'}"
    )
