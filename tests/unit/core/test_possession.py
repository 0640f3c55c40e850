"""Whether an object has a name."""

import msgspec
import pytest

from dayfly_core import names
from dayfly_core.api import LabelSelector
from dayfly_core.claim_key import ClaimKey
from dayfly_core.objects import ObjectMeta
from dayfly_core.policies import GroupResource
from dayfly_core.possession import NAMESPACE, RouteList, by_routes, has
from support.claim_values import SHOP, host

THINGS: GroupResource = ("", "things")
WEB = host("web.example")
IS_SHOP = ObjectMeta(labels={names.ENVIRONMENT: "shop"})
GIVEN = ObjectMeta(labels={names.POLICY: "p"}, annotations={names.HOST: "Web.example."})
BOTH = ObjectMeta(labels={**IS_SHOP.label_map, **GIVEN.label_map}, annotations=GIVEN.annotations)
NOTHING = ObjectMeta()
TEAM = ObjectMeta(labels={"team": "web"})
HERE, THERE = (LabelSelector(match_labels={"team": team}) for team in ("web", "api"))


@pytest.mark.parametrize(
    ("kind", "meta", "key", "want"),
    [
        pytest.param(NAMESPACE, IS_SHOP, SHOP, True, id="the environment that a Namespace is"),
        pytest.param(THINGS, IS_SHOP, SHOP, False, id="nothing else is one"),
        pytest.param(THINGS, GIVEN, WEB, True, id="the host that it was given"),
        pytest.param(NAMESPACE, BOTH, WEB, True, id="a Namespace also has one"),
        pytest.param(NAMESPACE, BOTH, SHOP, True, id="beside its environment"),
        pytest.param(THINGS, GIVEN, host("other.example"), False, id="another host"),
        pytest.param(THINGS, NOTHING, WEB, False, id="none"),
    ],
)
def test_what_an_object_has_by_itself(
    kind: GroupResource, meta: ObjectMeta, key: ClaimKey, want: bool
) -> None:
    assert has(kind, meta, key) is want


@pytest.mark.parametrize(
    ("items", "want"),
    [
        pytest.param('[{"spec":{"rules":[{"host":"web.example"}]}}]', True, id="a rule"),
        pytest.param('[{"spec":{"tls":[{"hosts":["web.example"]}]}}]', True, id="a certificate"),
        pytest.param('[{},{"spec":{"hostnames":["web.example"]}}]', True, id="an HTTPRoute"),
        pytest.param('[{"spec":{"hostnames":["other.example"]}}]', False, id="another host"),
        pytest.param("[{}]", False, id="nothing at all"),
        pytest.param("null", False, id="an empty list, as Go writes it"),
        pytest.param(
            '[{"metadata":{"ownerReferences":[{"controller":true}]},'
            '"spec":{"hostnames":["web.example"]}}]',
            False,
            id="a controller's does not count",
        ),
        pytest.param(
            '[{"metadata":{"labels":{"dayfly.dev/policy":"p"},"annotations":{"dayfly.dev/host":'
            '"web.example"}},"spec":{"rules":[{"host":"web.example"}]}}]',
            False,
            id="the host that it was given it has itself",
        ),
    ],
)
def test_what_a_namespace_has_by_what_is_routed_in_it(items: str, want: bool) -> None:
    routes = msgspec.json.decode(f'{{"items":{items}}}', type=RouteList)
    assert has(NAMESPACE, TEAM, WEB, routes.items or ()) is want


@pytest.mark.parametrize(
    ("kind", "key", "opted", "want"),
    [
        pytest.param(NAMESPACE, WEB, LabelSelector(), True, id="everywhere"),
        pytest.param(NAMESPACE, WEB, HERE, True, id="here"),
        pytest.param(NAMESPACE, WEB, THERE, False, id="elsewhere"),
        pytest.param(NAMESPACE, WEB, None, False, id="nowhere"),
        pytest.param(NAMESPACE, SHOP, LabelSelector(), False, id="no route makes an environment"),
        pytest.param(THINGS, WEB, LabelSelector(), False, id="nothing is routed in anything else"),
    ],
)
def test_where_routes_count(
    kind: GroupResource, key: ClaimKey, opted: LabelSelector | None, want: bool
) -> None:
    assert by_routes(kind, TEAM, key, opted) is want
