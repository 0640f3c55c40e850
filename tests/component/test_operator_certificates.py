"""The two Secrets: who writes them, and who hears of it."""

import asyncio
import base64
from typing import Any

from dayfly_certs import issue, secrets, store
from dayfly_core import names
from dayfly_kube.client import Client
from support.fake_api import FakeApi, Recorded
from support.operators import BEGINNING, operating
from support.waiting import eventually

OWN = names.SYSTEM_NAMESPACE
CA_PATH = secrets.path(OWN, names.CA_SECRET)
TLS_PATH = secrets.path(OWN, names.TLS_SECRET)
STAMPING = (
    "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/"
    f"{names.MUTATING_CONFIGURATION}"
)
OTHER = ("--serving-name", "other.example.com")
NOTHING_HAPPENS = 0.3


def install(api: FakeApi) -> None:
    for path in (CA_PATH, TLS_PATH):
        api.put(path)
    webhook = {"name": names.STAMP_WEBHOOK, "sideEffects": "None"}
    api.put(STAMPING, {"webhooks": [{**webhook, "admissionReviewVersions": ["v1"]}]})


async def fill(api: FakeApi) -> None:
    async with Client(api.config(), user_agent="test") as client:
        await store.ensure(client, OWN, store.service_names(OWN), BEGINNING)


def puts(api: FakeApi) -> list[Recorded]:
    return [r for r in api.requests if r.method == "PUT" and r.headers["User-Agent"] != "test"]


def ca_bundle(api: FakeApi) -> Any:
    return api.objects[STAMPING]["webhooks"][0].get("clientConfig", {}).get("caBundle")


async def test_a_follower_with_other_names_leaves_the_certificate_alone() -> None:
    async with FakeApi() as api:
        install(api)
        await fill(api)
        async with operating(api, *OTHER, leading=False) as operator:
            await eventually(lambda: bool(operator.reads(TLS_PATH)))
            await asyncio.sleep(NOTHING_HAPPENS)
            assert puts(api) == []
            operator.lead()
            await eventually(lambda: bool(puts(api)))


async def test_a_follower_fills_what_is_empty() -> None:
    async with FakeApi() as api:
        install(api)
        async with operating(api, leading=False):
            await eventually(lambda: api.objects[TLS_PATH].get("data", {}).get("tls.crt"))


async def test_the_leader_takes_over_an_authority_that_somebody_put_there() -> None:
    async with FakeApi() as api:
        install(api)
        async with operating(api):
            await eventually(lambda: bool(ca_bundle(api)))
            new = issue.authority(BEGINNING)
            data = {secrets.CA_CRT: new.cert_pem, secrets.CA_KEY: new.key_pem}
            encoded = {key: base64.b64encode(value).decode() for key, value in data.items()}
            api.put(CA_PATH, {"data": encoded})
            await eventually(lambda: ca_bundle(api) == encoded[secrets.CA_CRT])
            assert api.objects[TLS_PATH]["data"]["ca.crt"] == encoded[secrets.CA_CRT]


async def test_secrets_that_are_installed_late_are_filled_at_once() -> None:
    async with FakeApi() as api, operating(api):
        await asyncio.sleep(NOTHING_HAPPENS)
        install(api)
        await eventually(lambda: bool(ca_bundle(api)), 2)
