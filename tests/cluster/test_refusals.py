"""What people read when a name, a host or an end is refused: word for word, tool by tool."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import pytest

from dayfly_core import names
from dayfly_core.api import ClaimState
from dayfly_core.claim_key import ClaimKey, KeyKind
from dayfly_core.objects import NAME_CLAIMS
from playground import System
from support.neighbours import TEAM, Json, Neighbours, a_deployment, a_namespace, settled

pytestmark = pytest.mark.cluster

LABEL = f"metadata.labels[{names.ENVIRONMENT}]"
SECOND_LABEL = f"metadata.labels[{names.ENVIRONMENT_OF_ORIGINAL}]"
TTL = f"metadata.annotations[{names.TTL}]"
HOST = f"metadata.annotations[{names.HOST}]"

NAME_TAKEN = (
    f'{LABEL}: Invalid value: "{TEAM}": already used by Namespace {TEAM}; '
    "choose another name, or delete that Namespace first"
)
NAME_HELD = (
    f'{LABEL}: Invalid value: "{TEAM}": held by another object; '
    "choose another name, or ask who runs the cluster (kubectl get nameclaims)"
)
NO_UNIT = f'{TTL}: Invalid value: "5": has no unit; write for example 90s, 8h, 1d12h, 2w or P1DT12H'
TOO_LONG = f'{TTL}: Invalid value: "9w": ExpiryPolicy {TEAM} allows at most 2d'
ANOTHER_HOST = (
    f"ExpiryPolicy {TEAM} gives this host: choose another metadata.name, "
    "have spec.host.template changed"
)
HOST_TAKEN = (
    f'{HOST}: Invalid value: "web.{TEAM}.example": already used by Deployment {TEAM}/web; '
    f"{ANOTHER_HOST}, or delete that Deployment first"
)
HOST_HELD = (
    f'{HOST}: Invalid value: "web.{TEAM}.example": held by another object; '
    f"{ANOTHER_HOST}, or ask who runs the cluster (kubectl get nameclaims)"
)


HEAD = {"apiVersion": NAME_CLAIMS.api_version, "kind": NAME_CLAIMS.kind}


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is written on a Namespace, and all that is wrong with it."""

    causes: tuple[str, ...]
    labels: Mapping[str, str]
    annotations: Mapping[str, str] = field(default_factory=dict[str, str])


MISTAKES = {
    "a taken name": Mistake((NAME_TAKEN,), {names.ENVIRONMENT: TEAM}),
    "a name that is taken by the other label": Mistake(
        (NAME_TAKEN.replace(LABEL, SECOND_LABEL),), {names.ENVIRONMENT_OF_ORIGINAL: TEAM}
    ),
    "a bad ttl and a taken name, in one answer": Mistake(
        (NO_UNIT, NAME_TAKEN), {names.ENVIRONMENT: TEAM}, {names.TTL: "5"}
    ),
    "two labels that differ": Mistake(
        (
            f'{SECOND_LABEL}: Invalid value: "{TEAM}-y": is not "{TEAM}-x" as in '
            "dayfly.dev/environment; leave one out, or write the same in both",
        ),
        {names.ENVIRONMENT: f"{TEAM}-x", names.ENVIRONMENT_OF_ORIGINAL: f"{TEAM}-y"},
    ),
    "no name at all": Mistake(
        (
            f'{LABEL}: Invalid value: "": names no environment; write at most 63 letters, digits, '
            "'-', '_' and '.', for example shop-pr-17, or leave the label out",
        ),
        {names.ENVIRONMENT: ""},
    ),
}


@pytest.fixture(scope="module")
def neighbours(system: System) -> Iterator[Neighbours]:
    with settled(system) as moved_in:
        yield moved_in


def by_kubectl(kind: str, name: str, causes: tuple[str, ...]) -> str:
    """Write what kubectl makes of an answer with ``details.causes``."""
    listed = f" {causes[0]}" if len(causes) == 1 else " " + "".join(f"\n* {c}" for c in causes)
    return f'The {kind} "{name}" is invalid:{listed}\n'


# Objects that are new.


NEW = [
    pytest.param(words.split(), id=f"kubectl {words}")
    for words in (
        "apply",
        "apply --server-side",
        "create",
        "apply --dry-run=server",
        "apply --server-side --dry-run=server",
        "create --dry-run=server",
    )
]
EACH_MISTAKE = [pytest.param(mistake, id=about) for about, mistake in MISTAKES.items()]


