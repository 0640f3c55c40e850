"""What is asked about the operator's rights, and how often."""

import msgspec

from dayfly_core.objects import DEPLOYMENTS, Resource
from dayfly_operator.rights import NEEDED, RECHECK, OwnRights, Rights

MAPS = Resource("", "v1", "configmaps", "ConfigMap", namespaced=True)
SECRETS = Resource("", "v1", "secrets", "Secret", namespaced=True)


class Attributes(msgspec.Struct):
    resource: str


class Spec(msgspec.Struct):
    resourceAttributes: Attributes  # noqa: N815 (as on the wire)


class Asked(msgspec.Struct):
    spec: Spec


class Server:
    """Allows what is in ``granted``, and notes what it was asked about."""

    def __init__(self, *granted: str) -> None:
        self.granted = set(granted)
        self.asked: list[str] = []

    async def create(self, path: str, body: object) -> bytes:
        plural = msgspec.convert(body, Asked).spec.resourceAttributes.resource
        self.asked.append(plural)
        return msgspec.json.encode({"status": {"allowed": plural in self.granted}})

    async def find(self, group: str, plural: str) -> Resource | None:
        return None if plural == "scaledobjects" else DEPLOYMENTS

    async def verbs(self, group: str, plural: str) -> frozenset[str]:
        return frozenset(NEEDED)


async def test_only_what_is_missing_is_asked_about_again() -> None:
    server = Server("configmaps")
    rights = Rights(server, server)
    assert await rights.review([MAPS, SECRETS], []) == RECHECK
    assert set(rights.obstacles) == {("", "secrets")}
    server.asked.clear()
    assert await rights.review([MAPS, SECRETS], []) == RECHECK
    assert set(server.asked) == {"secrets"}
    server.granted.add("secrets")
    assert await rights.review([MAPS, SECRETS], []) is None
    assert rights.obstacles == {}


async def test_everything_is_asked_about_when_the_kinds_change() -> None:
    server = Server("configmaps", "secrets")
    rights = Rights(server, server)
    await rights.review([MAPS], [])
    server.granted.clear()
    await rights.review([MAPS, SECRETS], [])
    assert set(rights.obstacles) == {("", "configmaps"), ("", "secrets")}
    assert rights.reviewed == {("", "configmaps"), ("", "secrets")}


async def test_what_keeps_a_namespace_from_being_scaled_down_names_kind_and_verbs() -> None:
    server = Server("deployments", "statefulsets", "cronjobs")
    rights = Rights(server, server)
    assert await rights.review_scaling(wanted=False) is None
    assert server.asked == []
    assert await rights.review_scaling(wanted=True) == RECHECK
    (obstacle,) = rights.of_scaling
    assert obstacle.message.startswith("may not get, list, patch jobs.batch, to scale them down")
    server.granted.add("jobs")
    assert await rights.review_scaling(wanted=True) is None
    assert rights.of_scaling == ()
    assert "scaledobjects" not in server.asked, "a kind that is not served needs no rights"


async def test_what_keeps_helm_releases_from_ending_names_the_component() -> None:
    server = Server("configmaps")
    rights = Rights(server, server)
    assert await rights.review_releases(wanted=False) is None
    assert (server.asked, rights.of_releases) == ([], None)
    assert await rights.review_releases(wanted=True) == RECHECK
    assert rights.of_releases
    assert rights.of_releases.message == (
        "spec.unit is Release, and Dayfly may not get, list, patch, delete secrets, where Helm "
        "stores releases: apply manifests/components/helm, which grants it"
    )
    server.granted.add("secrets")
    assert await rights.review_releases(wanted=True) is None
    assert rights.of_releases is None


async def test_before_something_is_begun_missing_rights_are_asked_for() -> None:
    rights = OwnRights(Server("configmaps"))
    assert await rights.lacking(SECRETS, "team-a", ("patch", "delete")) == ("patch", "delete")
    assert await rights.lacking(MAPS, "", ("patch", "delete")) == ()
