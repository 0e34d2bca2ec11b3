"""
The run that a process is about: `init`, `finish` and what asks for it.

The arguments of `init`:

    entity: Kept as a tag.

    project: Name of the experiment.

    dir: Where the run's folder is made, if somebody asks for it.

    id: Any text; the same project and id are the same run.

    name: How people call it; made up where none is given.

    notes: A longer text.

    tags: Words to find it by.

    config: What goes into it: a dict, what `argparse` parsed, a JSON or YAML file.

    config_exclude_keys: What of it is left out.

    config_include_keys: What of it is taken, and nothing else.

    allow_val_change: Whether config values may change without a word.

    group: Name of the runs that belong together.

    job_type: What kind of work it does.

    mode: "online", "offline" (kept here until `runstone sync`), "disabled"
        (nothing is kept), or "shared", which is online here.

    force: Taken and unused.

    reinit: What becomes of a run that is under way: "return_previous" (as by
        default), "finish_previous" (or True), or "create_new" beside it.

    resume: "allow", "must" exist, "never", or "auto": the run of this folder that
        did not end well.  An *id* that exists goes on in any case but "never".

    resume_from: Not built.

    fork_from: Not built.

    save_code: Whether the script is stored with the run.

    tensorboard: As *sync_tensorboard*.

    sync_tensorboard: Whether what goes to TensorBoard's files is logged too.

    monitor_gym: Taken and unused.

    settings: The same, by W&B's names for it.

    anonymous: Unused.
"""

import getpass
import json
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Final

from runstone import errors, names
from runstone.journal import Begin
from runstone.model import RunStatus
from runstone.sdk import door, options, say
from runstone.sdk.options import Mode
from runstone.sdk.run import Run as Core
from runstone.sdk.session import at_end, session
from runstone.wandb import asking, labels, util
from runstone.wandb import settings as told
from runstone.wandb.configs import Config
from runstone.wandb.errors import CommError, Error, Missing, UsageError
from runstone.wandb.live import Run
from runstone.wandb.settings import PROJECT, Settings


HOLDER: Final = "wandb"
RESUME_FILE: Final = "wandb-resume.json"
REINIT: Final = (None, "default", "return_previous", "finish_previous", "create_new")
RESUME: Final = ("allow", "must", "never", "auto")

FIELDS: Final = (
    "entity",
    "project",
    "root_dir",
    "run_id",
    "run_name",
    "run_notes",
    "run_tags",
    "allow_val_change",
    "run_group",
    "run_job_type",
    "mode",
    "resume",
    "save_code",
    "sync_tensorboard",
)
"""What `init` is told, by its names in W&B's settings."""

_open: list[Run] = []
"""Runs that have not ended, the one that everybody means last."""

_extra: list[Run] = []
"""Runs that were made beside it."""

_hooked: list[bool] = []


def current() -> Run | None:
    """Return the run that is under way."""
    return _open[-1] if _open else None


def require(name: str) -> Run:
    """
    Return the run that is under way.

    Raises:
        Error: There is none.
    """
    if not _open:
        raise Error(f"You must call wandb.init() before wandb.{name}")

    return _open[-1]