@pytest.mark.parametrize("words", NEW)
@pytest.mark.parametrize("mistake", EACH_MISTAKE)
def test_a_namespace_that_cannot_become_an_environment(
    neighbours: Neighbours, mistake: Mistake, words: list[str]
) -> None:
    wrong = a_namespace(f"{TEAM}-new", mistake.labels, mistake.annotations)
    refused = neighbours.kubectl(*words, "-f", "-", stdin=json.dumps(wrong))
    told = neighbours.of_team(by_kubectl("Namespace", f"{TEAM}-new", mistake.causes))
    assert (refused.code, refused.stderr) == (1, told)
    assert not neighbours.kubectl("get", "namespace", f"{TEAM}-new").ok


@pytest.mark.parametrize("words", NEW)
def test_who_may_not_look_at_the_holder_of_a_name_is_not_told(
    neighbours: Neighbours, words: list[str]
) -> None:
    wrong = a_namespace(f"{TEAM}-new", {names.ENVIRONMENT: TEAM})
    refused = neighbours.kubectl(*words, "-f", "-", stdin=json.dumps(wrong), user=neighbours.guest)
    told = neighbours.of_team(by_kubectl("Namespace", f"{TEAM}-new", (NAME_HELD,)))
    assert (refused.code, refused.stderr) == (1, told)


@pytest.mark.parametrize("words", NEW)
@pytest.mark.parametrize(
    ("annotations", "causes"),
    [
        pytest.param({}, (HOST_TAKEN,), id="a taken host"),
        pytest.param({names.TTL: "9w"}, (TOO_LONG, HOST_TAKEN), id="a bad ttl and a taken host"),
    ],
)
def test_a_deployment_whose_host_is_taken(
    neighbours: Neighbours,
    annotations: Mapping[str, str],
    causes: tuple[str, ...],
    words: list[str],
) -> None:
    second = a_deployment("web", f"{TEAM}-beside", annotations)
    refused = neighbours.kubectl(*words, "-f", "-", stdin=json.dumps(second))
    told = neighbours.of_team(by_kubectl("Deployment", "web", causes))
    assert (refused.code, refused.stderr) == (1, told)
    assert not neighbours.kubectl("get", "deployment", "web", "-n", f"{TEAM}-beside").ok


@pytest.mark.parametrize("words", NEW)
def test_who_may_not_look_at_the_holder_of_a_host_is_not_told(
    neighbours: Neighbours, words: list[str]
) -> None:
    second = json.dumps(a_deployment("web", f"{TEAM}-beside"))
    refused = neighbours.kubectl(*words, "-f", "-", stdin=second, user=neighbours.guest)
    told = neighbours.of_team(by_kubectl("Deployment", "web", (HOST_HELD,)))
    assert (refused.code, refused.stderr) == (1, told)


@pytest.mark.parametrize(
    ("labels", "annotations", "causes"),
    [
        pytest.param({names.ENVIRONMENT: f"{TEAM}-gen"}, {}, (), id="a free name"),
        pytest.param(
            {names.ENVIRONMENT: TEAM}, {names.TTL: "5"}, (NO_UNIT, NAME_TAKEN), id="a taken name"
        ),
    ],
)
def test_an_environment_is_named_by_its_author(
    neighbours: Neighbours,
    labels: Mapping[str, str],
    annotations: Mapping[str, str],
    causes: tuple[str, ...],
) -> None:
    generated = a_namespace("", labels, annotations)
    generated["metadata"] |= {"name": None, "generateName": f"{TEAM}-gen-"}
    refused = neighbours.kubectl("create", "-f", "-", stdin=json.dumps(generated)).stderr
    own = (
        f'metadata.generateName: Invalid value: "{TEAM}-gen-": makes another Namespace with each '
        "attempt, but an environment is only one; write metadata.name instead"
    )
    found = re.match(r'The Namespace "([^"]+)"', refused)
    assert found
    assert refused == neighbours.of_team(
        by_kubectl("Namespace", found[1], (*causes[:1], own, *causes[1:]))
    )


def test_what_is_no_label_the_api_server_itself_refuses(neighbours: Neighbours) -> None:
    wrong = a_namespace(f"{TEAM}-new", {names.ENVIRONMENT: "a b"}, {names.TTL: "5"})
    refused = neighbours.kubectl("apply", "-f", "-", stdin=json.dumps(wrong)).stderr
    assert "metadata.labels: Invalid value" in refused
    assert "dayfly" not in refused


# Objects that are there.


