"""One way to end a namespace: guarded, marked, paced, and only the very one that was read."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from dayfly_core import names
from dayfly_core.guard import Guard
from dayfly_core.objects import ObjectMeta
from dayfly_core.reasons import Reason
from dayfly_kube.errors import ApiError, Status, StatusDetails
from dayfly_operator.members import Keeper
from dayfly_operator.own.namespace_end import Ended, Gone, NamespaceEnd, Withheld
from dayfly_operator.writing import Outdated, Rehearsal, Writer

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
SECOND = timedelta(seconds=1)
BY = "NamespaceManager/team/ci"
Meta = dict[str, Any]


@dataclass
class Cluster:
    """One namespace, or none; every write has a new version. Is client, writer, members, pace."""

    meta: Meta | None = field(default_factory=lambda: {"name": "prev", "uid": "u1"})
    member: str | None = None
    forbidden: bool = False
    full: bool = False
    before_delete: Callable[[], None] = lambda: None
    log: list[str] = field(default_factory=list[str])
    version: int = 7

    def stored(self) -> Meta:
        if self.meta is None:
            raise ApiError(Status(404, "NotFound", details=StatusDetails(name="shop")))
        return self.meta | {"resourceVersion": str(self.version)}

    async def get(self, path: str, *, metadata_only: bool = False) -> bytes:
        assert (path, metadata_only) == ("/api/v1/namespaces/prev", True)
        self.log.append("read")
        return msgspec.json.encode({"metadata": self.stored()})

    async def turn(self) -> float:
        self.log.append("turn")
        return 0.0

    async def keeper(self, namespace: str) -> Keeper | None:
        self.log.append("members")
        return Keeper(self.member) if self.member else None

    async def create(self, path: str, body: object) -> bytes:
        raise AssertionError

    async def apply(self, path: str, body: object, *, manager: str, force: bool = True) -> bytes:
        raise AssertionError

    async def merge_patch(self, path: str, body: object) -> bytes:
        wanted = msgspec.to_builtins(body)["metadata"]
        self._check(wanted["uid"], wanted["resourceVersion"])
        assert self.meta is not None
        if self.full and "annotations" in wanted:
            raise ApiError(Status(422, "Invalid", "metadata.annotations: Too long"))
        for part in {"annotations", "labels"} & wanted.keys():
            self.meta[part] = self.meta.get(part, {}) | wanted[part]
        self.version += 1
        self.log.append("mark")
        return msgspec.json.encode({"metadata": self.stored()})

    async def delete(
        self, path: str, *, uid: str, resource_version: str, propagation: str = "Background"
    ) -> bytes:
        self.before_delete()
        self._check(uid, resource_version)
        assert self.meta is not None
        marked = self.meta.get("labels" if self.full else "annotations", {})
        assert marked[names.ENDED_BY] == ("true" if self.full else BY)
        self.meta = None
        self.log.append("delete")
        return b"{}"

    def _check(self, uid: str, version: str) -> None:
        if self.forbidden:
            raise ApiError(Status(403, "Forbidden"))
        stored = self.stored()
        if (uid, version) != (stored["uid"], stored["resourceVersion"]):
            raise ApiError(Status(409, "Conflict"))

    def touch(self) -> None:
        self.version += 1

    def protect(self) -> None:
        assert self.meta is not None
        self.meta["labels"] = {names.PROTECTED: "true"}
        self.touch()

    async def end(
        self, guard: str = "", due: datetime = NOW, writer: Writer | None = None
    ) -> Ended | Gone | Withheld:
        """End what is there now."""
        guarded = Guard.parse("dayfly-system", {"namespaces": guard})
        known = msgspec.convert(self.stored(), ObjectMeta)
        ending = NamespaceEnd(self, writer or self, lambda: guarded, self, self, lambda: NOW)
        return await ending.end(known, by=BY, due=due)


async def test_it_is_read_marked_and_deleted_in_its_turn() -> None:
    cluster = Cluster()
    assert await cluster.end() == Ended("u1", NOW)
    assert cluster.log == ["turn", "members", "mark", "delete"]


async def test_one_whose_annotations_are_full_is_marked_by_a_label() -> None:
    cluster = Cluster(full=True)
    assert await cluster.end() == Ended("u1", NOW)
    assert cluster.log == ["turn", "members", "mark", "delete"]


async def test_one_that_is_marked_by_a_label_already_is_not_marked_again() -> None:
    cluster = Cluster({"name": "prev", "uid": "u1", "labels": {names.ENDED_BY: "true"}}, full=True)
    assert await cluster.end() == Ended("u1", NOW)
    assert "mark" not in cluster.log


async def test_one_that_is_marked_already_is_not_marked_again() -> None:
    cluster = Cluster({"name": "prev", "uid": "u1", "annotations": {names.ENDED_BY: BY}})
    assert await cluster.end() == Ended("u1", NOW)
    assert "mark" not in cluster.log


@pytest.mark.parametrize(
    ("cluster", "guard", "outcome"),
    [
        pytest.param(
            Cluster({"name": "prev", "uid": "u1", "deletionTimestamp": "2026-11-22T09:00:00Z"}),
            "",
            Ended("u1", None),
            id="it is on its way out",
        ),
        pytest.param(
            Cluster(),
            "pre*",
            Withheld(Reason.GUARDED, "namespace prev is guarded and never ended"),
            id="it is guarded",
        ),
        pytest.param(
            Cluster({"name": "prev", "uid": "u1", "labels": {names.PROTECTED: "true"}}),
            "",
            Withheld(Reason.PROTECTED, "namespace prev carries the label dayfly.dev/protected"),
            id="it is protected",
        ),
        pytest.param(
            Cluster(member="services/prev/db"),
            "",
            Withheld(Reason.PROTECTED, "namespace prev stays: services/prev/db is protected"),
            id="something in it is protected",
        ),
    ],
)
async def test_what_does_not_end(cluster: Cluster, guard: str, outcome: Ended | Withheld) -> None:
    assert await cluster.end(guard) == outcome
    assert not {"mark", "delete"} & set(cluster.log)


async def test_one_that_is_touched_meanwhile_is_judged_again() -> None:
    cluster = Cluster()
    changes = [cluster.touch]
    cluster.before_delete = lambda: changes.pop()() if changes else None
    assert await cluster.end() == Ended("u1", NOW)
    assert cluster.log.count("read") == 1


async def test_one_that_is_protected_at_the_last_moment_stays() -> None:
    cluster = Cluster()
    cluster.before_delete = cluster.protect
    outcome = await cluster.end()
    assert isinstance(outcome, Withheld)
    assert cluster.meta is not None


async def test_one_that_is_gone_at_the_last_moment_is_gone() -> None:
    cluster = Cluster()

    def gone() -> None:
        cluster.meta = None

    cluster.before_delete = gone
    assert await cluster.end() == Gone()


async def test_one_that_is_made_anew_at_the_last_moment_stays() -> None:
    cluster = Cluster()

    def anew() -> None:
        cluster.meta = {"name": "prev", "uid": "u2"}

    cluster.before_delete = anew
    assert await cluster.end() == Gone()
    assert cluster.meta == {"name": "prev", "uid": "u2"}


async def test_one_whose_owner_is_busy_with_it_is_left_for_later() -> None:
    cluster = Cluster()
    cluster.before_delete = cluster.touch
    with pytest.raises(Outdated):
        await cluster.end()


async def test_before_its_time_nothing_ends() -> None:
    cluster = Cluster()
    with pytest.raises(Outdated):
        await cluster.end(due=NOW + SECOND)
    assert "mark" not in cluster.log


async def test_a_refusal_is_for_the_caller() -> None:
    with pytest.raises(ApiError):
        await Cluster(forbidden=True).end()


async def test_in_a_rehearsal_nothing_is_written() -> None:
    cluster = Cluster()
    assert await cluster.end(writer=Rehearsal()) == Ended("u1", NOW)
    assert cluster.meta == {"name": "prev", "uid": "u1"}
