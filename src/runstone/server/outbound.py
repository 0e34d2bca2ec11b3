"""
The one client that leaves this server: for addresses that users chose.

A name is resolved, every address is judged, and the connection goes to that very
address, so a name that changes its mind gains nothing (DNS rebinding).  There are
no redirects, no proxies and no credentials, and an answer is a status and nothing
else, so nobody reads through us what we can reach and they cannot (SSRF).

Source: `security` class E6.7 of ours; CVE-2023-6974, CVE-2026-64849.
"""

import asyncio
import ipaddress
import re
import socket
import ssl
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias
from urllib.parse import SplitResult, urlsplit

from runstone import errors, limits


Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

TIMEOUT_SECONDS: Final = 30
HEAD_BYTES: Final = 16_384
"""Longest status line and headers that are read; nothing after them is."""

NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
STATUS: Final = re.compile(rb"HTTP/1\.[01] (\d{3})\b")


class NoAnswer(errors.Unavailable):
    """Whoever was called did not answer in time, or not in HTTP."""


class Target(NamedTuple):
    """Where a URL leads."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """What the Host header says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        default = 443 if self.scheme == "https" else 80

        return host if self.port == default else f"{host}:{self.port}"


def networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """
    Read networks, such as `10.0.0.0/8` or one address.

    Raises:
        Unusable: One is none.
    """
    try:
        return tuple(ipaddress.ip_network(text) for text in texts)
    except ValueError as error:
        raise errors.Unusable(
            f"webhook_networks: {error}; expected such as 10.1.0.0/16"
        ) from None


def target(url: str) -> Target:
    """
    Read a URL that may be called.

    Raises:
        InvalidInput: It is none of `https://host/path` and `http://host/path`.
    """
    if len(url) > limits.URI_CHARS:
        raise errors.TooLarge("The URL", len(url), limits.URI_CHARS)
    if not url.isascii() or not url.isprintable() or " " in url:
        raise _bad_url(url, "it has blanks or signs that must be encoded")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _bad_url(url, "it is not a URL") from None
    _check(url, parts)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    host = str(parts.hostname)

    return Target(parts.scheme, host, port or (443 if _is_safe(parts) else 80), path)


async def judge(where: Target, allowed: Sequence[Network]) -> str:
    """
    Return the address to connect to; all that the name has must be allowed.

    Public addresses are allowed to https, and *allowed* ones to http as well.

    Raises:
        Refused: One of them is private, and not among the allowed.
        NoAnswer: The name has none.
    """
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(where.host, where.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise NoAnswer(f"{where.host} cannot be resolved: {error}") from None
    addresses = [str(each[4][0]).partition("%")[0] for each in found]
    for text in addresses:
        address = ipaddress.ip_address(text)
        is_allowed = any(_plain(address) in network for network in allowed)
        is_public = _is_public(address)
        if not is_allowed and not (is_public and where.scheme == "https"):
            raise errors.Refused(
                f"{where.scheme}://{where.host} is at {text}, which this server does "
                "not call: use https and a public address, or have the operator "
                "allow the network with --webhook-networks"
            )

    return addresses[0]


async def post(
    url: str, body: bytes, headers: Mapping[str, str], allowed: Sequence[Network]
) -> int:
    """
    Post a body and return the status of the answer; 3xx is not followed.

    Raises:
        InvalidInput: The URL cannot be called.
        Refused: It leads where this server does not call.
        NoAnswer: Nobody answers in time, or not in HTTP.
    """
    where = target(url)
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            return await _post(where, body, headers, allowed)
    except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
        words = str(error) or type(error).__name__
        raise NoAnswer(f"{where.authority} does not answer: {words}") from None


async def _post(
    where: Target, body: bytes, headers: Mapping[str, str], allowed: Sequence[Network]
) -> int:
    address = await judge(where, allowed)
    is_safe = where.scheme == "https"
    reader, writer = await asyncio.open_connection(
        address,
        where.port,
        ssl=ssl.create_default_context() if is_safe else None,
        server_hostname=where.host if is_safe else None,
        limit=HEAD_BYTES,
    )
    try:
        writer.write(_request(where, body, headers))
        await writer.drain()
        line = await reader.readline()
    except ValueError:
        raise NoAnswer(f"{where.authority} answers more than a status line") from None
    finally:
        writer.transport.abort()
    status = STATUS.match(line)
    if status is None:
        raise NoAnswer(f"{where.authority} does not answer in HTTP")

    return int(status[1])


def _request(where: Target, body: bytes, headers: Mapping[str, str]) -> bytes:
    lines = [f"POST {where.path} HTTP/1.1", f"Host: {where.authority}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += [f"Content-Length: {len(body)}", "Connection: close", "", ""]

    return "\r\n".join(lines).encode("ascii") + body


def _check(url: str, parts: SplitResult) -> None:
    if parts.scheme not in ("https", "http"):
        raise _bad_url(url, "expected https://host/path")
    if not parts.hostname:
        raise _bad_url(url, "it has no host")
    if "@" in parts.netloc:
        raise _bad_url(url, "it has a name or a password; sign with a secret instead")
    if parts.fragment or "\\" in url:
        raise _bad_url(url, "it has a fragment or a backslash; remove it")


def _is_safe(parts: SplitResult) -> bool:
    return parts.scheme == "https"


def _is_public(address: Address) -> bool:
    plain = _plain(address)

    return plain.is_global and not plain.is_multicast


def _plain(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 one wraps, if it does."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    wrapped = address.ipv4_mapped or address.sixtofour
    if wrapped is None and address.teredo is not None:
        wrapped = address.teredo[1]

    return address if wrapped is None else wrapped


def _bad_url(url: str, why: str) -> errors.InvalidInput:
    return errors.InvalidInput(f"Invalid webhook URL {url[:200]!r}: {why}")
