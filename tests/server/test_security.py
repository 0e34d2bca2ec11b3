"""Names and pages that may reach the server."""

import socket

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runstone.errors import Unusable
from runstone.server import security
from runstone.settings import Settings


PLAIN = Settings()
OPEN = Settings(
    allowed_hosts=("mlflow.example.com", "*.corp.example", "tracked.example:8080"),
    cors_allowed_origins=("https://app.example.com", "https://*.corp.example"),
)


@pytest.mark.parametrize(
    "header",
    [
        "127.0.0.1:5000",
        "127.9.9.9",
        "localhost:5000",
        "LOCALHOST",
        "runs.localhost:5000",
        "[::1]:5000",
        "[::ffff:127.0.0.1]",
        "0.0.0.0:5000",
        "10.1.2.3:5000",
        "172.31.0.2",
        "192.168.0.7:5000",
        "169.254.1.1",
        "100.64.0.9:5000",
        "[fd00::1]:5000",
        "[fe80::1%25eth0]:5000",
        "mlflow:5000",
        "MLflow",
        "mlflow-server:5000",
        "mlflow_server:5000",
        "mlflow.internal:5000",
        "mlflow-server.mlflow.svc:5000",
        "mlflow-server.mlflow.svc.cluster.local:5000",
        "mlflow-server.mlflow.svc.cluster.local.:5000",
        "workstation.local",
    ],
)
def test_names_only_a_local_network_gives_away_are_known(header: str) -> None:
    """Each way in which people write their server's address works."""
    assert security.allowed_host(header, PLAIN)


@pytest.mark.parametrize(
    "header",
    [
        "evil.test",
        "evil.test:5000",
        "mlflow.example.com",
        "localhost.evil.test",
        "127.0.0.1.evil.test",
        "internal.evil.test",
        "evil-internal.com",
        "8.8.8.8:5000",
        "[2606:4700::1111]:5000",
        "2130706433",
        "0x7f000001",
        "127.1",
        "evil.0x7f",
        "",
        ".",
        ":5000",
        "localhost:port",
        "localhost:99999",
        "localhost:5000:5000",
        "localhost@evil.test",
        "evil.test/localhost",
        "evil.test#.local",
        "evil.test?.local",
        "evil.test .local",
        "evil.test\t.local",
        "evil.test,localhost",
        "localhost\n",
        "::1",
        "[::1",
        "[::1]evil.test",
        "[evil.test]",
        "a..local",
        "local\u0131.test",
        "mlflow\u3002internal",
        "x" * 300,
    ],
)
def test_every_other_name_is_refused(header: str) -> None:
    """A page of a name that anyone can own gets nothing (DNS rebinding)."""
    assert not security.allowed_host(header, PLAIN)


def test_the_machines_own_name_and_addresses_are_known() -> None:
    """`http://[Server_IP]:5000` works from another machine."""
    families = {socket.AF_INET: "{}", socket.AF_INET6: "[{}]"}
    own = [
        families[entry.family].format(entry.address.partition("%")[0])
        for entries in psutil.net_if_addrs().values()
        for entry in entries
        if entry.family in families
    ]

    for header in [socket.gethostname(), *own]:
        assert security.allowed_host(f"{header}:5000", PLAIN)


def test_a_public_address_of_this_machine_is_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A server with an address on the internet answers to it."""
    address = psutil._ntuples.snicaddr(socket.AF_INET, "8.8.4.4", None, None, None)
    monkeypatch.setattr(psutil, "net_if_addrs", lambda: {"eth9": [address]})
    security._own_addresses.cache_clear()
    security._host_verdict.cache_clear()

    try:
        assert security.allowed_host("8.8.4.4:5000", PLAIN)
        assert not security.allowed_host("8.8.8.8:5000", PLAIN)
    finally:
        security._own_addresses.cache_clear()
        security._host_verdict.cache_clear()


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("mlflow.example.com", True),
        ("MLflow.Example.com.:443", True),
        ("a.corp.example:1", True),
        ("tracked.example:8080", True),
        ("tracked.example:8081", False),
        ("corp.example", False),
        ("mlflow.example.com.evil.test", False),
    ],
)
def test_configured_names_are_known(header: str, *, expected: bool) -> None:
    """Exact names, wildcards, and names with a port."""
    assert security.allowed_host(header, OPEN) is expected


def test_a_star_lets_every_well_formed_name_in() -> None:
    """MLflow's way to switch the check off is understood."""
    everyone = Settings(allowed_hosts=("*",))

    assert security.allowed_host("evil.test", everyone)
    assert not security.allowed_host("evil.test/x", everyone)


