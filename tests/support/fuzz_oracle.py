"""What has to hold of every answer, whatever was asked; told by other readers than Dayfly's own."""

import copy
import json
import re
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, cast
from zlib import crc32

from dayfly_core.reasons import Reason
from support.fuzz_world import BROKEN, MOODS, How, Reply, World
from support.reviews import Json, accepted, patched

PATHS = ("/stamp", "/judge", "/environments", "/kinds")
MUTATING = "/stamp"
CLAIMING = ("/judge", "/environments")
CODES = {400: "BadRequest", 403: "Forbidden", 409: "Conflict", 422: "Invalid", 500: "InternalError"}
DEEP = re.compile(rb'(?:\[\{"":){9,}0(?:\}\]){9,}')
HEAD = re.compile(
    rb'\{"kind":"AdmissionReview","apiVersion":"admission\.k8s\.io/v1(?:beta1)?","request":\{"uid":"([0-9a-f-]{36})"'
)


@lru_cache(maxsize=4)
def readable(body: bytes) -> Json:
    """Read a review as the API server could have written it; empty if it could not.

    The same body is asked for again and again: what is returned is not to be changed.
    """
    try:
        value = json.loads(body.decode(errors="replace"), parse_constant=_refuse)
        json.dumps(value, ensure_ascii=False).encode()  # raises for half of a surrogate pair
    except (ValueError, RecursionError):
        return {}
    return cast("Json", value) if isinstance(value, dict) else {}


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def asked_of(review: Json) -> Json:
    """Return the request in it, empty if there is none."""
    request = review.get("request")
    return cast("Json", request) if isinstance(request, dict) else {}


@dataclass(slots=True)
class Trial:
    """One body, sent to every endpoint."""

    world: World
    body: bytes
    how: How = field(default_factory=How)

    async def run(self) -> None:
        """Raise AssertionError for whatever does not hold."""
        mood, review = crc32(self.body) % MOODS, readable(self.body)
        cluster = self.world.cluster
        for path in PATHS:
            cluster.renew(mood)
            before = dict(cluster.claims)
            said = await self.said(path, self.body)
            if not said["allowed"] and mood != BROKEN and not _ran_out_of_time(said):
                assert cluster.claims.keys() == before.keys(), "a refusal leaves claims"
            if path not in CLAIMING or not _counts(asked_of(review)):
                assert not cluster.writes, "nothing may be written"
            if "patch" in said:
                with suppress(RecursionError):  # nested too deeply for these readers alone
                    await self._twice(review, said)

    async def said(self, path: str, body: bytes) -> Json:
        """Ask one endpoint, and check all that can be told of the answer alone."""
        half = crc32(body) % (len(body) + 1)
        reply = await self.world.post(path, [body[:half], body[half:]], self.how)
        json_sent = self.how.content_type.startswith(b"application/json")
        said = checked(path, body if json_sent else b"", reply)
        told = [json.loads(line)["uid"] for line in self.world.lines]
        assert told == [said["uid"]], "one line of the journal"
        return said

    async def _twice(self, review: Json, said: Json) -> None:
        """Check that the patch applies, and that nothing is left to patch then.

        The second time around the API server would have noted what the author sent.
        """
        asked = review["request"]
        assert asked.get("operation") in ("CREATE", "UPDATE"), "a patch of what goes away"
        original = asked["object"]
        changed = patched(copy.deepcopy(original), said)
        assert changed != original, "a patch that changes nothing"
        assert _without_ours(changed) == _without_ours(original), "a patch of what is not ours"
        noted = _noted(review)
        first = await self.said(MUTATING, json.dumps(noted).encode())
        once = patched(copy.deepcopy(noted["request"]["object"]), first)
        again = await self._stamped(noted, once)
        assert "patch" not in again, "a second patch"
        await self._stays(noted, once)

    async def _stamped(self, review: Json, new: Json, **more: Any) -> Json:
        asked = review["request"] | {"object": new} | more
        return await self.said(MUTATING, json.dumps(review | {"request": asked}).encode())

    async def _stays(self, review: Json, stored: Json) -> None:
        """Check that what was let in is left alone by an update that changes nothing."""
        asked = review["request"] | {"object": stored, "dryRun": True}
        created = json.dumps(review | {"request": asked}).encode()
        if not (await self.said("/judge", created))["allowed"]:
            return
        later = await self._stamped(review, stored, operation="UPDATE", oldObject=stored)
        assert "patch" not in later, "a patch of what was let in"


