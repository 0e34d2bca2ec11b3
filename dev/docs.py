"""
Write the pages of docs/reference from the code: `make docs`.

With `--check` nothing is written: the command fails where a page is not what the
code says.  A part that this checkout does not have gets no page.
"""

import ast
import importlib
import importlib.util
import inspect
import pkgutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import click

from dev import endpoints
from runstone import errors, limits
from runstone.server import app, mlflow
from runstone.server.http import Route, Router


ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs" / "reference"
WIDTH = 80
"""Columns of the help text, whatever the terminal of the writer."""

REFUSED: Mapping[str, tuple[str, ...]] = {
    "traces of other stores": (
        "/api/2.0/mlflow/unified-traces",
        "/api/2.0/mlflow/get-online-trace-details",
    ),
    "users and permissions": (
        "/api/2.0/mlflow/users/create",
        "/api/2.0/mlflow/experiments/permissions/create",
        "/signup",
    ),
    "prompts, scorers, gateway, jobs and the pages' own questions": (
        "/api/3.0/mlflow/scorers/list",
        "/ajax-api/2.0/mlflow/gateway-proxy",
        "/ajax-api/3.0/jobs/search",
        "/graphql",
    ),
}
"""What of MLflow's protocol is not built, by a path or two of each part."""


def pages() -> Mapping[Path, str]:
    """Render every page; a path for each text."""
    rendered = {
        "errors.md": _errors(),
        "limits.md": _limits(),
        "settings.md": _settings(),
        "cli.md": _cli(),
        "routes.md": _routes(),
        "mlflow-endpoints.md": _endpoints(),
    }

    return {REFERENCE / name: text for name, text in rendered.items() if text}


def stale() -> list[Path]:
    """List the pages that are not what the code says."""
    return [
        path
        for path, text in pages().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]


def constants() -> Iterator[tuple[str, object, str]]:
    """Yield each limit: its name, its value and the words below it."""
    body = ast.parse(inspect.getsource(limits)).body
    for index, node in enumerate(body):
        if not isinstance(node, ast.Assign) or not isinstance(
            node.targets[0], ast.Name
        ):
            continue
        name = node.targets[0].id
        after = body[index + 1] if index + 1 < len(body) else None
        yield name, getattr(limits, name), _text(after)


def commands() -> Iterator[tuple[str, click.Command]]:
    """Yield each command of ours with the words that call it, groups first."""
    group = _group()
    if group:
        yield from _below("runstone", group)


def _errors() -> str:
    """Render the tree of errors and what each class means."""
    tree = inspect.cleandoc(errors.__doc__ or "")
    head, _, rest = tree.partition("\n\n")
    drawing, _, words = rest.partition("\n\n")
    closing = " ".join(words.split())
    parts = [_heading("Errors"), head, f"```text\n{inspect.cleandoc(drawing)}\n```"]

    return "\n\n".join([*parts, closing.replace(". ", ".\n")]) + "\n"


def _limits() -> str:
    """Render a table of limits."""
    rows = [
        f"| `{name}` | {value:,} | {words} |"
        for name, value, words in constants()
        if isinstance(value, int) and words
    ]
    head = [_heading("Limits"), "", "| limit | value | what it bounds |"]

    return "\n".join([*head, "|---|---:|---|", *rows]) + "\n"


def _settings() -> str:
    """Render a section for each setting."""
    if not _exists("runstone.settings"):
        return ""

    settings = importlib.import_module("runstone.settings")
    text = [
        _heading("Settings"),
        "",
        "A flag wins over the environment, and that over the file.",
        "",
    ]
    for field in settings.fields():
        names = ", ".join(f"`{name}`" for name in field.environment)
        text += [f"## {field.name}", "", field.help.replace(". ", ".\n"), ""]
        text += [f"- Default: {_default(field.default)}", f"- Environment: {names}", ""]

    return "\n".join(text)


def _cli() -> str:
    """Render what `--help` prints, for every command."""
    sections = [
        f"## {name}\n\n```text\n{_help(name, command)}\n```"
        for name, command in commands()
    ]
    if not sections:
        return ""

    return "\n\n".join([_heading("Command line"), *sections]) + "\n"


