"""The floor plan: which room imports which, drawn as floors. An import that goes up or round is an error.

python docs/scripts/floor_plan.py    exit 1 and name each import that goes up and each circle
"""

import sys
from collections.abc import Iterator
from html import escape
from itertools import pairwise
from pathlib import Path

from imports import ROOT, Imports, circles, floors, module_imports, read_contracts, room_imports

PACKAGES = ("ui", "rag_app", "retrievers", "ingestion")  # from the top floor down
ENTRANCES = {"__main__"}  # modules that belong to no floor

# Pixels.
_WIDTH, _MARGIN, _LANE = 1060, 20, 130
_BOX, _BOX_HEIGHT, _GAP, _ROW = 136, 30, 16, 66
_TITLE, _BETWEEN = 42, 34

_STYLE = """\
svg { font: 13px system-ui, sans-serif; }
.page { fill: #fff; } .slab { fill: #f1f5f9; } .room { fill: #fff; stroke: #0f766e; } text { fill: #1e293b; }
.name { font-weight: 600; font-size: 15px; } .down { stroke: #64748b; } .between { stroke: #0f766e; }
.up { stroke: #dc2626; stroke-dasharray: 5 3; } path { fill: none; stroke-width: 1.3; }
.between { stroke-width: 2; }
#tip path { fill: #64748b; stroke: none; }
@media (prefers-color-scheme: dark) {
  .page { fill: #1e2129; } .slab { fill: #2b303b; } .room { fill: #1e2129; stroke: #5eead4; }
  text { fill: #e2e8f0; }
  .down { stroke: #94a3b8; } .between { stroke: #5eead4; }
}"""


def problems(root: Path = ROOT) -> list[str]:
    """Return each import that goes up and each circle, in words; none where the plan holds.

    An import that import-linter's `ignore_imports` lists is left out: it is known, and drawn in red.
    """
    contracts = read_contracts(root)
    modules = _without(module_imports(list(PACKAGES), root), _ignored(contracts))
    found = [f"these modules import each other: {', '.join(group)}" for group in circles(modules)]
    for package in ("", *PACKAGES):
        rooms, order = room_imports(modules, package), floors(contracts, package)
        where = package or "the packages"
        found += [f"rooms of {where} import each other: {', '.join(group)}" for group in circles(rooms)]
        found += [
            f"{where}: {room} imports {other}, which lies on a floor above it"
            for room, others in rooms.items()
            for other in sorted(others)
            if order and order.get(room, -1) > order.get(other, len(order))
        ]
    return found


def files() -> dict[str, str]:
    """Return the picture, by its path below docs/.

    Raises:
        ValueError: An import goes up or round.
    """
    if found := problems():
        raise ValueError("; ".join(found))
    contracts = read_contracts()
    modules = module_imports(list(PACKAGES))
    kept = _without(modules, _ignored(contracts))
    parts: list[str] = []
    tops: dict[str, tuple[float, float]] = {}
    top = float(_MARGIN)
    for package in PACKAGES:
        drawing, bottom = _slab(package, room_imports(modules, package), room_imports(kept, package), top)
        parts.append(drawing)
        tops[package] = (top, bottom)
        top = bottom + _BETWEEN
    parts += _between(modules, tops)
    height = top - _BETWEEN + _MARGIN
    return {
        "pictures/floor-plan.svg": (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height:.0f}" role="img" '
            'aria-label="Rooms of each package, and which room imports which: every arrow goes down">\n'
            f"<style>\n{_STYLE}\n</style>\n"
            '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6" markerHeight="6" '
            'orient="auto"><path d="M0 0 8 4 0 8z"/></marker></defs>\n'
            f'<rect class="page" width="{_WIDTH}" height="{height:.0f}"/>\n' + "\n".join(parts) + "\n</svg>\n"
        )
    }


def _ignored(contracts: list[dict[str, object]]) -> set[tuple[str, str]]:
    """Return the imports that the contracts' `ignore_imports` list: module and the module that it imports."""
    pairs = set()
    for contract in contracts:
        listed = contract.get("ignore_imports", [])
        assert isinstance(listed, list)
        for line in listed:
            module, _, other = line.partition(" -> ")
            pairs.add((module, other))
    return pairs


def _without(imports: Imports, pairs: set[tuple[str, str]]) -> Imports:
    return {
        module: {other for other in others if (module, other) not in pairs}
        for module, others in imports.items()
    }


def _levels(rooms: Imports) -> dict[str, int]:
    """Return how many imports lie below each room on its longest way down. The imports have no circle."""
    levels: dict[str, int] = {}

    def level(room: str) -> int:
        if room not in levels:
            levels[room] = 1 + max((level(other) for other in rooms.get(room, ())), default=-1)
        return levels[room]

    for room in rooms:
        level(room)
    return levels