def _ran_out_of_time(said: Json) -> bool:
    """Whether there was no time left to withdraw a claim either: the operator does it later."""
    audit: Json = said.get("auditAnnotations", {})
    return audit.get("reason", "") in (Reason.CANNOT_VERIFY,)


def _counts(asked: Json) -> bool:
    """Whether what is asked for may be claimed."""
    return asked.get("operation") in ("CREATE", "UPDATE") and not asked.get("dryRun")


def checked(path: str, body: bytes, reply: Reply) -> Json:
    """Read an answer as the API server does, and more strictly."""
    assert reply.status == 200
    assert reply.headers[b"content-type"] == b"application/json"
    assert int(reply.headers[b"content-length"]) == len(reply.body)
    version = json.loads(reply.body)["apiVersion"]
    assert version in ("admission.k8s.io/v1", "admission.k8s.io/v1beta1")
    said = accepted(reply.body, mutating=path == MUTATING, api_version=version)
    assert said["uid"] == (_uid(body) or said["uid"]) or _ambiguous(body)
    reason = said.get("auditAnnotations", {}).get("reason", Reason.MALFORMED)
    assert reason != Reason.INTERNAL_ERROR, "a fault of ours"
    assert all(isinstance(value, str) for value in said.get("auditAnnotations", {}).values())
    if not said["allowed"]:
        _explained(path, said["status"])
    return said


def _uid(body: bytes) -> str:
    """Return the uid if it can be read: of what the API server nested too deeply, too."""
    uid = asked_of(readable(body)).get("uid")
    if isinstance(uid, str):
        return "" if "\ufffd" in uid else uid
    head = HEAD.match(body)
    return head[1].decode() if head and _only_too_deep(body) else ""


def _ambiguous(body: bytes) -> bool:
    """Whether a key is there twice that says whom to answer: readers differ about the first."""

    def once(pairs: list[tuple[str, Any]]) -> Json:
        keys = [key for key, _ in pairs if key in ("uid", "request")]
        if len(keys) > len(set(keys)):
            raise ValueError(keys)
        return dict(pairs)

    shallow = DEEP.sub(b"0", body).decode(errors="replace")
    try:
        json.loads(shallow, object_pairs_hook=once)
    except (ValueError, RecursionError):
        return True
    return False


def _only_too_deep(body: bytes) -> bool:
    try:
        json.loads(body, parse_constant=_refuse)
    except RecursionError:
        return True
    except ValueError:
        return False
    return False


def _explained(path: str, status: Json) -> None:
    """Check that a refusal says why to everybody: to kubectl by causes, to others by message."""
    code, reason = status["code"], status["reason"]
    assert reason in (CODES[code], "AlreadyExists")
    assert code == 400 or path != MUTATING, "what stamps refuses nothing"
    if code in (403, 409, 422):
        assert status["details"].keys() >= {"group", "kind", "name"}
    if code in (403, 422):
        assert status["details"]["causes"]
    if reason == "Conflict":
        assert status["details"]["retryAfterSeconds"] > 0
    for cause in status.get("details", {}).get("causes", ()):
        assert cause["reason"]
        assert cause["message"].isprintable()
        text = f"{cause['field']}: {cause['message']}" if code == 422 else cause["field"]
        assert text in status["message"]


def _without_ours(item: Json) -> Json:
    """Leave out what a patch may change: annotations and labels, of which only Dayfly's."""
    item = copy.deepcopy(item)
    for part in ("annotations", "labels"):
        held: Json = item["metadata"].pop(part, None) or {}
        others = {k: v for k, v in held.items() if not k.startswith("dayfly.dev/")}
        item["metadata"][part] = others
    return item


def _noted(review: Json) -> Json:
    """Write into ``managedFields`` what the API server notes of a CREATE."""
    review = copy.deepcopy(review)
    asked = review["request"]
    if asked["operation"] == "CREATE":
        meta = asked["object"]["metadata"]
        labels = {f"f:{key}": cast("Json", {}) for key in meta.get("labels") or ()}
        meta["managedFields"] = [{"fieldsV1": {"f:metadata": {"f:labels": labels}}}]
    return review
