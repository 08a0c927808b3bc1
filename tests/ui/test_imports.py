"""What the page takes from rooms below the service: types of values, and nothing that acts."""

import ast
import dataclasses
import enum
import importlib
import tomllib
from pathlib import Path
from typing import Any, get_args

ROOT = Path(__file__).parents[2]
_PREFIX = "ui.** -> "


def value_modules() -> set[str]:
    """Return the modules that the import contract opens to every module of the page."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    (contract,) = (one for one in contracts if one["type"] == "forbidden" and one["source_modules"] == ["ui"])
    lines = contract["ignore_imports"]
    return {line.removeprefix(_PREFIX) for line in lines if line.startswith(_PREFIX)}


def imported(file: Path, modules: set[str]) -> list[tuple[str, str]]:
    """Return the modules among these and the names that a file imports from them."""
    return [
        (node.module, alias.name)
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module in modules
        for alias in node.names
    ]


def is_value(named: Any) -> bool:
    """Whether a name stands for a type of values, or for a constant."""
    if isinstance(named, type):
        kinds = [named, *named.__subclasses__()]  # a base of dataclasses is one of them
        return any(map(dataclasses.is_dataclass, kinds)) or issubclass(named, (enum.Enum, Exception))
    return bool(get_args(named)) or isinstance(named, (str, int, float, tuple, frozenset))


def test_the_page_imports_only_types_of_values_from_below_the_service() -> None:
    names = {one for file in (ROOT / "ui").rglob("*.py") for one in imported(file, value_modules())}
    assert names
    found = {f"{module}.{name}": getattr(importlib.import_module(module), name) for module, name in names}
    assert [name for name, named in found.items() if not is_value(named)] == []
