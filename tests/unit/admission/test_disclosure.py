"""Who has a name is told to those who may look at that object anyway."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from dayfly_admission.disclosure import PATH, Disclosure
from dayfly_admission.review import User
from dayfly_kube.errors import ApiError, Status, Unreachable
from support.shelf import a_holder

ALICE = User("alice", "7", ["dev"], {"scopes": ["a"]})
WEB = a_holder("web", "Deployment", "team-b")


@dataclass
class Api:
    """Answers each POST by a function."""

    reply: Callable[[], Awaitable[bytes]]
    path: str = ""
    body: Any = None

    async def create(self, path: str, body: object) -> bytes:
        self.path, self.body = path, body
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
        pytest.param(replying({}), False, id="no status"),
        pytest.param(replying({"status": {"allowed": "yes"}}), False, id="not a yes"),
        pytest.param(replying(Unreachable("gone")), False, id="no answer"),
        pytest.param(replying(ApiError(Status(403, "Forbidden"))), False, id="no right to ask"),
        pytest.param(hang, False, id="no answer in time"),
    ],
)
async def test_only_a_yes_is_a_yes(reply: Callable[[], Awaitable[bytes]], want: bool) -> None:
    assert await Disclosure(Api(reply)).may_see(ALICE, WEB, 0.05) is want


async def test_what_is_asked_is_whether_this_user_may_get_this_object() -> None:
    api = Api(replying({}))
    await Disclosure(api).may_see(ALICE, WEB, 1)
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
