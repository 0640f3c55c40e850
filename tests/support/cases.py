"""Questions of one object's end, under policies with and without bounds."""

import msgspec
from msgspec.structs import replace

from dayfly_core.api import Enforcement, RenewOn
from dayfly_core.expiry import Case
from dayfly_core.objects import ObjectMeta
from dayfly_core.policies import Policy
from dayfly_core.wish import read
from support.build import HOUR, NOW, a_policy, an_object, in_

PLAIN = a_policy()
OPT_IN = a_policy(default=None)
BOUNDED = a_policy(minimum="1m", default="24h", maximum="7d", max_total="30d")
WARN = replace(BOUNDED, enforcement=Enforcement.WARN)
RENEWS = replace(BOUNDED, renew_on=RenewOn.GENERATION_CHANGE)
STAMPED = an_object(ttl="8h", at=in_("2h"), policy="previews", age=HOUR)
UNSTAMPED = an_object(age=HOUR)
FOREVER = an_object(ttl="never", policy="previews", age=HOUR)


def create(meta: ObjectMeta, policy: Policy = PLAIN) -> Case:
    return Case(policy, meta, None, NOW)


def update(
    old: ObjectMeta, policy: Policy = PLAIN, *, spec_changed: bool = False, **changes: str | None
) -> Case:
    """Change annotations of the stored object; None removes one."""
    wish = read(old)
    wanted = {"ttl": wish.ttl_text, "at": wish.at_text, **changes}
    fresh = an_object(ttl=wanted["ttl"], at=wanted["at"])
    meta = msgspec.structs.replace(old, annotations=fresh.annotations)
    return Case(policy, meta, old, NOW, spec_changed)
