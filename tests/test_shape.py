"""Nothing grows past what can be read at one sitting."""

import ast
from collections import Counter

from tests import tree


FILE_LINES = 500
FUNCTION_LINES = 60
FOLDER_FILES = 25


def test_no_file_is_long() -> None:
    """A long file has two subjects: give the second a file of its own."""
    lengths = {path: len(path.read_text().splitlines()) for path in tree.python_files()}

    assert {path: n for path, n in lengths.items() if n > FILE_LINES} == {}


def test_no_function_is_long() -> None:
    """A long function works on two levels: give the lower one a name."""
    long = []
    for path in tree.python_files():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or 0) - _first(node).lineno + 1
                if lines > FUNCTION_LINES:
                    long.append(f"{path.name}: {node.name} has {lines} lines")

    assert long == []


def _first(node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.stmt:
    """Return what is read first: the arguments of a peer and its words do not count."""
    is_documented = ast.get_docstring(node) is not None and len(node.body) > 1

    return node.body[1] if is_documented else node.body[0]


def test_no_folder_is_full() -> None:
    """A newcomer reads a folder at a glance."""
    folders = Counter(path.parent for path in tree.python_files())

    assert {folder: n for folder, n in folders.items() if n > FOLDER_FILES} == {}
