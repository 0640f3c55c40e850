"""The flag that admission and operator have in common."""

import pytest

from dayfly_core.api import LabelSelector
from dayfly_kube.flags import Flags
from dayfly_kube.ingress_flag import add_ingress_hosts


@pytest.fixture
def flags() -> Flags:
    made = Flags("dayfly x", "")
    add_ingress_hosts(made)
    return made


def test_without_it_no_host_is_claimed(flags: Flags) -> None:
    assert flags.parse_args([]).claim_ingress_hosts is None


def test_a_star_is_every_namespace(flags: Flags) -> None:
    given = flags.parse_args(["--claim-ingress-hosts", "*"])
    assert given.claim_ingress_hosts == LabelSelector()


def test_what_is_no_selector_is_one_line(flags: Flags, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        flags.parse_args(["--claim-ingress-hosts", "a b"])
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("dayfly x: --claim-ingress-hosts: 'a b' is not a label selector")
