"""What the operator does to other people's objects: delete one version of one, or stamp it."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol, assert_never

from dayfly_core import patch
from dayfly_core.actions import Action, Annotate, Call, Delete, ScaleDown, Stamp, Wake
from dayfly_kube.errors import ApiError
from dayfly_operator.writing import Outdated, Writer


class Reports(Protocol):
    """Who tells people what happened."""

    def ending(self, order: Delete) -> None:
        """Say that the end of an object has come."""
        ...

    def ended(self, order: Delete, sent_at: datetime) -> None:
        """Say that the API server has taken the DELETE, sent at that instant."""
        ...

    def stamped(self, order: Stamp) -> None:
        """Say that an object has got its stamps."""
        ...


class Effects:
    """Carries out actions. Each names uid and version, so none can hit what was not judged.

    An object that is gone already is success. Raises Outdated, NotLeading, ApiError, Unreachable.
    """

    def __init__(self, writer: Writer, reports: Reports, now: Callable[[], datetime]) -> None:
        self._writer = writer
        self._reports = reports
        self._now = now

    async def carry_out(self, action: Action) -> None:
        """Do it, and report it."""
        try:
            match action:
                case Delete():
                    await self._delete(action)
                case Stamp():
                    await self._stamp(action)
                case Annotate() | ScaleDown() | Call() | Wake():
                    raise NotImplementedError(action)
                case _:
                    assert_never(action)
        except ApiError as error:
            if error.conflict:
                raise Outdated from error
            if not error.not_found:
                raise

    async def _delete(self, order: Delete) -> None:
        key = order.key
        self._reports.ending(order)
        sent_at = self._now()
        await self._writer.delete(
            key.resource.path(key.namespace, key.name),
            uid=order.uid,
            resource_version=order.resource_version,
            propagation="Background",
        )
        self._reports.ended(order, sent_at)

    async def _stamp(self, order: Stamp) -> None:
        key = order.key
        body = patch.merge_patch(order.stamps, order.resource_version, order.uid)
        await self._writer.merge_patch(key.resource.path(key.namespace, key.name), body)
        self._reports.stamped(order)
