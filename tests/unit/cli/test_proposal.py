"""Policies read from files, as if they were applied."""

import io
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from dayfly_cli.proposal import Rules, proposed
from dayfly_cli.terminal import Failed, Misused
from dayfly_core.objects import ObjectMeta
from dayfly_core.policies import Policies, Policy
from support.build import HOUR, NOW

HEAD = "apiVersion: dayfly.dev/v1alpha1\nkind: ExpiryPolicy\n"
MATCH = "  match: {resources: [{apiGroups: [apps], resources: [deployments]}]}\n"
PREVIEWS = f"{HEAD}metadata: {{name: previews}}\nspec:\n{MATCH}  ttl: {{default: 1m}}\n"
SLEEP = "  timeline: [{at: 0s, action: {type: SCALE_DOWN}}, {at: 1d, action: {type: DELETE}}]\n"
OTHER = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"


def read(text: str) -> tuple[Policy, ...]:
    return proposed(["-"], io.StringIO(text))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        pytest.param(PREVIEWS, ["previews"], id="one"),
        pytest.param(
            f"{PREVIEWS}---\n{OTHER}---\n{PREVIEWS.replace('previews', 'second')}---\n",
            ["previews", "second"],
            id="several, and what else a file holds",
        ),
        pytest.param(
            "kind: List\nitems:\n- " + PREVIEWS.replace("\n", "\n  ").rstrip(),
            ["previews"],
            id="a list, as kubectl prints it",
        ),
    ],
)
def test_policies_are_found(text: str, names: list[str]) -> None:
    assert [policy.name for policy in read(text)] == names


def test_files_are_read(tmp_path: Path) -> None:
    path = tmp_path / "previews.yaml"
    path.write_text(PREVIEWS)
    assert [policy.default for policy in proposed([str(path)])] == [timedelta(minutes=1)]


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        pytest.param("", Misused, "no ExpiryPolicy is in it; write a file with", id="nothing"),
        pytest.param(OTHER, Misused, "no ExpiryPolicy is in it", id="something else"),
        pytest.param("just text", Misused, "no ExpiryPolicy is in it", id="no object"),
        pytest.param("a: [", Misused, "is no YAML: ", id="no YAML"),
        pytest.param(
            PREVIEWS.replace("1m", "soon"), Failed,
            "ExpiryPolicy previews would be refused: spec.ttl.default", id="a bad duration",
        ),
        pytest.param(
            PREVIEWS.replace("ttl", "tll"), Failed,
            "ExpiryPolicy previews would be refused: unknown field spec.tll",
            id="a misspelt field",
        ),
        pytest.param(
            f"{HEAD}metadata: x\nspec: {{}}\n", Failed, "ExpiryPolicy ? would be refused",
            id="metadata that is none",
        ),
        pytest.param(
            f"{HEAD}metadata: {{name: x}}\nspec: {{1: 2, when: 2026-01-01}}\n", Failed,
            "ExpiryPolicy x would be refused", id="values that are no JSON",
        ),
        pytest.param(
            f"{HEAD}metadata: {{name: x}}\n", Failed, "ExpiryPolicy x would be refused",
            id="no spec",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_applied_is_said_in_one_line(
    text: str, error: type[Exception], said: str
) -> None:
    with pytest.raises(error) as raised:
        read(text)
    assert f"-f -: {said}" in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("path", ["/no/such/file", "/"])
def test_a_file_that_cannot_be_read(path: str) -> None:
    with pytest.raises(Misused, match=f"-f {path}: cannot be read: "):
        proposed([path])


def test_a_step_that_a_change_adds_is_known_from_now_on() -> None:
    [before], [after] = read(PREVIEWS), read(PREVIEWS + SLEEP)
    created = ObjectMeta(name="previews", creation_timestamp=NOW - 90 * HOUR, generation=1)
    rules = Rules(Policies([before]), {}, {"previews": created})
    found = rules.with_([after], NOW).policies.get("previews")
    assert found
    assert found.known == {"SCALE_DOWN@0s": NOW, "DELETE@1d": NOW}


def test_a_new_policy_stands_beside_the_others() -> None:
    [before] = read(PREVIEWS)
    [after] = read(PREVIEWS.replace("previews", "second"))
    found = Rules(Policies([before]), {}, {}).with_([after], NOW).policies
    assert [policy.name for policy in found] == ["previews", "second"]


SUSPENDED = f"{PREVIEWS}  suspend: true\n"


@pytest.mark.parametrize(
    ("before", "after", "since"),
    [
        pytest.param(None, PREVIEWS, NOW, id="a new policy, from now on"),
        pytest.param(PREVIEWS, PREVIEWS, NOW - 9 * HOUR, id="one that does the same, as before"),
        pytest.param(
            PREVIEWS, PREVIEWS.replace("1m", "2m"), NOW - 9 * HOUR, id="another ttl moves no end"
        ),
        pytest.param(
            SUSPENDED, PREVIEWS, NOW, id="one that is resumed, so that what is past is a surprise"
        ),
        pytest.param(
            PREVIEWS, PREVIEWS.replace("deployments", "statefulsets"), NOW, id="other objects"
        ),
    ],
)
def test_since_when_a_policy_does_what_it_does(
    before: str | None, after: str, since: datetime
) -> None:
    stored = [replace(each, since=NOW - 9 * HOUR) for each in read(before)] if before else []
    created = ObjectMeta(name="previews", creation_timestamp=NOW - 90 * HOUR, generation=1)
    rules = Rules(Policies(stored), {}, {"previews": created} if before else {})
    found = rules.with_(read(after), NOW).policies.get("previews")
    assert found
    assert found.since == since
