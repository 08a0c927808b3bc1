"""The imports between our modules, read from their source, and the floors that pyproject.toml gives them."""

import ast
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent

Imports = dict[str, set[str]]  # a module or room → those that it imports


def read_contracts(root: Path = ROOT) -> list[dict[str, Any]]:
    """Return import-linter's layer contracts."""
    settings = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    contracts: list[dict[str, Any]] = settings["tool"]["importlinter"]["contracts"]
    return [contract for contract in contracts if contract["type"] == "layers"]


def floors(contracts: list[dict[str, Any]], container: str) -> dict[str, int]:
    """Return the number of each room's floor in a package, counted from the top; empty without a contract.

    Args:
        container: A package such as "rag_app", or "" for the packages themselves.
    """
    for contract in contracts:
        if contract.get("containers", [""]) == [container]:
            return {
                room.strip(" ()"): number
                for number, layer in enumerate(contract["layers"])
                for room in layer.replace(":", "|").split("|")
            }
    return {}


def module_imports(packages: list[str], root: Path = ROOT) -> Imports:
    """Return which of our modules each module imports, wherever in the module the import stands."""
    paths = {
        ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): path
        for package in packages
        for path in sorted((root / package).rglob("*.py"))
    }
    return {
        module: {
            found
            for name in _imported(path, module)
            if (found := _nearest(name, paths)) and found != module and not module.startswith(f"{found}.")
        }
        for module, path in paths.items()
    }


def room_imports(imports: Imports, package: str) -> Imports:
    """Return the imports between the rooms of a package: its folders and modules."""
    rooms: Imports = {}
    for module, imported in imports.items():
        if (room := _room(module, package)) is None:
            continue
        others = {_room(other, package) for other in imported}
        rooms.setdefault(room, set()).update(other for other in others if other and other != room)
    return rooms


def circles(imports: Mapping[str, set[str]]) -> list[list[str]]:
    """Return the groups of two or more that import each other, directly or through others (Tarjan, 1972)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(imports.get(node, ())):
            if other not in index:
                visit(other)
            if other in stack:
                low[node] = min(low[node], low[other])
        if low[node] == index[node]:
            start = stack.index(node)
            group = sorted(stack[start:])
            del stack[start:]
            if len(group) > 1:
                found.append(group)

    for node in sorted(imports):
        if node not in index:
            visit(node)
    return found


def _imported(path: Path, module: str) -> Iterator[str]:
    """Yield the full names that a module imports."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*parts, *filter(None, [node.module])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _nearest(name: str, known: Mapping[str, Path]) -> str | None:
    """Return the module that a name is, or that it lies in."""
    while name and name not in known:
        name = name.rpartition(".")[0]
    return name or None


def _room(module: str, package: str) -> str | None:
    """Return the room of a package that a module lies in; None for other packages and the package itself."""
    prefix = f"{package}." if package else ""
    return (
        module.removeprefix(prefix).split(".")[0] if module.startswith(prefix) and module != package else None
    )
