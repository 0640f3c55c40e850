"""Lists, page by page: no answer of the API server is large, however much there is."""

from collections.abc import AsyncGenerator, Awaitable
from types import GenericAlias
from typing import Generic, Protocol, TypeVar, cast

import msgspec

from dayfly_kube.proof import proven

Item = TypeVar("Item")


class ListMeta(msgspec.Struct, frozen=True, rename="camel"):
    """``metadata`` of a list."""

    resource_version: str = ""
    continue_: str = msgspec.field(default="", name="continue")


class Page(msgspec.Struct, Generic[Item], frozen=True):
    """A list, or a page of it; a server may write no items as null."""

    kind: str = ""
    metadata: ListMeta = ListMeta()
    items: list[Item] | None = None


def page_of(item: type[Item]) -> type[Page[Item]]:
    """Return ``Page[item]``, which type checkers let pass only of a type that they know."""
    return cast("type[Page[Item]]", GenericAlias(Page, (item,)))


class Fetch(Protocol):
    """The client's ``get_list``, or one that asks for metadata only."""

    def __call__(self, path: str, *, params: dict[str, str]) -> Awaitable[bytes]:
        """GET a page of a collection."""
        ...


async def items(
    fetch: Fetch, path: str, of: type[Item], params: dict[str, str]
) -> AsyncGenerator[Item]:
    """Yield what is listed; ``params`` says how much at once.

    Raises ApiError, Unreachable, and Unproven of an answer that is no list.
    """
    decode = page_of(of)
    while True:
        page = proven(await fetch(path, params=params), decode, path)
        for item in page.items or ():
            yield item
        if not page.metadata.continue_:
            return
        params = {**params, "continue": page.metadata.continue_}
