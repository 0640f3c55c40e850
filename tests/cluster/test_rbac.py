"""What the programs really asked of the API server, held against what the roles grant."""

import msgspec
import pytest

from dayfly_core import history, names
from playground import ControlPlane, System
from playground.audit import AuditEvent
from playground.process import eventually
from support.rights import ENDING, EVERYBODY, HOLDERS, NEEDED, Right, rights

pytestmark = pytest.mark.cluster

ACCOUNTS = {
    f"system:serviceaccount:{names.SYSTEM_NAMESPACE}:{account}": account
    for account in (names.ADMISSION_ACCOUNT, names.OPERATOR_ACCOUNT)
}
SELDOM = {
    *rights(names.ADMISSION_ACCOUNT, "namespaces", "get"),
    *(right for kind in HOLDERS for right in rights(names.ADMISSION_ACCOUNT, kind, "get")),
    *rights(names.ADMISSION_ACCOUNT, "nameclaims.dayfly.dev", "list delete"),
    *rights(names.OPERATOR_ACCOUNT, "namespaces", "get patch"),
    *rights(names.OPERATOR_ACCOUNT, "nameclaims.dayfly.dev", "create delete"),
    *rights(names.OPERATOR_ACCOUNT, "events.events.k8s.io", "patch"),
    *rights(names.OPERATOR_ACCOUNT, "stays.dayfly.dev", "get"),
    *rights(names.OPERATOR_ACCOUNT, "stays/status.dayfly.dev", "patch"),
    *rights(names.OPERATOR_ACCOUNT, "scaledobjects.keda.sh", "get list patch"),
    *(right for right in NEEDED if right.name in map(history.slot_name, range(history.SLOTS))),
}
"""For moments that need not come in a session: a namespace not known yet, a host that somebody
else has, a wildcard, a claim that nobody's object followed, the same Event again, a Stay, KEDA,
a page of the history that is full."""


SOON = 60.0
"""Seconds until waiting for what takes a moment is given up."""
TAKEN = "already used by Namespace test-rbac-0"


def asked(event: AuditEvent) -> Right | None:
    """Return what a request asked for; None if it is not one of ours, or not for an object."""
    account = ACCOUNTS.get(event.user.username)
    ref = event.object_ref
    if account is None or not ref.resource:
        return None
    resource = f"{ref.resource}/{ref.subresource}" if ref.subresource else ref.resource
    return Right(account, event.verb, ref.api_group, resource, ref.namespace, ref.name)


def granted(right: Right) -> bool:
    if (right.resource, right.verb) in EVERYBODY:
        return True
    if any(needed.covers(right) for needed in NEEDED):
        return True
    return right.account == names.OPERATOR_ACCOUNT and right.verb in ENDING


@pytest.fixture(scope="module")
def events(plane: ControlPlane, system: System) -> list[AuditEvent]:
    """Let one object live and end, and give what the session's programs have asked until then."""
    policy = {
        "apiVersion": "dayfly.dev/v1alpha1",
        "kind": "ExpiryPolicy",
        "metadata": {"name": "test-rbac"},
        "spec": {
            "match": {
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "test-rbac"}},
                "resources": [{"apiGroups": [""], "resources": ["configmaps"]}],
            },
            "ttl": {"min": "1s"},
        },
    }
    plane.apply(msgspec.json.encode(policy).decode())
    system.wait_enforced(["configmaps"])
    plane.kubectl("create", "namespace", "test-rbac")
    short = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "short", "annotations": {names.TTL: "1s"}},
    }
    text = msgspec.json.encode(short).decode()
    create = ("create", "-n", "test-rbac", "-f", "-")
    dry = (*create, "--dry-run=server", "-o", "json")
    # What admission does not know yet ends as well, but much later.
    assert eventually(lambda: names.POLICY in plane.try_kubectl(*dry, stdin=text).stdout, SOON)
    plane.kubectl(*create, stdin=text)
    plane.kubectl("wait", "-n", "test-rbac", "cm/short", "--for=delete", "--timeout=60s")
    plane.kubectl("wait", "expirypolicy/test-rbac", "--for=condition=Ready", "--timeout=60s")
    plane.kubectl("delete", "expirypolicy/test-rbac", "namespace/test-rbac", "--wait=false")
    have_one_name_after_the_other(plane)
    return list(plane.audit())


def have_one_name_after_the_other(plane: ControlPlane) -> None:
    """Let a namespace be an environment, another one be refused, and get the name later."""
    first, second = (environment(f"test-rbac-{number}") for number in range(2))
    plane.apply(first)
    apply = ("apply", "-f", "-")
    assert eventually(lambda: TAKEN in plane.try_kubectl(*apply, stdin=second).stderr, SOON)
    plane.kubectl(
        *("wait", "nameclaim", "-l", names.CLAIM, "--for=jsonpath={.spec.state}=Bound"),
        "--timeout=60s",
    )
    plane.kubectl("delete", "namespace/test-rbac-0", "--timeout=60s")
    assert eventually(lambda: plane.try_kubectl(*apply, stdin=second).ok, SOON)
    plane.kubectl("delete", "namespace/test-rbac-1", "--wait=false")


def environment(name: str) -> str:
    metadata = {"name": name, "labels": {names.ENVIRONMENT: "test-rbac"}}
    manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
    return msgspec.json.encode(manifest).decode()


def test_nothing_is_asked_for_that_is_not_granted(events: list[AuditEvent]) -> None:
    seen = {(right, event.code) for event in events if (right := asked(event))}
    assert seen
    assert [right for right, _ in sorted(seen) if not granted(right)] == []


def test_nothing_was_refused(events: list[AuditEvent]) -> None:
    refused = {right for event in events if event.code == 403 and (right := asked(event))}
    assert sorted(refused) == []


def test_nothing_is_granted_that_is_not_asked_for(events: list[AuditEvent]) -> None:
    used = {right for event in events if (right := asked(event))}
    unused = [
        needed
        for needed in NEEDED
        if needed not in SELDOM and not any(needed.covers(right) for right in used)
    ]
    assert sorted(unused) == []
