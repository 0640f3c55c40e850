"""What in a namespace keeps it: what somebody was allowed to protect, and no copy of a label."""

import json
from typing import Any

import pytest

from dayfly_core import names
from dayfly_core.objects import DEPLOYMENTS, PODS, Resource
from dayfly_operator.members import PAGE, Keeper, Members

Json = dict[str, Any]


class Server:
    """Pods and Deployments with the label, in pages."""

    def __init__(self, *items: Json) -> None:
        self.items = items

    async def find(self, group: str, plural: str) -> Resource | None:
        return {"pods": PODS, "deployments": DEPLOYMENTS}.get(plural)

    def forget(self, group: str, plural: str) -> None:
        raise AssertionError(plural)

    async def get_list(
        self, path: str, *, params: dict[str, str], metadata_only: bool = False
    ) -> bytes:
        assert params["labelSelector"] == f"{names.PROTECTED}=true"
        there = [item for item in self.items if path.endswith(f"/{item['plural']}")]
        start = int(params.get("continue", "0"))
        end = start + int(params["limit"])
        rest = str(end) if end < len(there) else ""
        meta = {"continue": rest}
        page = {"kind": "PartialObjectMetadataList", "metadata": meta, "items": there[start:end]}
        return json.dumps(page).encode()


def item(name: str, plural: str = "pods", *, controller: bool | None = None) -> Json:
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "u"}
    owners = [] if controller is None else [owner | {"controller": controller}]
    labels = {names.PROTECTED: "true"}
    return {
        "plural": plural,
        "metadata": {"name": name, "labels": labels, "ownerReferences": owners},
    }


COPIES = [item(f"web-{n}", controller=True) for n in range(PAGE + 1)]
"""Pods of a Deployment whose template has the label: anybody may write a template."""


@pytest.mark.parametrize(
    ("items", "keeps"),
    [
        pytest.param([], "", id="nothing is protected"),
        pytest.param([item("one")], "pods/team/one", id="a pod is"),
        pytest.param(COPIES[:1], "", id="a pod that has the label of its template is not"),
        pytest.param([*COPIES, item("last")], "pods/team/last", id="one after pages of copies"),
        pytest.param([item("kept", controller=False)], "pods/team/kept", id="a plain owner"),
        pytest.param(
            [*COPIES, item("web", "deployments")],
            "deployments.apps/team/web",
            id="the Deployment itself is, and its pods have a copy",
        ),
    ],
)
async def test_what_keeps_a_namespace(items: list[Json], keeps: str) -> None:
    members = Members(server := Server(*items), server, lambda: ())
    assert await members.keeper("team") == (Keeper(member=keeps) if keeps else None)
