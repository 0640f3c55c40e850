"""Who has a name is told to those who may look at that object anyway."""

from typing import Any

import msgspec
import pytest

from dayfly_admission.disclosure import Disclosure
from dayfly_admission.permission import Permissions
from dayfly_admission.review import User
from dayfly_kube.errors import Unreachable
from support.shelf import a_holder

WEB = a_holder("web", "Deployment", "team-b")


class Api:
    """Answers each POST with this, or fails."""

    def __init__(self, allowed: bool | None) -> None:
        self.allowed = allowed
        self.asked = list[dict[str, Any]]()

    async def create(self, path: str, body: Any) -> bytes:
        self.asked.append(body)
        if self.allowed is None:
            raise Unreachable("gone")
        return msgspec.json.encode({"status": {"allowed": self.allowed}})


@pytest.mark.parametrize(
    ("allowed", "want"),
    [
        pytest.param(True, True, id="who may look at it"),
        pytest.param(False, False, id="not who may not"),
        pytest.param(None, False, id="nor if nobody says so"),
    ],
)
async def test_the_holder_is_told_to(allowed: bool | None, want: bool) -> None:
    api = Api(allowed)
    assert await Disclosure(Permissions(api)).may_see(User("alice"), WEB, 1) is want
    (review,) = api.asked
    assert review["spec"]["resourceAttributes"] == {
        "verb": "get",
        "group": "apps",
        "version": "v1",
        "resource": "deployments",
        "namespace": "team-b",
        "name": "web",
    }
