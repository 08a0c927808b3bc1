"""Charts of an evaluation as SVG. Colours come from evaluate.css, so that they suit light and dark."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ui.components.text import escape, milliseconds

# A row of an interval chart, in the picture's own units, which are pixels where there is room.
_ROW = 24
_LEFT, _WIDTH, _RIGHT = 128, 360, 44
_LONGEST = 20
_LETTER = 6.3  # mean width at the charts' font size, to keep labels apart
# Where a dot's name may stand, best place first: pixels to the right, anchor, pixels below.
_LABEL_PLACES = (
    (9, "start", 4),
    (-9, "end", 4),
    (0, "middle", -10),
    (0, "middle", 18),
    (7, "start", -8),
    (7, "start", 16),
    (-7, "end", -8),
    (-7, "end", 16),
    (0, "middle", 32),
    (0, "middle", -24),
)

_SCATTER_WIDTH, _SCATTER_HEIGHT = 560, 300
_MARGIN_LEFT, _MARGIN_RIGHT, _MARGIN_TOP, _MARGIN_BOTTOM = 50, 24, 20, 44


@dataclass(frozen=True, slots=True)
class IntervalBar:
    """A strategy's mean with its interval."""

    name: str
    mean: float
    low: float
    high: float
    is_reference: bool


@dataclass(frozen=True, slots=True)
class CostPoint:
    """A strategy's quality and its cost."""

    name: str
    milliseconds: float
    quality: float
    is_reference: bool


def interval_chart(metric: str, bars: Sequence[IntervalBar]) -> str:
    """Return means with their intervals, a row each in the order given, over one scale."""
    low, high = _range([bar.low for bar in bars] + [bar.high for bar in bars])
    height = _ROW * len(bars) + 34

    def x(value: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * (value - low) / (high - low)

    parts = []
    for tick in _ticks(low, high):
        parts.append(_line("grid", x(tick), 6, x(tick), height - 28))
        parts.append(_text("tick", x(tick), height - 12, "middle", _share(tick)))
    for row, bar in enumerate(bars):
        y = 6 + _ROW * (row + 0.5)
        said = f"{bar.name}: {bar.mean:.3f}, {bar.low:.3f} to {bar.high:.3f}"
        drawn = [
            _text("name", _LEFT - 10, y + 4, "end", _short(bar.name)),
            _line("spread", x(bar.low), y, x(bar.high), y),
            f'<circle cx="{x(bar.mean):.1f}" cy="{y:.1f}" r="4.5"/>',
            _text("value", _WIDTH - 2, y + 4, "end", f"{bar.mean:.3f}"),
        ]
        parts.append(_group(bar.is_reference, said, drawn))
    said = "; ".join(f"{bar.name} {bar.mean:.3f}" for bar in bars)
    return _svg(f"{metric} with 95% intervals: {said}", _WIDTH, height, parts)


def cost_chart(metric: str, dots: Sequence[CostPoint]) -> str:
    """Return quality against milliseconds a question, on a logarithmic scale."""
    low, high = _range([dot.quality for dot in dots])
    first, last = _decades([dot.milliseconds for dot in dots])
    right, bottom = _SCATTER_WIDTH - _MARGIN_RIGHT, _SCATTER_HEIGHT - _MARGIN_BOTTOM

    def x(value: float) -> float:
        share = (math.log10(max(value, 1e-3)) - first) / (last - first)
        return _MARGIN_LEFT + (right - _MARGIN_LEFT) * share

    def y(value: float) -> float:
        return bottom - (bottom - _MARGIN_TOP) * (value - low) / (high - low)

    parts = []
    for tick in _ticks(low, high):
        parts.append(_line("grid", _MARGIN_LEFT, y(tick), right, y(tick)))
        parts.append(_text("tick", _MARGIN_LEFT - 8, y(tick) + 4, "end", _share(tick)))
    for tick in _time_ticks(first, last):
        parts.append(_line("grid", x(tick), _MARGIN_TOP, x(tick), bottom))
        parts.append(_text("tick", x(tick), bottom + 17, "middle", _time(tick)))
    middle = (_MARGIN_LEFT + right) / 2
    parts.append(_text("tick", middle, _SCATTER_HEIGHT - 6, "middle", "time a question, median"))
    parts.append(_text("tick", 2, 12, "start", metric))
    places = [(x(dot.milliseconds), y(dot.quality)) for dot in dots]
    for dot, place, (across, anchor, down) in zip(dots, places, _labels(dots, places), strict=True):
        drawn = [
            f'<circle cx="{place[0]:.1f}" cy="{place[1]:.1f}" r="5"/>',
            _text("name", across, down, anchor, _short(dot.name)),
        ]
        said = f"{dot.name}: {dot.quality:.3f}, {milliseconds(dot.milliseconds)}"
        parts.append(_group(dot.is_reference, said, drawn))
    said = "; ".join(f"{dot.name} {dot.quality:.3f} in {milliseconds(dot.milliseconds)}" for dot in dots)
    return _svg(f"{metric} against time: {said}", _SCATTER_WIDTH, _SCATTER_HEIGHT, parts)


def _svg(label: str, width: int, height: int, parts: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(label)}">{"".join(parts)}</svg>'
    )


