"""Artifacts over HTTP, from a disk and from a bucket, as any client sees them."""

import os
import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.artifacts.conftest import Bucket
from tests.server.running import Answer, Server, connect, post, receive, send, serving


PROXY = "/api/2.0/mlflow-artifacts/artifacts"
DATA = bytes(range(256)) * 8
PATIENCE_SECONDS = 30


@pytest.fixture(scope="module", params=["disk", "bucket"])
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """Give a server that keeps artifacts in each kind of store."""
    folder = tmp_path_factory.mktemp("served")
    if request.param == "disk":
        with serving(folder) as server:
            yield server
        return

    bucket: Bucket = request.getfixturevalue("bucket")
    place = f"s3://{bucket.name}/{secrets.token_hex(8)}"
    environ = bucket.server.environ()
    with serving(folder, environ=environ, artifacts_destination=place) as server:
        yield server


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Give a server that keeps artifacts on its disk."""
    with serving(tmp_path_factory.mktemp("disk")) as server:
        yield server


def put(server: Server, path: str, data: bytes = DATA) -> Answer:
    """Upload a file."""
    return send(server.url, "PUT", f"{PROXY}/{quote(path)}", data)


def get(server: Server, path: str, **headers: str) -> Answer:
    """Download a file."""
    return send(server.url, "GET", f"{PROXY}/{quote(path)}", b"", **headers)


def listed(server: Server, path: str) -> object:
    """List a folder."""
    return send(server.url, "GET", f"{PROXY}?path={quote(path)}").json.get("files")


def new_run(server: Server, **experiment: object) -> dict[str, str]:
    """Create a run in an experiment of its own."""
    made = post(
        server.url,
        "/api/2.0/mlflow/experiments/create",
        name=secrets.token_hex(8),
        **experiment,
    ).json
    run = post(
        server.url,
        "/api/2.0/mlflow/runs/create",
        experiment_id=made["experiment_id"],
    ).json["run"]
    assert isinstance(run, dict)
    info: dict[str, str] = run["info"]

    return info


def until(happened: Callable[[], bool]) -> None:
    """Wait for what another process does in its own time."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not happened():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


@pytest.mark.parametrize("size_bytes", [0, 1, 4_096, 1_048_576, 1_048_577, 5_000_001])
def test_what_went_up_comes_down(served: Server, size_bytes: int) -> None:
    """Whichever way its size takes through the server."""
    data = secrets.token_bytes(size_bytes)

    sent = put(served, f"sizes/{size_bytes}", data)

    assert (sent.status, sent.body) == (200, b"{}")
    found = get(served, f"sizes/{size_bytes}")
    assert (found.status, found.body) == (200, data)
    assert found.headers["content-length"] == str(size_bytes)


def test_a_folder_lists_names_relative_to_itself(served: Server) -> None:
    """Clients put the folder before each name again."""
    put(served, "tree/모델/a b.bin")
    put(served, "tree/top")

    assert listed(served, "tree") == [
        {"path": "top", "is_dir": False, "file_size": len(DATA)},
        {"path": "모델", "is_dir": True},
    ]
    assert listed(served, "tree/모델") == [
        {"path": "a b.bin", "is_dir": False, "file_size": len(DATA)}
    ]
    assert listed(served, "tree/top") is None


def test_what_is_deleted_is_gone(served: Server) -> None:
    """And deleting it again is no error: a client may repeat itself."""
    put(served, "gone/a/b")

    answers = [send(served.url, "DELETE", f"{PROXY}/gone") for _ in "12"]

    assert [answer.status for answer in answers] == [200, 200]
    missing = get(served, "gone/a/b")
    assert missing.status == 404
    assert missing.json["error_code"] == "RESOURCE_DOES_NOT_EXIST"


@pytest.mark.parametrize(
    ("asked", "first", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=5-9", 5, 10),
        ("Bytes=2000-", 2000, 2048),
        ("bytes=2000-999999", 2000, 2048),
        ("bytes=-48", 2000, 2048),
        ("bytes=-999999", 0, 2048),
    ],
)
def test_a_part_is_just_that_part(
    served: Server, asked: str, first: int, stop: int
) -> None:
    """A broken download goes on where it broke."""
    put(served, "range/file")

    part = get(served, "range/file", Range=asked)

    assert (part.status, part.body) == (206, DATA[first:stop])
    assert part.headers["content-range"] == f"bytes {first}-{stop - 1}/2048"
    assert part.headers["content-length"] == str(stop - first)


@pytest.mark.parametrize("asked", ["bytes=2048-", "bytes=9999-10000", "bytes=-0"])
def test_a_part_behind_the_end_is_said(served: Server, asked: str) -> None:
    """With the true size, so the client can ask better."""
    put(served, "range/file")

    refused = get(served, "range/file", Range=asked)

    assert refused.status == 416
    assert refused.headers["content-range"] == "bytes */2048"
    assert refused.json["error_code"] == "INVALID_PARAMETER_VALUE"


