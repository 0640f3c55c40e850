"""Whether a user may hear who has a name: only if the user may look at that object anyway."""

import asyncio
import logging
from typing import Final, Protocol

import msgspec

from dayfly_admission.review import User
from dayfly_core.api import Holder
from dayfly_kube.errors import ApiError, Unreachable

log = logging.getLogger(__name__)

API_VERSION: Final = "authorization.k8s.io/v1"
PATH: Final = f"/apis/{API_VERSION}/subjectaccessreviews"

SECONDS: Final = 1.0
"""At most: the refusal itself does not depend on it."""


class _Status(msgspec.Struct, frozen=True):
    allowed: bool = False


class _Answer(msgspec.Struct, frozen=True):
    status: _Status = _Status()


class Creator(Protocol):
    """The one verb that is needed of the API server."""

    async def create(self, path: str, body: object) -> bytes:
        """POST to a collection."""
        ...


class Disclosure:
    """Asks the API server, whose authorizers know; no answer is a no.

    A crowd that wants one name asks one question: who asks what is being asked waits for that
    answer. Nothing is kept for later, so that rights count as they are.
    """

    def __init__(self, creator: Creator) -> None:
        self._creator = creator
        self._asked: dict[bytes, asyncio.Task[bool]] = {}

    async def may_see(self, user: User, holder: Holder, seconds: float) -> bool:
        """Whether the user may ``get`` the holder."""
        question = _question(user, holder)
        same = msgspec.json.encode(question, order="deterministic")
        asked = self._asked.get(same) or self._ask(same, question)
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.shield(asked)  # others may have more time left
        except TimeoutError:
            return False

    def _ask(self, same: bytes, question: object) -> asyncio.Task[bool]:
        asked = self._asked[same] = asyncio.create_task(self._answer(question))
        asked.add_done_callback(lambda _: self._asked.pop(same))
        return asked

    async def _answer(self, question: object) -> bool:
        try:
            async with asyncio.timeout(SECONDS):
                body = await self._creator.create(PATH, question)
            return msgspec.json.decode(body, type=_Answer).status.allowed
        except (ApiError, Unreachable, TimeoutError, msgspec.MsgspecError) as error:
            log.warning("a holder is not named, nobody said whether it may be: %s", error)
            return False


def _question(user: User, holder: Holder) -> dict[str, object]:
    attributes = {
        "verb": "get",
        "group": holder.group,
        "version": holder.version,
        "resource": holder.resource,
        "namespace": holder.namespace,
        "name": holder.name,
    }
    spec = {
        "resourceAttributes": attributes,
        "user": user.username,
        "uid": user.uid,
        "groups": user.groups,
        "extra": user.extra,
    }
    return {"apiVersion": API_VERSION, "kind": "SubjectAccessReview", "spec": spec}
