"""Outgoing webhooks over real sockets: what arrives, and what never leaves."""

import hashlib
import hmac
import socket
from ipaddress import ip_address, ip_network

import pytest

from dayfly_core.outgoing import outbox
from dayfly_core.outgoing.destinations import Rules
from dayfly_core.outgoing.outbox import Delivered, Failed, Refused
from dayfly_operator.outgoing.addressing import Addressing, ApiServer
from dayfly_operator.outgoing.caller import Caller, Desk, Limits
from dayfly_operator.outgoing.lookups import Lookups
from dayfly_operator.outgoing.settings import Pin
from dayfly_operator.writing import NotLeading
from support.callers import LOCAL, NOON, Calling, leading
from support.receivers import receiver, saying, status

BODY = b'{"id":"an-id"}'


async def send(calling: Calling, url: str, secret: bytes | None = None) -> outbox.Outcome:
    return await calling.patient().caller().send(url, BODY, key="an-id", secret=secret)


async def test_a_receiver_hears_the_body_the_key_and_the_signature() -> None:
    async with receiver() as web:
        calling = Calling(names={"hooks.example.com": "127.0.0.1"})
        url = f"http://Hooks.example.com:{web.port}/a%2Fb/../c?d=%20"
        assert await send(calling, url, b"a secret") == Delivered(200)
    (heard,) = web.heard
    assert heard.line == "POST /a%2Fb/../c?d=%20 HTTP/1.1"
    assert heard.body == BODY
    signed = heard.headers.pop("Dayfly-Signature")
    assert heard.headers == {
        "Host": f"hooks.example.com:{web.port}",
        "Accept": "*/*",
        "Content-Type": "application/json",
        "User-Agent": "dayfly/0.1.0",
        "Idempotency-Key": "an-id",
        "Connection": "close",
        "Content-Length": str(len(BODY)),
    }
    # As docs/reference/outgoing-webhooks.md tells receivers to.
    fields = dict(part.split("=", 1) for part in signed.split(","))
    proof = hmac.new(b"a secret", fields["t"].encode() + b"." + heard.body, hashlib.sha256)
    assert hmac.compare_digest(proof.hexdigest(), fields["v1"])
    assert int(fields["t"]) == NOON.timestamp()


async def test_no_secret_means_no_signature() -> None:
    async with receiver() as web:
        assert await send(Calling(), f"http://127.0.0.1:{web.port}") == Delivered(200)
    assert "Dayfly-Signature" not in web.heard[0].headers


async def test_nothing_is_carried_from_one_call_to_the_next() -> None:
    text = b"HTTP/1.1 204 No\r\nSet-Cookie: a=b; Path=/\r\nConnection: keep-alive\r\n\r\n"
    async with receiver(saying(text)) as web:
        caller = Calling().patient().caller()
        for _ in range(2):
            url = f"http://127.0.0.1:{web.port}/"
            assert await caller.send(url, BODY, key="an-id", secret=None) == Delivered(204)
    assert web.connections == 2
    assert all("Cookie" not in heard.headers for heard in web.heard)


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
async def test_a_redirect_is_a_failure_and_nobody_goes_there(code: int) -> None:
    async with receiver() as elsewhere:
        aim = f"Location: http://127.0.0.1:{elsewhere.port}/"
        async with receiver(status(code, aim)) as web:
            outcome = await send(Calling(), f"http://127.0.0.1:{web.port}/")
    reason = f"the receiver answered {code}: redirects are not followed"
    assert outcome == Failed(reason, None, code)
    assert not elsewhere.connections


async def test_a_receiver_can_ask_for_time() -> None:
    async with receiver(status(503, "Retry-After: 120")) as web:
        outcome = await send(Calling(), f"http://127.0.0.1:{web.port}/")
    assert outcome == Failed("the receiver answered 503", 120.0, 503)


async def test_proxies_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    async with receiver() as web, receiver() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert await send(Calling(), f"http://127.0.0.1:{web.port}/") == Delivered(200)
    assert not proxy.connections


# Addresses.


async def test_a_name_that_leads_to_one_bad_address_among_good_ones_is_refused() -> None:
    async with receiver() as good:
        calling = Calling(names={"a.example": "127.0.0.1 10.0.0.1 169.254.169.254"})
        outcome = await send(calling, f"http://a.example:{good.port}/")
    assert isinstance(outcome, Refused)
    reason = "no webhook is sent to a.example: its address is the metadata service of a cloud"
    assert outcome.reason == reason
    assert not good.connections
    assert calling.results == ["refused"]


