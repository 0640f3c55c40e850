"""URLs of outgoing webhooks: what people can write, and where it would lead."""

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from dayfly_core.outgoing.destinations import (
    LONGEST_URL,
    ForbiddenDestination,
    parse_url,
)
from support.urls import urls


@pytest.mark.parametrize(
    ("url", "host", "port", "target", "origin"),
    [
        pytest.param("http://a.b", "a.b", 80, "/", "http://a.b", id="nothing but a host"),
        pytest.param("HTTPS://A.B/C", "a.b", 443, "/C", "https://a.b", id="a host in upper case"),
        pytest.param("http://a.b:80/", "a.b", 80, "/", "http://a.b", id="the port that it has"),
        pytest.param("https://a:80?x", "a", 80, "/?x", "https://a:80", id="a query, and no path"),
        pytest.param("http://a?/x@y:1", "a", 80, "/?/x@y:1", "http://a", id="an odd query"),
        pytest.param("http://a/%2F%e4", "a", 80, "/%2F%e4", "http://a", id="escapes stay"),
        pytest.param("http://a/../b//c;d", "a", 80, "/../b//c;d", "http://a", id="dots stay"),
        pytest.param(
            "http://xn--bcher-kva.de",
            "xn--bcher-kva.de",
            80,
            "/",
            "http://xn--bcher-kva.de",
            id="an A-label",
        ),
        pytest.param("http://192.0.2.1", "192.0.2.1", 80, "/", "http://192.0.2.1", id="IPv4"),
        pytest.param(
            "http://[2001:DB8:0::1]:8080/x",
            "2001:db8::1",
            8080,
            "/x",
            "http://[2001:db8::1]:8080",
            id="IPv6, in its one spelling",
        ),
        pytest.param(
            "http://webhooky.example-04.svc.cluster.local/api/webhook/my-super-awesome-webhook",
            "webhooky.example-04.svc.cluster.local",
            80,
            "/api/webhook/my-super-awesome-webhook",
            "http://webhooky.example-04.svc.cluster.local",
            id="a Service of the cluster",
        ),
    ],
)
def test_a_url_is_taken_apart(url: str, host: str, port: int, target: str, origin: str) -> None:
    found = parse_url(url)
    assert (found.host, found.port, found.target, found.origin) == (host, port, target, origin)
    assert found.url == origin + target


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        pytest.param("", "not a URL with http", id="nothing"),
        pytest.param("hooks.example.com/x", "not a URL with http", id="no scheme"),
        pytest.param("//hooks.example.com", "not a URL with http", id="a scheme left open"),
        pytest.param("file:///etc/passwd", "not a URL with http", id="a file"),
        pytest.param("gopher://a:70/_GET", "not a URL with http", id="gopher"),
        pytest.param("http:/a", "not a URL with http", id="one slash"),
        pytest.param("http:a", "not a URL with http", id="no slash"),
        pytest.param("unix://var/run/docker.sock", "not a URL with http", id="a socket"),
        pytest.param("http+unix://a", "not a URL with http", id="a socket by HTTP"),
        pytest.param("http://", "has no host", id="no host"),
        pytest.param("http:///x", "has no host", id="a path, and no host"),
        pytest.param("http://?x", "has no host", id="a query, and no host"),
        pytest.param("http://:80/", "has no host", id="a port, and no host"),
        pytest.param("http://u:p@a.b/", "user or password", id="a user and password"),
        pytest.param("http://a.b@127.0.0.1/", "user or password", id="a host in the user"),
        pytest.param("http://@a.b/", "user or password", id="an empty user"),
        pytest.param("http://a.b:80@c/", "user or password", id="a port in the user"),
        pytest.param("http://a.b/#x", "fragment", id="a fragment"),
        pytest.param("http://a.b#@127.0.0.1/", "fragment", id="a fragment in the host"),
        pytest.param("http://a.b\\@127.0.0.1/", "no URL has", id="a backslash"),
        pytest.param("http:\\\\a.b", "no URL has", id="backslashes for slashes"),
        pytest.param(" http://a.b", "no URL has", id="a space before it"),
        pytest.param("http://a b/", "no URL has", id="a space in it"),
        pytest.param("http://a.b/\r\nHost: c", "no URL has", id="a second line"),
        pytest.param("ht\ntp://a.b/", "no URL has", id="a line break in the scheme"),
        pytest.param("http://a\t.b/", "no URL has", id="a tab, which browsers drop"),
        pytest.param("http://a.b/\0", "no URL has", id="a NUL"),
        pytest.param("http://a.b/\x7f", "no URL has", id="DEL"),
        pytest.param("http://bücher.de", "no URL has", id="a name in another script"),
        pytest.param("http://ⓔxample.com", "no URL has", id="letters in circles"),
        pytest.param("http://a。b", "no URL has", id="an ideographic full stop"),
        pytest.param("http://①②⑦.⓪.⓪.①/", "no URL has", id="digits in circles"),
        pytest.param("http://\uff11\uff12\uff17.0.0.1/", "no URL has", id="full-width digits"),
        pytest.param("http://١٢٧.0.0.1/", "no URL has", id="Arabic digits"),
        pytest.param("http://a\u00adb/", "no URL has", id="a soft hyphen"),
        pytest.param("http://a\u200bb/", "no URL has", id="a zero-width space"),
        pytest.param("http://a.b/\ud800", "no URL has", id="half a surrogate"),
        pytest.param("http://127%2e0.0.1/", "four decimal ones", id="a dot as an escape"),
        pytest.param("http://%31%32%37.0.0.1x/", "not a DNS name", id="digits as escapes"),
        pytest.param("http://a..b/", "not a DNS name", id="an empty label"),
        pytest.param("http://.a/", "not a DNS name", id="a dot at the front"),
        pytest.param("http://-a.b/", "not a DNS name", id="a hyphen at the front"),
        pytest.param("http://a_b/", "not a DNS name", id="an underscore"),
        pytest.param("http://*.a/", "not a DNS name", id="a wildcard"),
        pytest.param(f"http://{'a' * 64}.b/", "not a DNS name", id="a label that is too long"),
        pytest.param(f"http://{'a.' * 127}bc/", "not a DNS name", id="a name that is too long"),
        pytest.param("http://a.b./", "ends in a dot", id="a dot at the end"),
        pytest.param("http://127.0.0.1./", "ends in a dot", id="an address with a dot at the end"),
        pytest.param("http://2130706433/", "four decimal ones", id="one decimal number"),
        pytest.param("http://0x7f000001/", "four decimal ones", id="one hexadecimal number"),
        pytest.param("http://0X7F000001/", "four decimal ones", id="in upper case"),
        pytest.param("http://017700000001/", "four decimal ones", id="one octal number"),
        pytest.param("http://0177.0.0.1/", "four decimal ones", id="an octal part"),
        pytest.param("http://0x7f.0.0.0x1/", "four decimal ones", id="hexadecimal parts"),
        pytest.param("http://127.1/", "four decimal ones", id="two parts"),
        pytest.param("http://127.0.1/", "four decimal ones", id="three parts"),
        pytest.param("http://0/", "four decimal ones", id="zero"),
        pytest.param("http://0x/", "four decimal ones", id="a number without digits"),
        pytest.param("http://127.0.0.1.0/", "four decimal ones", id="five parts"),
        pytest.param("http://127.0.0.256/", "four decimal ones", id="a part over 255"),
        pytest.param("http://127.000.000.001/", "four decimal ones", id="leading zeros"),
        pytest.param("http://a.b.1/", "four decimal ones", id="a name that ends in a number"),
        pytest.param("http://[]/", "in its brackets", id="empty brackets"),
        pytest.param("http://[127.0.0.1]/", "in its brackets", id="IPv4 in brackets"),
        pytest.param("http://[a.b]/", "in its brackets", id="a name in brackets"),
        pytest.param("http://[v1.x]/", "in its brackets", id="an address of the future"),
        pytest.param("http://[::1/", "no port", id="brackets left open"),
        pytest.param("http://::1]/", "in its brackets", id="brackets not opened"),
        pytest.param("http://a[::1]/", "in its brackets", id="text before the brackets"),
        pytest.param("http://[::1]a/", "after its address", id="text after the brackets"),
        pytest.param("http://[::1][::2]/", "in its brackets", id="brackets twice"),
        pytest.param("http://[fe80::1%25eth0]/", "in its brackets", id="a zone"),
        pytest.param("http://[fe80::1%eth0]/", "in its brackets", id="a zone, unescaped"),
        pytest.param("http://::1/", "no port", id="IPv6 without brackets"),
        pytest.param("http://a.b:/", "no port", id="an empty port"),
        pytest.param("http://a.b:0/", "no port", id="port 0"),
        pytest.param("http://a.b:65536/", "no port", id="a port over 65535"),
        pytest.param("http://a.b:4294967376/", "no port", id="80, modulo 2 to the 32nd"),
        pytest.param("http://a.b:-1/", "no port", id="a negative port"),
        pytest.param("http://a.b:80:90/", "no port", id="two ports"),
        pytest.param("http://a.b:http/", "no port", id="a port by name"),
        pytest.param("http://a.b:10250/", "where a node serves", id="the kubelet"),
        pytest.param("https://a.b:2379/", "where a node serves", id="etcd"),
        pytest.param("http://a.b/%", "hexadecimal digits", id="an escape of nothing"),
        pytest.param("http://a.b/%2", "hexadecimal digits", id="half an escape"),
        pytest.param("http://a.b/%zz", "hexadecimal digits", id="an escape of no number"),
        pytest.param(f"http://a.b/{'x' * LONGEST_URL}", "longer than 2048", id="a long one"),
    ],
)
def test_a_url_that_two_parsers_might_read_differently_is_refused(url: str, problem: str) -> None:
    with pytest.raises(ForbiddenDestination, match=problem) as error:
        parse_url(url)
    assert "write for example https://hooks.example.com/dayfly" in str(error.value)
    assert str(error.value).isprintable()


@given(urls() | st.text("abc.:/?@[]%1=&;-", max_size=30).map("https://a".__add__))
def test_other_parsers_read_what_is_taken_as_we_do(text: str) -> None:
    try:
        found = parse_url(text)
    except ForbiddenDestination:
        return
    theirs, builtin = URL(found.url, encoded=True), urlsplit(found.url)
    assert (theirs.raw_host, theirs.port) == (found.host, found.port)
    assert theirs.raw_path_qs == found.target or found.target.endswith("?")
    assert (builtin.hostname, builtin.port or found.port) == (found.host, found.port)
