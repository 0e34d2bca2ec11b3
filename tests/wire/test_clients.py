"""
Real MLflow clients, unchanged, do what the documents show, against our server.

Each flow of `flows/` runs in the environment of each client that `dev/clients.py`
made, as a process of its own, on a server that has seen the other flows too.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dev import clients
from tests.conftest import do_without
from tests.wire.conftest import run_script, run_server


ACROSS = Path(__file__).parent / "across"
FLOWS = sorted((Path(__file__).parent / "flows").glob("*.py"))

pytestmark = pytest.mark.clients


@pytest.fixture(scope="module", params=list(clients.CLIENTS))
def client(request: pytest.FixtureRequest) -> Path:
    """Python of a client's environment."""
    try:
        return clients.python(request.param)
    except clients.Missing as reason:
        do_without("clients", reason)


@pytest.fixture(scope="module")
def server_of_client(
    client: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """URL of a server that one client has for itself."""
    with run_server(tmp_path_factory.mktemp(client.parents[1].name)) as url:
        yield url


@pytest.mark.parametrize("flow", FLOWS, ids=[flow.stem for flow in FLOWS])
def test_a_flow_of_the_documents_runs_unchanged(
    flow: Path, client: Path, server_of_client: str, tmp_path: Path
) -> None:
    """Whoever points MLFLOW_TRACKING_URI at us notices no difference."""
    run_script(client, flow, server_of_client, tmp_path)


@pytest.fixture(scope="module")
def made_by(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Models"]:
    """Models on one server, each logged once by a client."""
    home = tmp_path_factory.mktemp("across")
    with run_server(home / "server") as url:
        yield Models(url, home)


class Models:
    """What clients have logged to a server."""

    def __init__(self, url: str, home: Path) -> None:
        self.url = url
        self._home = home
        self._said: dict[str, str] = {}

    def of(self, name: str) -> str:
        """Return what a client said of its model; the first time it logs it."""
        if name not in self._said:
            words = run_script(
                clients.python(name), ACROSS / "log_model.py", self.url, self._home
            )
            self._said[name] = words.splitlines()[-1]  # after the client's own

        return self._said[name]


@pytest.mark.parametrize("maker", list(clients.CLIENTS))
def test_a_model_is_found_below_its_run_by_any_client(
    maker: str, client: Path, made_by: Models, tmp_path: Path
) -> None:
    """MLflow 3 keeps it elsewhere; who has yet to upgrade sees and loads it too."""
    try:
        said = made_by.of(maker)
    except clients.Missing as reason:
        do_without("clients", reason)

    run_script(client, ACROSS / "load_model.py", made_by.url, tmp_path, said)


@pytest.mark.parametrize(
    ("maker", "registrar"),
    [
        ("2.9", "3.18"),
        ("2.22", "3.18"),
        ("3.18", "2.9"),
        ("3.18", "2.22"),
        ("3.18", "3.18"),
    ],
)
def test_a_version_is_loaded_by_any_client(
    maker: str, registrar: str, made_by: Models, tmp_path: Path
) -> None:
    """Whoever logged it, whoever registered it: a team upgrades one by one."""
    try:
        said = made_by.of(maker)
        scripts = [
            (clients.python(registrar), "register_model.py"),
            *(
                (clients.python(loader), "load_version.py")
                for loader in clients.CLIENTS
            ),
        ]
    except clients.Missing as reason:
        do_without("clients", reason)

    for python, script in scripts:
        name = f"of {maker} by {registrar}"
        run_script(python, ACROSS / script, made_by.url, tmp_path, said, name)
