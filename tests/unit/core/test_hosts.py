"""How hosts are compared, and which host a template gives."""

import re
import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dayfly_core import grammar
from dayfly_core.hosts import Facts, InvalidHost, Skipped, Template, normalise, render

DNS_NAME = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*\Z"
)

NORMALISED = [
    pytest.param("shop.example.com", "shop.example.com", id="as it is"),
    pytest.param("Shop.EXAMPLE.com", "shop.example.com", id="upper case"),
    pytest.param("shop.example.com.", "shop.example.com", id="a dot at the end"),
    pytest.param("bücher.example", "xn--bcher-kva.example", id="an international name"),
    pytest.param("Bu\N{COMBINING DIAERESIS}cher.Example.", "xn--bcher-kva.example", id="composed"),
    pytest.param("XN--BCHER-KVA.example", "xn--bcher-kva.example", id="its other spelling"),
    pytest.param("faß.example", "xn--fa-hia.example", id="a sharp s is a letter of its own"),
    pytest.param(
        "\uff53hop\u3002example", "shop.example", id="a wide letter and an ideographic dot"
    ),
    pytest.param("*.Example.com", "*.example.com", id="a wildcard"),
    pytest.param("*.bücher.example", "*.xn--bcher-kva.example", id="an international wildcard"),
    pytest.param("localhost", "localhost", id="one label"),
    pytest.param("r3---sn-x.example", "r3---sn-x.example", id="dashes that are no xn--"),
    pytest.param("a" * 63 + ".example", "a" * 63 + ".example", id="the longest label"),
    pytest.param(".".join(["a" * 62] * 4) + ".", ".".join(["a" * 62] * 4), id="the longest name"),
]

INVALID = [
    pytest.param("", "is empty", id="nothing"),
    pytest.param(".", "is not a DNS name", id="the root"),
    pytest.param("shop..example", "is not a DNS name", id="an empty label"),
    pytest.param("shop.example..", "is not a DNS name", id="two dots at the end"),
    pytest.param("sh op.example", "is not a DNS name", id="a blank"),
    pytest.param("shop_1.example", "is not a DNS name", id="an underscore"),
    pytest.param("-shop.example", "is not a DNS name", id="a dash first"),
    pytest.param("https://shop.example", "is not a DNS name", id="a URL"),
    pytest.param("shop.example:80", "is not a DNS name", id="a port"),
    pytest.param("shop.example\n", "is not a DNS name", id="a line break"),
    pytest.param("a" * 64 + ".example", "is not a DNS name", id="a label of 64 characters"),
    pytest.param("ü" * 63 + ".example", "has characters that", id="a label too long in ASCII"),
    pytest.param("\N{SNOWMAN}\ud800.example", "has characters that", id="half a character"),
    pytest.param("*", "has a *", id="a wildcard for everything"),
    pytest.param("shop.*.example", "has a *", id="a wildcard within"),
    pytest.param("sh*.example", "has a *", id="half a wildcard"),
    pytest.param("*.*.example", "has a *", id="two wildcards"),
    pytest.param("*.", "has a *", id="a wildcard below nothing"),
    pytest.param("a." * 127 + "a", "is longer than 253 characters", id="255 characters"),
    pytest.param("ü." * 100 + "ü", "is longer than 253 characters", id="too long in ASCII"),
]


@pytest.mark.parametrize(("text", "host"), NORMALISED)
def test_one_host_has_one_spelling(text: str, host: str) -> None:
    assert normalise(text) == host
    assert normalise(host) == host


@pytest.mark.parametrize(("text", "problem"), INVALID)
def test_what_is_no_host_is_told_with_an_example(text: str, problem: str) -> None:
    with pytest.raises(InvalidHost) as caught:
        normalise(text)
    assert caught.value.detail.startswith(problem)
    assert caught.value.detail.endswith(
        "; write for example shop.example.com, or *.example.com for all names below it"
    )
    assert str(caught.value).endswith(caught.value.detail)
    str(caught.value).encode()


@given(st.text(max_size=300) | st.text(alphabet="*.aÄ-ß\u3002\uff53\u200d", max_size=20))
@example("İ.com")
def test_no_text_raises_anything_else(text: str) -> None:
    try:
        host = normalise(text)
    except InvalidHost:
        return
    assert DNS_NAME.fullmatch(host.removeprefix("*."))
    assert normalise(host) == host


# Templates.

WEB = Facts("web", "shop-pr-17", "pr_17", "deployments.apps")
DOMAIN = "dev.example.com"
LONG = "web-frontend-of-the-shop-that-sells-everything-to-everybody"

