"""The listening socket, and clear words where it cannot be had."""

import errno
import socket
import sys
from contextlib import suppress

import psutil

from runstone.errors import Unusable


BACKLOG = 2_048

PORTS_TRIED = 50
"""How far from a taken port a free one is looked for."""


def listen(host: str, port: int) -> socket.socket:
    """
    Listen on host and port; connections wait in line until they are accepted.

    Raises:
        Unusable: The port is taken or forbidden, or the host is not ours.
    """
    family, address = _resolve(host, port)
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        _set_options(listener, host)
        listener.bind(address)
        # Two sockets may be bound to one port until one of them listens.
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise Unusable(_reason(error, host, port)) from error

    return listener


def allow_many() -> None:
    """Let this process hold as many connections as the system allows it."""
    if sys.platform != "win32":
        import resource  # noqa: PLC0415  # not on Windows

        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def url(host: str, port: int) -> str:
    """Return the address that reaches a server listening on this host, from here."""
    name = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # compared, not bound

    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


def _resolve(host: str, port: int) -> tuple[int, tuple[str, int]]:
    name = host.strip("[]") or None
    try:
        found = socket.getaddrinfo(
            name, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except (OSError, UnicodeError) as error:
        raise Unusable(
            f"no address is known for the host {host!r}; use 127.0.0.1, 0.0.0.0 or "
            "an address of this machine"
        ) from error

    # IPv4 first, where a name has both: it is what 127.0.0.1 clients reach.
    found.sort(key=lambda entry: entry[0] != socket.AF_INET)
    family, _, _, _, address = found[0]

    return family, (str(address[0]), int(address[1]))


def _set_options(listener: socket.socket, host: str) -> None:
    # Elsewhere REUSEADDR is a restart without a wait; on Windows it would
    # take the port from under a live server.
    if sys.platform == "win32":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
    else:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)

    # Accepted connections inherit it: a small reply leaves at once.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if host.strip("[]") == "::":
        with suppress(OSError):
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)


def _reason(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        holder = _holder(port)
        by = f" by {holder}" if holder else ""
        free = _free_port(host, port)
        hint = f"; try --port {free}" if free else ""
        return f"port {port} is already in use{by}{hint}"
    if error.errno in {errno.EACCES, errno.EPERM}:
        return (
            f"port {port} may not be used by this user; take one from 1024 up, such "
            "as --port 5000"
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return (
            f"{host} is no address of this machine; use --host 127.0.0.1, or 0.0.0.0 "
            "for every address"
        )

    return f"cannot listen on {host} port {port}: {error.strerror}"


def _holder(port: int) -> str | None:
    """Say who listens on a port, as far as this user may know."""
    with suppress(psutil.Error, OSError):
        for connection in psutil.net_connections(kind="tcp"):
            if connection.status != psutil.CONN_LISTEN or not connection.pid:
                continue
            if connection.laddr and connection.laddr.port == port:
                return _described(connection.pid)

    return None


def _described(pid: int) -> str:
    with suppress(psutil.Error, OSError):
        words = psutil.Process(pid).cmdline()
        name = " ".join(words[:1] + [w for w in words[1:5] if "://" not in w])
        return f"PID {pid} ({name[:80]})" if name else f"PID {pid}"

    return f"PID {pid}"


def _free_port(host: str, port: int) -> int | None:
    for candidate in range(port + 1, min(port + PORTS_TRIED, 65_536)):
        family, address = _resolve(host, candidate)
        with suppress(OSError), socket.socket(family, socket.SOCK_STREAM) as probe:
            _set_options(probe, host)
            probe.bind(address)
            probe.listen(1)
            return candidate

    return None
