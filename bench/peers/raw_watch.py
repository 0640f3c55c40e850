"""The floor: list the stamped ConfigMaps and follow them, with aiohttp and msgspec alone.

usage: python bench/peers/raw_watch.py SERVER CA CERT KEY

It reads the bytes that the operator reads, in pages as it does, and keeps the metadata of each
object. When all are listed it prints its CPU-seconds so far, imports included, and follows on until
killed.
"""

import asyncio
import ssl
import sys
import time
from typing import Any

import aiohttp
import msgspec

PATH = "/api/v1/configmaps"
SELECTOR = "dayfly.dev/policy"
PAGE = 500


class Meta(msgspec.Struct, gc=False, rename="camel"):
    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None


class Item(msgspec.Struct, gc=False):
    metadata: Meta


class ListMeta(msgspec.Struct, rename="camel"):
    resource_version: str
    continue_: str = msgspec.field(default="", name="continue")


class Page(msgspec.Struct):
    metadata: ListMeta
    items: list[Item] | None


class Event(msgspec.Struct):
    type: str
    object: Item


def accept(kind: str) -> dict[str, str]:
    return {"Accept": f"application/json;as={kind};g=meta.k8s.io;v=v1"}


async def listed(session: aiohttp.ClientSession, items: dict[str, Meta]) -> str:
    """Read page after page; gives the version to watch from."""
    decoder = msgspec.json.Decoder(Page)
    params = {"labelSelector": SELECTOR, "limit": str(PAGE)}
    while True:
        headers = accept("PartialObjectMetadataList")
        async with session.get(PATH, params=params, headers=headers) as response:
            page = decoder.decode(await response.read())
        items.update((item.metadata.name, item.metadata) for item in page.items or ())
        if not page.metadata.continue_:
            return page.metadata.resource_version
        params["continue"] = page.metadata.continue_


async def follow(session: aiohttp.ClientSession, items: dict[str, Meta], version: str) -> None:
    decoder = msgspec.json.Decoder(Event)
    params = {
        "labelSelector": SELECTOR,
        "resourceVersion": version,
        "watch": "true",
        "allowWatchBookmarks": "true",
    }
    headers = accept("PartialObjectMetadata")
    async with session.get(PATH, params=params, headers=headers) as response:
        async for line in response.content:
            event = decoder.decode(line)
            items[event.object.metadata.name] = event.object.metadata


async def main(server: str, authority: str, certificate: str, key: str) -> None:
    context = ssl.create_default_context(cafile=authority)
    context.load_cert_chain(certificate, key)
    items: dict[str, Meta] = {}
    options: dict[str, Any] = {
        "connector": aiohttp.TCPConnector(ssl=context),
        "timeout": aiohttp.ClientTimeout(None),
        "read_bufsize": 2**18,
    }
    async with aiohttp.ClientSession(server, **options) as session:
        version = await listed(session, items)
        print(time.process_time(), len(items), flush=True)
        await follow(session, items, version)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
