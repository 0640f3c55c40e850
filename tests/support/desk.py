"""The judging webhooks over a shelf of claims, with everything else made up."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from dayfly_admission import answer
from dayfly_admission.claiming import Claiming
from dayfly_admission.naming import LoopClock, Naming
from dayfly_admission.review import User, decode
from dayfly_admission.turnstile import Turnstiles
from dayfly_admission.webhooks import Webhooks
from dayfly_core.api import Holder, LabelSelector
from dayfly_core.objects import ObjectMeta
from dayfly_core.policies import Policies, Policy
from support.reviews import Json, accepted, an_object, encoded
from support.shelf import NOW, Shelf


class OneNamespace:
    def known(self, name: str) -> ObjectMeta | None:
        return ObjectMeta(name=name, uid=f"uid-of-{name}", labels={"team": "web"})

    async def ask(self, name: str, seconds: float) -> ObjectMeta | None:
        raise AssertionError(f"{name} is known, nobody has to ask for {seconds} s")


@dataclass
class FakeTeller:
    """Says the same of everybody; remembers who was asked about."""

    answer: bool = True
    asked: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    async def may_see(self, user: User, holder: Holder, seconds: float) -> bool:
        assert seconds > 0
        self.asked.append((user.username, holder.name))
        return self.answer


@dataclass
class Desk:
    """The webhooks over a shelf of claims."""

    shelf: Shelf = field(default_factory=Shelf)
    teller: FakeTeller = field(default_factory=FakeTeller)
    policies: Sequence[Policy] = ()
    turnstiles: Turnstiles = field(default_factory=Turnstiles)
    counted: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    @property
    def webhooks(self) -> Webhooks:
        clock = LoopClock(asyncio.get_running_loop().time, lambda: NOW)
        naming = Naming(
            Claiming(self.shelf, clock),
            self.teller,
            self.turnstiles,
            lambda kind, outcome: self.counted.append((kind, outcome)),
            LabelSelector(),
        )
        current = Policies(self.policies)
        return Webhooks(lambda: current, OneNamespace(), lambda: NOW, frozenset(), naming)

    async def environments(self, review: Json, seconds: float = 5.0) -> tuple[Json, str]:
        said, reason = await self.webhooks.environments(decode(encoded(review)), seconds)
        return accepted(answer.encode(said), mutating=False), reason

    async def judge(self, review: Json, seconds: float = 5.0) -> tuple[Json, str]:
        said, reason = await self.webhooks.judge(decode(encoded(review)), seconds)
        return accepted(answer.encode(said), mutating=False), reason


def ingress(*hosts: str, **metadata: Any) -> Json:
    spec = {"rules": [{"host": name} for name in hosts]}
    return an_object("Ingress", uid="u1", **metadata) | {"spec": spec}


def causes(response: Json) -> list[tuple[str, str]]:
    return [(cause["field"], cause["message"]) for cause in response["status"]["details"]["causes"]]
