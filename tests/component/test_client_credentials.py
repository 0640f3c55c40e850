"""How the client and the server come to believe each other: tokens, certificates, authorities."""

import asyncio
import ssl
from pathlib import Path

import pytest
import trustme
from msgspec.structs import replace

from dayfly_kube.client import Client
from dayfly_kube.credentials import Credential, Fixed, TokenFile
from dayfly_kube.errors import Unreachable
from support.fake_api import FakeApi

ONE = "/api/v1/namespaces/a/configmaps/one"


async def test_a_rotated_token_is_used_without_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("first\n")
    async with FakeApi(token="first") as api:
        api.put(ONE)
        config = replace(api.config(), token_source=TokenFile(file))
        async with Client(config, user_agent="test") as client:
            await client.get(ONE)
            api.token = "second"
            file.write_text("second\n")
            await client.get(ONE)
        assert len(api.requests) == 2


class Renewing:
    """A source whose first credential has run out."""

    def __init__(self) -> None:
        self.renewals = 0

    async def current(self, *, renew: bool = False) -> Credential:
        self.renewals += renew
        return Credential("good" if self.renewals else "expired")


@pytest.mark.parametrize(
    ("token", "requests"),
    [
        pytest.param("good", 2, id="renews the token and tries again"),
        pytest.param("unknown", 2, id="tries again once, not more"),
    ],
)
async def test_a_401(token: str, requests: int) -> None:
    async with FakeApi(token=token) as api:
        api.put(ONE)
        config = replace(api.config(), token_source=Renewing())
        async with Client(config, user_agent="test") as client:
            answer = (await asyncio.gather(client.get(ONE), return_exceptions=True))[0]
        assert isinstance(answer, bytes) == (token == "good")
        assert len(api.requests) == requests


def _server_tls(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    load_certificate(context, authority.issue_cert(name))
    context.load_verify_locations(cadata=authority.cert_pem.bytes().decode())
    return context


def load_certificate(context: ssl.SSLContext, pair: trustme.LeafCert) -> None:
    with pair.private_key_and_cert_chain_pem.tempfile() as path:
        context.load_cert_chain(path)


@pytest.mark.parametrize(
    ("host", "certified", "server_name"),
    [
        pytest.param("127.0.0.1", "127.0.0.1", "", id="IPv4 address"),
        pytest.param("::1", "::1", "", id="IPv6 address"),
        pytest.param("127.0.0.1", "api.example.com", "api.example.com", id="tls-server-name"),
    ],
)
async def test_tls_trusts_the_given_authority(host: str, certified: str, server_name: str) -> None:
    authority = trustme.CA()
    async with FakeApi(tls=_server_tls(authority, certified), host=host) as api:
        api.put(ONE)
        config = api.config(authority.cert_pem.bytes().decode())
        async with Client(replace(config, server_name=server_name), user_agent="test") as client:
            assert b'"one"' in await client.get(ONE)


async def test_tls_refuses_a_stranger_unless_told_not_to_look() -> None:
    stranger = trustme.CA()
    async with FakeApi(tls=_server_tls(trustme.CA(), "127.0.0.1")) as api:
        api.put(ONE)
        config = api.config(stranger.cert_pem.bytes().decode())
        async with Client(config, user_agent="test") as client:
            with pytest.raises(Unreachable, match="certificate verify failed"):
                await client.get(ONE)
        async with Client(replace(config, insecure=True), user_agent="test") as client:
            await client.get(ONE)


async def test_a_client_certificate_is_presented() -> None:
    authority = trustme.CA()
    tls = _server_tls(authority, "127.0.0.1")
    tls.verify_mode = ssl.CERT_REQUIRED
    pair = authority.issue_cert("me@example.com")
    mine = Credential(
        "", b"".join(c.bytes() for c in pair.cert_chain_pems), pair.private_key_pem.bytes()
    )
    async with FakeApi(tls=tls) as api:
        api.put(ONE)
        config = api.config(authority.cert_pem.bytes().decode())
        async with Client(replace(config, token_source=Fixed(mine)), user_agent="test") as client:
            await client.get(ONE)
        async with Client(config, user_agent="test") as client:
            with pytest.raises(Unreachable):
                await client.get(ONE)
