"""Settings are read once, from flags, environment and file, in that order."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runstone import settings
from runstone.errors import Unusable
from runstone.settings import Settings


def test_a_flag_wins_over_the_environment_and_that_over_the_file(
    tmp_path: Path,
) -> None:
    """What was typed last, and nearest, counts."""
    file = tmp_path / "runstone.toml"
    file.write_text('host = "10.0.0.1"\nport = 1\nworkers = 2\n')

    read = settings.read(
        {"port": 3, "workers": None},
        {"RUNSTONE_PORT": "4", "MLFLOW_WORKERS": "5", "RUNSTONE_CONFIG": str(file)},
    )

    assert (read.port, read.workers, read.host) == (3, 5, "10.0.0.1")


def test_our_name_wins_over_mlflows() -> None:
    """A machine that still has MLflow's variables can be told better."""
    read = settings.read({}, {"RUNSTONE_HOST": "::1", "MLFLOW_HOST": "10.0.0.1"})

    assert read.host == "::1"


def test_an_empty_variable_is_not_set() -> None:
    """Compose files pass variables that nobody filled in as empty ones."""
    read = settings.read({}, {"MLFLOW_BACKEND_STORE_URI": "", "RUNSTONE_PORT": ""})

    assert read == Settings()


@pytest.mark.parametrize(
    ("word", "expected"),
    [("1", True), ("true", True), ("YES", True), ("off", False), ("0", False)],
)
def test_switches_take_the_usual_words(word: str, *, expected: bool) -> None:
    """Nobody should have to look up how to spell true."""
    assert (
        settings.read({}, {"RUNSTONE_SERVE_ARTIFACTS": word}).serve_artifacts
        is expected
    )


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("RUNSTONE_PORT", "http", "RUNSTONE_PORT cannot be 'http'"),
        ("MLFLOW_PORT", "65536", "MLFLOW_PORT cannot be '65536'"),
        ("RUNSTONE_WORKERS", "0", "RUNSTONE_WORKERS"),
        ("RUNSTONE_ACCESS_LOG", "perhaps", "RUNSTONE_ACCESS_LOG"),
        ("RUNSTONE_LOG_LEVEL", "loud", "debug, info, warning or error"),
    ],
)
def test_a_bad_value_is_named_with_its_source(
    variable: str, value: str, said: str
) -> None:
    """One sees at once which variable of which system to change."""
    with pytest.raises(Unusable, match=said):
        settings.read({}, {variable: value})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("prot = 5", "did you mean port"),
        ("[server]\nport = 5", "unknown setting 'server'"),
        ("port = ", "not TOML"),
        ("port = 99999", "settings file cannot be 99999"),
        ('allowed_hosts = "a"\nport = [1]', "settings file"),
    ],
)
def test_a_bad_file_is_refused(tmp_path: Path, content: str, said: str) -> None:
    """A setting that would be ignored silently is worse than an error."""
    file = tmp_path / "runstone.toml"
    file.write_text(content)

    with pytest.raises(Unusable, match=said):
        settings.read({}, {}, file=str(file))


def test_a_missing_file_is_an_error() -> None:
    """A typing error in --config must not start a server with defaults."""
    with pytest.raises(Unusable, match="cannot read"):
        settings.read({}, {}, file="nowhere.toml")


@given(
    given=st.builds(
        Settings,
        host=st.sampled_from(["::1", "0.0.0.0"]),
        port=st.integers(0, 65535),
        workers=st.integers(1, 256),
        allowed_hosts=st.lists(st.sampled_from(["a.b", "*.c"])).map(tuple),
        serve_artifacts=st.booleans(),
        log_file=st.none() | st.just("x.log"),
    )
)
def test_settings_survive_the_way_through_the_environment(given: Settings) -> None:
    """A server in the background gets exactly what its starter was told."""
    assert settings.read({}, given.environment()) == given


def test_no_password_is_in_what_a_debugger_or_a_log_shows() -> None:
    """A repr ends up in places that nobody thought of."""
    chosen = Settings(backend_store_uri="postgresql://u:hunter2@h/d")

    assert "hunter2" not in repr(chosen) + repr(chosen.store)


def test_artifacts_lie_in_the_store_that_is_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One folder to move or to back up; beside a database, MLflow's folder."""
    monkeypatch.chdir(tmp_path)

    assert Settings().artifacts_uri == str(tmp_path / "mlruns/artifacts")
    assert Settings(backend_store_uri="sqlite:///mlflow.db").artifacts_uri == str(
        tmp_path / "mlartifacts"
    )
    assert Settings(artifacts_destination="s3://b/p").artifacts_uri == "s3://b/p"


def test_clients_go_through_the_server_unless_told_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client needs no rights on the artifact store."""
    monkeypatch.chdir(tmp_path)

    assert Settings().artifact_root == "mlflow-artifacts:/"
    assert Settings(default_artifact_root="s3://b").artifact_root == "s3://b"
    assert Settings(default_artifact_root="./mlruns").artifact_root == str(
        tmp_path / "mlruns"
    )
    assert Settings(serve_artifacts=False).artifact_root == str(
        tmp_path / "mlruns/artifacts"
    )


def test_every_setting_has_words() -> None:
    """Help and docs are made from them."""
    for field in settings.fields():
        assert field.help.endswith(".")
        assert field.environment[0] == f"RUNSTONE_{field.name.upper()}"
