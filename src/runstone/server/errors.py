"""From the class of an error to what stands on the wire."""

import logging
import uuid
from typing import Final

import msgspec

from runstone import errors
from runstone.server import http
from runstone.server.http import Reply


LOG: Final = logging.getLogger(__name__)

# A class that has no line here looks like its parent.
# Source: `mlflow/exceptions.py`, ERROR_CODE_TO_HTTP_STATUS, MLflow 3.18.
WIRE: Final[dict[type[errors.RunstoneError], tuple[int, str]]] = {
    errors.InvalidInput: (400, "INVALID_PARAMETER_VALUE"),
    http.BodyTooLarge: (413, "INVALID_PARAMETER_VALUE"),
    http.EncodedBody: (415, "INVALID_PARAMETER_VALUE"),
    errors.NoSuchRange: (416, "INVALID_PARAMETER_VALUE"),
    errors.NotFound: (404, "RESOURCE_DOES_NOT_EXIST"),
    errors.AliasNotFound: (400, "INVALID_PARAMETER_VALUE"),
    errors.Conflict: (409, "RESOURCE_CONFLICT"),
    errors.ExperimentExists: (400, "RESOURCE_ALREADY_EXISTS"),
    errors.ExperimentDeleted: (400, "INVALID_PARAMETER_VALUE"),
    errors.RunDeleted: (400, "INVALID_PARAMETER_VALUE"),
    errors.ModelExists: (400, "RESOURCE_ALREADY_EXISTS"),
    errors.Refused: (403, "PERMISSION_DENIED"),
    errors.NotBuilt: (501, "NOT_IMPLEMENTED"),
    errors.Unavailable: (503, "TEMPORARILY_UNAVAILABLE"),
    errors.Unusable: (500, "INTERNAL_ERROR"),
    errors.RunstoneError: (500, "INTERNAL_ERROR"),
}


def answer(error: Exception) -> Reply:
    """Say an error on the wire; a surprise is logged and gets a number."""
    if isinstance(error, errors.RunstoneError):
        status, code = line(error)
        return say(status, code, str(error))

    number = uuid.uuid4().hex[:12]
    LOG.error("Unexpected error %s", number, exc_info=error)

    return say(
        500, "INTERNAL_ERROR", f"Internal error {number}; the server's log has more"
    )


def line(error: errors.RunstoneError) -> tuple[int, str]:
    """Return the status and the code of an error of ours."""
    return next(WIRE[kind] for kind in type(error).__mro__ if kind in WIRE)


def say(status: int, code: str, message: str) -> Reply:
    """Make the one shape that every error has."""
    body = msgspec.json.encode({"error_code": code, "message": message})

    return Reply(body, status)
