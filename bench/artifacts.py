"""Workloads that move files through the server."""

import hashlib
import os
import time

from bench import client
from bench.peers import Peer
from bench.sizes import Sizes
from bench.workload import Target, Turn, Workload, WrongAnswer, expect
from bench.writing import fresh


FILES = "/api/2.0/mlflow-artifacts/artifacts"
MIB = 1 << 20
SMALL_BYTES = 4096


def folder(peer: Peer) -> str:
    """Return the URL path of a new run's artifacts."""
    experiment_id = peer.experiment_id("bench")

    return f"{FILES}/{experiment_id}/{peer.new_run()}/artifacts"


def upload(peer: Peer, sizes: Sizes) -> Turn:
    """One client sends one big file."""
    place = folder(peer)
    number = 0

    def turn() -> float:
        nonlocal number
        number += 1
        # New bytes each time: a store that keeps equal files once gains nothing.
        block = os.urandom(MIB)
        with peer.connect() as connection:
            began = time.perf_counter()
            connection.upload(f"{place}/big-{number}.bin", block, sizes.blob_mib)
            took = time.perf_counter() - began
        _sync()

        return sizes.blob_mib / took

    return turn


def _sync() -> None:
    # What the kernel still has to write is not left to the next one's turn.
    os.sync()


def download(peer: Peer, sizes: Sizes) -> Turn:
    """One client fetches one big file."""
    path = f"{folder(peer)}/big.bin"
    block = os.urandom(MIB)
    with peer.connect() as connection:
        connection.upload(path, block, sizes.blob_mib)
    _check_file(peer, path, block, sizes.blob_mib)

    def turn() -> float:
        with peer.connect() as connection:
            began = time.perf_counter()
            count = sum(map(len, connection.download(path)))
            took = time.perf_counter() - began
        expect(count, sizes.blob_mib * MIB, "size")

        return sizes.blob_mib / took

    return turn


def _check_file(peer: Peer, path: str, block: bytes, blocks: int) -> None:
    sent, arrived = hashlib.sha256(), hashlib.sha256()
    for _ in range(blocks):
        sent.update(block)
    with peer.connect() as connection:
        for piece in connection.download(path):
            arrived.update(piece)
    expect(arrived.hexdigest(), sent.hexdigest(), "SHA-256")


def upload_small(peer: Peer, sizes: Sizes) -> Turn:
    """One client sends many small files, one after the other."""
    number = 0

    def turn() -> float:
        nonlocal number
        number += 1
        place = f"{folder(peer)}/set-{number}"
        done = client.alone(peer.port, _puts(place, sizes.files), seconds=float("inf"))

        return done.answers / done.seconds

    return turn


def download_small(peer: Peer, sizes: Sizes) -> Turn:
    """One client fetches many small files, one after the other."""
    place = folder(peer)
    client.alone(peer.port, _puts(place, sizes.files), seconds=float("inf"))
    asks = [
        client.request("GET", f"{place}/file-{number}.bin")
        for number in range(sizes.files)
    ]
    _check_small(peer, place, asks)

    def turn() -> float:
        done = client.alone(peer.port, asks, seconds=float("inf"))

        return done.answers / done.seconds

    return turn


def _check_small(peer: Peer, place: str, asks: list[bytes]) -> None:
    with peer.connect() as connection:
        for number, ask in enumerate(asks):
            if connection.ask(ask) != _small(place, number):
                raise WrongAnswer(f"file {number} is not what was sent")


def _puts(place: str, files: int) -> list[bytes]:
    media_type = "application/octet-stream"

    return [
        client.request(
            "PUT",
            f"{place}/file-{number}.bin",
            _small(place, number),
            media_type=media_type,
        )
        for number in range(files)
    ]


def _small(place: str, number: int) -> bytes:
    return hashlib.shake_256(f"{place}/{number}".encode()).digest(SMALL_BYTES)


WORKLOADS = [
    Workload(
        name="upload",
        title="proxied upload of 256 MiB",
        unit="MiB/s",
        start=upload,
        stage=fresh,
        databases=("sqlite",),
        targets={"sqlite": (Target(3),)},
    ),
    Workload(
        name="download",
        title="proxied download of 256 MiB",
        unit="MiB/s",
        start=download,
        stage=fresh,
        databases=("sqlite",),
        targets={"sqlite": (Target(3),)},
    ),
    Workload(
        name="upload-small",
        title="1,000 files of 4 KiB up, files",
        unit="/s",
        start=upload_small,
        stage=fresh,
        databases=("sqlite",),
        targets={"sqlite": (Target(8),)},
    ),
    Workload(
        name="download-small",
        title="1,000 files of 4 KiB down, files",
        unit="/s",
        start=download_small,
        stage=fresh,
        databases=("sqlite",),
        targets={"sqlite": (Target(8),)},
    ),
]