@given(header=st.text())
def test_no_header_breaks_the_check(header: str) -> None:
    """Whatever a client sends, the answer is yes or no."""
    assert security.allowed_host(header, OPEN) in {True, False}
    assert security.allowed_origin(header, header, OPEN) in {True, False}


@given(name=st.from_regex(r"[a-z0-9-]{1,20}(\.[a-z0-9-]{1,20}){0,2}", fullmatch=True))
def test_a_name_below_a_public_suffix_is_never_known(name: str) -> None:
    """No prefix makes an attacker's domain ours."""
    assert not security.allowed_host(f"{name}.example.org", PLAIN)


@pytest.mark.parametrize(
    ("origin", "host", "expected"),
    [
        (None, "mlflow:5000", True),
        ("", "mlflow:5000", True),
        ("http://mlflow:5000", "mlflow:5000", True),
        ("http://MLFLOW:5000", "mlflow:5000", True),
        ("http://mlflow", "mlflow", True),
        ("http://mlflow:80", "mlflow", True),
        ("https://mlflow", "mlflow:443", True),
        ("https://mlflow", "mlflow", True),
        ("http://[::1]:5000", "[::1]:5000", True),
        ("https://app.example.com", "mlflow:5000", True),
        ("https://x.corp.example", "mlflow:5000", True),
        ("null", "mlflow:5000", False),
        ("http://evil.test", "mlflow:5000", False),
        ("http://mlflow:5001", "mlflow:5000", False),
        ("http://mlflow", "mlflow:5000", False),
        ("http://localhost:5000", "127.0.0.1:5000", False),
        ("http://mlflow:5000.evil.test", "mlflow:5000", False),
        ("http://mlflow:5000@evil.test", "mlflow:5000", False),
        ("http://app.example.com", "mlflow:5000", False),
        ("https://app.example.com.evil.test", "mlflow:5000", False),
        ("ftp://mlflow", "mlflow", False),
        ("mlflow:5000", "mlflow:5000", False),
        ("http://", "mlflow:5000", False),
        ("http://mlflow:5000", "", False),
    ],
)
def test_only_our_own_pages_change_things(
    origin: str | None, host: str, *, expected: bool
) -> None:
    """A foreign page cannot delete runs through a visitor's browser (CSRF)."""
    assert security.allowed_origin(origin, host, OPEN) is expected


def test_null_is_refused_even_where_everyone_is_let_in() -> None:
    """A sandboxed frame of anyone has this origin."""
    everyone = Settings(cors_allowed_origins=("*",))

    assert security.allowed_origin("http://evil.test", "mlflow", everyone)
    assert not security.allowed_origin("null", "mlflow", everyone)


def test_a_refusal_names_the_setting() -> None:
    """Who runs the server finds what to change, in the very answer."""
    assert "--allowed-hosts" in security.host_refusal("evil.test")
    assert "RUNSTONE_ALLOWED_HOSTS" in security.host_refusal("evil.test")
    assert "--cors-allowed-origins" in security.origin_refusal("http://evil.test")


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "::1", "[::1]", "127.8.8.8"]
)
def test_this_machine_alone_needs_no_login(host: str) -> None:
    """The default start asks nothing."""
    security.require_safe_binding(Settings(host=host))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "mlflow.internal", ""])
def test_listening_to_others_without_login_must_be_asked_for(host: str) -> None:
    """Nobody opens a store to the world by a flag that they copied."""
    with pytest.raises(Unusable, match="--allow-unauthenticated"):
        security.require_safe_binding(Settings(host=host))

    security.require_safe_binding(Settings(host=host, allow_unauthenticated=True))
