"""Which objects are looked at before a release ends."""

from dayfly_core.helm import marks as helm
from dayfly_core.helm.marks import ReleaseRef
from dayfly_core.objects import CONFIG_MAPS, Key, ObjectMeta
from dayfly_operator.helm.members import ReleaseMembers
from dayfly_operator.stamped import Stamped

SHOP, CART = ReleaseRef("team-a", "shop"), ReleaseRef("team-a", "cart")
ONE, TWO = Key(CONFIG_MAPS, "team-a", "one"), Key(CONFIG_MAPS, "team-a", "two")


def of(ref: ReleaseRef | None) -> Stamped:
    if ref is None:
        return Stamped(ObjectMeta(), None)
    notes = {helm.RELEASE_NAME: ref.name, helm.RELEASE_NAMESPACE: ref.namespace}
    return Stamped(ObjectMeta(labels={helm.MANAGED_BY: "Helm"}, annotations=notes), None)


def test_they_are_known_by_what_is_written_on_them_now() -> None:
    members = ReleaseMembers()
    for key, found in (
        (ONE, of(SHOP)),
        (TWO, of(SHOP)),
        (ONE, of(SHOP)),
        (TWO, of(CART)),
    ):
        members.stamped(key, found)
    assert (members.of(SHOP), members.of(CART)) == ((ONE,), (TWO,))
    members.stamped(ONE, of(None))
    members.stamped(TWO, None)
    members.stamped(TWO, None)
    assert members.of(SHOP) == members.of(CART) == ()
