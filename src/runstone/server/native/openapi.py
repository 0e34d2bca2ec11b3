"""The description of every route, made of the routes themselves."""

import re
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from runstone._version import __version__
from runstone.server.http import JSON, Reply, Request, Right, Route
from runstone.server.state import state


ERROR: Final = {
    "type": "object",
    "properties": {"error_code": {"type": "string"}, "message": {"type": "string"}},
    "required": ["error_code", "message"],
}


async def describe(request: Request) -> Reply:
    """Return the OpenAPI 3.1 description of this server."""
    return Reply(msgspec.json.encode(document(state(request).routes)), 200, JSON)


def document(routes: Iterable[Route]) -> dict[str, Any]:
    """Describe routes as OpenAPI 3.1."""
    listed = list(routes)
    kinds = list(dict.fromkeys(route.takes for route in listed if route.takes))
    schemas, components = msgspec.json.schema_components(
        kinds, ref_template="#/components/schemas/{name}"
    )
    schema_of = dict(zip(kinds, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for route in listed:
        path = route.path.replace(":path}", "}")
        paths.setdefault(path, {})[route.method.lower()] = _operation(
            route, schema_of, components
        )

    return {
        "openapi": "3.1.0",
        "info": {"title": "Runstone", "version": __version__},
        "paths": paths,
        "components": {"schemas": components | {"Error": ERROR}},
    }


def _operation(
    route: Route, schema_of: dict[type, Any], components: dict[str, Any]
) -> dict[str, Any]:
    words = (route.endpoint.__doc__ or "").strip().splitlines()
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)", route.path)
    ]
    found: dict[str, Any] = {
        "summary": words[0] if words else "",
        "x-right": route.right,
        "responses": {
            "2XX": {"description": "Done"},
            "4XX": _refusal("What was sent cannot be taken"),
            "5XX": _refusal("It may work later, or it is not built"),
        },
    }
    if route.takes is not None and route.method == "GET":
        # Two messages of one name have longer ones here, so the reference decides.
        name = schema_of[route.takes]["$ref"].rpartition("/")[2]
        parameters += _query(components[name])
    elif route.takes is not None:
        content = {"application/json": {"schema": schema_of[route.takes]}}
        found["requestBody"] = {"required": True, "content": content}
    if parameters:
        found["parameters"] = parameters

    return found


def _query(schema: dict[str, Any]) -> list[dict[str, Any]]:
    required = schema.get("required", [])

    return [
        {"name": name, "in": "query", "required": name in required, "schema": kind}
        for name, kind in schema["properties"].items()
    ]


def _refusal(words: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}

    return {"description": words, "content": content}


routes = [Route("GET", "openapi.json", describe, Right.PUBLIC)]