def init(
    entity: str | None = None,
    project: str | None = None,
    dir: Any = None,
    id: str | None = None,
    name: str | None = None,
    notes: str | None = None,
    tags: Sequence[str] | None = None,
    config: Any = None,
    config_exclude_keys: Sequence[str] | None = None,
    config_include_keys: Sequence[str] | None = None,
    allow_val_change: bool | None = None,
    group: str | None = None,
    job_type: str | None = None,
    mode: str | None = None,
    force: bool | None = None,
    reinit: bool | str | None = None,
    resume: bool | str | None = None,
    resume_from: str | None = None,
    fork_from: str | None = None,
    save_code: bool | None = None,
    tensorboard: bool | None = None,
    sync_tensorboard: bool | None = None,
    monitor_gym: bool | None = None,
    settings: Settings | Mapping[str, Any] | None = None,
    anonymous: Any = None,
) -> Run:
    """
    Begin a run, or go on with one.

    Nothing is asked of a server, but for *resume*.  With MLflow's names under way in
    this process it is their run.

    The arguments are described at the top of this file.

    Raises:
        UsageError: An argument means nothing, or *resume* does not find what it must.
        CommError: "must" or "never" cannot be answered, as the server is away.
    """
    if resume_from or fork_from:
        raise Missing("Runs cannot be rewound yet; begin one with group= of the old")
    if reinit not in REINIT and not isinstance(reinit, bool):
        raise UsageError(f"reinit is {reinit!r}, expected one of {REINIT[1:]}")
    given = told.made(settings)
    said = (entity, project, dir, id, name, notes, tags, allow_val_change, group)
    more = (job_type, mode, resume, save_code, sync_tensorboard or tensorboard)
    given.update(dict(zip(FIELDS, said + more, strict=True)))
    inputs = _picked(config, config_include_keys, config_exclude_keys)

    return _entered(given, inputs, reinit)


def _entered(
    given: Settings, inputs: Mapping[str, Any], reinit: bool | str | None
) -> Run:
    """Return the run that is under way, or begin one."""
    before = current()
    if before and reinit in (True, "finish_previous"):
        before.finish()
    elif before and reinit != "create_new":
        before.config.update(inputs, allow_val_change=True)
        return before

    run = _begun(given, beside=before is not None and reinit == "create_new")
    run.config.update(inputs, allow_val_change=True)
    if given.save_code and not run.disabled:
        _save_script(run)
    _follow_boards(run)

    return run


def finish(exit_code: int | None = None, quiet: bool | None = None) -> None:
    """End the run that is under way, if there is one."""
    run = current()
    if run is not None:
        run.finish(exit_code)


def teardown(exit_code: int | None = None) -> None:
    """End every run and send what is left."""
    for run in [*_extra, *_open]:
        run.finish(exit_code)
    session.flush(options.exit_seconds())


def _begun(given: Settings, *, beside: bool) -> Run:
    """Begin a run as it was told."""
    mode = _mode(given)
    given.update({"mode": mode, "project": given.project or PROJECT})
    if "base_url" in vars(given):
        session.set_tracking_uri(given.base_url)
    resume = _resume(given)
    if resume == "auto" and not given.run_id:
        given.update({"run_id": _left_behind(given)})
    number = util.run_number(given.project, given.run_id) if given.run_id else None
    old = _old(number, resume) if number and resume and mode == "online" else None

    begin = _beginning(given, is_new=number is None)
    parts = options.parts(options.PARTS)
    if mode == "disabled":
        core = Core(number or util.run_number("", util.generate_id()), None)
    elif beside:
        core = session.begin(begin, number, parts=parts, mode=mode)
    else:
        core = session.join(HOLDER, begin, number, parts=parts, mode=mode)
    run = Run(
        core,
        given,
        given_id=given.run_id or core.id,
        leave=partial(_left, core),
    )
    if old:
        run.resume(old)
    _keep(run, beside=beside)
    if resume == "auto":
        _leave_behind(run, given)
    if not run.disabled and not given.silent:
        kept = "kept here until: runstone sync" if run.offline else session.tracking_uri
        say.note(f"run {run.name or run.id} ({kept})")

    return run


def _mode(given: Settings) -> Mode:
    """Return the mode; what is said in the script goes before the environment."""
    said = vars(given).get("mode")
    if said is None:
        return options.mode()
    known: dict[str, Mode] = {
        "online": "online",
        "run": "online",
        "shared": "online",
        "offline": "offline",
        "dryrun": "offline",
        "disabled": "disabled",
    }
    if said not in known:
        raise UsageError(f"mode is {said!r}, expected one of {', '.join(known)}")

    return known[said]


