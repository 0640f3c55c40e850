"""An act of the story: several want one name, and one gets it."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

from playground.commands import Result
from playground.stage import Stage

RIVALS: Final = 12

NAMESPACE: Final = """\
apiVersion: v1
kind: Namespace
metadata: {{name: cart-{number}, labels: {{dayfly.dev/environment: cart}}}}
"""


def names(stage: Stage) -> None:
    """Play it: one after the other, and then all at once."""
    tell = stage.teller
    tell.chapter("Two branches, one name: the second is refused, and reads who has it")
    tell.run("cat blue.yaml green.yaml")
    tell.run("kubectl apply -f blue.yaml")
    refused = tell.run("kubectl apply -f green.yaml", fails=True)
    tell.expect(
        that="shop-blue" in refused.output and not stage.exists("namespace", "shop-green"),
        fact="shop-green is not stored, and its author knows whom to ask",
    )
    tell.say(f"{RIVALS} namespaces are created at one moment, all as environment cart")
    with ThreadPoolExecutor(RIVALS) as people:
        answers = list(people.map(partial(_create, stage), range(RIVALS)))
    lost = [answer.stderr for answer in answers if not answer.ok]
    tell.expect(
        that=len(lost) == RIVALS - 1 and all("cart" in said for said in lost),
        fact=f"1 is stored, {len(lost)} are refused with the reason",
    )
    tell.run("kubectl get nameclaims")


def _create(stage: Stage, number: int) -> Result:
    manifest = NAMESPACE.format(number=number)
    return stage.plane.try_kubectl("create", "-f", "-", stdin=manifest)
