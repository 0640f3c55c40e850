"""Scenes with the kinds of Ephemerate and k8s-namespace-manager, as their documents write them."""

from functools import partial
from typing import Final

from playground.stage import Stage

MANAGERS: Final = ("by-time", "by-result")
ENDING: Final = ("thanksgiving", "example-01", "example-02")


def originals(stage: Stage) -> None:
    """Set them to work."""
    tell = stage.teller
    tell.chapter("An Ephemerator and two NamespaceManagers: the manifests that people have work")
    tell.run("cat ephemerator.yaml")
    tell.run("kubectl apply -f ephemerator.yaml")
    tell.run("kubectl apply -f managed.yaml")
    tell.run("cat managers.yaml")
    told = tell.run("kubectl apply -f managers.yaml")
    tell.expect(
        that=all(name in told.output for name in ENDING[1:]),
        fact="here too the answer says what will happen to which namespace",
    )
    listed = tell.run("kubectl dayfly list -A").output
    tell.expect(
        that=all(f"namespace/{name}" in listed for name in ("pr-8", *ENDING[:2])),
        fact="one list, whoever ends it: column BY says who does",
    )


def endings(stage: Stage) -> None:
    """See that they have done it."""
    tell = stage.teller
    tell.chapter("At their time, or when the tests have passed, the namespaces end")
    for name in ENDING:
        tell.wait(partial(_gone, stage, "namespace", name), f"the end of {name}", 40)
    ephemerator = partial(_gone, stage, "ephemerator", "my-ephemerator")
    tell.wait(ephemerator, "the Ephemerator's end", 20)
    tell.expect(that=True, fact="thanksgiving is gone, and then the Ephemerator itself")
    tell.wait(lambda: all(_deactivated(stage, name) for name in MANAGERS), "both managers", 20)
    tell.run("kubectl get nsman -n managers")
    tell.expect(that=True, fact="example-01 and example-02 are gone, their managers are done")


def _gone(stage: Stage, kind: str, name: str) -> bool:
    return not stage.exists(kind, name)


def _deactivated(stage: Stage, name: str) -> bool:
    spec = stage.plane.read("nsman", name, "-n", "managers")["spec"]
    return spec.get("deactivated") is True
