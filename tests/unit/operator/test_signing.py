"""The secret that a call is signed with: there is one, or there is no call."""

import json

import pytest

from dayfly_core.outgoing.outbox import Failed, SecretRef
from dayfly_kube.errors import ApiError, Status, Unreachable
from dayfly_operator.outgoing.signing import Keys

REF = SecretRef("team-a", "dayfly-webhook")


class Api:
    def __init__(self, answer: object) -> None:
        self.answer = answer
        self.asked: list[str] = []

    async def get(self, path: str) -> bytes:
        self.asked.append(path)
        if isinstance(self.answer, Exception):
            raise self.answer
        return json.dumps(self.answer).encode()


async def test_the_value_under_the_key_hmac_as_it_is() -> None:
    api = Api({"data": {"hmac": "YSBzZWNyZXQK", "other": "not base64"}})
    assert await Keys(api).hmac(REF) == b"a secret\n"
    assert api.asked == ["/api/v1/namespaces/team-a/secrets/dayfly-webhook"]


async def test_it_is_read_each_time() -> None:
    api = Api({"data": {"hmac": "YQ=="}})
    keys = Keys(api)
    assert await keys.hmac(REF) == b"a"
    api.answer = {"data": {"hmac": "Yg=="}}
    assert await keys.hmac(REF) == b"b"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(ApiError(Status(404)), "to sign with does not exist", id="no such Secret"),
        pytest.param(ApiError(Status(403)), "Dayfly may not read Secret", id="no right to it"),
        pytest.param(ApiError(Status(500)), "the API server answered 500", id="a broken server"),
        pytest.param(Unreachable(), "the API server did not answer", id="no server"),
        pytest.param({"data": {"hmac": ""}}, "no value under the key 'hmac'", id="an empty one"),
        pytest.param({"data": {"HMAC": "YQ=="}}, "no value under the key", id="another key"),
        pytest.param({}, "no value under the key 'hmac'", id="a Secret without data"),
        pytest.param({"data": {"hmac": "?"}}, "could not be read", id="no base64"),
        pytest.param({"data": None}, "could not be read", id="null for data"),
    ],
)
async def test_no_secret_is_a_failure_that_says_why(answer: object, reason: str) -> None:
    found = await Keys(Api(answer)).hmac(REF)
    assert isinstance(found, Failed)
    assert reason in found.reason
    assert "team-a/dayfly-webhook" in found.reason


async def test_a_secret_of_another_name_is_told_which_one_can_be_read() -> None:
    found = await Keys(Api(ApiError(Status(403)))).hmac(SecretRef("team-a", "mine"))
    assert isinstance(found, Failed)
    assert "team-a/mine: call it dayfly-webhook and install manifests/" in found.reason
