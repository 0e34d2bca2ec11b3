"""
Put the built web UI into the wheel, so that installing needs no Node.js.

An editable install is left alone: build the pages there with `python dev/web.py build`.
"""

import importlib.util
import os
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class WebBuildHook(BuildHookInterface[Any]):
    """Builds `web/` and adds the result as `runstone/static`."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the pages before the wheel is packed."""
        if version == "editable" or os.environ.get("RUNSTONE_SKIP_UI_BUILD"):
            return

        web = load(Path(self.root) / "dev" / "web.py")
        try:
            # Git ignores the folder, so the wheel would leave it out.
            build_data["force_include"][str(web.build())] = "runstone/static"
        except (web.NoNode, web.NpmFailed) as error:
            self.app.abort(f"The web UI was not built: {error}")


def load(path: Path) -> ModuleType:
    """Import a file that no package holds, as isolated builds see no folder of ours."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is missing; build from a whole checkout")

    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    return module
