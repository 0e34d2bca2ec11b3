"""
How far things have come, as MLflow's names spell it.

Source: `mlflow/entities/{run_status,view_type,lifecycle_stage,source_type}.py`, 3.18.
"""

from typing import Final

from runstone.exceptions import INVALID_PARAMETER_VALUE, MlflowException


STATUSES: Final = ("RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED")


class RunStatus:
    """How far a run has come; in `run.info.status` it is the word."""

    RUNNING = 1
    SCHEDULED = 2
    FINISHED = 3
    FAILED = 4
    KILLED = 5

    @staticmethod
    def from_string(status_str: str) -> int:
        """Return the number of a word."""
        if status_str not in STATUSES:
            raise MlflowException(
                f"Could not get run status corresponding to string {status_str}. "
                f"Valid run status strings: {list(STATUSES)}",
                INVALID_PARAMETER_VALUE,
            )

        return STATUSES.index(status_str) + 1

    @staticmethod
    def to_string(status: int) -> str:
        """Return the word of a number."""
        if status not in RunStatus.all_status():
            raise MlflowException(
                f"Could not get string corresponding to run status {status}. Valid "
                f"run statuses: {RunStatus.all_status()}",
                INVALID_PARAMETER_VALUE,
            )

        return STATUSES[status - 1]

    @staticmethod
    def is_terminated(status: int) -> bool:
        """Say whether nothing more comes."""
        return status in (RunStatus.FINISHED, RunStatus.FAILED, RunStatus.KILLED)

    @staticmethod
    def all_status() -> list[int]:
        """Return every number."""
        return [1, 2, 3, 4, 5]


class ViewType:
    """What a search shows: what is in use, what is in the bin, or both."""

    ACTIVE_ONLY = 1
    DELETED_ONLY = 2
    ALL = 3

    @classmethod
    def from_string(cls, view_str: str) -> int:
        """Return the number of a word."""
        words = {
            "active_only": cls.ACTIVE_ONLY,
            "deleted_only": cls.DELETED_ONLY,
            "all": cls.ALL,
        }
        if view_str not in words:
            raise MlflowException(
                f"Could not get valid view type corresponding to string {view_str}. "
                f"Valid view types are {list(words)}",
                INVALID_PARAMETER_VALUE,
            )

        return words[view_str]

    @classmethod
    def to_string(cls, view_type: int) -> str:
        """Return the word of a number."""
        if view_type not in (1, 2, 3):
            raise MlflowException(
                f"Could not get valid view type corresponding to number {view_type}. "
                "Valid view types are 1 (active_only), 2 (deleted_only) and 3 (all)",
                INVALID_PARAMETER_VALUE,
            )

        return ("active_only", "deleted_only", "all")[view_type - 1]


class LifecycleStage:
    """Whether something is in use or in the bin."""

    ACTIVE = "active"
    DELETED = "deleted"


class SourceType:
    """What a run was started from; in the tag it is the word."""

    NOTEBOOK = 1
    JOB = 2
    PROJECT = 3
    LOCAL = 4
    UNKNOWN = 5

    @staticmethod
    def to_string(status: int) -> str:
        """Return the word of a number."""
        return ("NOTEBOOK", "JOB", "PROJECT", "LOCAL", "UNKNOWN")[status - 1]
