"""
Every error that Runstone raises on purpose.

    RunstoneError
    ├── InvalidInput               what was sent cannot be taken as it is
    │   ├── TooLarge               a value is over its limit
    │   ├── BadFilter              the filter or the order does not parse
    │   ├── UnsafePath             a path or URI would leave its root
    │   ├── NoSuchRange            the bytes asked for lie outside the artifact
    │   └── ParamChanged           a param already has another value
    ├── NotFound                   nothing has this name or id
    │   ├── ExperimentNotFound
    │   ├── RunNotFound
    │   ├── LoggedModelNotFound
    │   ├── TraceNotFound
    │   ├── ArtifactNotFound
    │   ├── UploadNotFound
    │   ├── ModelNotFound          no registered model has this name
    │   ├── VersionNotFound
    │   └── AliasNotFound
    ├── Conflict                   something is in the way
    │   ├── ExperimentExists
    │   ├── ExperimentDeleted      the experiment is in the bin
    │   ├── RunDeleted             the run is in the bin
    │   ├── ModelExists            a registered model or a prompt has this name
    │   └── HolderChanged          somebody else was there first
    ├── Refused                    the rules of this server forbid it
    ├── NotBuilt                   the protocol has it, Runstone does not (yet)
    ├── Unavailable                try again: busy, away or out of space
    └── Unusable                   the store or the settings cannot be used
        └── SchemaTooNew           written by a newer Runstone

The class says what happened, `args` keep the facts, and the text says what
would help.  No class here knows HTTP, a wire or an exit code: each door has
its own table for that.
"""


class RunstoneError(Exception):
    """
    Anything that Runstone raises on purpose.

    Attributes:
        code: What a server called it on the wire; empty where none did.
    """

    code: str = ""


class InvalidInput(RunstoneError):
    """What was sent cannot be taken as it is."""


class TooLarge(InvalidInput):
    """A value is over its limit."""

    def __init__(self, what: str, size: int, limit: int) -> None:
        super().__init__(what, size, limit)
        self.what = what
        self.size = size
        self.limit = limit

    def __str__(self) -> str:
        return f"{self.what} is {self.size} long, expected at most {self.limit}"


class BadFilter(InvalidInput):
    """
    A filter or an order does not parse.

    Attributes:
        text: The whole filter as it was sent.

        position: Index of the first character that does not fit, from 0.

        expected: What would have fitted there.
    """

    def __init__(self, text: str, position: int, expected: str) -> None:
        super().__init__(text, position, expected)
        self.text = text
        self.position = position
        self.expected = expected

    def __str__(self) -> str:
        before = self.text[max(0, self.position - 40) : self.position]
        after = self.text[self.position : self.position + 40]
        return (
            f"Invalid filter at character {self.position + 1}: expected "
            f"{self.expected}; here: {before}»{after}"
        )


class UnsafePath(InvalidInput):
    """A path or URI would leave its root, or hides what it names."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(path, why)
        self.path = path
        self.why = why

    def __str__(self) -> str:
        return f"Invalid path {self.path[:200]!r}: {self.why}"


class NoSuchRange(InvalidInput):
    """The bytes asked for lie outside the artifact."""

    def __init__(self, path: str, size_bytes: int) -> None:
        super().__init__(path, size_bytes)
        self.path = path
        self.size_bytes = size_bytes

    def __str__(self) -> str:
        return (
            f"{self.path!r} has {self.size_bytes} bytes; ask for a range that starts "
            "before its end"
        )


class ParamChanged(InvalidInput):
    """A param already has another value; params are written once."""

    def __init__(self, key: str, old: str, new: str) -> None:
        super().__init__(key, old, new)
        self.key = key
        self.old = old
        self.new = new

    def __str__(self) -> str:
        return (
            f"Changing param values is not allowed. Param with key={self.key!r} was "
            f"already logged with value={self.old!r}; attempted to log "
            f"{self.new!r}. Use a tag, or another key, for what changes"
        )


class NotFound(RunstoneError):
    """Nothing has this name or id."""


class ExperimentNotFound(NotFound):
    """No experiment has this id or name."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"Could not find experiment {self.name!r}; create it first"


class RunNotFound(NotFound):
    """No run has this id."""

    def __init__(self, run_id: str) -> None:
        super().__init__(run_id)
        self.run_id = run_id

    def __str__(self) -> str:
        return f"Run with id={self.run_id} not found"


class LoggedModelNotFound(NotFound):
    """No logged model has this id, or it is deleted."""

    def __init__(self, model_id: str) -> None:
        super().__init__(model_id)
        self.model_id = model_id

    def __str__(self) -> str:
        return (
            f"Logged model with ID {self.model_id[:100]!r} not found; search the "
            "models of its experiment to see what is there"
        )


