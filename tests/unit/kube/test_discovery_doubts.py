"""That a kind is not there takes a list that says so: a 404 alone may be any proxy's."""

import json
from typing import Any

import pytest

from dayfly_core.objects import CRON_JOBS, DEPLOYMENTS
from dayfly_kube.discovery import Discovery
from dayfly_kube.errors import ApiError, Status, StatusDetails, Unproven

NOWHERE = ApiError(Status(404, "", "404 page not found"))
NAMED = ApiError(Status(404, "NotFound", "not found", StatusDetails(name="apps")))
GROUPS = {"kind": "APIGroupList", "groups": [{"name": "apps"}]}
NO_GROUPS = {"kind": "APIGroupList"}
APPS = {"kind": "APIGroup", "versions": [{"version": "v1"}]}
EMPTY = {"kind": "APIResourceList"}
WORKLOADS = {"name": "deployments", "kind": "Deployment", "namespaced": True}
FULL = {"kind": "APIResourceList", "resources": [WORKLOADS]}


class Answers:
    """The API server, or what stands before it."""

    def __init__(self, by_path: dict[str, Any]) -> None:
        self.by_path = by_path

    async def get(self, path: str) -> bytes:
        answer = self.by_path[path]
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, bytes) else json.dumps(answer).encode()


def answers(groups: object = GROUPS, group: object = APPS, version: object = FULL) -> Answers:
    return Answers({"/apis": groups, "/apis/apps": group, "/apis/apps/v1": version})


@pytest.mark.parametrize(
    "client",
    [
        pytest.param(answers(NO_GROUPS, NOWHERE), id="the groups do not list its group"),
        pytest.param(answers(version=EMPTY), id="its version does not list it"),
        pytest.param(answers(group={"kind": "APIGroup"}), id="its group has no version"),
    ],
)
async def test_what_a_list_does_not_have_is_not_served(client: Answers) -> None:
    assert await Discovery(client).find("apps", "deployments") is None
    assert await Discovery(client).of_kind("apps", "v1", "Deployment") is None


@pytest.mark.parametrize(
    "client",
    [
        pytest.param(answers(group=NOWHERE), id="a group that the groups list"),
        pytest.param(answers(group=NAMED), id="in whatever words"),
        pytest.param(answers(version=NOWHERE), id="a version that its group lists"),
        pytest.param(answers(NOWHERE, NOWHERE), id="everything"),
        pytest.param(answers({}, NOWHERE), id="a group, and the groups are an empty object"),
        pytest.param(answers(group={}), id="a group that says nothing"),
        pytest.param(answers(version={}), id="a version that says nothing"),
        pytest.param(answers(version=b"<html>sign in</html>"), id="a page"),
        pytest.param(answers(version=b"\xff"), id="no text at all"),
    ],
)
async def test_nobody_elses_answer_makes_a_kind_disappear(client: Answers) -> None:
    with pytest.raises(ApiError) as raised:
        await Discovery(client).find("apps", "deployments")
    assert isinstance(raised.value, Unproven) or client.by_path["/apis"] is NOWHERE
    with pytest.raises(ApiError):
        await Discovery(client).of_kind("apps", "v1", "Deployment")


async def test_an_error_is_passed_on_as_it_is() -> None:
    away = ApiError(Status(503, "ServiceUnavailable"))
    for client in (answers(group=away), answers(version=away)):
        with pytest.raises(ApiError) as raised:
            await Discovery(client).find(DEPLOYMENTS.group, DEPLOYMENTS.plural)
        assert raised.value is away


async def test_a_version_that_the_group_does_not_list_is_not_asked_for() -> None:
    found = await Discovery(answers()).of_kind("apps", "v1beta2", "Deployment")
    assert found == DEPLOYMENTS
    assert await Discovery(answers()).of_kind("apps", "v1beta2", CRON_JOBS.kind) is None
