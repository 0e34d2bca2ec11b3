"""
What webhooks are told of a change, in MLflow's words.

Source: `mlflow/webhooks/types.py`, and where `mlflow/server/handlers.py` calls
`deliver_webhook`, MLflow 3.18.
"""

from collections.abc import Iterable
from typing import Final

from runstone.model import Tag
from runstone.storage.registry import deliveries
from runstone.storage.registry.rows import Locked
from runstone.storage.tx import Tx


PROMPT_TAG: Final = "mlflow.prompt.is_prompt"
TEXT_TAG: Final = "mlflow.prompt.text"
INTERNAL_TAGS: Final = frozenset({PROMPT_TAG, TEXT_TAG, "_mlflow_prompt_type"})

PROMPTS: Final = {
    "registered_model": "prompt",
    "registered_model_tag": "prompt_tag",
    "model_version": "prompt_version",
    "model_version_tag": "prompt_version_tag",
    "model_version_alias": "prompt_alias",
}
"""What a prompt's events are called; a model's own tags have none."""


def model_created(
    tx: Tx, name: str, *, tags: Iterable[Tag], description: str, now_ms: int
) -> None:
    """Tell of a new model, or a new prompt."""
    given = dict(tags)
    data: dict[str, object] = {
        "name": name,
        "tags": _shown(given),
        "description": description,
    }
    entity = "prompt" if is_prompt(given.items()) else "registered_model"
    deliveries.announce(tx, f"{entity}.created", data=data, now_ms=now_ms)


def version_created(
    tx: Tx,
    name: str,
    *,
    version: int,
    source: str,
    run_id: str,
    tags: Iterable[Tag],
    description: str | None,
    now_ms: int,
) -> None:
    """Tell of a new version of a model or a prompt."""
    given = dict(tags)
    data: dict[str, object] = {"name": name, "version": str(version)}
    if is_prompt(given.items()):
        entity = "prompt_version"
        data["template"] = given.get(TEXT_TAG)
    else:
        entity = "model_version"
        data |= {"source": source, "run_id": run_id or None}
    data |= {"tags": _shown(given), "description": description or None}
    deliveries.announce(tx, f"{entity}.created", data=data, now_ms=now_ms)


def tell(tx: Tx, model: Locked, event: str, *, now_ms: int, **data: str) -> None:
    """Tell of a change of a model, or of a prompt under a prompt's words."""
    entity, _, action = event.partition(".")
    row = tx.one(
        "SELECT value FROM registered_model_tag WHERE model_id = :id AND name = :name",
        id=model.number,
        name=PROMPT_TAG,
    )
    if row is not None and row[0].lower() == "true":
        entity = PROMPTS[entity]
    deliveries.announce(
        tx, f"{entity}.{action}", data={"name": model.name, **data}, now_ms=now_ms
    )


def is_prompt(tags: Iterable[tuple[str, str]]) -> bool:
    """Say whether tags are those of a prompt; the last value of a key counts."""
    return dict(tags).get(PROMPT_TAG, "").lower() == "true"


def _shown(tags: dict[str, str]) -> dict[str, str]:
    if not is_prompt(tags.items()):
        return tags

    return {key: value for key, value in tags.items() if key not in INTERNAL_TAGS}