def _direct(rooms: Imports) -> Iterator[tuple[str, str]]:
    """Yield the imports that no other way down implies (transitive reduction)."""

    def reached(room: str) -> set[str]:
        below = set(rooms.get(room, ()))
        for other in rooms.get(room, ()):
            below |= reached(other)
        return below

    for room, others in sorted(rooms.items()):
        implied = set().union(*(reached(other) for other in others)) if others else set()
        yield from ((room, other) for other in sorted(others - implied))


def _slab(package: str, every: Imports, kept: Imports, top: float) -> tuple[str, float]:
    """Return a package's drawing and its lower edge."""
    kept = {room: others for room, others in kept.items() if room not in ENTRANCES}
    rows: dict[int, list[str]] = {}
    for room, level in sorted(_levels(kept).items()):
        rows.setdefault(level, []).append(room)
    lines = _wrapped(rows)
    bottom = top + _TITLE + (len(lines) - 1) * _ROW + _BOX_HEIGHT + 18
    places: dict[str, tuple[float, float]] = {}
    inner = _WIDTH - 2 * _MARGIN - _LANE
    for number, line in enumerate(lines):
        width = len(line) * (_BOX + _GAP) - _GAP
        left = _MARGIN + (inner - width) / 2
        parents = {
            room: [places[above][0] for above in places if room in kept.get(above, ())] for room in line
        }
        line.sort(key=lambda room: (sum(parents[room]) / len(parents[room]) if parents[room] else 0, room))
        for column, room in enumerate(line):
            places[room] = (left + column * (_BOX + _GAP), top + _TITLE + number * _ROW)
    up = [(room, other) for room in kept for other in every[room] - kept[room] if other in places]
    arrows = [_arrow(places[room], places[other], "down") for room, other in _direct(kept)]
    arrows += [_arrow(places[room], places[other], "up") for room, other in sorted(up)]
    boxes = [
        f'<rect class="room" x="{x:.0f}" y="{y:.0f}" width="{_BOX}" height="{_BOX_HEIGHT}" rx="5"/>'
        f'<text x="{x + _BOX / 2:.0f}" y="{y + 20:.0f}" text-anchor="middle">{escape(room)}</text>'
        for room, (x, y) in places.items()
    ]
    slab = (
        f'<rect class="slab" x="{_MARGIN}" y="{top:.0f}" width="{inner}" height="{bottom - top:.0f}" rx="8"/>'
        f'<text class="name" x="{_MARGIN + 12}" y="{top + 24:.0f}">{package}</text>'
    )
    return "\n".join([slab, *arrows, *boxes]), bottom


def _wrapped(rows: dict[int, list[str]]) -> list[list[str]]:
    """Return the rows from the highest level down, long ones in several lines."""
    most = (_WIDTH - 2 * _MARGIN - _LANE) // (_BOX + _GAP)
    return [
        row[start : start + most]
        for level in sorted(rows, reverse=True)
        for row in [rows[level]]
        for start in range(0, len(row), most)
    ]


def _arrow(start: tuple[float, float], end: tuple[float, float], kind: str) -> str:
    """Return an arrow from the lower edge of one room to the upper edge of another."""
    (x, y), (to_x, to_y) = start, end
    x, y, to_x = x + _BOX / 2, y + _BOX_HEIGHT, to_x + _BOX / 2
    if kind == "up":
        y, to_y = y - _BOX_HEIGHT, to_y + _BOX_HEIGHT
    bend = (to_y - y) / 2
    return (
        f'<path class="{kind}" marker-end="url(#tip)" '
        f'd="M{x:.0f} {y:.0f}C{x:.0f} {y + bend:.0f} {to_x:.0f} {to_y - bend:.0f} {to_x:.0f} {to_y:.0f}"/>'
    )


def _between(modules: Imports, edges: dict[str, tuple[float, float]]) -> list[str]:
    """Return the arrows between packages, each with the number of imports that it stands for."""
    right = _WIDTH - _MARGIN - _LANE
    parts = []
    for package, below in pairwise(PACKAGES):
        y, to_y = edges[package][1], edges[below][0]
        middle = _MARGIN + (right - _MARGIN) / 2
        parts.append(f'<path class="between" marker-end="url(#tip)" d="M{middle:.0f} {y:.0f}V{to_y:.0f}"/>')
    for number, package in enumerate(PACKAGES):
        for place, below in enumerate(PACKAGES[number + 1 :]):
            count = sum(
                other.startswith(f"{below}.") or other == below
                for module, others in modules.items()
                for other in others
                if module.startswith(f"{package}.")
            )
            if not count:
                continue
            y = edges[package][0] + 22 + 18 * place
            to_y = edges[below][0] + 12
            x = right + 30 + 34 * place
            way = f"M{right:.0f} {y:.0f}H{x:.0f}V{to_y:.0f}H{right + 2:.0f}"
            parts.append(
                f'<path class="between" marker-end="url(#tip)" d="{way}"/>'
                f'<text x="{x + 5:.0f}" y="{y + 16:.0f}">{count}</text>'
            )
    return parts


if __name__ == "__main__":
    for problem in (found := problems()):
        print(problem, file=sys.stderr)
    sys.exit(1 if found else 0)