RENDERED = [
    pytest.param("{name}-{namespace}.{domain}", WEB, "web-shop-pr-17.dev.example.com", id="usual"),
    pytest.param("{name}.{environment}.x", WEB, "web.pr-17.x", id="an underscore is a dash"),
    pytest.param(
        "{name}.x", WEB._replace(name="Web.v2"), "web-v2.x", id="upper case, and a dot in a name"
    ),
    pytest.param("x", WEB, "x", id="no field at all"),
    pytest.param("{name}-{hash}.x", WEB, "web-2cd1672509.x", id="a hash"),
    pytest.param(
        "{name}-{hash}.x",
        WEB._replace(kind="statefulsets.apps"),
        "web-17e34a4f27.x",
        id="the same name as another kind has another hash",
    ),
    pytest.param(
        "{name}-{hash}.x",
        WEB._replace(environment=""),
        "web-2cd1672509.x",
        id="a hash does not depend on labels, which may change",
    ),
    pytest.param(
        "{name}-{namespace}.{domain}",
        WEB._replace(name=LONG),
        "web-frontend-of-the-shop-that-sells-everything-to-ev-d895e8a45e.dev.example.com",
        id="a label that is too long is cut",
    ),
    pytest.param(
        "{name}.x", WEB._replace(name="___"), "bda251550b.x", id="nothing but underscores"
    ),
    pytest.param("a" * 64 + "x", WEB, "a" * 52 + "-d49ada0261", id="a long word of the template"),
]


@pytest.mark.parametrize(("template", "facts", "host"), RENDERED)
def test_a_template_gives_a_host(template: str, facts: Facts, host: str) -> None:
    assert render(Template(template), DOMAIN, facts) == host


SKIPPED = [
    pytest.param("{name}.x", WEB._replace(name=""), "generateName", id="no name yet"),
    pytest.param("{namespace}.x", WEB._replace(name=""), "generateName", id="not even unused"),
    pytest.param("{name}.{namespace}.x", WEB._replace(namespace=""), "no namespace", id="no ns"),
    pytest.param(
        "{name}.{environment}.x",
        WEB._replace(environment=""),
        "label dayfly.dev/environment",
        id="no environment",
    ),
    pytest.param(
        "{name}.{namespace}.{environment}.{domain}",
        Facts("n" * 63, "s" * 63, "e" * 63, "x"),
        "longer than 253",
        id="too long with the domain",
    ),
    pytest.param("{nme}.x", WEB, "its template knows the fields", id="an impossible template"),
]


@pytest.mark.parametrize(("template", "facts", "reason"), SKIPPED)
def test_without_what_it_needs_there_is_no_host(template: str, facts: Facts, reason: str) -> None:
    domain = ".".join(["d" * 62] * 3)[:189]
    skipped = render(Template(template), domain, facts)
    assert isinstance(skipped, Skipped)
    assert reason in skipped.reason


def test_without_a_domain_none_is_made_up() -> None:
    skipped = render(Template("{name}.{domain}"), "", WEB)
    assert skipped == Skipped("its policy names no domain")


PIECES = st.sampled_from([f"{{{field}}}" for field in grammar.HOST_FIELDS]) | st.text(
    alphabet="ab1-.{}", max_size=4
)
TEMPLATES = st.lists(PIECES, min_size=1, max_size=6).map("".join) | st.text(max_size=40)
VALUES = st.text(max_size=90) | st.text(
    alphabet=string.ascii_letters + string.digits + "-_.", max_size=253
)
FACTS = st.builds(Facts, VALUES, VALUES, VALUES, st.just("deployments.apps"))


@given(template=TEMPLATES, domain=st.sampled_from([DOMAIN, "a", "", "No.Domain"]), facts=FACTS)
@example("{name}-{namespace}.{domain}", DOMAIN, Facts("-", "_", "", "x"))
def test_any_template_and_facts_give_a_dns_name_or_a_reason(
    template: str, domain: str, facts: Facts
) -> None:
    host = render(Template(template), domain, facts)
    assert render(Template(template), domain, facts) == host
    if isinstance(host, Skipped):
        assert host.reason
    else:
        assert DNS_NAME.fullmatch(host)
        assert normalise(host) == host


LONG_NAMES = st.text(alphabet="abAB._é", min_size=62, max_size=70).map(lambda text: f"x{text}x")


@given(st.lists(LONG_NAMES, min_size=2, max_size=2, unique=True))
@example(["a" * 64, "A" * 64])
@example(["a" * 70 + "b", "a" * 70 + "c"])
def test_names_that_were_cut_are_told_apart(names: list[str]) -> None:
    hosts = [render(Template("{name}.{domain}"), DOMAIN, WEB._replace(name=name)) for name in names]
    assert hosts[0] != hosts[1]


def test_where_a_cut_label_is_joined_makes_a_difference() -> None:
    long = "a" * 40
    one, other = (
        render(Template("{name}-{namespace}.x"), "", WEB._replace(name=name, namespace=namespace))
        for name, namespace in ((f"{long}-b", long), (long, f"b-{long}"))
    )
    assert one != other
