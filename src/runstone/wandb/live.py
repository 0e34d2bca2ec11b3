"""A run under W&B's names."""

import time
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from runstone.model import RunStatus
from runstone.sdk import failure, say
from runstone.sdk.run import Run as Core
from runstone.sdk.session import session
from runstone.wandb import labels
from runstone.wandb.asking import Record, address
from runstone.wandb.configs import Config
from runstone.wandb.data_types.media import Keeper, text_body
from runstone.wandb.files import Files
from runstone.wandb.history import History
from runstone.wandb.settings import Settings
from runstone.wandb.watching import Watch


class AlertLevel(StrEnum):
    """How urgent an alert is."""

    INFO = "INFO"
    WARN = "WARN"
    ERROR = "ERROR"


class Run(History):
    """
    A run.

    Nothing here waits for a server; what is logged is in a file of this machine when
    a call returns.

    Args:
        core: The run of ours.

        settings: What it was told at its start.

        given_id: The id by which it was asked for.

        leave: Ends it.
    """

    def __init__(
        self,
        core: Core,
        settings: Settings,
        *,
        given_id: str,
        leave: Callable[[RunStatus], None],
    ) -> None:
        mode = str(settings.mode or "online")
        self.disabled = mode == "disabled"
        """Whether nothing of it is kept at all."""

        self.offline = mode in ("offline", "dryrun")
        """Whether it is only kept on this machine for now."""

        super().__init__(core, Keeper(None if self.disabled else core))
        self._leave = leave
        self._settings = settings
        self._at_end: list[Callable[[], None]] = []
        self._at_good_end: list[Callable[[], None]] = []
        self._id = given_id
        self.start_time = time.time()
        self.resumed = False
        self.config = Config(self._say_config, change=bool(settings.allow_val_change))
        self._files = Files(core, settings, given_id)
        self._watch = Watch(self.log_body)

    def finish(self, exit_code: int | None = None, quiet: bool | None = None) -> None:
        """End the run; an *exit_code* that is not 0 says that it failed."""
        if self._finished:
            return
        self.wind_up()
        self._finished = True
        if not exit_code:
            for act in self._at_good_end:
                act()
        self._leave(RunStatus.FAILED if exit_code else RunStatus.FINISHED)

    def wind_up(self) -> None:
        """Do what has to be done before the end; twice does it once."""
        while self._at_end:
            self._at_end.pop()()
        self._watch.stop()
        self._files.finish()

    def alert(
        self,
        title: str,
        text: str,
        level: Any = None,
        wait_duration: Any = None,
    ) -> None:
        """Say something that people should look at; it is kept with the run."""
        said = str(getattr(level, "value", level) or "INFO").upper()
        item = {"title": title, "text": text, "level": said}
        self.log_body("alerts", {"type": "alert", "items": [item]})
        say.warn(f"{said}: {title}: {text}")

    def save(
        self,
        glob_str: Any = None,
        base_path: Any = None,
        policy: str = "live",
        glob: bool = True,
    ) -> list[str]:
        """
        Store files with the run.

        Args:
            glob_str: A path or a pattern.

            base_path: What of the paths is left out; the working folder by default.

            policy: "now"; "live", again at the end if they changed; or "end".

            glob: Whether `*` stands for names.

        Returns:
            Where they lie among the run's artifacts.
        """
        return self._files.save(glob_str, base_path, policy, is_pattern=glob)

    def restore(
        self,
        name: str,
        run_path: str | None = None,
        replace: bool = False,
        root: str | None = None,
    ) -> Any:
        """
        Fetch a file of this or another run and open it.

        Raises:
            ValueError: There is none.
        """
        return self._files.restore(name, run_path, replace=replace, root=root)

    def log_code(
        self,
        root: str | None = ".",
        name: str | None = None,
        include_fn: Callable[..., bool] | None = None,
        exclude_fn: Callable[..., bool] | None = None,
    ) -> list[str]:
        """Store the code below a folder; return the paths among the artifacts."""
        return self._files.log_code(Path(root or "."), include_fn, exclude_fn)

    def log_artifact(
        self,
        artifact_or_path: Any,
        name: str | None = None,
        type: str | None = None,
        aliases: Sequence[str] | None = None,
        tags: Sequence[str] | None = None,
    ) -> list[str]:
        """
        Store a file or a folder with the run; return the paths among the artifacts.

        Raises:
            Missing: It is an `Artifact`, which has versions.
        """
        return self._files.log_artifact(artifact_or_path, name)

    def log_model(
        self, path: Any, name: str | None = None, aliases: Sequence[str] | None = None
    ) -> list[str]:
        """Store a model's file or folder with the run."""
        return self._files.log_artifact(path, f"models/{name or Path(path).name}")

    def watch(
        self,
        models: Any,
        criterion: Any = None,
        log: str | None = "gradients",
        log_freq: int = 1000,
        idx: int | None = None,
        log_graph: bool = False,
    ) -> None:
        """
        Log histograms of a torch model's gradients and parameters.

        Args:
            models: One, or a list of them.

            criterion: Taken and unused.

            log: "gradients", "parameters", "all", or None.

            log_freq: Every how many passes.

            idx: Number of the model, in the names of what is logged.

            log_graph: Whether the model's text is kept too.
        """
        every = list(models) if isinstance(models, list | tuple) else [models]
        for number, model in enumerate(every, idx or 0):
            self._watch.start(model, number, log=log, every=log_freq)
            if log_graph:
                self.log_body(f"graph_{number}", text_body(str(model)))

    def unwatch(self, models: Any = None) -> None:
        """Stop what `watch` began."""
        self._watch.stop(models)

    def mark_preempting(self) -> None:
        """Note that this machine is about to be taken away."""
        self._core.set_tags({labels.PREEMPTING: "true"})

    @property
    def id(self) -> str:
        """The id by which the run was asked for."""
        return self._id

    @property
    def name(self) -> str:
        """How people call it."""
        return self._core.name

    @name.setter
    def name(self, name: str) -> None:
        self._core.name = name
        self._core.set_tags({labels.NAME: name})

    @property
    def notes(self) -> str | None:
        """A longer text."""
        return self._core.tags.get(labels.NOTES)

    @notes.setter
    def notes(self, notes: str) -> None:
        self._core.set_tags({labels.NOTES: notes})

    @property
    def tags(self) -> tuple[str, ...]:
        """Words to find it by."""
        return labels.words(self._core.tags)

    @tags.setter
    def tags(self, tags: Sequence[str]) -> None:
        for word in set(self.tags) - set(tags):
            self._core.delete_tag(labels.LABEL + word)
        self._core.set_tags(labels.of_words(tags))

    @property
    def group(self) -> str | None:
        """Name of the runs that belong together."""
        return self._core.tags.get(labels.GROUP)

    @property
    def job_type(self) -> str | None:
        """What kind of work it does."""
        return self._core.tags.get(labels.JOB)

    @property
    def project(self) -> str:
        """The experiment that it was begun in."""
        return str(self._settings.project)

    @property
    def entity(self) -> str:
        """Who it was said to belong to."""
        return str(self._settings.entity or "")

    @property
    def path(self) -> str:
        """Entity, project and id."""
        return "/".join(p for p in (self.entity, self.project, self._id) if p)

    @property
    def url(self) -> str | None:
        """Address of its page; None without a server."""
        if self.offline or self.disabled:
            return None

        return address(self._core.id)

    @property
    def project_url(self) -> str | None:
        """Address of the server's page."""
        return session.tracking_uri if self.url else None

    def get_url(self) -> str | None:
        """Return the address of its page."""
        return self.url

    @property
    def dir(self) -> str:
        """A folder for its files; what lies there at the end is stored."""
        return self._files.folder

    @property
    def settings(self) -> Settings:
        """What it was told at its start."""
        return self._settings

    @property
    def sweep_id(self) -> None:
        """None: there are no sweeps yet."""
        return

    def resume(self, old: Record) -> None:
        """Go on behind what an earlier process logged."""
        self.resumed = True
        self.config.restored(old.config)
        self._core.tags = {**old.tags, **self._core.tags}
        self._core.name = self._core.name or old.name
        self.go_on(old.next_step, last=old.last, put=old.put)

    def at_end(self, act: Callable[[], None]) -> None:
        """Have something done before the run ends."""
        self._at_end.append(act)

    def at_good_end(self, act: Callable[[], None]) -> None:
        """Have something done where the run ends well."""
        self._at_good_end.append(act)

    def is_of(self, core: Core) -> bool:
        """Say whether it is this run of ours."""
        return self._core is core

    def _label(self, *_: Any, **__: Any) -> None:
        """Do nothing: libraries tell W&B here that they are used."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None and not self._finished:
            self._core.set_tags(failure.tags(error))
        self.finish(exit_code=0 if error is None else 1)

    def __repr__(self) -> str:
        return f"<runstone run {self._id} {self.name!r}>"

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def _say_config(self, params: dict[str, str], whole: str) -> None:
        self._core.log_params(params, anew=True)
        self._core.set_tags({labels.CONFIG: whole})