def patch(item: Json) -> list[str]:
    meta = {key: item["metadata"][key] for key in ("labels", "annotations")}
    return ["namespace", item["metadata"]["name"], "-p", json.dumps({"metadata": meta})]


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(words.split(), id=f"kubectl {words}")
        for words in (
            "apply -f -",
            "apply --server-side -f -",
            "replace -f -",
            "replace --dry-run=server -f -",
            "patch",
            "patch --dry-run=server",
            "patch --type=merge",
        )
    ],
)
@pytest.mark.parametrize("mistake", EACH_MISTAKE)
def test_a_namespace_that_is_there_cannot_become_such_an_environment(
    neighbours: Neighbours, mistake: Mistake, words: list[str]
) -> None:
    beside = f"{TEAM}-beside"
    before = neighbours.read("namespace", beside)["metadata"]
    wrong = a_namespace(beside, mistake.labels, mistake.annotations)
    arguments = [*words, *(patch(wrong) if words[0] == "patch" else [])]
    refused = neighbours.kubectl(*arguments, stdin=json.dumps(wrong))
    told = neighbours.of_team(by_kubectl("Namespace", beside, mistake.causes))
    assert (refused.code, refused.stderr) == (1, told)
    assert neighbours.read("namespace", beside)["metadata"] == before


def test_somebody_elses_host_cannot_be_written_over_ones_own(neighbours: Neighbours) -> None:
    other = json.dumps(a_deployment("other", f"{TEAM}-beside"))
    assert neighbours.kubectl("create", "-f", "-", stdin=other).ok
    overwrite = ("--overwrite", f"{names.HOST}=web.{TEAM}.example")
    own = ("deployment", "other", "-n", f"{TEAM}-beside")
    told = neighbours.kubectl("annotate", *own, *overwrite).stderr
    assert told == neighbours.of_team(
        f"Warning: dayfly.dev/host is for Dayfly to write: the host is other.{TEAM}.example\n"
    )
    meta = neighbours.read(*own)["metadata"]
    assert meta["annotations"][names.HOST] == neighbours.of_team(f"other.{TEAM}.example")
    assert (
        neighbours.holder(f"web.{neighbours.name}.example") == f"Deployment {neighbours.name}/web"
    )


def test_a_name_is_free_again_once_its_namespace_is_gone(neighbours: Neighbours) -> None:
    passing, next_one = (
        json.dumps(a_namespace(f"{TEAM}-{name}", {names.ENVIRONMENT: f"{TEAM}-passing"}))
        for name in ("passing", "next")
    )
    assert neighbours.kubectl("create", "-f", "-", stdin=passing).ok
    assert not neighbours.kubectl("create", "-f", "-", stdin=next_one).ok
    assert neighbours.kubectl("delete", "namespace", f"{TEAM}-passing", "--timeout=60s").ok
    given = neighbours.kubectl("create", "-f", "-", stdin=next_one)
    assert given.ok, given.stderr


@pytest.fixture
def reserved(neighbours: Neighbours) -> Iterator[str]:
    """A name that was given to a request which has not been stored so far."""
    key = ClaimKey(KeyKind.ENVIRONMENT, f"{neighbours.name}-soon")
    holder = {"group": "", "version": "v1", "resource": "namespaces", "kind": "Namespace"}
    spec = {
        "key": {"kind": key.kind, "value": key.value, "written": key.value},
        "holder": {**holder, "name": "nowhere", "uid": "not-stored"},
        "state": ClaimState.PENDING,
        "claimedAt": "2026-11-22T10:00:00Z",
    }
    claim = {"metadata": {"name": key.claim_name}, "spec": spec, **HEAD}
    neighbours.kubectl("create", "-f", "-", stdin=json.dumps(claim)).checked()
    yield key.value
    neighbours.kubectl("delete", "nameclaim", key.claim_name, "--ignore-not-found").checked()


@pytest.mark.parametrize(
    ("words", "begins"),
    [
        ("create", 'Error from server (Conflict): error when creating "STDIN": '),
        ("apply --server-side", "error: "),
    ],
    ids=["create", "server-side apply"],
)
def test_a_name_under_way_is_worth_a_retry_and_not_worth_force(
    neighbours: Neighbours, reserved: str, words: str, begins: str
) -> None:
    wanting = json.dumps(a_namespace(f"{TEAM}-new", {names.ENVIRONMENT: reserved}))
    refused = neighbours.kubectl(*words.split(), "-f", "-", stdin=wanting).stderr
    told = (
        f'{begins}admission webhook "environments.dayfly.dev" denied the request: '
        f'Operation cannot be fulfilled on namespaces "{neighbours.name}-new": {LABEL}: '
        f'"{reserved}" is reserved by a concurrent request, retry in 5 s; if that one failed, it '
        "comes free in little more than a minute (this is no conflict between field managers)"
    )
    assert refused.splitlines()[0] == told
