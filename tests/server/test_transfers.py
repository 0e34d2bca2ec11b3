"""Uploads in parts and signed URLs, as MLflow's wire has them."""

import os
import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from tests.artifacts.conftest import Bucket
from tests.server.running import Answer, Server, post, send, serving
from tests.server.test_artifacts import PROXY, get, listed, new_run, put, until


MPU = "/api/2.0/mlflow-artifacts/mpu"
PART_BYTES = 5 * 1024 * 1024
"""The least that S3 takes for any part but the last."""


class Upload:
    """One upload in parts, as a client does it."""

    def __init__(self, server: Server, folder: str, name: str, count: int) -> None:
        self.server = server
        self.place = quote(folder)
        self.name = name
        made = post(
            server.url, f"{MPU}/create/{self.place}", path=name, num_parts=count
        ).json
        self.id = str(made["upload_id"])
        credentials = made["credentials"]
        assert isinstance(credentials, list)
        assert [part["part_number"] for part in credentials] == [*range(1, count + 1)]
        self.urls = [str(part["url"]) for part in credentials]
        self.etags: dict[int, str] = {}

    def part(self, number: int, data: bytes) -> Answer:
        """Send a part to its own URL."""
        split = urlsplit(self.urls[number - 1])
        target = f"{split.path}?{split.query}" if split.query else split.path
        answer = send(f"http://{split.netloc}", "PUT", target, data)
        self.etags[number] = answer.headers.get("etag", "")

        return answer

    def finish(self, *, order: list[int] | None = None, name: str = "") -> Answer:
        """Complete the upload."""
        parts = [
            {"part_number": number, "etag": self.etags.get(number, "none"), "url": ""}
            for number in (sorted(self.etags) if order is None else order)
        ]

        return post(
            self.server.url,
            f"{MPU}/complete/{self.place}",
            path=name or self.name,
            upload_id=self.id,
            parts=parts,
        )

    def abort(self) -> Answer:
        """Drop the upload."""
        target = f"{MPU}/abort/{self.place}"

        return post(self.server.url, target, path=self.name, upload_id=self.id)


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Give a server that keeps artifacts on its disk."""
    with serving(tmp_path_factory.mktemp("disk")) as server:
        yield server


@pytest.fixture(scope="module")
def cloud(bucket: Bucket, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Give a server that keeps artifacts in a bucket, and lets clients go there."""
    with serving(
        tmp_path_factory.mktemp("cloud"),
        environ=bucket.server.environ(),
        artifacts_destination=f"s3://{bucket.name}/{secrets.token_hex(8)}",
        multipart_uploads=True,
        multipart_downloads=True,
    ) as server:
        yield server


@pytest.fixture(params=["disk", "cloud"])
def either(request: pytest.FixtureRequest) -> Server:
    """Give each of them in turn."""
    server: Server = request.getfixturevalue(request.param)

    return server


def leftovers(server: Server) -> list[Path]:
    """List what lies under our own names on the disk."""
    return list((server.folder / "mlruns" / "artifacts").glob(".runstone-*"))


def test_parts_come_in_any_order_and_make_one_file(either: Server) -> None:
    """Clients send several at once; the last may be small."""
    parts = [secrets.token_bytes(n) for n in (PART_BYTES, PART_BYTES, 7)]
    upload = Upload(either, "1/모델", "큰 file%.bin", 3)

    for number in (3, 1, 2):
        sent = upload.part(number, parts[number - 1])
        assert (sent.status, bool(sent.headers["etag"])) == (200, True)
    assert listed(either, "1/모델") is None
    done = upload.finish()

    assert (done.status, done.body) == (200, b"{}")
    assert get(either, "1/모델/큰 file%.bin").body == b"".join(parts)


def test_an_empty_file_is_one_empty_part(either: Server) -> None:
    """Clients that may only go this way send it so."""
    upload = Upload(either, "1", "empty", 1)
    assert upload.part(1, b"").status == 200

    assert upload.finish().status == 200

    assert get(either, "1/empty").body == b""


def test_a_part_can_be_sent_again(disk: Server) -> None:
    """The second is what counts; an answer may be lost on its way."""
    upload = Upload(disk, "1", "again", 1)
    upload.part(1, b"first")
    upload.part(1, b"second")

    assert upload.finish().status == 200

    assert get(disk, "1/again").body == b"second"