def _routes() -> str:
    """Render every route, MLflow's once for all its prefixes, and what is refused."""
    shown = [route for route in app.routes() if not _is_double(route)]
    ours = [route for route in shown if route.path.startswith("/api/v1/")]
    theirs = [route for route in shown if "/mlflow" in route.path]
    others = [route for route in shown if route not in (*ours, *theirs)]
    prefixes = ", ".join(f"`{prefix}`" for prefix in mlflow.PREFIXES)
    refused = [
        f"| {part} | {', '.join(f'`{path}`' for path in _refused(paths))} |"
        for part, paths in REFUSED.items()
    ]
    sections = [
        _heading("Routes"),
        "Each route names the right that it needs; as long as there is no login, "
        "everyone has every right.\nA running server says the same, with types, at "
        "`/api/v1/openapi.json`.",
        f"## Ours\n\n{_table(ours)}",
        f"## MLflow's\n\nEach of `/api/2.0/` is served under {prefixes}; "
        "only the oldest and the newest forms of traces are served where they stand, "
        "and under `/ajax-api/`.\n\n" + _table(theirs),
        f"## Others\n\n{_table(others)}",
        "## What of MLflow's is not built\n\nIt is refused by name, with the status "
        "501 and the code `NOT_IMPLEMENTED`, and never by silence.\n\n"
        "| part | such as |\n|---|---|\n" + "\n".join(refused),
    ]

    return "\n\n".join(sections) + "\n"


def _endpoints() -> str:
    """Render every endpoint of MLflow's: built, or refused."""
    return f"{_heading('MLflow endpoints')}\n\n{endpoints.page()}"


def _is_double(route: Route) -> bool:
    """Say whether a route is one that stands under MLflow's first prefix as well."""
    return any(
        route.path.startswith(prefix)
        and route._replace(path=first + route.path.removeprefix(prefix)) in app.routes()
        for first, prefix in [
            *((mlflow.PREFIXES[0], prefix) for prefix in mlflow.PREFIXES[1:]),
            (mlflow.PREFIXES[1], mlflow.PREFIXES[3]),
        ]
    )


def _table(routes: Iterable[Route]) -> str:
    rows = [
        f"| {route.method} | `{route.path}` | {_first_line(route.endpoint)} "
        f"| {route.right} |"
        for route in routes
    ]

    return "\n".join(
        ["| method | path | what it does | right |", "|---|---|---|---|", *rows]
    )


def _first_line(endpoint: object) -> str:
    return (inspect.getdoc(endpoint) or "").partition("\n")[0]


def _refused(paths: Sequence[str]) -> Sequence[str]:
    """Return the paths, having made sure that they are known and lead nowhere."""
    router = Router(app.routes())
    for path in paths:
        if router.methods(path) or not mlflow.knows(path):
            raise ValueError(f"{path} is not refused by name; mend REFUSED")

    return paths


def _heading(title: str) -> str:
    return (
        f"# {title}\n\n<!-- Written by `make docs`: change the code, not this page. -->"
    )


def _text(node: ast.stmt | None) -> str:
    """Read the string that stands below an assignment."""
    if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Constant):
        return ""

    return " ".join(str(node.value.value).split())


def _default(value: object) -> str:
    if value is None or value in ("", ()):
        return "unset"

    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _exists(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def _group() -> click.Group | None:
    """Find the group that holds all the others."""
    package = importlib.import_module("runstone.cli")
    names = [module.name for module in pkgutil.iter_modules(package.__path__)]
    modules = [package, *(importlib.import_module(f"runstone.cli.{n}") for n in names)]
    values = [value for module in modules for value in vars(module).values()]
    groups = [value for value in values if isinstance(value, click.Group)]
    inner = {id(command) for group in groups for command in group.commands.values()}

    return next((group for group in groups if id(group) not in inner), None)


def _below(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=name)
        for part in command.list_commands(context):
            child = command.get_command(context, part)
            if child and not child.hidden:
                yield from _below(f"{name} {part}", child)


def _help(name: str, command: click.Command) -> str:
    width = {"terminal_width": WIDTH, "max_content_width": WIDTH}
    context = click.Context(command, info_name=name, **width)  # type: ignore[arg-type]

    return command.get_help(context).rstrip()


def main() -> int:
    """Write the pages, or compare them; return the exit code."""
    outdated = stale()
    names = ", ".join(str(path.relative_to(ROOT)) for path in outdated)
    if "--check" in sys.argv[1:]:
        if outdated:
            print(f"not what the code says: {names}; run `make docs`", file=sys.stderr)
        return 1 if outdated else 0

    REFERENCE.mkdir(parents=True, exist_ok=True)
    texts = pages()
    for path in outdated:
        path.write_text(texts[path], encoding="utf-8")
    print(f"renewed: {names}" if outdated else "docs/reference is what the code says")

    return 0


if __name__ == "__main__":
    sys.exit(main())
