"""Outgoing webhooks over TLS: whom they trust, and by which name they ask."""

import asyncio
import ssl
from ipaddress import ip_address
from pathlib import Path

import pytest
import trustme

from dayfly_core.outgoing import outbox
from dayfly_core.outgoing.outbox import Delivered, Failed, Outcome
from dayfly_operator.outgoing.settings import Pin
from support.callers import Calling
from support.receivers import receiver

NAMES = {"hooks.example.com": "127.0.0.1", "other.example.com": "127.0.0.1"}
CA = trustme.CA()


@pytest.fixture
def ca_file(tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    CA.cert_pem.write_to_path(path)
    return path


class Asked:
    """A server's side of TLS, that notes the name it was asked for."""

    def __init__(self, *identities: str, ca: trustme.CA = CA) -> None:
        self.names: list[str | None] = []
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.sni_callback = self._note
        with ca.issue_cert(*identities).private_key_and_cert_chain_pem.tempfile() as path:
            self.context.load_cert_chain(path)

    def _note(self, _: object, name: str | None, __: object) -> None:
        self.names.append(name)


async def send(calling: Calling, url: str) -> Outcome:
    return await calling.patient().caller().send(url, b"{}", key="an-id", secret=None)


async def test_the_name_is_what_is_asked_for_and_verified(ca_file: Path) -> None:
    asked = Asked("hooks.example.com")
    async with receiver(tls=asked.context) as web:
        url = f"https://HOOKS.example.com:{web.port}/"
        assert await send(Calling(names=NAMES, ca=ca_file), url) == Delivered(200)
    assert asked.names == ["hooks.example.com"]
    assert web.heard[0].headers["Host"] == f"hooks.example.com:{web.port}"


async def test_a_pinned_name_is_verified_too(ca_file: Path) -> None:
    asked = Asked("hooks.example.com")
    async with receiver(tls=asked.context) as web:
        pins = {"hooks.example.com": Pin(ip_address("127.0.0.1"), web.port)}
        outcome = await send(Calling(pins=pins, ca=ca_file), "https://hooks.example.com/")
    assert outcome == Delivered(200)
    assert asked.names == ["hooks.example.com"]


async def test_an_address_is_verified_as_an_address(ca_file: Path) -> None:
    async with receiver(tls=Asked("127.0.0.1").context) as web:
        outcome = await send(Calling(ca=ca_file), f"https://127.0.0.1:{web.port}/")
    assert outcome == Delivered(200)


@pytest.mark.parametrize(
    ("certificate", "trusted"),
    [
        pytest.param(Asked("hooks.example.com"), False, id="an authority that nobody vouches for"),
        pytest.param(Asked("other.example.com"), True, id="another name"),
        pytest.param(Asked("127.0.0.1"), True, id="the address, but not the name"),
        pytest.param(Asked("hooks.example.com", ca=trustme.CA()), True, id="another authority"),
    ],
)
async def test_a_certificate_that_is_not_trusted(
    certificate: Asked, trusted: bool, ca_file: Path
) -> None:
    calling = Calling(names=NAMES, ca=ca_file if trusted else None)
    async with receiver(tls=certificate.context) as web:
        outcome = await send(calling, f"https://hooks.example.com:{web.port}/")
    assert outcome == Failed(outbox.NOT_TRUSTED)
    assert not web.heard


async def test_plain_http_where_tls_is_expected() -> None:
    async def answer_at_once(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(answer_at_once, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        outcome = await send(Calling(names=NAMES), f"https://hooks.example.com:{port}/")
    assert outcome == Failed(outbox.NO_TLS)