@pytest.mark.parametrize(
    "asked", ["bytes=9-5", "bytes=a-b", "bytes=-", "items=0-5", "bytes=0-1,5-6", "x"]
)
def test_what_is_no_range_means_the_whole(served: Server, asked: str) -> None:
    """As RFC 9110 has it: a server may ignore what it does not understand."""
    put(served, "range/file")

    whole = get(served, "range/file", Range=asked)

    assert (whole.status, whole.body) == (200, DATA)


def test_a_part_of_another_version_is_not_given(served: Server) -> None:
    """Two halves of two versions would make a file that never was."""
    put(served, "range/version")
    etag = get(served, "range/version").headers["etag"]

    same = get(served, "range/version", Range="bytes=0-1", If_Range=etag)
    put(served, "range/version", b"another")
    other = get(served, "range/version", Range="bytes=0-1", If_Range=etag)

    assert (same.status, same.body) == (206, DATA[:2])
    assert (other.status, other.body) == (200, b"another")


@pytest.mark.parametrize("size_bytes", [3, 3_000_000])
def test_head_is_get_without_the_bytes(served: Server, size_bytes: int) -> None:
    """A client that only wants the size does not pay for the rest."""
    put(served, "head/file.json", bytes(size_bytes))

    head = send(served.url, "HEAD", f"{PROXY}/head/file.json")
    whole = get(served, "head/file.json")

    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == str(size_bytes)
    assert {**head.headers, "date": ""} == {**whole.headers, "date": ""}
    assert send(served.url, "HEAD", f"{PROXY}/head/none").status == 404


def test_what_is_known_is_not_sent_again(served: Server) -> None:
    """A page that shows an image asks, and gets 304 until it changes."""
    put(served, "etag/file")
    etag = get(served, "etag/file").headers["etag"]

    for known in (etag, f"W/{etag}", f'"x", {etag}', "*"):
        same = get(served, "etag/file", If_None_Match=known)
        assert (same.status, same.body, same.headers["etag"]) == (304, b"", etag)
    head = send(served.url, "HEAD", f"{PROXY}/etag/file", If_None_Match=etag)
    assert head.status == 304
    put(served, "etag/file", b"another")
    changed = get(served, "etag/file", If_None_Match=etag)
    assert (changed.status, changed.body) == (200, b"another")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("page.html", "text/plain; charset=utf-8"),
        ("page.xhtml", "application/octet-stream"),
        ("image.svg", "application/octet-stream"),
        ("code.js", "text/plain; charset=utf-8"),
        ("feed.xml", "text/plain; charset=utf-8"),
        ("doc.pdf", "application/octet-stream"),
        ("table.csv.gz", "application/octet-stream"),
        ("nothing", "application/octet-stream"),
        ("image.png", "image/png"),
        ("a.json", "application/json"),
        ("log.txt", "text/plain; charset=utf-8"),
    ],
)
def test_nothing_that_is_uploaded_can_run(served: Server, name: str, kind: str) -> None:
    """A page that someone logged must not act as whoever looks at it."""
    put(served, f"kinds/{name}", b"<script>alert(1)</script>")

    found = get(served, f"kinds/{name}", Accept="text/html")

    assert found.headers["content-disposition"].startswith("attachment;")
    assert found.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert found.headers["x-content-type-options"] == "nosniff"
    if kind.startswith("text/plain"):
        # Some systems call JavaScript and XML an application.
        assert found.headers["content-type"] in {kind, "application/octet-stream"}
    else:
        assert found.headers["content-type"] == kind


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.txt", "attachment; filename=\"a.txt\"; filename*=UTF-8''a.txt"),
        (
            "모델 1.txt",
            'attachment; filename="__ 1.txt"; '
            "filename*=UTF-8''%EB%AA%A8%EB%8D%B8%201.txt",
        ),
        (
            "a\"b;c'.html",
            "attachment; filename=\"a_b_c_.html\"; filename*=UTF-8''a%22b%3Bc%27.html",
        ),
    ],
)
def test_a_download_keeps_its_name(served: Server, name: str, expected: str) -> None:
    """In every script, and no name breaks out of the header."""
    put(served, f"names/{name}")

    assert get(served, f"names/{name}").headers["content-disposition"] == expected


def test_a_file_in_the_way_of_a_folder_is_said(disk: Server) -> None:
    """As JSON, and what lies there stays."""
    put(disk, "way/file", b"1")

    below, above = put(disk, "way/file/below"), put(disk, "way")

    assert {below.status, above.status} == {409}
    assert below.json["error_code"] == above.json["error_code"] == "RESOURCE_CONFLICT"
    assert get(disk, "way/file").body == b"1"


