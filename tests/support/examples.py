"""The four examples of k8s-namespace-manager, and each once more with tests that fail.

The first waits 40 s and the fourth 60 s, as the originals do, since their documents show that; the
others were left waiting 60 s before their first check, which is 3 s here. The copies whose tests
fail are in namespaces of their own, so that all can run at once.
"""

from typing import Final

from support.original_manifests import (
    NAMESPACE,
    TTL_POLICY,
    WEBHOOK_HOST,
    WEBHOOK_PATH,
    WEBHOOK_POLICY,
    documents,
    job,
    manager,
    pods_policy,
    workload,
)

HOME: Final = "namespace-manager"
"""The namespace of the original's operator; two of the managers are there."""

URL: Final = f"http://{WEBHOOK_HOST}{WEBHOOK_PATH}"
DELETE: Final = "{type: DELETE}"
SCALE_DOWN: Final = (
    "{type: SCALE_DOWN, params: {selectors: "
    '[{kind: Deployment, labels: {isScaleDown: "yes"}}, {kind: StatefulSet}]}}'
)
MARKED: Final = "my-marked-comfortable-curious-app"
UNMARKED: Final = "my-hot-amusing-protective-app"
STATEFUL: Final = ("my-outrageous-seemly-unarmed-app", "my-imminent-whispering-wholesale-app")


def example_01() -> str:
    policies = TTL_POLICY.format(seconds=40)
    return documents(NAMESPACE.format(name="example-01"), manager("example-01", policies))


def example_02(
    name: str = "ejemplo-dos", target: str = "example-02", *, fails: bool = False
) -> str:
    policies = pods_policy("delete namespace", "component: main, type: test", DELETE)
    return documents(
        NAMESPACE.format(name=target),
        manager(name, policies, home=HOME, target=target),
        job("my-consistent-tested-superb-app", target, "component: main, type: test", fails=fails),
        workload("Deployment", "my-auxiliary-app", target, 1, "component: auxiliary"),
    )


def example_03(
    name: str = "przyklad-trzeci", target: str = "example-03", *, fails: bool = False
) -> str:
    policies = pods_policy("scale down", "component: main", SCALE_DOWN)
    return documents(
        NAMESPACE.format(name=target),
        manager(name, policies, home=HOME, target=target),
        job("my-lonely-chivalrous-careful-app", target, "component: main", fails=fails),
        workload("Deployment", MARKED, target, 5, 'isScaleDown: "yes"'),
        workload("Deployment", UNMARKED, target, 3),
        *(workload("StatefulSet", each, target, 3) for each in STATEFUL),
    )


def example_04(target: str = "example-04", *, fails: bool = False) -> str:
    """Without the pod of its receiver; whose failing copy has a path of its own."""
    url = f"{URL}-that-fails" if fails else URL
    action = f"{{type: WEBHOOK, params: {{url: '{url}'}}}}"
    delay, period = (3, 1) if fails else (60, 10)
    policies = pods_policy(WEBHOOK_POLICY, "component: main", action, delay=delay, period=period)
    return documents(
        NAMESPACE.format(name=target),
        manager(target, policies),
        job("my-test-app", target, "component: main", fails=fails),
    )


ALL: Final = (example_01(), example_02(), example_03(), example_04())
FAILED: Final = (
    example_02("ejemplo-malo", "example-12", fails=True),
    example_03("przyklad-zly", "example-13", fails=True),
    example_04("example-14", fails=True),
)
