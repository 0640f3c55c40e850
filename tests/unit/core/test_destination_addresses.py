"""Addresses of outgoing webhooks: in every dress, on both sides of the line."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayfly_core.outgoing.destinations import ForbiddenDestination, Rules, check, refused
from support.urls import urls

METADATA = "the metadata service of a cloud"


@pytest.mark.parametrize(
    ("host", "what"),
    [
        pytest.param("127.0.0.1", "loopback", id="loopback"),
        pytest.param("127.255.255.254", "loopback", id="the other end of loopback"),
        pytest.param("[::1]", "loopback", id="loopback of IPv6"),
        pytest.param("0.0.0.0", "this host", id="unspecified: Linux takes it for loopback"),
        pytest.param("0.1.2.3", "this host", id="this network"),
        pytest.param("[::]", "this host", id="unspecified in IPv6"),
        pytest.param("169.254.1.1", "link-local", id="link-local"),
        pytest.param("[fe80::1]", "link-local", id="link-local of IPv6"),
        pytest.param("[febf::1]", "link-local", id="the other end of link-local"),
        pytest.param("[fec0::1]", "site-local", id="site-local"),
        pytest.param("224.0.0.1", "multicast", id="multicast"),
        pytest.param("[ff02::1]", "multicast", id="multicast of IPv6"),
        pytest.param("255.255.255.255", "broadcast", id="broadcast"),
        pytest.param("240.0.0.1", "reserved", id="reserved"),
        pytest.param("192.0.0.8", "reserved", id="protocol assignments"),
        pytest.param("198.18.0.1", "reserved", id="benchmarks"),
        pytest.param("192.0.2.9", "reserved", id="examples"),
        pytest.param("198.51.100.9", "reserved", id="more examples"),
        pytest.param("203.0.113.9", "reserved", id="and more"),
        pytest.param("[2001:db8::1]", "reserved", id="examples of IPv6"),
        pytest.param("[3fff::1]", "reserved", id="more examples of IPv6"),
        pytest.param("192.88.99.1", "reserved", id="relays of 6to4"),
        pytest.param("[5f00::1]", "reserved", id="segment routing"),
        pytest.param("[100::1]", "reserved", id="what is thrown away"),
        pytest.param("[4000::1]", "reserved", id="what nobody has yet"),
        pytest.param("169.254.169.254", METADATA, id="metadata of most clouds"),
        pytest.param("169.254.170.2", METADATA, id="credentials of ECS"),
        pytest.param("169.254.170.23", METADATA, id="credentials of EKS"),
        pytest.param("168.63.129.16", METADATA, id="metadata of Azure, a public address"),
        pytest.param("100.100.100.200", METADATA, id="metadata of Alibaba"),
        pytest.param("192.0.0.192", METADATA, id="metadata of Oracle"),
        pytest.param("169.254.0.23", METADATA, id="metadata of Tencent"),
        pytest.param("[fd00:42::42]", METADATA, id="metadata of Scaleway in IPv6"),
        pytest.param("[fd00:c1::a9fe:a9fe]", METADATA, id="metadata of Oracle in IPv6"),
        pytest.param("[fd00:ec2::254]", METADATA, id="metadata of AWS in IPv6"),
        pytest.param("[fd20:ce::254]", METADATA, id="metadata of Google in IPv6"),
        pytest.param("[::ffff:127.0.0.1]", "loopback", id="loopback, mapped"),
        pytest.param("[::ffff:7f00:1]", "loopback", id="loopback, mapped, in hexadecimal"),
        pytest.param("[0:0:0:0:0:ffff:a9fe:a9fe]", METADATA, id="metadata, mapped, in full"),
        pytest.param("[::ffff:0.0.0.0]", "this host", id="unspecified, mapped"),
        pytest.param("[64:ff9b::a9fe:a9fe]", METADATA, id="metadata by NAT64"),
        pytest.param("[64:ff9b::127.0.0.1]", "loopback", id="loopback by NAT64"),
        pytest.param("[64:ff9b:1::a9fe:a9fe]", "inside another", id="metadata by a NAT64 of ours"),
        pytest.param("[::169.254.169.254]", "inside another", id="metadata, IPv4-compatible"),
        pytest.param("[2002:a9fe:a9fe::1]", "inside another", id="metadata by 6to4"),
        pytest.param("[2001:0:7f00:1::1]", "inside another", id="loopback by Teredo"),
        pytest.param("10.96.0.1", "the API server", id="the API server"),
        pytest.param("[::ffff:10.96.0.1]", "the API server", id="the API server, mapped"),
    ],
)
def test_addresses_that_are_never_called(host: str, what: str) -> None:
    rules = Rules(deny=(ip_network("10.96.0.1/32"),))
    with pytest.raises(ForbiddenDestination, match=what):
        check(f"http://{host}:8080/x", rules)


PUBLIC = ("1.1.1.1", "[2606:4700::1111]", "[64:ff9b::101:101]", "[::ffff:1.1.1.1]", "192.0.1.1")
IN_HOUSE = ("10.0.0.1", "172.31.0.1", "192.168.1.1", "100.64.0.1", "[fd12::1]", "[::ffff:10.0.0.1]")


@pytest.mark.parametrize("host", [*PUBLIC, *IN_HOUSE, "example.com"])
def test_public_and_private_addresses_may_be_called(host: str) -> None:
    assert check(f"http://{host}/", Rules()).origin


@pytest.mark.parametrize("host", IN_HOUSE)
def test_private_addresses_can_be_switched_off(host: str) -> None:
    with pytest.raises(ForbiddenDestination, match="private"):
        check(f"http://{host}/", Rules(private=False))


@pytest.mark.parametrize("host", PUBLIC)
def test_public_ones_stay_then(host: str) -> None:
    assert check(f"http://{host}/", Rules(private=False)).origin


@pytest.mark.parametrize(
    ("host", "vouched"),
    [
        pytest.param("127.0.0.1", "127.0.0.1/32", id="loopback"),
        pytest.param("[::ffff:127.0.0.1]", "127.0.0.0/8", id="what it is mapped to"),
        pytest.param("10.96.0.1", "10.96.0.0/16", id="the API server"),
        pytest.param("192.168.7.7", "192.168.7.0/24", id="a private one"),
        pytest.param("[fd00:ec2::254]", "fd00:ec2::254/128", id="metadata"),
    ],
)
def test_somebody_can_vouch_for_an_address(host: str, vouched: str) -> None:
    deny = (ip_network("10.96.0.1/32"),)
    rules = Rules(allow=(ip_network(vouched),), deny=deny, private=False)
    assert check(f"http://{host}/", rules).address
    with pytest.raises(ForbiddenDestination):
        check(f"http://{host}/", Rules(deny=deny, private=False))


NEVER = tuple(
    ip_network(text)
    for text in (
        *("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4"),
        *("168.63.129.16", "192.0.0.0/24", "100.100.100.200", "::/96", "fe80::/10", "fec0::/10"),
        *("ff00::/8", "fd00:ec2::/32", "2002::/16", "2001::/32"),
    )
)


def plain(text: str) -> IPv4Address | IPv6Address:
    """Undress an address, in another way than the code does."""
    found = ip_address(text)
    if found in ip_network("::ffff:0:0/96") or found in ip_network("64:ff9b::/96"):
        return IPv4Address(found.packed[-4:])
    return found


@given(st.text() | urls())
def test_no_text_does_anything_but_be_taken_or_refused(text: str) -> None:
    try:
        found = check(text, Rules())
    except ForbiddenDestination:
        return
    assert not found.address or all(plain(found.host) not in network for network in NEVER)


@given(st.sampled_from(NEVER).flatmap(lambda network: st.ip_addresses(network=network)))
def test_every_address_of_a_denied_network_is_refused_in_every_dress(
    address: IPv4Address | IPv6Address,
) -> None:
    dresses = [address]
    if address.version == 4:
        dresses += [IPv6Address(f"::ffff:{address}"), IPv6Address(f"64:ff9b::{address}")]
    assert all(refused(dress, Rules()) for dress in dresses)


TAKEN = ("2000::/3", "64:ff9b::/96", "::ffff:0:0/96", "0.0.0.0/0")


@given(st.ip_addresses())
def test_what_is_taken_where_private_networks_are_not_is_public(
    address: IPv4Address | IPv6Address,
) -> None:
    if refused(address, Rules(private=False)) is None:
        found = plain(str(address))
        assert found.is_global
        assert not found.is_multicast
        assert any(address in ip_network(network) for network in TAKEN)