def test_the_name_in_the_body_is_only_a_name(either: Server) -> None:
    """Clients before 3.18 send where the file lies on their own machine."""
    for path in ("/home/me/model.bin", "C:\\Users\\me\\model.bin", "model.bin"):
        upload = Upload(either, "names", path, 1)
        upload.part(1, path.encode())
        assert upload.finish().status == 200
        assert get(either, "names/model.bin").body == path.encode()


def test_an_aborted_upload_takes_nothing_more(either: Server) -> None:
    """And aborting twice is no error."""
    upload = Upload(either, "1", "aborted", 1)
    upload.part(1, b"data")

    assert [upload.abort().status for _ in "12"] == [200, 200]

    assert upload.part(1, b"late").status == 404
    assert upload.finish().status == 404
    assert get(either, "1/aborted").status == 404


@pytest.mark.parametrize("count", [0, -1, 10_001])
def test_the_number_of_parts_has_bounds(either: Server, count: int) -> None:
    """No answer of a gigabyte of URLs."""
    refused = post(either.url, f"{MPU}/create/1", path="x", num_parts=count)

    assert refused.status == 400
    assert "parts" in str(refused.json["message"])


def test_an_upload_belongs_to_its_file(disk: Server) -> None:
    """Who knows an id cannot turn it into another file."""
    upload = Upload(disk, "1", "mine", 1)
    upload.part(1, b"data")

    assert upload.finish(name="yours").status == 404

    assert get(disk, "1/yours").status == 404
    assert upload.finish().status == 200


def test_parts_that_do_not_fit_are_named(disk: Server) -> None:
    """The upload stays open, so the client can mend it."""
    upload = Upload(disk, "1", "wrong", 2)
    upload.part(1, b"one")

    missing = upload.finish(order=[1, 2])
    upload.part(2, b"two")
    swapped = upload.finish(order=[2, 1])
    twice = upload.finish(order=[1, 1])
    known, upload.etags[1] = upload.etags[1], '"other"'
    changed = upload.finish()

    assert {missing.status, swapped.status, twice.status, changed.status} == {400}
    assert "part 2" in str(missing.json["message"])
    assert "part 1" in str(changed.json["message"])
    assert get(disk, "1/wrong").status == 404
    upload.etags[1] = known
    assert upload.finish().status == 200
    assert get(disk, "1/wrong").body == b"onetwo"


def test_nothing_is_left_of_an_upload(disk: Server) -> None:
    """Neither of a finished nor of an aborted nor of a refused one."""
    before = leftovers(disk)
    done, dropped = Upload(disk, "1", "done", 1), Upload(disk, "1", "dropped", 1)
    put(disk, "1/taken/file")
    refused = Upload(disk, "1", "taken", 1)
    for upload in (done, dropped, refused):
        upload.part(1, b"data")

    assert done.finish().status == 200
    assert dropped.abort().status == 200
    assert refused.finish().status == 409
    assert refused.abort().status == 200

    assert leftovers(disk) == before


def test_uploads_that_nobody_finished_are_swept_at_start(tmp_path: Path) -> None:
    """A machine that was switched off leaves no gigabytes for ever."""
    with serving(tmp_path) as server:
        old, young = Upload(server, "1", "old", 2), Upload(server, "1", "young", 1)
        old.part(1, b"data")
        young.part(1, b"data")
        root = tmp_path / "mlruns" / "artifacts"
        day_ago = time.time() - 25 * 3600
        (root / ".runstone-half").write_bytes(b"half")
        for name in (f".runstone-{old.id}", ".runstone-half"):
            os.utime(root / name, (day_ago, day_ago))

    with serving(tmp_path) as server:
        young.server = server
        until(lambda: len(leftovers(server)) == 1)

        assert [path.name for path in leftovers(server)] == [f".runstone-{young.id}"]
        assert young.finish().status == 200


@pytest.mark.parametrize(
    ("name", "uploads", "downloads"),
    [("disk", False, False), ("cloud", True, True)],
)
def test_the_server_says_what_clients_may_do(
    name: str, *, uploads: bool, downloads: bool, request: pytest.FixtureRequest
) -> None:
    """Clients do by themselves what this promises, so it must be true."""
    server: Server = request.getfixturevalue(name)

    said = send(server.url, "GET", "/api/3.0/mlflow/server-info").json

    assert said["multipart_uploads_enabled"] is uploads
    assert said["multipart_downloads_enabled"] is downloads
    assert said["artifact_serving_enabled"] is True


