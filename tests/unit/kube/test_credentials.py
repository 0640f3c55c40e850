"""Tokens that rotate, and plugins that print them."""

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from dayfly_kube.credentials import Credential, Plugin, PluginSource, TokenFile
from dayfly_kube.errors import Unreachable


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_a_token_file_whose_change_does_not_show_is_read_again_after_a_minute(
    tmp_path: Path,
) -> None:
    file, clock = tmp_path / "token", Clock()
    file.write_text("first1")
    source = TokenFile(file, monotonic=clock)
    assert (await source.current()).token == "first1"
    before = file.stat()
    file.write_text("second")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (await source.current()).token == "first1"
    clock.now = 60.0
    assert (await source.current()).token == "second"


async def test_a_401_reads_the_token_file_at_once(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("first1")
    source = TokenFile(file, monotonic=Clock())
    await source.current()
    before = file.stat()
    file.write_text("second")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (await source.current(renew=True)).token == "second"


async def test_a_token_file_caught_in_the_middle_of_a_rotation_serves_the_old_token(
    tmp_path: Path,
) -> None:
    file = tmp_path / "token"
    file.write_text("old")
    source = TokenFile(file)
    await source.current()
    file.unlink()
    assert (await source.current()).token == "old"


async def test_a_token_file_that_never_was_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match=r"token file .*/token: No such file or directory"):
        await TokenFile(tmp_path / "token").current()


def plugin(script: str) -> Plugin:
    return Plugin(
        argv=(sys.executable, "-c", script),
        environ={"PATH": os.environ["PATH"]},
        api_version="client.authentication.k8s.io/v1",
        hint="install it with: apt install it",
    )


def printing(status: dict[str, str]) -> Plugin:
    return plugin(f"print({json.dumps(json.dumps({'status': status}))})")


@pytest.mark.parametrize(
    ("given", "want"),
    [
        pytest.param(printing({"token": "t"}), Credential("t"), id="a token"),
        pytest.param(
            printing({"clientCertificateData": "c", "clientKeyData": "k"}),
            Credential("", b"c", b"k"),
            id="a client certificate",
        ),
        pytest.param(
            plugin(
                "import os, json; info = json.loads(os.environ['KUBERNETES_EXEC_INFO']);"
                "print(json.dumps({'status': {'token': info['apiVersion']}}))"
            ),
            Credential("client.authentication.k8s.io/v1"),
            id="what it was asked",
        ),
    ],
)
async def test_a_plugin_prints(given: Plugin, want: Credential) -> None:
    assert await PluginSource(given).current() == want


@pytest.mark.parametrize(
    ("given", "message"),
    [
        pytest.param(plugin("print('hello')"), "printed no ExecCredential", id="no JSON"),
        pytest.param(plugin("print('{}')"), "printed neither a token nor", id="nothing"),
        pytest.param(plugin("raise SystemExit(3)"), "ended with status 3", id="failure"),
        pytest.param(
            Plugin(("/no/such/plugin",), {}, "v1", hint="install it"),
            r"/no/such/plugin: No such file or directory \(install it\)",
            id="not installed",
        ),
    ],
)
async def test_a_plugin_that(given: Plugin, message: str) -> None:
    with pytest.raises(Unreachable, match=message):
        await PluginSource(given).current()


async def test_a_plugin_runs_once_and_once_more_for_all_that_were_refused(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    counting = plugin(
        f"open({str(runs)!r}, 'a').write('x');"
        f"""print('{{"status": {{"token": "%d"}}}}' % len(open({str(runs)!r}).read()))"""
    )
    source = PluginSource(counting)
    first = await asyncio.gather(*(source.current() for _ in range(5)))
    assert {each.token for each in first} == {"1"}
    again = await asyncio.gather(*(source.current(renew=True) for _ in range(5)))
    assert {each.token for each in again} == {"2"}
