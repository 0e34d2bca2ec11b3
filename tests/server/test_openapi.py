"""The description of the API is whole: generated clients and the UI live by it."""

import json
import re
from typing import Any

import msgspec
import pytest

from runstone.server.app import routes
from runstone.server.http import Right
from runstone.server.native.openapi import document


METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    """Give the description as a client reads it."""
    return dict(json.loads(msgspec.json.encode(document(routes()))))


def test_every_route_is_described(described: dict[str, Any]) -> None:
    """With a sentence of words and the right that it needs."""
    for route in routes():
        path = route.path.replace(":path}", "}")
        operation = described["paths"][path][route.method.lower()]

        assert operation["summary"].endswith("."), route.path
        assert operation["x-right"] in set(Right), route.path
        assert operation["responses"]


def test_what_changes_something_needs_the_right_to(described: dict[str, Any]) -> None:
    """No route that writes is open to readers; searches are asked by POST too."""
    asking = re.compile(
        r"(search|search-datasets|series|presigned-download-url|get-latest-versions"
        r"|batchGetInfos|traces/metrics|calculate-filter-correlation)$"
    )
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            if method != "get" and not asking.search(path):
                assert operation["x-right"] == Right.EDIT, path


def test_every_reference_leads_somewhere(described: dict[str, Any]) -> None:
    """Two messages of one name once broke the whole document."""
    schemas = described["components"]["schemas"]
    references = re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(described))

    assert len(references) > 100
    assert set(references) <= set(schemas)
    # OpenAPI 3.1, 4.8.7.1: the only characters of a component's name.
    assert all(re.fullmatch(r"[a-zA-Z0-9.\-_]+", name) for name in schemas)


def test_the_parameters_of_a_path_are_those_in_its_braces(
    described: dict[str, Any],
) -> None:
    """Otherwise no tool takes the document."""
    assert described["openapi"].startswith("3.1")
    for path, operations in described["paths"].items():
        assert path.startswith("/")
        assert set(operations) <= METHODS
        for operation in operations.values():
            listed = operation.get("parameters", [])
            names = [item["name"] for item in listed if item["in"] == "path"]
            assert sorted(names) == sorted(re.findall(r"{(\w+)}", path))
            assert len({(p["name"], p["in"]) for p in listed}) == len(listed)


def test_a_message_tells_what_it_needs(described: dict[str, Any]) -> None:
    """The same type reads the request and writes the description."""
    operation = described["paths"]["/api/2.0/mlflow/experiments/create"]["post"]
    reference = operation["requestBody"]["content"]["application/json"]["schema"]
    name = reference["$ref"].rpartition("/")[2]
    schema = described["components"]["schemas"][name]

    assert schema["required"] == ["name"]
    assert schema["properties"]["name"] == {"type": "string", "minLength": 1}


def test_a_query_tells_its_parameters(described: dict[str, Any]) -> None:
    """A GET has no body: each field of its message is a parameter."""
    operation = described["paths"]["/api/2.0/mlflow/metrics/get-history"]["get"]
    needed = {item["name"]: item["required"] for item in operation["parameters"]}

    assert needed["metric_key"] is True
    assert needed["max_results"] is False
