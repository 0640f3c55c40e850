"""One request before it is sent, and what is made of each way in which it comes to nothing."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Final

import aiohttp
import msgspec

from dayfly_kube.errors import ApiError, Silent, Unreachable, refusal

JSON: Final = "application/json"
ONE_PARTIAL: Final = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"
PARTIAL_LIST: Final = (
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
)
"""Without the plain alternative an aggregated API that cannot transform would answer 406."""

MERGE_PATCH: Final = "application/merge-patch+json"
APPLY: Final = "application/apply-patch+yaml"

Params = Mapping[str, str]


class Call(msgspec.Struct, frozen=True):
    """One request before it gets its credentials."""

    method: str
    path: str
    params: Params = {}
    accept: str = JSON
    content_type: str = JSON
    body: bytes | None = None
    seconds: float | None = None
    """Time-out, if not the client's."""

    def __str__(self) -> str:
        """``GET /api/v1/namespaces/team-a``."""
        return f"{self.method} {self.path}"


@asynccontextmanager
async def reachable(call: Call) -> AsyncGenerator[None, None]:
    """Say of each way in which no answer comes that it was none."""
    try:
        yield
    except TimeoutError as error:
        raise Unreachable(f"{call}: no answer in time") from error
    except (aiohttp.ClientError, OSError) as error:
        raise Unreachable(f"{call}: {error or type(error).__name__}") from error


async def chunks(response: aiohttp.ClientResponse, call: Call) -> AsyncGenerator[bytes, None]:
    """Yield what a watch carries as it comes; ``Silent`` when it has carried nothing for long."""
    try:
        async for chunk in response.content.iter_any():
            yield chunk
    except TimeoutError as error:
        raise Silent(f"{call}: nothing was heard in time") from error


async def refused(response: aiohttp.ClientResponse) -> ApiError:
    """Read the refusal, and give the connection back."""
    async with response:
        body = await response.read()
    return refusal(response.status, body, response.headers.get("Retry-After"))
