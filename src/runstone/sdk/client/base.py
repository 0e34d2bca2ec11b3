"""What every part of the client does: ask the store, and find a run to add to."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

from runstone import errors, journal
from runstone.entities import PagedList, Run
from runstone.exceptions import (
    INVALID_PARAMETER_VALUE,
    MlflowException,
    raise_as_mlflow,
)
from runstone.sdk import calls, checks, door, options, patience, reading
from runstone.sdk.door import Door
from runstone.sdk.nowhere import NOWHERE
from runstone.sdk.run import Run as OpenRun
from runstone.sdk.session import session


PAGE: Final = 1000

T = TypeVar("T")


def every(
    page: Callable[[int, str | None], PagedList[T]], most: int | None = None
) -> list[T]:
    """
    Return what all pages hold.

    Args:
        page: Asks for so many, and goes on behind a token.

        most: How many at most; None is all.
    """
    found: list[T] = []
    token: str | None = None
    while most is None or len(found) < most:
        part = page(PAGE if most is None else min(PAGE, most - len(found)), token)
        found += part
        token = part.token
        if not token:
            break

    return found


class Logged:
    """What was logged and is on its way; MLflow's RunOperations."""

    def wait(self) -> None:
        """
        Wait until the server has it.

        Raises:
            MlflowException: It does not answer.
        """
        if not session.flush():
            raise MlflowException(
                "The server does not answer; what was logged is kept and sent later",
                "TEMPORARILY_UNAVAILABLE",
            )


class Asking:
    """
    A store to ask.

    Args:
        tracking_uri: Where it is; by default where runs go.

        registry_uri: Taken for MLflow's sake; the registry is in the same store.
    """

    def __init__(
        self, tracking_uri: str | None = None, registry_uri: str | None = None
    ) -> None:
        self._uri = None if tracking_uri is None else options.fixed(str(tracking_uri))
        self._registry_uri = registry_uri
        self._known: set[str] = set()

    @property
    def tracking_uri(self) -> str:
        """Where it is."""
        return session.tracking_uri if self._uri is None else self._uri

    @property
    def is_nowhere(self) -> bool:
        """Whether nothing is recorded."""
        return options.mode() == "disabled" or not self.tracking_uri

    def door(self, *, settled: bool = True) -> Door:
        """
        Return the way to the store.

        Args:
            settled: Whether all that was logged before is to be there first.

        Raises:
            MlflowException: Nothing is asked, because runs stay on this machine.
        """
        if self.is_nowhere:
            return NOWHERE
        if options.mode() == "offline":
            raise MlflowException(
                "RUNSTONE_MODE is offline, so no server can be asked; what is logged "
                "is kept on this machine, send it with: runstone sync",
                "TEMPORARILY_UNAVAILABLE",
            )
        try:
            if settled and self._uri is None:
                return session.door()
            if settled:
                session.flush()
            return door.to(self.tracking_uri)
        except errors.RunstoneError as error:
            raise_as_mlflow(error)

    def ask(self, method: str, path: str, /, **fields: object) -> dict[str, Any]:
        """
        Ask MLflow's wire.

        Raises:
            RestException: The server refuses.
            MlflowException: It does not answer.
        """
        way = self.door()
        try:
            found: dict[str, Any] = calls.ask(way, method, path, fields)
        except errors.RunstoneError as error:
            raise_as_mlflow(error)

        return found

    def open_run(self, run_id: str) -> OpenRun:
        """
        Return a run to add to.

        A run of somebody else is asked for once, and not for long: where the server
        is away, what is said of it waits like everything.

        Raises:
            MlflowException: There is no such run, or it is in the bin.
        """
        number = checks.run_id(run_id)
        if self.is_nowhere:
            return OpenRun(number, None)
        if not session.has_begun(number) and number not in self._known:
            self._require(number)
            self._known.add(number)

        return session.attach(number, tracking_uri=self._uri)

    def _begin(self, run_id: str, begin: journal.Begin) -> None:
        """Begin a run that does not end with this process."""
        if not self.is_nowhere:
            session.attach(run_id, begin=begin, tracking_uri=self._uri)

    def glance(self, run_id: str) -> Run | None:
        """
        Return a run as the server has it now; None where nobody says so in a second.

        Raises:
            RestException: There is no such run.
        """
        if self.is_nowhere or options.mode() == "offline":
            return None
        asked = {"run_id": run_id}
        try:
            # Opening a store on a disk takes a while too.
            found = patience.within(
                lambda: calls.once(self.door(settled=False), "GET", "runs/get", asked)
            )
        except errors.RunstoneError as error:
            raise_as_mlflow(error)

        return reading.run(found["run"]) if found else None

    def _require(self, run_id: str) -> None:
        found = self.glance(run_id)
        if found and found.info.lifecycle_stage == "deleted":
            raise MlflowException(
                f"The run {run_id} must be in the 'active' state. Current state is "
                "deleted; restore it first",
                INVALID_PARAMETER_VALUE,
            )
        if not checks.OWN_RUN_ID.fullmatch(run_id):
            raise MlflowException(
                f"Runstone adds to runs whose id is 32 hex digits, not {run_id!r}",
                INVALID_PARAMETER_VALUE,
            )