class Rebinding:
    """A name that leads somewhere else each time somebody asks, for whoever asks."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = list(addresses)
        self.asked = 0

    def getaddrinfo(self, _host: object, port: object, *_: object, **__: object) -> object:
        self.asked += 1
        address = self.addresses[min(self.asked, len(self.addresses)) - 1]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]


def by_the_system() -> Caller:
    addressing = Addressing(Lookups(), LOCAL, {}, ApiServer())
    return Caller(addressing, Desk(lambda: NOON, leading), Limits())


async def test_what_was_checked_is_what_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    dns = Rebinding("127.0.0.1", "127.0.0.2")
    monkeypatch.setattr(socket, "getaddrinfo", dns.getaddrinfo)
    async with receiver() as good, receiver(host="127.0.0.2", port=good.port) as bad:
        url = f"http://rebinding.example:{good.port}/"
        outcome = await by_the_system().send(url, BODY, key="an-id", secret=None)
    assert outcome == Delivered(200)
    assert (good.connections, bad.connections, dns.asked) == (1, 0, 1)


async def test_a_bad_answer_is_not_asked_about_again(monkeypatch: pytest.MonkeyPatch) -> None:
    dns = Rebinding("127.0.0.2", "127.0.0.1")
    monkeypatch.setattr(socket, "getaddrinfo", dns.getaddrinfo)
    async with receiver() as good, receiver(host="127.0.0.2", port=good.port) as bad:
        url = f"http://rebinding.example:{good.port}/"
        outcome = await by_the_system().send(url, BODY, key="an-id", secret=None)
    assert isinstance(outcome, Refused)
    assert (good.connections, bad.connections, dns.asked) == (0, 0, 1)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1", "2130706433", "[::1]", "0"])
async def test_this_host_is_out_of_reach_however_it_is_called(host: str) -> None:
    async with receiver() as web:
        addressing = Addressing(Lookups(), Rules(), {}, ApiServer())
        caller = Caller(addressing, Desk(lambda: NOON, leading), Limits())
        outcome = await caller.send(f"http://{host}:{web.port}/", BODY, key="an-id", secret=None)
    assert isinstance(outcome, Refused)
    assert not web.connections


async def test_a_second_address_is_tried_when_the_first_is_dead() -> None:
    async with receiver(host="127.0.0.3") as web:
        allow = (ip_network("127.0.0.0/8"),)
        calling = Calling(names={"a.example": "127.0.0.2 127.0.0.3"}, rules=Rules(allow))
        assert await send(calling, f"http://a.example:{web.port}/") == Delivered(200)


async def test_a_pinned_name_needs_no_dns_and_may_have_another_port() -> None:
    async with receiver() as web:
        pins = {"webhooky.example-04.svc": Pin(ip_address("127.0.0.1"), web.port)}
        calling = Calling(pins=pins)
        assert await send(calling, "http://webhooky.example-04.svc/x") == Delivered(200)
    assert web.heard[0].headers["Host"] == "webhooky.example-04.svc"
    assert not calling.asked


async def test_a_pinned_address_is_judged_like_any_other() -> None:
    pins = {"a.example": Pin(ip_address("169.254.169.254"))}
    assert isinstance(await send(Calling(pins=pins), "http://a.example/"), Refused)


@pytest.mark.parametrize(
    "server",
    [
        pytest.param(ApiServer(addresses=(ip_address("10.0.0.1"),)), id="by address"),
        pytest.param(ApiServer(addresses=(ip_address("::ffff:10.0.0.1"),)), id="mapped"),
        pytest.param(ApiServer(names=("kube.example",)), id="by name"),
    ],
)
@pytest.mark.parametrize("url", ["https://10.0.0.1/", "https://a.example/"])
async def test_the_api_server_is_never_called(server: ApiServer, url: str) -> None:
    names = {"kube.example": "10.0.0.1", "a.example": "10.0.0.1"}
    outcome = await send(Calling(names=names, server=server), url)
    assert isinstance(outcome, Refused)
    assert outcome.reason.endswith("its address is the API server")


async def test_it_is_called_nowhere_while_the_api_servers_own_name_is_unknown() -> None:
    calling = Calling(server=ApiServer(names=("kube.example",)))
    async with receiver() as web:
        outcome = await send(calling, f"http://127.0.0.1:{web.port}/")
    assert outcome == Failed(outbox.NO_CONNECTION)
    assert not web.connections


# Who may send.


async def test_who_does_not_lead_sends_nothing() -> None:
    def closed() -> None:
        raise NotLeading

    async with receiver() as web:
        calling = Calling(permit=closed)
        with pytest.raises(NotLeading):
            await send(calling, f"http://127.0.0.1:{web.port}/")
    assert not web.heard
    assert not calling.results


async def test_a_url_that_cannot_be_read_is_refused_without_a_look() -> None:
    calling = Calling()
    assert isinstance(await send(calling, "http://u:p@a.example/"), Refused)
    assert not calling.asked
