"""The web UI: one page and its assets, built by Vite and shipped in the package."""

import mimetypes
from pathlib import Path
from typing import Final

from runstone import errors
from runstone.server.http import Reply, Request, Right, Route


STATIC: Final = Path(__file__).parent.parent / "static"

# Nothing inline and nothing from elsewhere: what users upload never runs here.
POLICY: Final = (
    b"content-security-policy",
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    b"connect-src 'self'; base-uri 'none'; form-action 'none'; "
    b"frame-ancestors 'none'",
)
FOREVER: Final = (b"cache-control", b"public, max-age=31536000, immutable")
AGAIN: Final = (b"cache-control", b"no-cache")

NOT_BUILT: Final = (
    "The web UI is not built; build it with: make web. The API works without it."
)


def is_page(request: Request) -> bool:
    """Say whether somebody's browser asks for a page of the UI."""
    is_api = request.path.startswith(("/api/", "/ajax-api/"))

    return not is_api and "text/html" in request.header(b"accept")


def page() -> Reply:
    """Return the page; which view it shows is in its address."""
    file = STATIC / "index.html"
    if not file.is_file():
        text = NOT_BUILT.encode()
        return Reply(text, 503, b"text/plain; charset=utf-8")

    return Reply(
        file.read_bytes(),
        content_type=b"text/html; charset=utf-8",
        headers=(POLICY, AGAIN),
    )


async def home(_request: Request) -> Reply:
    """Return the page."""
    return page()


async def asset(request: Request) -> Reply:
    """Return a file of the built UI; its name changes when its content does."""
    name = request.params["name"]
    file = STATIC / "assets" / name
    # Vite's names are short; the file system raises at very long ones.
    is_name = "/" not in name and not name.startswith(".") and len(name) < 100
    if not (is_name and file.is_file()):
        raise errors.ArtifactNotFound(f"assets/{name}")

    return _file(file, FOREVER)


async def icon(_request: Request) -> Reply:
    """Return the mark that stands beside the page's title."""
    file = STATIC / "favicon.svg"
    if not file.is_file():
        raise errors.ArtifactNotFound("favicon.svg")

    return _file(file, AGAIN)


def _file(file: Path, cache: tuple[bytes, bytes]) -> Reply:
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"

    return Reply(file.read_bytes(), content_type=kind.encode(), headers=(cache, POLICY))


def routes() -> list[Route]:
    """Return the routes of the UI's files."""
    return [
        Route("GET", "/", home, Right.PUBLIC),
        Route("GET", "/assets/{name}", asset, Right.PUBLIC),
        Route("GET", "/favicon.svg", icon, Right.PUBLIC),
    ]