def test_a_client_that_goes_away_leaves_nothing(disk: Server) -> None:
    """Neither a half file, nor a leftover, nor an error in the log."""
    put(disk, "away/file", b"the old one")
    artifacts = disk.folder / "mlruns" / "artifacts"

    with connect(disk.url) as client:
        client.sendall(
            b"PUT %s/away/file HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Length: 90000000\r\n\r\n" % PROXY.encode()
        )
        client.sendall(bytes(5_000_000))
        until(lambda: any(artifacts.glob(".runstone-*")))

    until(lambda: not any(artifacts.glob(".runstone-*")))
    assert get(disk, "away/file").body == b"the old one"
    assert listed(disk, "away") == [{"path": "file", "is_dir": False, "file_size": 11}]
    log = "".join(disk.lines)
    assert "Traceback" not in log
    assert "ERROR" not in log
    assert '" 500 ' not in log


def test_others_are_served_while_one_uploads(disk: Server) -> None:
    """A slow line in one office does not stop the team."""
    with connect(disk.url) as slow:
        slow.sendall(
            b"PUT %s/slow/file HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Length: 3000000\r\nConnection: close\r\n\r\n" % PROXY.encode()
        )
        slow.sendall(bytes(2_000_000))

        assert put(disk, "slow/other").status == 200
        assert get(disk, "slow/other").body == DATA
        assert get(disk, "slow/file").status == 404

        slow.sendall(bytes(1_000_000))
        assert receive(slow, "PUT").status == 200
    assert len(get(disk, "slow/file").body) == 3_000_000


def test_a_download_that_is_given_up_is_let_go(disk: Server) -> None:
    """A closed tab does not make the server read on for an hour."""
    put(disk, "left/big")
    big = disk.folder / "mlruns" / "artifacts" / "left" / "big"
    # A TiB of nothing takes no room, and longer to read than this test waits.
    os.truncate(big, 1 << 40)

    def is_open() -> bool:
        return any(file.path == str(big) for file in disk.process.open_files())

    with connect(disk.url) as client:
        client.sendall(
            b"GET %s/left/big HTTP/1.1\r\nHost: localhost\r\n\r\n" % PROXY.encode()
        )
        assert client.recv(1000)
        until(is_open)

    until(lambda: not is_open())
    assert "ERROR" not in "".join(disk.lines)


def test_a_runs_artifacts_are_found_by_the_run(served: Server) -> None:
    """As pages ask for them; the folder of the run is not theirs to know."""
    run = new_run(served)
    root = run["artifact_uri"].removeprefix("mlflow-artifacts:/").strip("/")
    put(served, f"{root}/plots/손실.png")
    asked = f"run_id={run['run_id']}"

    top = send(served.url, "GET", f"/api/2.0/mlflow/artifacts/list?{asked}").json
    below = send(
        served.url, "GET", f"/ajax-api/2.0/mlflow/artifacts/list?{asked}&path=plots"
    ).json
    file = send(
        served.url,
        "GET",
        f"/get-artifact?{asked}&path={quote('plots/손실.png')}",
    )
    head = send(
        served.url,
        "HEAD",
        f"/get-artifact?{asked}&path={quote('plots/손실.png')}",
    )

    assert top == {
        "root_uri": run["artifact_uri"],
        "files": [{"path": "plots", "is_dir": True}],
    }
    assert below["files"] == [
        {"path": "plots/손실.png", "is_dir": False, "file_size": len(DATA)}
    ]
    assert (file.status, file.body) == (200, DATA)
    assert (head.status, head.headers["content-length"]) == (200, str(len(DATA)))


def test_a_page_uploads_into_a_run(served: Server) -> None:
    """MLflow's pages send a file so."""
    run_id = new_run(served)["run_id"]
    target = f"mlflow/upload-artifact?run_id={run_id}&path=notes/a.md"

    sent = send(served.url, "POST", f"/ajax-api/2.0/{target}", b"# note")

    assert sent.status == 200
    file = send(served.url, "GET", f"/get-artifact?run_id={run_id}&path=notes/a.md")
    assert file.body == b"# note"


def test_a_run_whose_artifacts_lie_in_a_folder_is_read(
    start: Callable[..., Server], tmp_path: Path
) -> None:
    """Clients write there by themselves; pages read through the server."""
    server = start(default_artifact_root=str(tmp_path / "direct"))
    run = new_run(server)
    folder = Path(run["artifact_uri"])
    assert folder.is_relative_to(tmp_path / "direct")
    folder.mkdir(parents=True)
    (folder / "a.txt").write_bytes(b"direct")
    asked = f"run_id={run['run_id']}"

    top = send(server.url, "GET", f"/api/2.0/mlflow/artifacts/list?{asked}").json

    assert top["files"] == [{"path": "a.txt", "is_dir": False, "file_size": 6}]
    file = send(server.url, "GET", f"/get-artifact?{asked}&path=a.txt")
    assert file.body == b"direct"


def test_a_server_can_be_told_not_to_serve_them(start: Callable[..., Server]) -> None:
    """Then every way through it says so."""
    server = start(serve_artifacts=False)

    for method in ("GET", "PUT", "DELETE"):
        refused = send(server.url, method, f"{PROXY}/a", b"")
        assert refused.status == 501
        assert "--no-serve-artifacts" in str(refused.json["message"])
