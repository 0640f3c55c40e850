"""Dayfly where everybody wants the same names: three replicas of admission, two operators."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import msgspec

from dayfly_core import names
from playground import ControlPlane, System
from playground.process import eventually
from playground.webhooks import asked_about
from support import base
from support.crowds import Wish, ingress, namespace
from support.unguarded import a_second_after

SOAK: Final = os.environ.get("DAYFLY_SOAK") == "1"

GRACE: Final = 3.0
SHARED: Final = 1 if SOAK else 6
"""Allowance for a machine that does other things beside this; the soak is run alone."""

SOON: Final = 10.0 * SHARED
"""Seconds after which it is settled who has a name."""

INGRESS_HOSTS: Final = ("--claim-ingress-hosts", "*")
LAME_DUCK: Final = ("--lame-duck", "10s") if SOAK else ()
"""As manifests/base ships it; else as long as the playground's forwarder needs."""

DOMAIN: Final = "dev.example.com"
BEFORE: Final = "before"
"""An environment that two namespaces have since before the install; and each has its host."""
ELDER, YOUNGER = "before-z", "before-a"


@dataclass(frozen=True, slots=True)
class Throng:
    """The system, by itself on a control plane."""

    system: System

    @property
    def plane(self) -> ControlPlane:
        """The control plane that it has to itself."""
        return self.system.plane


@contextmanager
def installed_late(plane: ControlPlane) -> Generator[Throng]:
    """Install on a control plane where names collide already."""
    for name in (ELDER, YOUNGER):
        _put(plane, namespace(name, BEFORE))
        _put(plane, ingress(name, f"{BEFORE}.{DOMAIN}"))
        a_second_after(plane, "ingress", "web", "-n", name)
    plane.apply((base.MANIFESTS / "components" / "ingress-hosts" / "rights.yaml").read_text())
    with System.install(
        plane,
        admissions=3,
        operators=2,
        admission_flags=(*INGRESS_HOSTS, *LAME_DUCK),
        operator_flags=(*INGRESS_HOSTS, "--claim-grace", f"{GRACE:g}s"),
    ) as system:
        assert eventually(lambda: _asked(system), SOON), "the webhooks' rules are not there"
        yield Throng(system)


def _asked(system: System) -> bool:
    rules = {entry["name"]: asked_about(entry) for entry in system.webhooks()}
    environments, judged = rules[names.ENVIRONMENTS_WEBHOOK], rules[names.JUDGE_WEBHOOK]
    return "namespaces" in environments and "ingresses" in judged


def _put(plane: ControlPlane, wish: Wish) -> None:
    plane.kubectl("create", "-f", "-", stdin=msgspec.json.encode(wish.body).decode())
