"""
The door to nowhere: every question has an answer, and nothing is kept.

It stands where nothing is recorded (an empty tracking URI, `RUNSTONE_MODE=disabled`),
so that a script runs through unchanged.
"""

from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import parse_qs, urlencode

import msgspec

from runstone import errors
from runstone.sdk.door import Answer, Body, Query


NOBODY: Final = "0" * 32


class Nowhere:
    """Answers MLflow's wire as a store would that never heard of anything."""

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: Body = b"",
        content_type: str = "application/json",
    ) -> Answer:
        """Answer a request; see `Door.ask`."""
        asked = {k: v[0] for k, v in parse_qs(urlencode(query or {}, True)).items()}  # noqa: FBT003  # doseq
        if isinstance(body, bytes) and body and content_type == "application/json":
            asked |= msgspec.json.decode(body, type=dict[str, Any])

        return Answer(200, msgspec.json.encode(_answer(method, path, asked)))

    def fetch(self, path: str, *, query: Query) -> Iterable[bytes]:
        """Say that nothing is there."""
        raise errors.NotFound(
            f"{path} has nothing of {dict(query)}: nothing is recorded, because the "
            "tracking URI is empty or RUNSTONE_MODE is disabled"
        )

    def close(self) -> None:
        """Do nothing."""


def _answer(method: str, path: str, asked: dict[str, Any]) -> dict[str, Any]:
    noun, _, verb = path.partition("/mlflow/")[2].partition("/")
    if noun == "runs" and verb in ("get", "create", "update"):
        info = {"run_id": asked.get("run_id", NOBODY), "experiment_id": "0"}
        return {"run": {"info": info, "data": {}}, "run_info": info}
    if noun == "experiments" and verb in ("get", "get-by-name", "create"):
        name = asked.get("experiment_name") or asked.get("name") or "Default"
        found = {"experiment_id": "0", "name": name}
        return {"experiment": found, "experiment_id": "0"}
    named = {"name": asked.get("name", ""), "version": asked.get("version", "1")}
    is_version = noun == "model-versions" or (verb == "alias" and method == "GET")
    if is_version and verb != "search":
        return {"model_version": {**asked, **named, "tags": []}, "artifact_uri": ""}
    if noun == "registered-models" and not verb.startswith(("search", "get-latest")):
        return {"registered_model": {"name": named["name"]}}

    return {}


NOWHERE: Final = Nowhere()
