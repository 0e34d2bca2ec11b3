"""
No path that an attacker sends reads, changes or deletes what is not below the root.

Each path of the corpus goes through every parameter that names one, as it is,
and percent-encoded once and twice (security rule 2).
"""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import pytest

from tests.artifacts.corpus import HOSTILE, NO_FILE
from tests.server.running import Answer, Server, post, send, serving


SECRET = b"canary-7f3a-must-not-be-seen"
API = "/api/2.0/mlflow"
PROXY = f"{API}-artifacts"
UPLOAD = "0" * 32


class Place(NamedTuple):
    """A server, a run of it, and the world around its artifact root."""

    server: Server
    run_id: str
    world: Path
    root: Path

    def around(self) -> Mapping[str, bytes]:
        """Read every file outside the root."""
        return {
            str(path): path.read_bytes()
            for path in self.world.rglob("*")
            if path.is_file() and not path.is_relative_to(self.root)
        }


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Give a server whose root stands among canaries."""
    folder = tmp_path_factory.mktemp("paths")
    world = folder / "world"
    root = world / "around" / "root"
    (root / "a").mkdir(parents=True)
    for parent in (world, world / "around"):
        (parent / "canary.txt").write_bytes(SECRET)
    (root / "a" / "keep").write_bytes(b"kept")
    (root / "link").symlink_to(world)
    (root / "link.txt").symlink_to(world / "canary.txt")
    with serving(folder / "server", artifacts_destination=str(root)) as server:
        made = post(server.url, f"{API}/runs/create", experiment_id="0").json["run"]
        assert isinstance(made, dict)
        yield Place(server, made["info"]["run_id"], world, root)


def by_url(place: Place, sent: bytes) -> list[Answer]:
    """Send a path through each route that takes one in its URL."""
    below = PROXY.encode()
    url, run_id = place.server.url, place.run_id.encode()
    name = b'{"path": "x", "num_parts": 1, "upload_id": "%s", "parts": []}' % (
        UPLOAD.encode()
    )
    uploads = [
        send(
            url,
            "POST",
            b"%s/mpu/%s/%s" % (below, act, sent),
            name,
            Content_Type="application/json",
        )
        for act in (b"create", b"complete", b"abort")
    ]

    return [
        send(url, "GET", b"%s/artifacts/%s" % (below, sent)),
        send(url, "HEAD", b"%s/artifacts/%s" % (below, sent)),
        send(url, "PUT", b"%s/artifacts/%s" % (below, sent), b"mine"),
        send(url, "DELETE", b"%s/artifacts/%s" % (below, sent)),
        send(url, "GET", b"%s/artifacts?path=%s" % (below, sent)),
        send(url, "GET", b"%s/presigned/%s" % (below, sent)),
        send(url, "PUT", b"%s/mpu/part/%s/1" % (below, sent), b"mine"),
        send(url, "PUT", b"%s/mpu/part/%s/%s" % (below, UPLOAD.encode(), sent), b"m"),
        *(
            send(url, method, b"%s?run_id=%s&path=%s" % (route, run_id, sent), b"mine")
            for method, route in (
                ("GET", b"/get-artifact"),
                ("GET", f"{API}/artifacts/list".encode()),
                ("POST", f"{API}/upload-artifact".encode()),
            )
        ),
        *uploads,
    ]


def by_body(place: Place, sent: str) -> list[Answer]:
    """Send a path through each route that takes one in its body."""
    url = place.server.url
    named = {"path": "x", "upload_id": sent, "parts": []}
    file = {"path": sent, "upload_id": UPLOAD, "parts": [], "num_parts": 1}

    return [
        *(
            post(url, f"{PROXY}/mpu/{act}/a", **file)
            for act in ("create", "complete", "abort")
        ),
        post(
            url, f"{PROXY}/mpu/complete/a", **{**file, "path": "x", "upload_id": sent}
        ),
        post(url, f"{PROXY}/mpu/abort/a", **named),
        *(
            post(url, f"{API}/artifacts/presigned-{way}-url", run_id=run, path=p)
            for way in ("upload", "download")
            for run, p in ((place.run_id, sent), (sent, "x"))
        ),
    ]


def spellings(path: str) -> Iterator[bytes]:
    """Spell a path as it is, and percent-encoded once and twice."""
    raw = path.encode("utf-8", "surrogateescape")
    yield raw
    yield quote(raw, safe="").encode()
    yield quote(quote(raw, safe=""), safe="").encode()


def check(place: Place, before: Mapping[str, bytes], answers: list[Answer]) -> None:
    """Nothing outside was read or changed, and nothing broke."""
    for answer in answers:
        assert SECRET not in answer.body
        assert b"root:x:0" not in answer.body
        assert answer.status < 500 or answer.status == 501, answer
    assert place.around() == before
    assert (place.root / "a" / "keep").read_bytes() == b"kept"


@pytest.mark.parametrize("path", [*HOSTILE, *NO_FILE], ids=lambda path: path[:40])
def test_no_path_leaves_the_root(place: Place, path: str) -> None:
    """Whatever stands in the URL, however often it is encoded."""
    before = place.around()

    for sent in spellings(path):
        check(place, before, by_url(place, sent))


@pytest.mark.parametrize(
    "path",
    [path for path in [*HOSTILE, *NO_FILE] if "\udc80" not in path],
    ids=lambda path: path[:40],
)
def test_no_path_in_a_body_leaves_the_root(place: Place, path: str) -> None:
    """JSON carries every character; each is judged by the same gate."""
    before = place.around()

    for sent in spellings(path):
        check(place, before, by_body(place, sent.decode()))


@pytest.mark.parametrize(
    "path",
    # What is not UTF-8 arrives as another, harmless name.
    [path for path in HOSTILE if "\udc80" not in path],
    ids=lambda path: path[:40],
)
def test_a_hostile_path_is_refused_with_a_reason(place: Place, path: str) -> None:
    """By each route, as JSON, and before anything was touched."""
    sent = quote(path, safe="")
    targets = [
        ("GET", f"{PROXY}/artifacts/{sent}"),
        ("PUT", f"{PROXY}/artifacts/{sent}"),
        ("DELETE", f"{PROXY}/artifacts/{sent}"),
        ("GET", f"{PROXY}/artifacts?path={sent}"),
        ("GET", f"{PROXY}/presigned/{sent}"),
        ("GET", f"/get-artifact?run_id={place.run_id}&path={sent}"),
        ("GET", f"{API}/artifacts/list?run_id={place.run_id}&path={sent}"),
        ("POST", f"{API}/upload-artifact?run_id={place.run_id}&path={sent}"),
    ]
    files = sorted(place.root.rglob("*"))

    for method, target in targets:
        refused = send(place.server.url, method, target, b"mine")
        assert refused.status == 400, target
        assert refused.json["error_code"] == "INVALID_PARAMETER_VALUE"
        assert "Invalid path" in str(refused.json["message"])
    assert sorted(place.root.rglob("*")) == files


@pytest.mark.parametrize("path", ["link/canary.txt", "link.txt", "link/around"])
def test_a_link_leads_nowhere(place: Place, path: str) -> None:
    """A link that got below the root, by a restore or by hand, opens no door."""
    before = place.around()
    url = place.server.url

    answers = [
        send(url, "GET", f"{PROXY}/artifacts/{path}"),
        send(url, "GET", f"{PROXY}/artifacts?path={path}"),
        send(url, "PUT", f"{PROXY}/artifacts/{path}/x", b"mine"),
        send(url, "DELETE", f"{PROXY}/artifacts/{path}/x"),
        post(url, f"{PROXY}/mpu/create/{path}", path="x", num_parts=1),
    ]

    check(place, before, answers)
    assert answers[0].status in {400, 404}
    assert "files" not in answers[1].json
    # A link itself may go; what it leads to stays.
    assert send(url, "DELETE", f"{PROXY}/artifacts/link.txt").status in {200, 400}
    check(place, before, [])


def test_an_upload_cannot_be_guessed_or_named(place: Place) -> None:
    """Its folder is ours: no path reaches it, no listing shows it."""
    url = place.server.url
    made = post(url, f"{PROXY}/mpu/create/a", path="x", num_parts=1).json
    upload_id = str(made["upload_id"])
    assert len(set(upload_id)) > 5
    assert len(upload_id) == 32

    shown = send(url, "GET", f"{PROXY}/artifacts?path=").body
    for method in ("GET", "PUT", "DELETE"):
        target = f"{PROXY}/artifacts/.runstone-{upload_id}/path"
        assert send(url, method, target).status == 400

    assert upload_id.encode() not in shown
    assert (place.root / f".runstone-{upload_id}").exists()
    shutil.rmtree(place.root / f".runstone-{upload_id}")


def test_the_walk_of_this_test_sees_the_canaries(place: Place) -> None:
    """A guard that guards nothing would pass everything above."""
    assert len(place.around()) == 2
