"""The gate: which paths and roots a client may name."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runstone.artifacts import paths
from runstone.errors import TooLarge, UnsafePath
from tests.artifacts.corpus import HOSTILE, NO_FILE


@pytest.mark.parametrize("path", HOSTILE + NO_FILE, ids=ascii)
def test_a_hostile_path_is_refused(path: str) -> None:
    """Every payload that was published against systems like ours."""
    with pytest.raises(UnsafePath):
        paths.clean(path)


@pytest.mark.parametrize(
    "path",
    [
        "model.pkl",
        "1/5f2a/artifacts/model/MLmodel",
        "한글 폴더/결과.txt",
        "a b",
        " leading and trailing ",
        "...",
        "..a/b..",
        ".hidden",
        "100%",
        "50%25",
        "a%20b",
        "a;b",
        "what?#.txt",
        "acc:1.png",
        "x" * 255,
        "가" * 85,
        "/".join("x" * 100),
    ],
)
def test_an_ordinary_path_stays_as_it_is(path: str) -> None:
    """Nothing that people really name is refused or renamed."""
    assert paths.clean(path) == path


def test_one_slash_at_the_end_is_taken_off() -> None:
    """Clients write folders so."""
    assert paths.clean("model/") == "model"
    assert paths.clean_folder("model/data/") == "model/data"


@pytest.mark.parametrize("path", [None, ""])
def test_no_folder_means_the_root(path: str | None) -> None:
    """MLflow's clients leave the path out to list a run's artifacts."""
    assert paths.clean_folder(path) == ""


@given(st.text() | st.text(alphabet="./\\%2e5cfF;:a\x00 ", max_size=40))
def test_any_text_is_refused_or_stays_below_the_root(text: str) -> None:
    """However often it is decoded afterwards, and whatever joins it."""
    try:
        path = paths.clean(text)
    except UnsafePath:
        return

    root = Path("/top/of/all")
    for seen in (path, _decoded_to_the_end(path)):
        joined = (root / seen).parts
        assert joined[: len(root.parts)] == root.parts
        assert ".." not in joined
        assert "\\" not in seen
        assert seen.count("/") == path.count("/")
    assert paths.clean(path) == path


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("s3://bucket/x", "s3://bucket/x"),
        ("s3://bucket", "s3://bucket"),
        ("S3://my.bucket-1/한글 x/", "s3://my.bucket-1/한글 x"),
        ("gs://bucket/a/b", "gs://bucket/a/b"),
        (
            "wasbs://box@account.blob.core.windows.net/x",
            "wasbs://box@account.blob.core.windows.net/x",
        ),
        ("mlflow-artifacts:/1/x", "mlflow-artifacts:/1/x"),
        ("mlflow-artifacts:/", "mlflow-artifacts:/"),
        ("mlflow-artifacts:///x", "mlflow-artifacts:/x"),
    ],
)
def test_a_remote_root_is_for_anyone(uri: str, expected: str) -> None:
    """What ordinary MLflow clients give as `artifact_location`."""
    assert paths.location(uri) == expected


HOSTILE_ROOTS = [
    "",
    " /data",
    "s3://bucket/x#/../../etc",
    "s3://bucket/x?a=b",
    "s3://bucket/x;a=b",
    "s3://bucket/../other",
    "s3://bucket/%2e%2e/other",
    "s3://user:secret@bucket/x",
    "s3://bucket:9000/x",
    "s3:///x",
    "s3:x",
    "wasbs://box:secret@account/x",
    "mlflow-artifacts://evil.test/x",
    "mlflow-artifacts://user:secret@evil.test/x",
    "mlflow-artifacts:/../x",
    "http://evil.test/x",
    "https://evil.test/x",
    "ftp://evil.test/x",
    "hdfs://evil.test/x",
    "runs:/abc/model",
    "models:/m/1",
    "gopher://127.0.0.1/x",
    "javascript:alert(1)",
    "/etc",
    "/",
    "//etc",
    "//proc/self/root",
    "file:///etc",
    "file:/etc",
    "FILE:///etc",
    "file:etc",
    "file:../etc",
    "file://evil.test/etc",
    "file:////proc/self/root",
    "file:///data/%2e%2e/etc",
    "file:///data/../etc",
    "/data/../etc",
    "/data/x#/../../etc",
    "/data/x?/../../etc",
    "/data/%2e%2e/etc",
    "./../etc",
    "../etc",
    "C:\\data",
    "C:/data",
    "\\\\host\\share",
    "/data/\x00",
    "/data/\nx",
    "/data/\udc80",
    "http://[",
]


@pytest.mark.parametrize("uri", HOSTILE_ROOTS, ids=ascii)
def test_a_hostile_root_is_refused(uri: str) -> None:
    """CVE-2023-1177, CVE-2024-1558, CVE-2024-3573 and their kin."""
    with pytest.raises(UnsafePath):
        paths.location(uri, roots=[Path("/data")])


def test_a_local_root_must_lie_below_one_of_ours(tmp_path: Path) -> None:
    """Also where a link below ours leads out; the operator may choose any."""
    ours = tmp_path / "ours"
    other = tmp_path / "other"
    ours.mkdir()
    other.mkdir()
    (ours / "way-out").symlink_to(other)

    assert paths.location(f"{ours}/a b", roots=[ours]) == f"{ours}/a b"
    assert paths.location(f"file://{ours}/a%20b", roots=[ours]) == (
        f"file://{ours}/a%20b"
    )
    for uri in (f"{other}/a", f"{ours}-2/a", f"{ours}/way-out/a", f"file://{other}"):
        with pytest.raises(UnsafePath, match="operator"):
            paths.location(uri, roots=[ours])
        with pytest.raises(UnsafePath, match="operator"):
            paths.location(uri)
        assert paths.location(uri, operator=True) == uri


def test_a_relative_root_starts_at_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MLflow resolves `./mlruns` so."""
    monkeypatch.chdir(tmp_path)

    assert paths.location("./rel/x", roots=[tmp_path]) == f"{tmp_path}/rel/x"
    assert paths.location("rel", roots=[tmp_path]) == f"{tmp_path}/rel"


def test_a_local_root_comes_back_as_its_folder() -> None:
    """Escapes are undone once."""
    assert paths.local_path("/a b/c") == Path("/a b/c")
    assert paths.local_path("file:///a%20b/%ED%95%9C") == Path("/a b/한")
    assert paths.local_path("s3://bucket/x") is None


def test_a_root_has_a_longest_length() -> None:
    """It goes into a column."""
    with pytest.raises(TooLarge, match="artifact location"):
        paths.location("s3://bucket/" + "x" * 2_000)


def _decoded_to_the_end(path: str) -> str:
    from urllib.parse import unquote

    while (decoded := unquote(path)) != path:
        path = decoded

    return path
