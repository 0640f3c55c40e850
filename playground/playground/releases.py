"""Scenes of a Helm release that ends as one."""

from typing import Final

from playground.stage import Stage

INSTALL: Final = "helm install store ./store -n store"
PARTS: Final = ("deployment", "service", "configmap", "serviceaccount")


def release(stage: Stage) -> None:
    """Install one where releases end as one, and look what its end will do."""
    tell = stage.teller
    tell.chapter("A Helm release: five objects, one of them with an end")
    tell.run("cat releases.yaml")
    tell.run("kubectl apply -f releases.yaml")
    tell.run("kubectl wait --for=condition=Ready expirypolicy/releases --timeout=20s")
    stage.system.wait_enforced(["deployments"])
    tell.run("kubectl create namespace store")
    tell.run("kubectl label namespace store team=store")
    made = tell.run(INSTALL)
    tell.expect(that="ends as one" in made.output, fact="Helm printed that the release ends as one")
    planned = tell.run("kubectl dayfly plan -n store").output
    tell.expect(
        that=all(part in planned for part in (*PARTS, "clusterrole")),
        fact="plan names all that will go, in order: the ClusterRole too",
    )


def release_ends(stage: Stage) -> None:
    """See that nothing of it is left, and install it again."""
    tell = stage.teller
    tell.chapter("The release has ended as one; the same helm install works again")
    tell.wait(lambda: "store" not in _releases(stage), "the end of the release", 40)
    tell.run("helm list -n store")
    left = [part for part in PARTS if stage.exists(part, "store", "store")]
    tell.expect(
        that=not left and not stage.exists("clusterrole", "store-reader"),
        fact="all five are gone, and Helm knows no such release",
    )
    tell.run(INSTALL)
    tell.expect(that="store" in _releases(stage), fact="installed again, by the same command")


def _releases(stage: Stage) -> list[str]:
    return stage.plane.helm("list", "-n", "store", "--short").split()
