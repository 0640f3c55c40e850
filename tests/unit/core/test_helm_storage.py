from base64 import b64encode
from datetime import timedelta
from gzip import compress
from typing import Any

import msgspec
import pytest

from dayfly_core.helm import storage as helm_storage
from dayfly_core.helm.storage import (
    Revision,
    UnreadableRelease,
    at_work_until,
    decode,
    revisions,
    successor,
    told,
)
from dayfly_core.objects import ObjectMeta
from support.build import NOW
from support.helm_secrets import SHOP, a_release, a_secret, payload, recorded


def meta_of(secret: dict[str, Any]) -> ObjectMeta:
    return msgspec.convert(secret["metadata"], ObjectMeta)


def numbered(*statuses: str) -> list[Revision]:
    return [Revision(ObjectMeta(), n, status) for n, status in enumerate(statuses, 1)]


@pytest.mark.parametrize(("revision", "status"), [(1, "superseded"), (2, "deployed")])
def test_what_a_real_helm_stored_is_read(revision: int, status: str) -> None:
    secret = recorded(revision)
    stored = decode(secret["data"]["release"])
    assert (stored.ref, stored.number, stored.status) == (SHOP, revision, status)
    assert stored.hooks == ("Job/migrate",)
    assert "kind: Deployment" in stored.manifest
    assert "migrate" not in stored.manifest
    assert revisions([meta_of(secret)], SHOP) == (Revision(meta_of(secret), revision, status),)


def test_what_was_stored_before_there_was_compression_is_read() -> None:
    assert decode(payload(a_release("a: b"), compressed=False)).manifest == "a: b"


def packed(content: bytes) -> str:
    return b64encode(b64encode(content)).decode()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("", "not what Helm stores", id="nothing"),
        pytest.param("%%", "not what Helm stores", id="no base64"),
        pytest.param(b64encode(b"%%").decode(), "not what Helm stores", id="no base64 inside"),
        pytest.param(packed(compress(b"{}")), "not what Helm stores", id="a release without name"),
        pytest.param(packed(compress(b"\xff")), "not what Helm stores", id="no JSON"),
        pytest.param(packed(b"\x1f\x8b\x08 no gzip"), "not what Helm stores", id="no gzip"),
        pytest.param(packed(compress(b"{}" * 99)[:-9]), "cut off", id="half a gzip"),
        pytest.param(
            packed(compress(b" " * (helm_storage.LARGEST + 1))), "larger than", id="a bomb"
        ),
        pytest.param(
            packed(compress(b'{"name":"a","namespace":"b","hooks":[%s{}]}' % (b"{}," * 2_000_000))),
            "has hooks of more than 2 MiB",
            id="millions of hooks",
        ),
        pytest.param(
            packed(compress(b'{"name":"a","namespace":"b","hooks":{}}')),
            "not what Helm stores",
            id="hooks that are no list",
        ),
    ],
)
def test_what_is_not_read(text: str, says: str) -> None:
    with pytest.raises(UnreadableRelease, match=says):
        decode(text)


def test_revisions_come_in_their_order_and_without_strangers() -> None:
    mine = [a_secret(a_release("", number=number)) for number in (10, 9, 2)]
    strangers = [
        a_secret(a_release("", number=3), owner="flux"),
        a_secret(a_release("", SHOP._replace(name="other"), 4)),
        a_secret(a_release("", SHOP._replace(namespace="team-b"), 5)),
        a_secret(a_release("", number=6), version="six"),
        a_secret(a_release("", number=7), version="²"),
    ]
    found = revisions(map(meta_of, [*mine, *strangers]), SHOP)
    assert [revision.number for revision in found] == [2, 9, 10]


@pytest.mark.parametrize(
    ("statuses", "want"),
    [
        pytest.param((), [], id="nothing is stored"),
        pytest.param(("deployed",), [1], id="one that is deployed"),
        pytest.param(("superseded", "deployed"), [2], id="the newest, if it is deployed"),
        pytest.param(("deployed", "failed"), [1, 2], id="after a failed upgrade both"),
        pytest.param(("failed", "failed"), [2], id="never deployed: the newest"),
        pytest.param(
            ("deployed", "superseded", "deployed", "failed", "pending-upgrade"),
            [3, 5],
            id="the last that is deployed, and the newest",
        ),
    ],
)
def test_which_revisions_say_what_is_there(statuses: tuple[str, ...], want: list[int]) -> None:
    assert [revision.number for revision in told(numbered(*statuses))] == want


def test_the_next_revision_is_named_as_helm_will_name_it() -> None:
    newest = Revision(meta_of(recorded(2)), 2, "deployed")
    assert successor(newest) == f"sh.helm.release.v1.{SHOP.name}.v3"


def pending(status: str, created: timedelta | None, **labels: str) -> Revision:
    at = NOW + created if created is not None else None
    return Revision(ObjectMeta(creation_timestamp=at, labels=labels), 1, status)


def unix(offset: timedelta) -> str:
    return str(int((NOW + offset).timestamp()))


MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("newest", "want"),
    [
        pytest.param(pending("deployed", -MINUTE), None, id="Helm is done"),
        pytest.param(pending("failed", -MINUTE), None, id="Helm has given up"),
        pytest.param(pending("pending-upgrade", -MINUTE), HOUR - MINUTE, id="for a minute"),
        pytest.param(pending("pending-install", -HOUR), None, id="for an hour: it was killed"),
        pytest.param(
            pending("uninstalling", -DAY, modifiedAt=unix(-MINUTE)),
            HOUR - MINUTE,
            id="what was installed yesterday is being uninstalled",
        ),
        pytest.param(
            pending("uninstalling", -DAY, modifiedAt=unix(-HOUR)), None, id="or was to be"
        ),
        pytest.param(
            pending("uninstalling", -DAY, modifiedAt=unix(MINUTE)), None, id="written tomorrow"
        ),
        pytest.param(
            pending("uninstalling", -DAY, modifiedAt="9" * 12), None, id="written in no year"
        ),
        pytest.param(pending("uninstalling", -DAY, modifiedAt="-1"), None, id="written never"),
        pytest.param(pending("uninstalling", None), HOUR, id="nobody knows since when"),
    ],
)
def test_how_long_helm_is_believed_to_be_at_work(newest: Revision, want: timedelta | None) -> None:
    assert at_work_until(newest, NOW) == (NOW + want if want else None)