def _resume(given: Settings) -> str | None:
    """Return how to go on, or None for as it comes."""
    said = given.resume
    if said in (None, False, "", "false", "False"):
        return None
    if said in (True, "true", "True"):
        return "auto"
    if said not in RESUME:
        raise UsageError(f"resume is {said!r}, expected one of {', '.join(RESUME)}")

    return str(said)


def _old(number: str, resume: str) -> asking.Record | None:
    """Return what the run was before, where the server knows it."""
    session.flush(asking.PATIENT_SECONDS)
    try:
        found = asking.run(number, door.to(session.tracking_uri))
    except errors.NotFound:
        if resume == "must":
            raise UsageError(
                'resume="must", and there is no run of this id in this project; '
                'resume="allow" begins it'
            ) from None
        return None
    except errors.RunstoneError as error:
        if resume in ("must", "never"):
            raise CommError(f'resume="{resume}" needs the server: {error}') from error
        say.warn(f"the run goes on without its old steps: {error}")
        return None
    if resume == "never":
        raise UsageError(
            'resume="never", and the run of this id exists; take another id'
        )

    return found


def _beginning(given: Settings, *, is_new: bool) -> Begin:
    """Return what the run begins with; an id that was given may be of an old run."""
    user = _user()
    tags = {
        "mlflow.user": user,
        "mlflow.source.name": sys.argv[0] if sys.argv else "",
        "mlflow.source.type": "LOCAL",
        labels.ID: given.run_id,
        labels.ENTITY: given.entity,
        labels.GROUP: given.run_group,
        labels.JOB: given.run_job_type,
        labels.NOTES: given.run_notes,
        **labels.of_words(given.labels),
    }

    return Begin(
        experiment=given.project,
        name=given.run_name or (names.new() if is_new else ""),
        user=user,
        start_ms=time.time_ns() // 1_000_000,
        tags={key: str(value) for key, value in tags.items() if value},
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container without users
        return ""


def _keep(run: Run, *, beside: bool) -> None:
    """Make a run the one that is under way, and have its end seen to."""
    (_extra if beside else _open).append(run)
    if not _hooked:
        _hooked.append(True)
        at_end(_wind_up)


def _wind_up() -> None:
    """Do what runs have to do before the session ends them with the process."""
    for run in [*_extra, *_open]:
        run.wind_up()


def _left(core: Core, status: RunStatus) -> None:
    for runs in (_open, _extra):
        runs[:] = [run for run in runs if not run.is_of(core)]
    session.leave(HOLDER, core, status)


def _picked(
    config: Any, include: Sequence[str] | None, exclude: Sequence[str] | None
) -> dict[str, Any]:
    if include and exclude:
        raise UsageError("Say config_include_keys or config_exclude_keys, not both")
    whole = Config()
    whole.update(config)

    return {
        key: value
        for key, value in whole.items()
        if (not include or key in include) and key not in (exclude or ())
    }


def _follow_boards(run: Run) -> None:
    """Follow TensorBoard's files, if somebody wants that."""
    wanted = run.settings.sync_tensorboard
    if run.disabled or not (wanted or "runstone.wandb.tensorboard" in sys.modules):
        return
    from runstone.wandb import tensorboard

    if wanted or tensorboard.roots:
        tensorboard.follow(run)


def _save_script(run: Run) -> None:
    script = Path(sys.argv[0] if sys.argv else "")
    if script.is_file():
        run.log_artifact(script, "code")


def _resume_file(given: Settings) -> Path:
    return Path(given.root_dir or ".") / "wandb" / RESUME_FILE


def _left_behind(given: Settings) -> str:
    """Return the id of the run of this folder that did not end well, or a new one."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        return str(json.loads(_resume_file(given).read_text())["run_id"])

    return util.generate_id()


def _leave_behind(run: Run, given: Settings) -> None:
    path = _resume_file(given)
    with suppress(OSError):  # a folder that takes no files resumes nothing
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"run_id": run.id}))
        run.at_good_end(partial(path.unlink, missing_ok=True))
