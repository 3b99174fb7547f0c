"""Which addresses the HTTP provider may call."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import httpx

from reactor_core.errors import ConfigError, ProviderError

__all__ = ["Endpoint", "Resolver", "parse_endpoint", "system_resolver"]

Resolver = Callable[[str, int], list[str]]
"""From host and port to IP addresses, as text."""

_PORTS = {"http": 80, "https": 443}


def system_resolver(host: str, port: int) -> list[str]:
    """Ask the system.

    Raises:
        OSError: The name is not known.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address that an operator has named, and whether it may be private."""

    url: httpx.URL
    private_allowed: bool
    """Whether the operator has listed ``host:port`` as a private address that may be called."""

    @property
    def pair(self) -> str:
        """``host:port``, in small letters."""
        return f"{self.url.host}:{self.url.port or _PORTS[self.url.scheme]}".lower()

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"{self.url.scheme}://{self.pair}"

    def pinned(self, resolver: Resolver) -> httpx.URL:
        """The URL with the host replaced by an address that has passed the check.

        Connecting to that very address, and not to the name again, leaves no moment in which the name could be given
        another one.

        Raises:
            ProviderError: The name has no address, or one of its addresses is private and not listed.
        """
        host, port = self.url.host, self.url.port or _PORTS[self.url.scheme]
        try:
            addresses = resolver(host, port)
        except OSError as error:
            raise ProviderError(
                f"provider endpoint {self.url}: no address for {host!r}", retryable=True, remedy="check the name"
            ) from error
        if not self.private_allowed:
            # One private address among several is enough to refuse: which one is used is not ours to choose.
            for address in addresses:
                if not is_public(address):
                    raise ProviderError(
                        f"provider endpoint {self.url}: {host} is {address}, which is not a public address",
                        remedy=f"allow it with A1_REACTOR_PROVIDER_ALLOW={host}:{port}",
                    )
        return self.url.copy_with(host=addresses[0])


_IPV6_PUBLIC = ipaddress.IPv6Network("2000::/3")
"""Global unicast, the only IPv6 range that is assigned to networks (IANA)."""
_IPV6_CARRIERS = tuple(ipaddress.IPv6Network(text) for text in ("2001::/32", "2002::/16", "2001:db8::/32"))
"""Teredo and 6to4, which carry an IPv4 address of somebody's choice, and documentation."""
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""RFC 6052: how an IPv6-only network reaches IPv4; the address is in the last four bytes."""
_IPV4_RELAYS = ipaddress.IPv4Network("192.88.99.0/24")
"""6to4 relays (RFC 7526: deprecated); ``ipaddress`` calls them global."""


def is_public(address: str) -> bool:
    """Whether an address belongs to the public internet.

    False for loopback, private, link-local (cloud metadata servers), shared, multicast and reserved ranges, and for
    every IPv6 address outside global unicast or inside a range that carries IPv4 addresses; NAT64 counts as the
    address it carries. ``ipaddress.is_global`` alone is not enough: it is true for private addresses in NAT64, 6to4
    and site-local form.
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return is_public(str(ip.ipv4_mapped))
        if ip in _NAT64:
            return is_public(str(ipaddress.IPv4Address(ip.packed[-4:])))
        return ip in _IPV6_PUBLIC and ip.is_global and not any(ip in network for network in _IPV6_CARRIERS)
    return ip.is_global and not ip.is_multicast and ip not in _IPV4_RELAYS


def parse_endpoint(text: str, allow: Iterable[str]) -> Endpoint:
    """Read an operator's endpoint.

    Args:
        text: ``http`` or ``https`` URL without credentials.
        allow: ``host:port`` pairs that may be private.

    Raises:
        ConfigError: This is no such URL.
    """
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise ConfigError(f"http endpoint {text!r}: {error}", remedy="write http(s)://host:port/path") from error
    if url.scheme not in _PORTS or not url.host:
        raise ConfigError(f"http endpoint {text!r} is no http(s) URL", remedy="write http(s)://host:port/path")
    if url.userinfo:
        raise ConfigError("the http endpoint carries credentials", remedy="leave user:password@ out of the URL")
    listed = {entry.lower() for entry in allow}
    public_only = Endpoint(url.copy_with(fragment=None), private_allowed=False)
    return replace(public_only, private_allowed=public_only.pair in listed)