class TraceNotFound(NotFound):
    """No trace has this id."""

    def __init__(self, trace_id: str) -> None:
        super().__init__(trace_id)
        self.trace_id = trace_id

    def __str__(self) -> str:
        return f"Trace with ID {self.trace_id[:100]!r} not found"


class ArtifactNotFound(NotFound):
    """No artifact lies at this path."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path

    def __str__(self) -> str:
        return f"No artifact at {self.path!r}; list its folder to see what is there"


class UploadNotFound(NotFound):
    """No upload in parts has this id, or it is over."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path

    def __str__(self) -> str:
        return f"No upload of {self.path!r} is open under this id; begin a new one"


class ModelNotFound(NotFound):
    """No registered model has this name."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"Registered Model with name={self.name} not found"


class VersionNotFound(NotFound):
    """The registered model has no such version."""

    def __init__(self, name: str, version: int) -> None:
        super().__init__(name, version)
        self.name = name
        self.version = version

    def __str__(self) -> str:
        return f"Model Version (name={self.name}, version={self.version}) not found"


class AliasNotFound(NotFound):
    """The registered model has no such alias."""

    def __init__(self, alias: str) -> None:
        super().__init__(alias)
        self.alias = alias

    def __str__(self) -> str:
        return f"Registered model alias {self.alias} not found."


class Conflict(RunstoneError):
    """Something is in the way."""


class ExperimentExists(Conflict):
    """The name is taken, perhaps by a deleted experiment."""

    def __init__(self, name: str, *, deleted: bool) -> None:
        super().__init__(name)
        self.name = name
        self.deleted = deleted

    def __reduce__(self) -> tuple[object, ...]:
        return _exists, (self.name, self.deleted)

    def __str__(self) -> str:
        if self.deleted:
            return (
                f"Experiment {self.name!r} already exists in deleted state. You can "
                "restore it, or permanently delete it to create a new one"
            )
        return f"Experiment {self.name!r} already exists; use it, or another name"


def _exists(name: str, deleted: bool) -> ExperimentExists:  # noqa: FBT001  # unpickling passes by position
    return ExperimentExists(name, deleted=deleted)


class ExperimentDeleted(Conflict):
    """The experiment is in the bin, so it takes nothing more."""

    def __init__(self, experiment_id: int) -> None:
        super().__init__(experiment_id)
        self.experiment_id = experiment_id

    def __str__(self) -> str:
        return (
            f"The experiment {self.experiment_id} must be in the 'active' state. "
            "Current state is deleted; restore it first"
        )


class RunDeleted(Conflict):
    """The run is in the bin, so it takes nothing more."""

    def __init__(self, run_id: str) -> None:
        super().__init__(run_id)
        self.run_id = run_id

    def __str__(self) -> str:
        return (
            f"The run {self.run_id} must be in the 'active' state. "
            "Current state is deleted; restore it first"
        )


class ModelExists(Conflict):
    """
    A registered model, or a prompt, has this name already.

    Args:
        name: The name.

        old: What has it, "Prompt" or "Registered Model".

        new: What was to get it.
    """

    def __init__(self, name: str, old: str, new: str) -> None:
        super().__init__(name, old, new)
        self.name = name
        self.old = old
        self.new = new

    def __str__(self) -> str:
        if self.old == self.new:
            return f"{self.new} (name={self.name}) already exists."
        return (
            f"Tried to create a {self.new.lower()} with name {self.name!r}, but the "
            f"name is already taken by a {self.old.lower()}; choose another name"
        )


class HolderChanged(Conflict):
    """
    An alias or a stage is not where the caller thought it was.

    Args:
        what: Such as "alias 'champion' of 'iris'".

        expected: What the caller thought; None for nothing.

        present: What is true; None for nothing.
    """

    def __init__(self, what: str, expected: str | None, present: str | None) -> None:
        super().__init__(what, expected, present)
        self.what = what
        self.expected = expected
        self.present = present

    def __str__(self) -> str:
        return (
            f"{self.what} is at {self.present or 'nothing'} by now, expected "
            f"{self.expected or 'nothing'}; look at what changed, then send it "
            "again with the present one"
        )


class Refused(RunstoneError):
    """The rules of this server forbid it."""


class NotBuilt(RunstoneError):
    """The protocol has it, Runstone does not (yet)."""


class Unavailable(RunstoneError):
    """It may work in a moment: busy, away or out of space."""


class Unusable(RunstoneError):
    """The store or the settings cannot be used as they are."""


class SchemaTooNew(Unusable):
    """The database was written by a newer Runstone than this one."""

    def __init__(self, found: str, known: str) -> None:
        super().__init__(found, known)
        self.found = found
        self.known = known

    def __str__(self) -> str:
        return (
            f"The database has schema {self.found}, this Runstone knows up to "
            f"{self.known}; upgrade with: pip install --upgrade runstone"
        )
