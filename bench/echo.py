"""The least a server on uvicorn can do: answer `{}` to whatever it is sent."""

from collections.abc import Awaitable, Callable, MutableMapping


Message = MutableMapping[str, object]

HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"2")]


async def app(
    scope: Message,
    receive: Callable[[], Awaitable[Message]],
    send: Callable[[Message], Awaitable[None]],
) -> None:
    """Read the body, keep nothing, answer."""
    if scope["type"] != "http":
        return

    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": b"{}"})
