"""Settings are read once, from flags, environment and file, in that order."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, make_url, text

from runstone import settings
from runstone.errors import Unusable
from runstone.settings import Settings


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="/\\\0"), min_size=1)


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
        ("RUNSTONE_STATIC_PREFIX", "runs/", "start with /"),
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


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("postgresql://u:p@h:5432/d", "postgresql+psycopg://u:p@h:5432/d"),
        ("postgresql+psycopg2://u@h/d?sslmode=require", "?sslmode=require"),
        ("postgres://h/d", "postgresql+psycopg://h/d"),
        ("mysql://u:p@h/d", "mysql+pymysql://u:p@h/d"),
        ("mysql+pymysql://u:p@h/d", "mysql+pymysql://u:p@h/d"),
        ("mariadb://u:p@h/d", "mysql+pymysql://u:p@h/d"),
        ("sqlite:////abs/x.db", "sqlite:////abs/x.db"),
        ("file:///abs/runs", "sqlite:////abs/runs/runstone.db"),
        ("file:///abs/my%20runs", "sqlite:////abs/my runs/runstone.db"),
        ("/abs/folder", "sqlite:////abs/folder/runstone.db"),
    ],
)
def test_every_usual_spelling_of_a_store_is_understood(uri: str, expected: str) -> None:
    """Scripts written for MLflow start unchanged."""
    assert expected in settings.locate(uri).database_url


@pytest.mark.parametrize("uri", ["./mlruns", "mlruns", "file:./mlruns", "file:mlruns"])
def test_a_relative_folder_is_taken_from_here(
    uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store stays where it was, wherever a worker is started."""
    monkeypatch.chdir(tmp_path)

    store = settings.locate(uri)

    assert store.folder == tmp_path / "mlruns"
    assert store.database_url == f"sqlite:///{tmp_path}/mlruns/runstone.db"


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("", "empty"),
        ("http://u:secret@mlflow:5000", "MLFLOW_TRACKING_URI"),
        ("s3://bucket/runs", "no store is spelled"),
        ("mssql://u:secret@h/d", "no store is spelled"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("postgresql://u:secret@h", "names no database"),
        ("file://server/runs", "names the machine"),
        ("a\0b", "empty"),
    ],
)
def test_what_is_no_store_is_refused_without_its_password(uri: str, said: str) -> None:
    """The error says what would help, and may be pasted into a chat."""
    with pytest.raises(Unusable, match=said) as caught:
        settings.locate(uri)

    assert "secret" not in str(caught.value)


@given(name=NAMES)
def test_any_folder_name_reaches_the_database_as_it_is(name: str) -> None:
    """Korean, spaces, percent and question marks are names like any other."""
    folder = Path("/stores") / name

    database = make_url(settings.locate(str(folder)).database_url).database

    if name not in {".", ".."}:
        assert database == str(folder / "runstone.db")


@pytest.mark.parametrize("name", ["실험 기록", "100% done?", "a#b"])
def test_a_store_with_an_odd_name_opens(tmp_path: Path, name: str) -> None:
    """The URL leads to that very file."""
    store = settings.locate(str(tmp_path / name))
    store.make_folders()

    engine = create_engine(store.database_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE seen (x INTEGER)"))
    engine.dispose()

    assert store.file is not None
    with closing(sqlite3.connect(store.file)) as database:
        assert database.execute("SELECT name FROM sqlite_master").fetchall()


def test_a_folder_that_cannot_be_made_is_one_clear_error(tmp_path: Path) -> None:
    """A file in the way is said, not traced."""
    (tmp_path / "file").write_text("")

    with pytest.raises(Unusable, match="--backend-store-uri"):
        settings.locate(f"{tmp_path}/file/mlruns").make_folders()


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("postgresql://u:p@h/d", "postgresql://u:***@h/d"),
        ("postgresql://u:p@x@h/d", "postgresql://u:***@h/d"),
        ("postgresql://h/d?password=p&a=b", "postgresql://h/d?password=***&a=b"),
        ("postgresql://u@h/d?a=%20", "postgresql://u@h/d?a=%20"),
        ("s3://bucket/a b", "s3://bucket/a b"),
        ("./mlruns", "./mlruns"),
    ],
)
def test_passwords_are_masked(uri: str, expected: str) -> None:
    """Nothing that is printed holds a secret."""
    assert settings.shown(uri) == expected


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
