"""
What MLflow's names raise: `MlflowException` and its codes.

Source: `mlflow/exceptions.py` and `ErrorCode` of `databricks.proto`, MLflow 3.18.
The codes are texts here and everywhere, so `ErrorCode.Name` has nothing to do.
"""

import json
from typing import Final, NoReturn

from runstone import errors


ABORTED: Final = "ABORTED"
ALREADY_EXISTS: Final = "ALREADY_EXISTS"
BAD_REQUEST: Final = "BAD_REQUEST"
CANCELLED: Final = "CANCELLED"
CUSTOMER_UNAUTHORIZED: Final = "CUSTOMER_UNAUTHORIZED"
DATA_LOSS: Final = "DATA_LOSS"
DEADLINE_EXCEEDED: Final = "DEADLINE_EXCEEDED"
ENDPOINT_NOT_FOUND: Final = "ENDPOINT_NOT_FOUND"
INTERNAL_ERROR: Final = "INTERNAL_ERROR"
INVALID_PARAMETER_VALUE: Final = "INVALID_PARAMETER_VALUE"
INVALID_STATE: Final = "INVALID_STATE"
NOT_FOUND: Final = "NOT_FOUND"
NOT_IMPLEMENTED: Final = "NOT_IMPLEMENTED"
PERMISSION_DENIED: Final = "PERMISSION_DENIED"
REQUEST_LIMIT_EXCEEDED: Final = "REQUEST_LIMIT_EXCEEDED"
RESOURCE_ALREADY_EXISTS: Final = "RESOURCE_ALREADY_EXISTS"
RESOURCE_CONFLICT: Final = "RESOURCE_CONFLICT"
RESOURCE_DOES_NOT_EXIST: Final = "RESOURCE_DOES_NOT_EXIST"
RESOURCE_EXHAUSTED: Final = "RESOURCE_EXHAUSTED"
TEMPORARILY_UNAVAILABLE: Final = "TEMPORARILY_UNAVAILABLE"
UNAUTHENTICATED: Final = "UNAUTHENTICATED"

STATUSES: Final[dict[str, int]] = {
    ABORTED: 409,
    ALREADY_EXISTS: 409,
    BAD_REQUEST: 400,
    CANCELLED: 499,
    CUSTOMER_UNAUTHORIZED: 401,
    DATA_LOSS: 500,
    DEADLINE_EXCEEDED: 504,
    ENDPOINT_NOT_FOUND: 404,
    INTERNAL_ERROR: 500,
    INVALID_PARAMETER_VALUE: 400,
    INVALID_STATE: 500,
    NOT_FOUND: 404,
    NOT_IMPLEMENTED: 501,
    PERMISSION_DENIED: 403,
    REQUEST_LIMIT_EXCEEDED: 429,
    RESOURCE_ALREADY_EXISTS: 400,
    RESOURCE_CONFLICT: 409,
    RESOURCE_DOES_NOT_EXIST: 404,
    RESOURCE_EXHAUSTED: 429,
    TEMPORARILY_UNAVAILABLE: 503,
    UNAUTHENTICATED: 401,
}
"""From the code to the status that goes with it."""

# A class that has no line here has the code of its parent.
CODES: Final[dict[type[errors.RunstoneError], str]] = {
    errors.InvalidInput: INVALID_PARAMETER_VALUE,
    errors.NotFound: RESOURCE_DOES_NOT_EXIST,
    errors.Conflict: RESOURCE_ALREADY_EXISTS,
    errors.Refused: PERMISSION_DENIED,
    errors.NotBuilt: NOT_IMPLEMENTED,
    errors.Unavailable: TEMPORARILY_UNAVAILABLE,
    errors.RunstoneError: INTERNAL_ERROR,
}


class MlflowException(errors.RunstoneError):
    """
    Whatever goes wrong behind MLflow's names.

    Args:
        message: What happened.

        error_code: One of the codes of this module.

        **kwargs: More fields for `serialize_as_json`.
    """

    def __init__(
        self, message: object, error_code: str = INTERNAL_ERROR, **kwargs: object
    ) -> None:
        super().__init__(str(message))
        self.message = str(message)
        self.error_code = error_code if error_code in STATUSES else INTERNAL_ERROR
        self.code = self.error_code
        self.json_kwargs = kwargs

    def serialize_as_json(self) -> str:
        """Return the code and the message as JSON."""
        fields = {"error_code": self.error_code, "message": self.message}

        return json.dumps({**fields, **self.json_kwargs})

    def get_http_status_code(self) -> int:
        """Return the HTTP status that goes with the code."""
        return STATUSES[self.error_code]

    @classmethod
    def invalid_parameter_value(
        cls, message: object, **kwargs: object
    ) -> "MlflowException":
        """Return one that says that an argument cannot be taken."""
        return MlflowException(message, INVALID_PARAMETER_VALUE, **kwargs)

    def __reduce__(self) -> tuple[object, ...]:
        return MlflowException, (self.message, self.error_code)


class RestException(MlflowException):
    """
    What a server answered that refused.

    Args:
        json: Its answer: "error_code" and "message".
    """

    def __init__(self, json: dict[str, str]) -> None:  # MLflow's name
        code = json.get("error_code") or INTERNAL_ERROR
        super().__init__(f"{code}: {json.get('message', json)}", code)
        self.json = json

    def __reduce__(self) -> tuple[object, ...]:
        return RestException, (self.json,)


class ExecutionException(MlflowException):
    """Running a project failed."""


class MissingConfigException(MlflowException):
    """A file of settings is not there."""


class ErrorCode:
    """MLflow's enumeration of codes, which are their own names here."""

    @staticmethod
    def Name(code: str) -> str:  # noqa: N802  # MLflow's name
        """Return the name of a code."""
        return code

    @staticmethod
    def Value(name: str) -> str:  # noqa: N802  # MLflow's name
        """Return the code of a name."""
        return name


def raise_as_mlflow(error: errors.RunstoneError) -> NoReturn:
    """
    Raise an error of ours as MLflow's.

    Raises:
        RestException: A server refused.
        MlflowException: It did not come to that.
    """
    if isinstance(error, MlflowException):
        raise error
    if error.code:
        raise RestException({"error_code": error.code, "message": str(error)}) from None
    code = next(CODES[cls] for cls in type(error).__mro__ if cls in CODES)

    raise MlflowException(str(error), code) from error