def test_a_disk_gives_no_signed_downloads(start: Callable[..., Server]) -> None:
    """Clients take 501 for "through the server, then", even where it was asked for."""
    server = start(multipart_downloads=True)
    put(server, "1/file")

    said = send(server.url, "GET", "/api/3.0/mlflow/server-info").json
    refused = send(server.url, "GET", "/api/2.0/mlflow-artifacts/presigned/1/file")

    assert said["multipart_downloads_enabled"] is False
    assert refused.status == 501
    assert refused.json["error_code"] == "NOT_IMPLEMENTED"


def test_a_bucket_gives_signed_downloads(cloud: Server) -> None:
    """The bytes do not pass the server."""
    put(cloud, "1/신호", b"data")
    target = "/api/2.0/mlflow-artifacts/presigned/1/%EC%8B%A0%ED%98%B8"

    signed = send(cloud.url, "GET", target).json
    split = urlsplit(str(signed["url"]))
    fetched = send(
        f"http://{split.netloc}",
        "GET",
        f"{split.path}?{split.query}",
    )

    assert (signed["file_size"], signed["headers"]) == (4, {})
    assert (fetched.status, fetched.body) == (200, b"data")
    none = send(cloud.url, "GET", "/api/2.0/mlflow-artifacts/presigned/1/none")
    assert none.status == 404


def test_a_run_in_a_bucket_has_signed_urls(
    start: Callable[..., Server], bucket: Bucket
) -> None:
    """Both ways, for as long as is asked for."""
    server = start(
        environ=bucket.server.environ(),
        default_artifact_root=f"s3://{bucket.name}/{secrets.token_hex(8)}",
    )
    asked = {"run_id": new_run(server)["run_id"], "path": "a/b.bin"}
    signer = "/api/2.0/mlflow/artifacts/presigned"

    up = post(server.url, f"{signer}-upload-url", **asked, expiration=60).json
    split = urlsplit(str(up["presigned_url"]))
    target = f"{split.path}?{split.query}"
    sent = send(f"http://{split.netloc}", "PUT", target, b"data")
    down = post(server.url, f"{signer}-download-url", **asked).json
    split = urlsplit(str(down["presigned_url"]))
    target = f"{split.path}?{split.query}"
    fetched = send(f"http://{split.netloc}", "GET", target)

    assert sent.status == 200
    assert (fetched.body, down["file_size"]) == (b"data", 4)
    for seconds in (0, 604_801):
        late = post(server.url, f"{signer}-upload-url", **asked, expiration=seconds)
        assert late.status == 400


def test_a_run_behind_the_server_has_no_signed_urls(disk: Server) -> None:
    """MLflow's clients know this answer."""
    asked = {"run_id": new_run(disk)["run_id"], "path": "a/b.bin"}

    for way in ("upload", "download"):
        target = f"/api/2.0/mlflow/artifacts/presigned-{way}-url"
        refused = post(disk.url, target, **asked)
        assert refused.status == 400
        assert "proxied" in str(refused.json["message"])
    assert send(disk.url, "GET", f"{PROXY}?path=").status == 200


def test_a_bucket_takes_no_part_through_the_server(cloud: Server) -> None:
    """Each part has a URL of its own there."""
    refused = send(cloud.url, "PUT", f"{MPU}/part/{'0' * 32}/1", b"data")

    assert refused.status == 501
    assert "URL" in str(refused.json["message"])


def test_a_wrong_end_of_an_upload_to_a_bucket_is_the_clients(cloud: Server) -> None:
    """4xx with a reason, and not an error of the server."""
    upload = Upload(cloud, "1", "wrong", 1)
    assert upload.finish(order=[1]).status == 400
    assert upload.finish(order=[]).status == 400
    assert upload.abort().status == 200
    upload.id = ""
    assert upload.finish(order=[1]).status == 404
    assert upload.abort().status == 404
    upload.id = "no such"
    assert upload.finish(order=[1]).status == 404
