"""Any answer of the API server may fail to come: the leader goes on, and does each thing once."""

from collections.abc import Callable, Iterator

import pytest

from dayfly_core.objects import Key
from dayfly_kube.errors import ApiError, Status, Unreachable
from support.fake_store import as_map
from support.mortal import Hapless, Request
from support.realms import TEAM, WEB, namespace, workload
from support.succession import KINDS, Leader, Realm
from support.virtual_loop import run

HOUR = 3600.0
FAILURES = [
    pytest.param(Unreachable("no answer in time"), id="no answer"),
    pytest.param(ApiError(Status(503, "ServiceUnavailable", "try later")), id="503"),
    pytest.param(ApiError(Status(500, "InternalError", "etcdserver: timed out")), id="500"),
    pytest.param(ApiError(Status(429, "TooManyRequests"), retry_after=2), id="429"),
]


def every_failure(
    make: Callable[[], Realm], key: Key, failure: Exception
) -> Iterator[tuple[Realm, list[Request]]]:
    """Yield what has come of it for each moment at which an answer may fail to come."""
    moment, failed = 0, True
    while failed:
        moment += 1
        realm = make()
        client = Hapless(realm.store, KINDS, moment, failure)
        run(Leader(realm, client).lead((key,), HOUR))
        failed = client.moments >= moment
        yield realm, client.done


def spec(request: Request) -> object:
    return as_map(request.body).get("spec")


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize(
    ("make", "key", "scaled"),
    [
        pytest.param(namespace, TEAM, ["db", "nightly", "web"], id="a namespace"),
        pytest.param(workload, WEB, ["web"], id="a workload"),
    ],
)
def test_each_act_is_done_once(
    make: Callable[[], Realm], key: Key, scaled: list[str], failure: Exception
) -> None:
    moments = 0
    for realm, done in every_failure(make, key, failure):
        moments += 1
        assert sorted(r.path.rsplit("/", 1)[1] for r in done if spec(r)) == scaled
        ended = [request.path for request in done if request.method == "DELETE"]
        assert ended == [key.resource.path(key.namespace, key.name)]
        assert len(set(realm.received)) == 1, "one key, however often it is sent"
        assert realm.meta(key) is None
    assert moments > 8
