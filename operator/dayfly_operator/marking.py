"""Marks what is about to be ended: unstamped objects, which the API server else keeps from us."""

import msgspec

from dayfly_core import names
from dayfly_core.objects import ObjectMeta, PartialObject
from dayfly_kube.errors import ApiError
from dayfly_operator.writing import Writer


class Judged(msgspec.Struct, frozen=True):
    """The very version of an object that is to end, and where it is."""

    path: str
    uid: str
    resource_version: str


def is_marked(meta: ObjectMeta, by: str) -> bool:
    """Whether the object says who ends it, or could only say that somebody does."""
    return meta.annotation_map.get(names.ENDED_BY) == by or names.ENDED_BY in meta.label_map


async def mark(writer: Writer, judged: Judged, by: str) -> str:
    """Write on an object who ends it; returns the version that says so. Raises ApiError.

    Of annotations an object takes 256 KiB, and who uses them up would be out of reach; so a label
    has to do then, which says no more than that it ends.
    """
    try:
        return await _written(writer, judged, {"annotations": {names.ENDED_BY: by}})
    except ApiError as error:
        if not error.refused:
            raise
    return await _written(writer, judged, {"labels": {names.ENDED_BY: "true"}})


async def _written(writer: Writer, judged: Judged, marks: dict[str, dict[str, str]]) -> str:
    head = {"uid": judged.uid, "resourceVersion": judged.resource_version}
    answer = await writer.merge_patch(judged.path, {"metadata": {**head, **marks}})
    # A rehearsal answers with nothing; the DELETE that follows is one, too.
    found = msgspec.json.decode(answer, type=PartialObject).metadata
    return found.resource_version or judged.resource_version
