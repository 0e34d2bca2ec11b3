"""
The way to a store: a server by HTTP, or the same server inside this process.

A door takes requests of the wire and gives answers; what they mean is said in
`calls`.  It is used by several threads at once.
"""

import importlib
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol
from urllib.parse import urlencode, urlsplit

from runstone import errors
from runstone._version import __version__
from runstone.sdk.forks import importing


TIMEOUT_SECONDS: Final = 120.0
CONNECT_SECONDS: Final = 10.0

Body = bytes | Iterable[bytes]
Query = Mapping[str, str | Sequence[str]]
"""Parameters of a query; several values of one are sent one by one."""


class Answer(NamedTuple):
    """A reply."""

    status: int
    body: bytes
    retry_after_seconds: float | None = None


class Door(Protocol):
    """A way to a store."""

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: Body = b"",
        content_type: str = "application/json",
    ) -> Answer:
        """
        Send one request.

        Args:
            method: GET, POST and so on.

            path: Below the server's root, such as `/api/v1/runs`.

            query: Parameters of the query.

            body: What is sent, whole or in pieces.

            content_type: Of the body.

        Raises:
            Unavailable: Nobody answers.
        """
        ...

    def fetch(self, path: str, *, query: Query) -> Iterable[bytes]:
        """
        Yield the body of a GET in pieces.

        Raises:
            NotFound: It is not there.
            Unavailable: Nobody answers, or the answer broke off.
        """
        ...

    def close(self) -> None:
        """Let go of what is held open."""
        ...


class HttpDoor:
    """
    A server by HTTP; connections are kept and shared by threads.

    Args:
        url: Root of the server, such as http://localhost:5000.
    """

    def __init__(self, url: str) -> None:
        import encodings.idna  # noqa: F401  # or the first connection would load it

        import urllib3  # takes longer than all of ours

        self._root = url.rstrip("/")
        options: dict[str, Any] = {
            "timeout": urllib3.Timeout(connect=CONNECT_SECONDS, read=TIMEOUT_SECONDS),
            "retries": False,
            "maxsize": 8,
            "headers": _headers(url),
            **_tls(),
        }
        proxy = _proxy(url)
        self._pool = (
            urllib3.ProxyManager(proxy, **options)
            if proxy
            else urllib3.PoolManager(**options)
        )
        self._trouble = (urllib3.exceptions.HTTPError, OSError)

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: Body = b"",
        content_type: str = "application/json",
    ) -> Answer:
        """Send one request; see `Door.ask`."""
        target = self._root + path + _asked(query)
        headers = dict(self._pool.headers)
        if body:
            headers["content-type"] = content_type
        try:
            reply = self._pool.request(
                method, target, body=body or None, headers=headers, redirect=False
            )
        except self._trouble as error:
            raise self._unreachable(error) from error

        return Answer(
            reply.status, reply.data, _seconds(reply.headers.get("retry-after"))
        )

    def fetch(self, path: str, *, query: Query) -> Iterable[bytes]:
        """Yield a body in pieces; see `Door.fetch`."""
        target = self._root + path + _asked(query)
        try:
            reply = self._pool.request("GET", target, preload_content=False)
            with reply:
                if reply.status != 200:
                    raise errors.NotFound(
                        f"{path} cannot be fetched ({reply.status}): "
                        f"{reply.read(500).decode(errors='replace')}"
                    )
                yield from reply.stream(1024 * 1024)
        except self._trouble as error:
            raise self._unreachable(error) from error

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()

    def _unreachable(self, error: Exception) -> errors.Unavailable:
        reason = str(error).rpartition(": ")[2] or type(error).__name__

        return errors.Unavailable(
            f"The server {self._root} does not answer ({reason}); is it running?"
        )


def _asked(query: Query | None) -> str:
    return "?" + urlencode(query, doseq=True) if query else ""


def _headers(url: str) -> dict[str, str]:
    """Return what goes with every request: who we are, and the user's right."""
    import urllib3

    headers = {"user-agent": f"runstone/{__version__}"}
    token = _environment("RUNSTONE_TOKEN", "MLFLOW_TRACKING_TOKEN")
    user = _environment("RUNSTONE_USERNAME", "MLFLOW_TRACKING_USERNAME")
    password = _environment("RUNSTONE_PASSWORD", "MLFLOW_TRACKING_PASSWORD")
    parts = urlsplit(url)
    if token:
        headers["authorization"] = f"Bearer {token}"
    elif user or parts.username:
        who = f"{user or parts.username}:{password or parts.password or ''}"
        headers |= urllib3.make_headers(basic_auth=who)

    return headers


def _tls() -> dict[str, str]:
    if _environment("MLFLOW_TRACKING_INSECURE_TLS").lower() in ("1", "true"):
        return {"cert_reqs": "CERT_NONE"}
    bundle = _environment(
        "MLFLOW_TRACKING_SERVER_CERT_PATH", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"
    )

    return {"ca_certs": bundle} if bundle else {}


def _proxy(url: str) -> str | None:
    """Return the proxy that the environment names for this address."""
    from urllib.request import getproxies, proxy_bypass

    parts = urlsplit(url)
    if proxy_bypass(parts.hostname or ""):
        return None

    return getproxies().get(parts.scheme)


def _environment(*names: str) -> str:
    return next((os.environ[name] for name in names if os.environ.get(name)), "")


def _seconds(text: str | None) -> float | None:
    """Read a Retry-After in seconds; a date is left alone."""
    return float(text) if text and text.isdecimal() else None


_open: dict[str, Door] = {}
_abandoned: list[Door] = []


def to(tracking_uri: str) -> Door:
    """
    Return the door to a tracking URI; the same one each time in a process.

    Raises:
        Unusable: No store is spelled like this.
    """
    with importing:
        if tracking_uri not in _open:
            _open[tracking_uri] = _made(tracking_uri)

        return _open[tracking_uri]


def close() -> None:
    """Close every door."""
    with importing:
        while _open:
            _open.popitem()[1].close()


def forget() -> None:
    """
    Leave every door to the parent, in a forked child.

    They are not let go, since what a database would close is the parent's.
    """
    _abandoned.extend(_open.values())
    _open.clear()


def _made(tracking_uri: str) -> Door:
    if tracking_uri.startswith(("http://", "https://")):
        return HttpDoor(tracking_uri)

    # The one way down from the SDK to a store in this process: it loads the
    # server's code, so only where a path is really used.
    local = importlib.import_module("runstone.local.door")
    made: Door = local.LocalDoor(tracking_uri)

    return made
