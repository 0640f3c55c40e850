"""The command line about outgoing webhooks."""

from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
import trustme

from dayfly_core.outgoing.destinations import Rules
from dayfly_core.outgoing.outbox import Retries
from dayfly_operator.outgoing.settings import Pin, WebhookSettings
from dayfly_operator.settings import parse


def test_the_defaults() -> None:
    assert parse([], {}).webhooks == WebhookSettings()


def test_what_a_pod_knows_of_the_api_server() -> None:
    environ = {"KUBERNETES_SERVICE_HOST": "10.96.0.1"}
    assert parse([], environ).webhooks.service_host == "10.96.0.1"


def test_everything_said(tmp_path: Path) -> None:
    trustme.CA().cert_pem.write_to_path(tmp_path / "ca.pem")
    argv = [
        "--webhook-deny-private",
        *("--webhook-allow", "10.1.2.0/24", "--webhook-allow", "2001:db8::1"),
        *("--webhook-host", "A.example=10.1.2.3:8080", "--webhook-host", "b.example=2001:db8::1"),
        *("--webhook-timeout", "2.5s", "--webhook-attempts", "3"),
        *("--webhook-ca", str(tmp_path / "ca.pem")),
    ]
    assert parse(argv, {}).webhooks == WebhookSettings(
        rules=Rules((ip_network("10.1.2.0/24"), ip_network("2001:db8::1")), private=False),
        pins={
            "a.example": Pin(ip_address("10.1.2.3"), 8080),
            "b.example": Pin(ip_address("2001:db8::1")),
        },
        timeout=2.5,
        retries=Retries(limit=3),
        ca=str(tmp_path / "ca.pem"),
    )


@pytest.mark.parametrize(
    ("text", "pin"),
    [
        pytest.param("a=1.2.3.4", Pin(ip_address("1.2.3.4")), id="an address"),
        pytest.param("a=1.2.3.4:80", Pin(ip_address("1.2.3.4"), 80), id="with a port"),
        pytest.param("a=::1", Pin(ip_address("::1")), id="IPv6"),
        pytest.param("a=[::1]", Pin(ip_address("::1")), id="IPv6 in brackets"),
        pytest.param("a=[::1]:80", Pin(ip_address("::1"), 80), id="IPv6 with a port"),
    ],
)
def test_a_pinned_host(text: str, pin: Pin) -> None:
    assert parse(["--webhook-host", text, "--webhook-host", text], {}).webhooks.pins == {"a": pin}


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        pytest.param(["--webhook-allow", "10.1.2.3/8"], "is not a network", id="host bits"),
        pytest.param(["--webhook-allow", "localhost"], "is not a network", id="a name"),
        pytest.param(["--webhook-host", "a"], "is not NAME=ADDRESS[:PORT]", id="no address"),
        pytest.param(["--webhook-host", "a=b"], "is not NAME=ADDRESS", id="a name for a name"),
        pytest.param(["--webhook-host", "=1.2.3.4"], "is not NAME=ADDRESS", id="no name"),
        pytest.param(["--webhook-host", "a b=1.2.3.4"], "is not NAME=ADDRESS", id="an odd name"),
        pytest.param(["--webhook-host", "a=1.2.3.4:"], "is not NAME=ADDRESS", id="an empty port"),
        pytest.param(["--webhook-host", "a=1.2.3.4:0"], "is not NAME=ADDRESS", id="port 0"),
        pytest.param(["--webhook-host", "a=1.2.3.4:99999"], "is not NAME=", id="a high port"),
        pytest.param(["--webhook-host", "a=[::1]80"], "is not NAME=ADDRESS", id="no colon"),
        pytest.param(["--webhook-host", "a=[::1]:"], "is not NAME=ADDRESS", id="no port there"),
        pytest.param(["--webhook-host", "a=[::1"], "is not NAME=ADDRESS", id="an open bracket"),
        pytest.param(
            ["--webhook-host", "a=1.2.3.4", "--webhook-host", "a=1.2.3.5"],
            "a is given two addresses",
            id="two addresses for a name",
        ),
        pytest.param(["--webhook-timeout", "0s"], "is not between 0s and 60s", id="no time"),
        pytest.param(["--webhook-timeout", "2m"], "is not between 0s and 60s", id="too much time"),
        pytest.param(["--webhook-attempts", "0"], "from 1 to 100", id="no attempt"),
        pytest.param(["--webhook-attempts", "many"], "from 1 to 100", id="no number"),
        pytest.param(["--webhook-ca", "/none"], "no file with certificates", id="no file"),
        pytest.param(["--webhook-ca", __file__], "no file with certificates", id="no PEM"),
    ],
)
def test_a_wrong_flag_is_answered_with_one_line(
    argv: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(argv, {})
    (line,) = capsys.readouterr().err.splitlines()
    assert ended.value.code == 2
    assert sentence in line
    assert argv[0] in line
