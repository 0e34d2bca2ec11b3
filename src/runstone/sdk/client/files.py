"""Artifacts, by MLflow's client."""

import io
import json
import posixpath
import re
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from weakref import WeakKeyDictionary

from runstone import errors
from runstone.entities import FileInfo
from runstone.exceptions import (
    INVALID_PARAMETER_VALUE,
    RESOURCE_DOES_NOT_EXIST,
    MlflowException,
    raise_as_mlflow,
)
from runstone.sdk import checks, images, reading, say, tables
from runstone.sdk.client.base import Logged, every
from runstone.sdk.client.runs import Runs
from runstone.sdk.run import Run as OpenRun


IMAGES_TAG: Final = "mlflow.loggedImages"
TABLES_TAG: Final = "mlflow.loggedArtifacts"
_tables: WeakKeyDictionary[OpenRun, dict[str, tables.Table]] = WeakKeyDictionary()
"""Tables that this process wrote, so that adding to one needs no question."""

IMAGE_KEY: Final = re.compile(r"[a-zA-Z0-9_\-./ ]+")


class Files(Runs):
    """What is asked and said of artifacts."""

    def log_artifact(
        self, run_id: str, local_path: str, artifact_path: str | None = None
    ) -> None:
        """
        Store a file, or a folder under its name, as an artifact.

        Args:
            run_id: The run's.

            local_path: It is copied at once and may change then.

            artifact_path: Folder of the artifacts where it goes.
        """
        source = Path(local_path)
        run = self.open_run(run_id)
        if source.is_dir():
            within = posixpath.join(artifact_path or "", source.resolve().name)
            self.log_artifacts(run_id, local_path, within)
            return
        path = posixpath.join(artifact_path or "", source.name)
        run.log_file(source, artifact_file(path))

    def log_artifacts(
        self, run_id: str, local_dir: str, artifact_path: str | None = None
    ) -> None:
        """Store all that lies in a folder as artifacts."""
        folder = Path(local_dir)
        if not folder.is_dir():
            raise MlflowException(
                f"No such folder: {local_dir!r}", INVALID_PARAMETER_VALUE
            )
        run = self.open_run(run_id)
        for source in sorted(folder.rglob("*")):
            if source.is_file():
                below = source.relative_to(folder).as_posix()
                path = posixpath.join(artifact_path or "", below)
                run.log_file(source, artifact_file(path))

    def log_text(self, run_id: str, text: str, artifact_file: str) -> None:
        """Store a text as an artifact."""
        self._put(run_id, text.encode(), artifact_file)

    def log_dict(
        self, run_id: str, dictionary: Mapping[str, Any], artifact_file: str
    ) -> None:
        """Store a dict as JSON, or as YAML where the name ends in .yml or .yaml."""
        self._put(run_id, _written(dictionary, artifact_file), artifact_file)

    def log_stream(self, run_id: str, stream: Any, artifact_file: str) -> None:
        """Store what a stream yields as an artifact."""
        self._put(run_id, stream.read(), artifact_file)

    def log_figure(
        self,
        run_id: str,
        figure: Any,
        artifact_file: str,
        *,
        save_kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        """
        Store a figure of Matplotlib or Plotly as an artifact.

        Args:
            run_id: The run's.

            figure: The figure.

            artifact_file: Its ending chooses the format.

            save_kwargs: Arguments for the library's own function.
        """
        content = images.figure(figure, artifact_file, dict(save_kwargs or {}))
        self._put(run_id, content, artifact_file)

    def log_image(
        self,
        run_id: str,
        image: Any,
        artifact_file: str | None = None,
        key: str | None = None,
        step: int | None = None,
        timestamp: int | None = None,
        synchronous: bool | None = None,
    ) -> Logged | None:
        """
        Store an image as an artifact, or at a step of a series of images.

        Args:
            run_id: The run's.

            image: NumPy array (H x W or H x W x 1, 3 or 4; integers of 0 to 255 or
                floats of 0 to 1), PIL image, or `runstone.Image`.

            artifact_file: Its ending chooses the format; without a key.

            key: Name of a series of images.

            step: Where in the series; 0 by default.

            timestamp: Milliseconds since the epoch, UTC; now by default.

            synchronous: False returns something to wait for.
        """
        if artifact_file is not None and (key, step, timestamp) != (None, None, None):
            raise TypeError(
                "The `artifact_file` parameter cannot be used in conjunction with "
                "`key`, `step`, or `timestamp` parameters."
            )
        picture = images.pil(image)
        if artifact_file is not None:
            self._put(run_id, images.encoded(picture, artifact_file), artifact_file)
        elif key is not None:
            self._log_at_step(run_id, picture, key, step or 0, timestamp)
        else:
            raise TypeError(
                "Invalid arguments: Please specify exactly one of `artifact_file` or "
                "`key`."
            )

        return Logged() if synchronous is False else None

    def log_table(self, run_id: str, data: Any, artifact_file: str) -> None:
        """
        Store a table as an artifact, or add its rows to one that is there.

        Args:
            run_id: The run's.

            data: A dict of columns, or a DataFrame.

            artifact_file: A name that ends in .json or .parquet.
        """
        tables.require_name(artifact_file)
        run = self.open_run(run_id)
        table = tables.table(
            data, lambda image: self._in_table(run, image, artifact_file)
        )
        before = self._table_before(run, artifact_file)
        whole = before.joined(table) if before else table
        _tables.setdefault(run, {})[artifact_file] = whole
        run.log_bytes(whole.encoded(artifact_file), artifact_file)
        self._note_table(run, artifact_file)

    def load_table(
        self,
        experiment_id: str,
        artifact_file: str,
        run_ids: list[str] | None = None,
        extra_columns: list[str] | None = None,
    ) -> Any:
        """
        Return the table that runs of an experiment stored under a name.

        Args:
            experiment_id: Where to look.

            artifact_file: Name of the table.

            run_ids: Only these.

            extra_columns: Columns of `search_runs` that go beside each row, such as
                "run_id".

        Returns:
            DataFrame; empty where no run has it.
        """
        tables.require_name(artifact_file)
        wanted = (
            f'tags.{TABLES_TAG} LIKE \'%"path"%:%"{artifact_file}",%"type"%:%"table"%\''
        )
        if run_ids:
            wanted += f" AND attributes.run_id IN ({', '.join(map(repr, run_ids))})"
        runs = every(
            lambda most, token: self.search_runs(
                [experiment_id], wanted, max_results=most, page_token=token
            )
        )
        if run_ids and len(run_ids) != len(runs):
            say.warn(f"not all of these runs have the table {artifact_file!r}")

        return tables.load(
            runs,
            lambda run_id: self._stored(run_id, artifact_file),
            extra_columns or (),
        )

    def list_artifacts(self, run_id: str, path: str | None = None) -> list[FileInfo]:
        """List a folder of a run's artifacts."""
        found = self.ask(
            "GET", "artifacts/list", run_id=checks.run_id(run_id), path=path or None
        )

        return [reading.file_info(each) for each in found.get("files", ())]

    def download_artifacts(
        self, run_id: str, path: str, dst_path: str | None = None
    ) -> str:
        """
        Download a file or a folder of a run's artifacts.

        Args:
            run_id: The run's.

            path: Of the artifact; "" is all.

            dst_path: Folder to put it into; a temporary one by default.

        Returns:
            Where it lies now.
        """
        root = Path(dst_path or tempfile.mkdtemp(prefix="runstone-")).absolute()
        root.mkdir(parents=True, exist_ok=True)
        clean = path.strip("/")
        files = list(self._below(run_id, clean))
        for each in files or [clean]:
            self._fetch(run_id, each, root / safe(each))

        return str(root / safe(clean)) if clean else str(root)

    def _below(self, run_id: str, path: str) -> Iterator[str]:
        """Yield the files in a folder; none where it is a file."""
        for item in self.list_artifacts(run_id, path):
            if item.is_dir:
                yield from self._below(run_id, item.path)
            elif item.path != path:
                yield item.path

    def _fetch(self, run_id: str, path: str, target: Path) -> None:
        way = self.door()
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = target.with_name(f"{target.name}.{uuid.uuid4().hex[:8]}")
        try:
            with aside.open("wb") as file:
                query = {"run_uuid": run_id, "path": path}
                for piece in way.fetch("/get-artifact", query=query):
                    file.write(piece)
            aside.replace(target)
        except errors.NotFound as error:
            raise MlflowException(str(error), RESOURCE_DOES_NOT_EXIST) from error
        except errors.RunstoneError as error:
            raise_as_mlflow(error)
        finally:
            aside.unlink(missing_ok=True)

    def _put(self, run_id: str, content: bytes, path: str) -> None:
        self.open_run(run_id).log_bytes(content, artifact_file(path))

    def _log_at_step(
        self, run_id: str, picture: Any, key: str, step: int, timestamp: int | None
    ) -> None:
        """Store an image as MLflow's pages look for it, and as media at a step."""
        if not IMAGE_KEY.fullmatch(key):
            raise ValueError(
                "The `key` parameter may only contain alphanumerics, underscores (_), "
                "dashes (-), periods (.), spaces ( ), and slashes (/). The provided "
                f"key `{key}` contains invalid characters."
            )
        run = self.open_run(run_id)
        at = timestamp if timestamp is not None else time.time_ns() // 1_000_000
        name = key.replace("/", "~")
        stem = f"images/{name}+step+{step}+timestamp+{at}+{uuid.uuid4()}"
        run.log_bytes(images.encoded(picture, ".png"), f"{stem}.png")
        small = images.encoded(images.small(picture), ".webp")
        run.log_bytes(small, f"{stem}+compressed.webp")
        run.log_media(key, images.media(picture, f"{stem}.png"), step=step)
        if run.tags.get(IMAGES_TAG) != "True":
            run.set_tags({IMAGES_TAG: "True"})

    def _in_table(self, run: OpenRun, image: Any, file: str) -> dict[str, str]:
        """Store an image that stands in a cell."""
        stem = f"table_images/{posixpath.splitext(file)[0]}/{uuid.uuid4()}"
        picture = images.pil(image)
        run.log_bytes(images.encoded(picture, ".png"), f"{stem}.png")
        small = images.encoded(images.small(picture), ".webp")
        run.log_bytes(small, f"{stem}.webp")

        return {
            "type": "image",
            "filepath": f"{stem}.png",
            "compressed_filepath": f"{stem}.webp",
        }

    def _table_before(self, run: OpenRun, file: str) -> tables.Table | None:
        """Return the table that is there: this process's own needs no question."""
        mine = _tables.get(run, {})
        if file in mine or run.is_new:
            return mine.get(file)

        return self._stored(run.id, file)

    def _stored(self, run_id: str, file: str) -> tables.Table | None:
        """Return a table of a run as the server has it."""
        folder = posixpath.dirname(file)
        if file not in (item.path for item in self.list_artifacts(run_id, folder)):
            return None
        with tempfile.TemporaryDirectory() as place:
            return tables.read(Path(self.download_artifacts(run_id, file, place)))

    def _note_table(self, run: OpenRun, file: str) -> None:
        """Let MLflow's pages, and `load_table`, know that the file is a table."""
        said = run.tags.get(TABLES_TAG)
        if said is None and not run.is_new:
            said = self.get_run(run.id).data.tags.get(TABLES_TAG)
        noted = json.loads(said or "[]")
        entry = {"path": file, "type": "table"}
        if entry not in noted:
            run.set_tags({TABLES_TAG: json.dumps([*noted, entry])})


def artifact_file(path: str) -> str:
    """
    Return the path of an artifact.

    Raises:
        MlflowException: It leads out of the run's artifacts, or names none.
    """
    clean = posixpath.normpath(str(path).replace("\\", "/"))
    if clean in ("", ".") or clean.startswith(("/", "..")) or "\0" in clean:
        raise MlflowException(
            f"Invalid artifact path: {path!r}. Name a file below the run's artifacts",
            INVALID_PARAMETER_VALUE,
        )

    return clean


def safe(path: str) -> Path:
    """
    Return an artifact's path as one below a folder here.

    Raises:
        MlflowException: A server would lead us out of the folder.
    """
    parts = path.split("/")
    if ".." in parts or Path(path).anchor or "\0" in path:
        raise MlflowException(
            f"Unsafe artifact path: {path!r}", INVALID_PARAMETER_VALUE
        )

    return Path(*parts)


def _written(dictionary: Mapping[str, Any], name: str) -> bytes:
    if name.endswith((".yml", ".yaml")):
        try:
            import yaml
        except ImportError:
            pass  # JSON is YAML too
        else:
            text = io.StringIO()
            yaml.dump(dictionary, text, indent=2, default_flow_style=False)
            return text.getvalue().encode()

    return json.dumps(dictionary, indent=2, default=str).encode()