def _group(is_reference: bool, said: str, parts: Sequence[str]) -> str:
    kind = "reference" if is_reference else "other"
    return f'<g class="{kind}"><title>{escape(said)}</title>{"".join(parts)}</g>'


def _line(kind: str, x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _text(kind: str, x: float, y: float, anchor: str, words: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def _labels(
    dots: Sequence[CostPoint], places: Sequence[tuple[float, float]]
) -> list[tuple[float, str, float]]:
    """Return where each dot's name goes: beside it, where neither another name nor another dot is."""
    taken = [(across - 6, down - 6, across + 6, down + 6) for across, down in places]
    found = []
    for dot, (across, down) in zip(dots, places, strict=True):
        width = _LETTER * len(_short(dot.name))
        choices = [(across + right, anchor, down + below) for right, anchor, below in _LABEL_PLACES]
        boxes = [(choice, _box(choice, width)) for choice in choices]
        inside = [one for one in boxes if one[1][0] >= _MARGIN_LEFT and one[1][2] <= _SCATTER_WIDTH - 2]
        free = [one for one in inside if not any(_overlap(one[1], other) for other in taken)]
        choice, box = (free or inside or boxes)[0]
        taken.append(box)
        found.append(choice)
    return found


_Box = tuple[float, float, float, float]


def _box(choice: tuple[float, str, float], width: float) -> _Box:
    across, anchor, down = choice
    left = across - {"start": 0.0, "middle": width / 2, "end": width}[anchor]
    return left, down - 10, left + width, down + 3


def _overlap(a: _Box, b: _Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _range(values: Sequence[float]) -> tuple[float, float]:
    """Return a scale of shares with some room at its ends."""
    low, high = min(values), max(values)
    room = max(0.02, 0.12 * (high - low))
    return max(0.0, low - room), min(1.0, high + room)


def _ticks(low: float, high: float) -> list[float]:
    """Return about four round values within the scale."""
    step = next(step for step in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5) if (high - low) / step <= 5)
    first = math.ceil(low / step - 1e-9)
    return [number * step for number in range(first, math.floor(high / step + 1e-9) + 1)]


def _decades(values: Sequence[float]) -> tuple[float, float]:
    """Return the scale's ends as powers of ten: at least a factor of four, and room for names."""
    logs = [math.log10(max(value, 1e-3)) for value in values]
    middle, half = (min(logs) + max(logs)) / 2, max(0.3, (max(logs) - min(logs)) / 2)
    return middle - half * 1.3, middle + half * 1.3


def _time_ticks(first: float, last: float) -> list[float]:
    marks = (1, 2, 5) if last - first < 2.5 else (1,)
    every = [m * 10.0**power for power in range(math.floor(first), math.ceil(last) + 1) for m in marks]
    return [tick for tick in every if first <= math.log10(tick) <= last]


def _time(value: float) -> str:
    return f"{value / 1000:g} s" if value >= 1000 else f"{value:g} ms"


def _share(value: float) -> str:
    return f"{value:.2f}" if abs(value * 100 - round(value * 100)) < 1e-6 else f"{value:.3f}"


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"
