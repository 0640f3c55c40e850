import pytest

from dayfly_cli.kinds import Kind, Target, parse_target, resolve
from dayfly_cli.terminal import Failed, Misused
from dayfly_core.objects import Resource


def kind(group: str, plural: str, name: str, *short: str) -> Kind:
    names = frozenset({plural, name.lower()})
    return Kind(Resource(group, "v1", plural, name, namespaced=True), names, frozenset(short))


SERVED = [
    kind("", "events", "Event", "ev"),
    kind("", "services", "Service", "svc", "jobs"),
    kind("apps", "deployments", "Deployment", "deploy"),
    kind("batch", "jobs", "Job"),
    kind("events.k8s.io", "events", "Event", "ev"),
    kind("other.example", "deployments", "Deployment", "deploy"),
]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("deployments", "deployments.apps"),
        ("deployment", "deployments.apps"),
        ("Deployment", "deployments.apps"),
        ("deploy", "deployments.apps"),
        ("deployments.apps", "deployments.apps"),
        ("deployments.v1.apps", "deployments.apps"),
        ("deploy.other.example", "deployments.other.example"),
        ("event", "events"),
        ("events.events.k8s.io", "events.events.k8s.io"),
        pytest.param("jobs", "jobs.batch", id="a full name before another kind's short one"),
        ("svc", "services"),
    ],
)
def test_names_of_a_kind(text: str, expected: str) -> None:
    assert resolve(text, SERVED).group_resource == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("depoyments", "did you mean deployments"),
        ("deploy.nope", "no kind"),
        ("zzz", "api-resources"),
    ],
)
def test_unknown_kinds(text: str, said: str) -> None:
    with pytest.raises(Failed, match=said):
        resolve(text, SERVED)


def test_target() -> None:
    assert parse_target("deploy/web") == Target("deploy", "web")


@pytest.mark.parametrize("text", ["web", "deploy/", "/web", "deploy/web/x", ""])
def test_what_names_no_object(text: str) -> None:
    with pytest.raises(Misused, match="for example deploy/web"):
        parse_target(text)
