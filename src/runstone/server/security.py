"""
Which names this server answers to, and which web pages may change things.

A page of another site can make a browser call this server under the name of
that site (DNS rebinding); so names that anyone on the internet can own are
refused until they are configured.  Names that only a local network can give
away are safe: single labels, cluster names, private addresses.
"""

import fnmatch
import ipaddress
import re
import socket
import time
from functools import lru_cache
from typing import NamedTuple

import psutil

from runstone.errors import Unusable
from runstone.settings import Settings


LOCAL_SUFFIXES = (".localhost", ".local", ".internal", ".svc", ".svc.cluster.local")
"""Endings that no public registry sells (RFC 6761, RFC 6762, ICANN 2024, k8s)."""

HOST_CHARS = 270
"""Longest Host header: 253 for the name, then brackets and port."""

DEFAULT_PORTS = {"http": 80, "https": 443}

_AUTHORITY = re.compile(
    r"(?:\[(?P<six>[0-9a-f:.]+)(?:%[\w.%-]+)?\]|(?P<name>[a-z0-9_.-]+))"
    r"(?::(?P<port>[0-9]{0,5}))?",
    re.ASCII,
)
_NAME = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*", re.ASCII)
_ENDS_IN_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)", re.ASCII)


class Authority(NamedTuple):
    """A host and a port, as a Host header or a URL names them."""

    host: str
    """Lower case, without brackets, zone and final dot."""

    port: int | None


def allowed_host(header: str, settings: Settings) -> bool:
    """Tell whether a Host header names this server."""
    if len(header) > HOST_CHARS:
        return False

    return _host_verdict(header, settings.allowed_hosts, int(time.monotonic() // 60))


def allowed_origin(origin: str | None, host: str, settings: Settings) -> bool:
    """
    Tell whether a page of this origin may change things here.

    No Origin means no browser's foreign page: browsers send one with every
    cross-origin change.  `null` is a sandboxed or local page: anyone's.
    """
    if not origin:
        return True
    if len(origin) > HOST_CHARS + 10 or len(host) > HOST_CHARS:
        return False

    return _origin_verdict(origin, host, settings.cors_allowed_origins)


def host_refusal(header: str) -> str:
    """Say why a Host header was refused, and what would help."""
    name = header[:100]

    return (
        f"Refused: this server is not known as {name!r}. If it should be, start it "
        "with --allowed-hosts or RUNSTONE_ALLOWED_HOSTS naming that host"
    )


def origin_refusal(origin: str) -> str:
    """Say why an Origin was refused, and what would help."""
    return (
        f"Refused: pages of {origin[:100]!r} may not change anything here. If they "
        "should, start the server with --cors-allowed-origins or "
        "RUNSTONE_CORS_ALLOWED_ORIGINS naming that origin"
    )


def is_loopback(host: str) -> bool:
    """Tell whether listening on this host is reachable from this machine only."""
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return _address(name).is_loopback
    except ValueError:
        return False


def require_safe_binding(settings: Settings) -> None:
    """
    Refuse to listen beyond this machine unless that was asked for.

    Raises:
        Unusable: Anyone on the network could read and change everything.
    """
    if settings.allow_unauthenticated or is_loopback(settings.host):
        return

    raise Unusable(
        f"listening on {settings.host} lets everyone who reaches this machine read, "
        "change and delete everything, for there is no login; add "
        "--allow-unauthenticated (or RUNSTONE_ALLOW_UNAUTHENTICATED=1) in a network "
        "you trust, or keep --host 127.0.0.1 and come through an SSH tunnel or a "
        "proxy that asks for a login"
    )


def parse_authority(text: str) -> Authority | None:
    """Read `host[:port]`; None where it is malformed."""
    match = _AUTHORITY.fullmatch(text.lower())
    if not match:
        return None

    port = int(match["port"]) if match["port"] else None
    if port is not None and port > 65535:
        return None

    if match["six"]:
        try:
            return Authority(str(ipaddress.IPv6Address(match["six"])), port)
        except ValueError:
            return None

    name = match["name"].removesuffix(".")
    if len(name) > 253 or not _NAME.fullmatch(name):
        return None

    return Authority(name, port)


# The minute is part of the key, so a new address of the machine counts soon.
@lru_cache(maxsize=1_024)
def _host_verdict(header: str, configured: tuple[str, ...], minute: int) -> bool:
    authority = parse_authority(header)
    if authority is None:
        return False

    return _is_local(authority.host, minute) or any(
        _matches(authority, entry) for entry in configured
    )


def _is_local(host: str, minute: int) -> bool:
    try:
        address = _address(host)
    except ValueError:
        return _is_local_name(host)

    return not address.is_global or address in _own_addresses(minute)


def _is_local_name(name: str) -> bool:
    # Browsers read 127.1 and 0x7f000001 as addresses and never send them so.
    if _ENDS_IN_NUMBER.fullmatch(name):
        return False

    return "." not in name or name.endswith(LOCAL_SUFFIXES) or name == _own_name()


def _matches(authority: Authority, entry: str) -> bool:
    wanted = entry.lower().removesuffix(".")
    bare = authority.host
    bracketed = f"[{bare}]" if ":" in bare else bare
    spelled = {bare, bracketed}
    if authority.port is not None:
        spelled.add(f"{bracketed}:{authority.port}")

    return any(fnmatch.fnmatchcase(name, wanted) for name in spelled)


@lru_cache(maxsize=1_024)
def _origin_verdict(origin: str, host: str, configured: tuple[str, ...]) -> bool:
    scheme, _, rest = origin.lower().partition("://")
    page = parse_authority(rest)
    if page is None:
        return False
    if any(fnmatch.fnmatchcase(origin.lower(), entry.lower()) for entry in configured):
        return True

    here = parse_authority(host)
    default = DEFAULT_PORTS.get(scheme)
    if here is None or default is None:
        return False

    # The scheme of the server is not known behind a proxy that ends TLS, so a
    # port that is not written is the default one of the page's scheme.
    return page.host == here.host and (page.port or default) == (here.port or default)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    address = ipaddress.ip_address(host)
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped

    return address


@lru_cache(maxsize=1)
def _own_name() -> str:
    return socket.gethostname().lower().removesuffix(".")


@lru_cache(maxsize=1)
def _own_addresses(
    minute: int,  # noqa: ARG001  # makes the cache forget
) -> frozenset[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    families = {socket.AF_INET, socket.AF_INET6}

    return frozenset(
        _address(entry.address.partition("%")[0])
        for entries in psutil.net_if_addrs().values()
        for entry in entries
        if entry.family in families
    )
