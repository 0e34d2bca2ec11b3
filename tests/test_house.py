"""The repository keeps what it promises to a newcomer."""

import re
from pathlib import Path

import pytest

from tests import tree


READMES = ("README.md", "README.ko.md")
TEXT = {".py", ".md", ".toml", ".json", ".ts", ".tsx", ".yml", ".yaml", ".sh", ".css"}

# Spelled in two halves, or this file would hold what it forbids.
MACHINE_PATHS = ("/work" + "/", "/tmp" + "/w/", "/root" + "/", "/home" + "/runner")
REGISTRY_HOSTS = ("pypi" + ".org", "registry" + ".npmjs", "deb" + ".debian")


def test_the_lock_file_names_no_host() -> None:
    """The packages come from whichever registry the builder has."""
    lock = tree.ROOT / "web" / "package-lock.json"
    if not lock.exists():
        pytest.skip("this checkout has no web UI")

    assert '"resolved"' not in lock.read_text()


@pytest.mark.parametrize("name", READMES)
def test_a_command_of_the_readme_is_in_the_makefile(name: str) -> None:
    """What a newcomer types first has to work."""
    targets = re.findall(r"^([a-z-]+):", _read("Makefile"), flags=re.MULTILINE)

    assert _commands(name)
    assert set(_commands(name)) <= set(targets)


def test_both_readmes_name_the_same_commands() -> None:
    """A translation that fell behind would send its readers astray."""
    first, second = (re.findall(r"```(.*?)```", _read(n), re.DOTALL) for n in READMES)

    assert first == second


def test_the_documents_link_to_what_is_there() -> None:
    """A link between our own pages never leads nowhere."""
    links = [
        (page, target)
        for page in tree.files()
        if page.suffix == ".md"
        for target in re.findall(r"\]\(([^)#:]+)[^):]*\)", page.read_text())
    ]

    broken = [
        f"{page.relative_to(tree.ROOT)} -> {target}"
        for page, target in links
        if not (page.parent / target).exists()
    ]

    assert broken == []


def test_nothing_of_one_machine_is_in_the_tree() -> None:
    """No path of a developer's machine, no host of a registry."""
    found = [
        f"{path.relative_to(tree.ROOT)}: {word}"
        for path in tree.files()
        if path.suffix in TEXT or path.name in {"Makefile", "run"}
        for word in (*MACHINE_PATHS, *REGISTRY_HOSTS)
        # Not inside of another path: `proc/self/root/etc` is any machine's.
        if re.search(rf"(?<!\w){word}", path.read_text(encoding="utf-8"))
    ]

    assert found == []


def test_ci_does_what_the_readme_says() -> None:
    """CI that takes another way would not notice when ours breaks."""
    script = _read(".ci/run")

    assert "make check" in script
    assert "make demo EXIT=1" in script


def _read(name: str) -> str:
    return Path(tree.ROOT / name).read_text(encoding="utf-8")


def _commands(name: str) -> list[str]:
    """List the make commands that a document tells people to type."""
    return re.findall(r"\bmake ([a-z-]+)", "".join(_code(_read(name))))


def _code(text: str) -> list[str]:
    return re.findall(r"```.*?```|`[^`]+`", text, flags=re.DOTALL)
