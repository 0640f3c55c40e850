"""Flags of ``dayfly admission``."""

import pytest

from dayfly_admission.settings import parse
from dayfly_core.outgoing.destinations import Rules
from dayfly_kube.flags import Address
from dayfly_operator import settings as operator


def test_defaults_are_those_of_the_manifests() -> None:
    settings = parse([], {"POD_NAME": "dayfly-admission-x", "POD_NAMESPACE": "dayfly-system"})
    assert settings.listen == Address("0.0.0.0", 9443)
    assert settings.health_listen == Address("0.0.0.0", 8081)
    assert settings.identity == "dayfly-admission-x"
    assert settings.namespace == "dayfly-system"
    assert settings.lame_duck == 10.0


def test_flags_win() -> None:
    flags = ["--listen", "[::1]:0", "--lame-duck", "600ms", "--identity", "me", "--log-level=debug"]
    settings = parse(flags, {"POD_NAME": "other"})
    assert settings.listen == Address("::1", 0)
    assert (settings.lame_duck, settings.identity, settings.log_level) == (0.6, "me", "debug")


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        pytest.param(["--listen", "x"], "--listen: 'x' is not HOST:PORT", id="an address"),
        pytest.param(["--lame-duck", "long"], "--lame-duck: 'long' is not", id="a length of time"),
        pytest.param(["--lisen", ":1"], "did you mean --listen?", id="a misspelt flag"),
        pytest.param(["now"], "'now'", id="an argument too many"),
    ],
)
def test_a_wrong_flag_is_one_line_and_status_2(
    flags: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(flags, {})
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert said.startswith("dayfly admission: ")
    assert says in said
    assert said.count("\n") == 1


def test_where_webhooks_may_go_is_said_as_to_the_operator() -> None:
    argv = ["--webhook-deny-private", "--webhook-allow", "10.1.2.0/24"]
    assert parse([], {}).destinations == Rules()
    assert parse(argv, {}).destinations == operator.parse(argv, {}).webhooks.rules
