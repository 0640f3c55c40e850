"""What the pages on outgoing webhooks tell receivers is what they get."""

import json
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from dayfly_core import names
from dayfly_core.api.namespace_manager import ManagerPolicy
from dayfly_core.namespace_manager import webhook_body
from dayfly_core.objects import DEPLOYMENTS, Key, ObjectMeta
from dayfly_core.outgoing import outbox
from dayfly_operator.outgoing.settings import WebhookSettings
from support.rights import OPERATOR, Right, granted

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = (REPOSITORY / "docs" / "reference" / "outgoing-webhooks.md").read_text()
GUIDE = (REPOSITORY / "docs" / "how-to" / "call-a-webhook.md").read_text()
RIGHTS = REPOSITORY / "manifests" / "components" / "signed-webhooks" / "rights.yaml"


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def test_the_body_of_a_step_is_the_one_on_the_page() -> None:
    example, _ = map(json.loads, blocks(PAGE, "json"))
    object_ = example["object"]
    call = outbox.TimelineCall(
        id=example["id"],
        policy=example["policy"],
        step=example["step"],
        expires_at=datetime(2026, 11, 22, 12, tzinfo=UTC),
        key=Key(DEPLOYMENTS, object_["namespace"], object_["name"]),
        uid=object_["uid"],
    )
    compact = json.dumps(example, separators=(",", ":"))
    assert outbox.timeline_body(call).decode() == compact


def without_nulls(found: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if value is not None}


def test_the_body_of_a_namespace_manager_is_the_one_on_the_page() -> None:
    _, example = map(json.loads, blocks(PAGE, "json"))
    # As a manifest is written: without what is null.
    kept: Any = json.loads(json.dumps(example["policy"]), object_hook=without_nulls)
    written = msgspec.convert(kept, ManagerPolicy)
    manager = ObjectMeta(**example["namespaceManager"])
    compact = json.dumps(example, separators=(",", ":"))
    assert webhook_body(manager, written, example["namespace"]).decode() == compact


def test_the_headers_are_those_on_the_page() -> None:
    (example,) = blocks(PAGE, "http")
    shown = dict(line.split(": ", 1) for line in example.splitlines()[2:])
    assert shown.keys() == outbox.headers("a-key", "t=1,v1=0").keys()
    assert shown["User-Agent"] == outbox.headers("a-key", None)["User-Agent"]


@pytest.mark.parametrize(
    ("body", "age", "genuine"),
    [
        pytest.param(b"{}", 0, True, id="what was signed"),
        pytest.param(b"{ }", 0, False, id="another body"),
        pytest.param(b"{}", 301, False, id="what was recorded, and is played again"),
    ],
)
def test_the_python_on_the_page_verifies(body: bytes, age: int, genuine: bool) -> None:
    (code,) = blocks(PAGE, "python")
    scope: dict[str, Any] = {}
    exec(code, scope)
    signed = outbox.signature(b"a secret", int(scope["time"].time()) - age, b"{}")
    assert scope["genuine"](b"a secret", signed, body) is genuine


def test_the_shell_on_the_page_verifies(tmp_path: Path) -> None:
    *_, command = blocks(PAGE, "sh")[-1].strip().splitlines()
    (tmp_path / "body.json").write_bytes(b'{"a": 1}')
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "t": "1795348800", "secret": "a secret"},
        capture_output=True,
        check=True,
    )
    signed = outbox.signature(b"a secret", 1795348800, b'{"a": 1}')
    assert signed.endswith(f"v1={done.stdout.split()[0].decode()}")


def test_every_sentence_that_people_are_told_has_advice() -> None:
    told = {outbox.NO_CONNECTION, outbox.NO_ANSWER, outbox.NOT_TRUSTED}
    assert not [sentence for sentence in told if f"`{sentence}`" not in GUIDE]


def test_the_numbers_on_the_page_are_the_defaults() -> None:
    settings = WebhookSettings()
    assert (settings.timeout, settings.retries.limit) == (10.0, 6)
    assert "10 seconds (`--webhook-timeout`)" in PAGE
    assert "After six attempts (`--webhook-attempts`)" in PAGE


def test_the_component_lets_the_operator_read_secrets_of_one_name_and_nothing_else() -> None:
    documents = list(yaml.safe_load_all(RIGHTS.read_text()))
    read = Right(OPERATOR, "get", "", "secrets", name=names.WEBHOOK_SECRET)
    assert granted(documents) == {read}
