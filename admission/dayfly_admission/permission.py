"""Whether a user may do something: the API server says, whose authorizers know."""

import asyncio
import logging
from typing import Final, Protocol

import msgspec

from dayfly_admission.review import User
from dayfly_core.entitlement import Right
from dayfly_kube.errors import ApiError, Unreachable

log = logging.getLogger(__name__)

API_VERSION: Final = "authorization.k8s.io/v1"
PATH: Final = f"/apis/{API_VERSION}/subjectaccessreviews"

SECONDS: Final = 3.0
"""At most, for the one question that many wait for; each of them may have less time."""


class _Status(msgspec.Struct, frozen=True):
    allowed: bool = False


class _Answer(msgspec.Struct, frozen=True):
    status: _Status


class Creator(Protocol):
    """The one verb that is needed of the API server."""

    async def create(self, path: str, body: object) -> bytes:
        """POST to a collection."""
        ...


class Permissions:
    """Asks about users' rights.

    A crowd that wants one thing asks one question: who asks what is being asked waits for that
    answer. Nothing is kept for later, so that rights count as they are.
    """

    def __init__(self, creator: Creator) -> None:
        self._creator = creator
        self._asked: dict[bytes, asyncio.Task[bool | None]] = {}

    async def allowed(self, user: User, right: Right, seconds: float) -> bool | None:
        """Whether the user has the right; None if nobody said so in time."""
        question = _question(user, right)
        same = msgspec.json.encode(question, order="deterministic")
        asked = self._asked.get(same) or self._ask(same, question)
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.shield(asked)  # others may have more time left
        except TimeoutError:
            return None

    def _ask(self, same: bytes, question: object) -> asyncio.Task[bool | None]:
        asked = self._asked[same] = asyncio.create_task(self._answer(question))
        asked.add_done_callback(lambda _: self._asked.pop(same))
        return asked

    async def _answer(self, question: object) -> bool | None:
        try:
            async with asyncio.timeout(SECONDS):
                body = await self._creator.create(PATH, question)
            return msgspec.json.decode(body, type=_Answer).status.allowed
        except (ApiError, Unreachable, TimeoutError, msgspec.MsgspecError) as error:
            log.warning("nobody said whether a user has a right: %s", error)
            return None


def _question(user: User, right: Right) -> dict[str, object]:
    spec = {
        "resourceAttributes": right.attributes,
        "user": user.username,
        "uid": user.uid,
        "groups": user.groups,
        "extra": user.extra,
    }
    return {"apiVersion": API_VERSION, "kind": "SubjectAccessReview", "spec": spec}
