"""Whether a user has a right is asked of the API server, and only its word counts."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from dayfly_admission.permission import PATH, Permissions
from dayfly_admission.review import User
from dayfly_core.entitlement import Right
from dayfly_core.objects import DEPLOYMENTS
from dayfly_kube.errors import ApiError, Status, Unreachable

ALICE = User("alice", "7", ["dev"], {"scopes": ["a"]})
WEB = Right("get", DEPLOYMENTS, "team-b", "web")


@dataclass
class Api:
    """Answers each POST by a function."""

    reply: Callable[[], Awaitable[bytes]]
    path: str = ""
    body: Any = None
    users: list[str] = field(default_factory=list[str])

    async def create(self, path: str, body: Any) -> bytes:
        self.path, self.body = path, body
        self.users.append(body["spec"]["user"])
        return await self.reply()


def replying(value: object) -> Callable[[], Awaitable[bytes]]:
    async def reply() -> bytes:
        if isinstance(value, Exception):
            raise value
        return msgspec.json.encode(value)

    return reply


async def hang() -> bytes:
    await asyncio.Event().wait()
    raise AssertionError("nobody sets it")


@pytest.mark.parametrize(
    ("reply", "want"),
    [
        pytest.param(replying({"status": {"allowed": True}}), True, id="allowed"),
        pytest.param(replying({"status": {"allowed": False}}), False, id="not allowed"),
        pytest.param(replying({}), None, id="no status"),
        pytest.param(replying({"status": {"allowed": "yes"}}), None, id="not a yes"),
        pytest.param(replying(Unreachable("gone")), None, id="no answer"),
        pytest.param(replying(ApiError(Status(403, "Forbidden"))), None, id="no right to ask"),
        pytest.param(hang, None, id="no answer in time"),
    ],
)
async def test_what_nobody_said_is_neither_yes_nor_no(
    reply: Callable[[], Awaitable[bytes]], want: bool | None
) -> None:
    assert await Permissions(Api(reply)).allowed(ALICE, WEB, 0.05) is want


async def test_what_is_asked_is_about_this_user_and_this_object() -> None:
    api = Api(replying({}))
    await Permissions(api).allowed(ALICE, WEB, 1)
    assert api.path == PATH
    assert api.body["spec"] == {
        "user": "alice",
        "uid": "7",
        "groups": ["dev"],
        "extra": {"scopes": ["a"]},
        "resourceAttributes": {
            "verb": "get",
            "group": "apps",
            "version": "v1",
            "resource": "deployments",
            "namespace": "team-b",
            "name": "web",
        },
    }


async def test_a_crowd_asks_once_and_the_next_crowd_anew() -> None:
    yes = asyncio.Event()

    async def once() -> bytes:
        await yes.wait()
        return msgspec.json.encode({"status": {"allowed": True}})

    api = Api(once)
    permissions = Permissions(api)
    for times in (1, 2):
        yes.clear()
        crowd = [asyncio.create_task(permissions.allowed(ALICE, WEB, 1)) for _ in range(50)]
        impatient = asyncio.create_task(permissions.allowed(ALICE, WEB, 0))
        assert await impatient is None
        yes.set()
        assert await asyncio.gather(*crowd) == [True] * 50
        assert api.users == ["alice"] * times


async def test_another_user_is_another_question() -> None:
    api = Api(replying({}))
    permissions = Permissions(api)
    both = (permissions.allowed(user, WEB, 1) for user in (ALICE, User("bob")))
    await asyncio.gather(*both)
    assert api.users == ["alice", "bob"]
