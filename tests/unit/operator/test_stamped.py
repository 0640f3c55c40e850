"""What is kept of each stamped object: all that decisions read, and little else."""

import gc
import tracemalloc

import msgspec

from dayfly_core import names
from dayfly_core.helm import marks as helm
from dayfly_core.objects import PartialObject
from dayfly_operator.stamped import Stamped, trimmed

OURS = {
    names.EXPIRES_AT: "2026-11-22T18:00:00Z",
    names.CREATED_BY: "system:serviceaccount:ci:deployer",
    names.STEPS: '{"end":"2026-11-22T18:00:00Z","done":[{"step":"NOTIFY@-1h","id":"'
    '7b1f7c1e-52b3-5c1e-8d5e-0f5c9a2f7c11","result":"Done","at":"2026-11-22T17:00:00Z"}]}',
    names.WARNING: "will be scaled down at 2026-11-22T18:00:00Z, by ExpiryPolicy previews",
    names.CAUGHT_UP: "2026-11-22T10:00:00Z",
    names.WAKE_REQUESTED: "2026-11-22T10:00:00Z Ada",
    names.SCALED_BY: "7b1f7c1e-52b3-5c1e-8d5e-0f5c9a2f7c11",
    helm.RELEASE_NAME: "shop",
    helm.RELEASE_NAMESPACE: "team",
}
FOREIGN = {"kubectl.kubernetes.io/last-applied-configuration": "{" + " " * 3000 + "}"}


def decoded(number: int) -> PartialObject:
    """Return an object as it comes from the wire: no text shared with any other."""
    meta = {
        "name": f"web-{number}",
        "namespace": "team",
        "uid": f"2b1f7c1e-52b3-5c1e-8d5e-{number:012}",
        "resourceVersion": str(10_000_000 + number),
        "creationTimestamp": "2026-11-22T09:00:00Z",
        "labels": {names.POLICY: "previews", "app.kubernetes.io/managed-by": "Helm"},
        "annotations": OURS | FOREIGN,
    }
    return msgspec.json.decode(msgspec.json.encode({"metadata": meta}), type=PartialObject)


def test_what_decisions_read_is_kept_and_the_rest_is_not() -> None:
    found = trimmed(decoded(1))
    assert found.meta.annotations == OURS
    assert found.end is not None
    assert found.policy == "previews"


def test_an_object_without_annotations_has_none_afterwards() -> None:
    bare = msgspec.structs.replace(decoded(1).metadata, annotations=None)
    assert trimmed(PartialObject(bare)).meta.annotations is None


def test_names_of_releases_are_in_memory_once() -> None:
    one, other = (trimmed(decoded(number)).meta.annotation_map for number in range(2))
    for key in (helm.RELEASE_NAME, helm.RELEASE_NAMESPACE):
        assert one[key] is other[key]


def test_an_object_amid_its_timeline_costs_at_most_two_kibibytes() -> None:
    count = 2000
    kept: list[Stamped] = []
    tracemalloc.start()
    for number in range(count):
        kept.append(trimmed(decoded(number)))
    gc.collect()
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(kept) == count
    assert size / count <= 2048
