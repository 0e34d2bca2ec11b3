"""Sending bytes to stores and reading them back, for tests."""

from collections.abc import AsyncIterator

from runstone.artifacts import Store


async def chunks_of(data: bytes, size_bytes: int = 65_536) -> AsyncIterator[bytes]:
    """Yield bytes in pieces, as a server hands them on."""
    for start in range(0, len(data), size_bytes):
        yield data[start : start + size_bytes]


async def broken(data: bytes) -> AsyncIterator[bytes]:
    """Yield bytes, then break off as a client does that went away."""
    async for chunk in chunks_of(data):
        yield chunk
    raise ConnectionResetError("the client went away")


async def put(store: Store, path: str, data: bytes) -> int:
    """Write an artifact."""
    return await store.put(path, chunks_of(data))


async def read(
    store: Store, path: str, *, start: int | None = None, end: int | None = None
) -> bytes:
    """Read an artifact, or a part of it."""
    download = await store.open(path, start=start, end=end)
    try:
        data = b"".join([chunk async for chunk in download.chunks])
    finally:
        await download.chunks.aclose()

    assert len(data) == download.end - download.start
    return data


async def names(store: Store, path: str | None = None) -> list[str]:
    """List the paths in a folder."""
    return [entry.path for entry in await store.list(path)]
