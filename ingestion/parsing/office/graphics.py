"""Charts and diagrams (SmartArt) of Office files as lines of text."""

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from ingestion.parsing.shared.missing_content import MissingContent
from ingestion.parsing.shared.tables import table_line
from ingestion.parsing.shared.xml import child, inner_text, local_attribute, local_name, whole_number
from ingestion.parsing.shared.zip_archive import OfficePackage, relationship_id

MAX_POINTS = 5_000  # of a series; people cannot read more off a chart
MAX_SERIES = 255  # Office's own limit
_DAY_ZERO = dt.datetime(1899, 12, 30)  # noqa: DTZ001 (a day of the sheet's calendar)
_LAST_DAY = 2_958_465  # 9999-12-31
_FILE_NAME = re.compile(r"[\w\\/: .-]+\.\w{3,4}\Z")
_QUOTED = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.')


@dataclass(frozen=True, slots=True)
class _Series:
    name: str
    categories: dict[int, str]
    values: dict[int, str]
    sizes: dict[int, str]


def graphic_lines(
    package: OfficePackage,
    parts: dict[str, tuple[str, str]],
    drawing: etree._Element,
    missing: MissingContent,
) -> list[str] | None:
    """The lines of the chart or diagram that a drawing holds; None if it holds neither.

    Args:
        package: The file.
        parts: What the part with the drawing is related to: id -> (kind, part).
        drawing: The element around the reference.
        missing: Counts charts and diagrams without values or texts in the file.
    """
    for reference in drawing.iter("{*}chart", "{*}relIds"):
        is_chart = local_name(reference) == "chart"
        identifier = relationship_id(reference) if is_chart else local_attribute(reference, "dm")
        _, part = parts.get(identifier or "", ("", ""))
        lines = None
        if part in package:
            root = package.xml(part)
            lines = chart_lines(root) if is_chart else diagram_lines(root)
        if not lines:
            missing.note("charts without values" if is_chart else "diagrams without texts")
        return lines or []
    return None


def alternative_text(text: str | None) -> str:
    """A picture's description; "" for the file name that programs put in its place."""
    text = (text or "").strip()
    return "" if _FILE_NAME.match(text) else text


def chart_lines(space: etree._Element) -> list[str] | None:
    """A chart's title and its rows, `category | value | value`; None if the file lacks its values."""
    title = _text(child(space, "chart", "title"))
    lines = [f"Chart: {title}" if title else "Chart:"]
    if (data := child(space, "chartdata")) is not None:
        rows = list(_rows_of_new_kinds(data))
    else:
        area = child(space, "chart", "plotarea")
        series = [] if area is None else [_series(one) for one in area.iter("{*}ser")][:MAX_SERIES]
        rows = list(_rows(area, [one for one in series if one.values])) if area is not None else []
    lines += [line for row in rows if (line := table_line(row))]
    return lines if rows else None


def _rows(area: etree._Element, series: list[_Series]) -> Iterator[list[str]]:
    axes = {local_name(axis): _text(child(axis, "title")) for axis in area if local_name(axis).endswith("ax")}
    values = axes.get("valax", "")
    categories = axes.get("catax") or axes.get("dateax") or ""
    if values:
        yield [f"Values: {values}"]
    # Series beside each other where they share their categories, else one under the other.
    groups: list[list[_Series]] = []
    for one in series:
        if groups and groups[-1][0].categories == one.categories and not one.sizes:
            groups[-1].append(one)
        else:
            groups.append([one])
    for group in groups:
        yield [categories, *(one.name for one in group)]
        for index in sorted({index for one in group for index in (*one.categories, *one.values)}):
            label = group[0].categories.get(index, "")
            yield [label, *(value for one in group for value in _values(one, index))]


def _values(series: _Series, index: int) -> list[str]:
    size = series.sizes.get(index)
    return [series.values.get(index, ""), *([size] if size else [])]


def _series(element: etree._Element) -> _Series:
    def points(*names: str) -> dict[int, str]:
        found = next((inner for name in names if (inner := child(element, name)) is not None), None)
        return {} if found is None else _points(found)

    return _Series(
        _text(child(element, "tx")), points("cat", "xval"), points("val", "yval"), points("bubblesize")
    )


def _points(source: etree._Element) -> dict[int, str]:
    """The last computed values by index; nested categories as "outer, inner"."""
    points: dict[int, str] = {}
    levels = list(source.iter("{*}lvl")) or [source]
    for level in levels:
        code = next((inner_text(code) for code in level.iter("{*}formatCode")), "")
        last = ""
        found = {_index(point): point for point in level.iter("{*}pt")}
        if level is not levels[0]:  # an outer level has a value where it begins
            for index in sorted(points):
                last = _text(child(found.get(index), "v")) or last
                points[index] = f"{last}, {points[index]}"
            continue
        for index in sorted(found)[:MAX_POINTS]:
            value = _text(child(found[index], "v"))
            points[index] = _shown(value, found[index].get("formatCode") or code)
    return points


def _rows_of_new_kinds(data: etree._Element) -> Iterator[list[str]]:
    """The rows of newer kinds of chart (waterfall, funnel), which store values differently."""
    for part in data:
        columns = []
        for dimension in part:
            level = child(dimension, "lvl")
            if level is not None:
                code = level.get("formatCode") or ""
                columns.append({_index(point): _shown(_text(point), code) for point in level})
        for index in sorted({index for column in columns for index in column})[:MAX_POINTS]:
            yield [column.get(index, "") for column in columns]


def _index(point: etree._Element) -> int:
    return whole_number(point.get("idx"), digits=7)


def _shown(value: str, code: str) -> str:
    """A value as the axis shows it: shares as percent, days as dates."""
    try:
        number = float(value)
    except ValueError:
        return value
    if not abs(number) < 1e15:
        return value
    code = _QUOTED.sub("", code.partition(";")[0])
    decimals = len(re.sub(r".*\.", "", code).strip("%")) if "." in code else 0
    if code.endswith("%"):
        return f"{number * 100:.{min(decimals, 9)}f}%"
    if re.search("[yd]", code, re.IGNORECASE) and "general" not in code.lower() and 0 <= number < _LAST_DAY:
        return str((_DAY_ZERO + dt.timedelta(days=number)).date())
    if re.fullmatch(r"#,##0(\.0+)?", code):
        return f"{number:,.{min(decimals, 9)}f}"
    return str(int(number)) if number.is_integer() else f"{number:.12g}"


def _text(element: etree._Element | None) -> str:
    """The text of a title, name or value, without the formula behind it."""
    if element is None:
        return ""
    words = [inner.text or "" for inner in element.iter("{*}t", "{*}v")]
    return " ".join("".join(words or [element.text or ""]).split())


def diagram_lines(model: etree._Element) -> list[str]:
    """The texts of a diagram as a nested list."""
    texts: dict[str, str] = {}
    tops: list[str] = []
    for point in model.iter("{*}pt"):
        kind, identifier = point.get("type") or "node", point.get("modelId") or ""
        if kind in ("node", "asst", "doc"):
            body = child(point, "t")
            paragraphs = [] if body is None else [part for part in body if local_name(part) == "p"]
            texts[identifier] = " ".join(" ".join(map(_text, paragraphs)).split())
            tops += [identifier] if kind == "doc" else []
    below: dict[str, list[tuple[int, str]]] = {}
    for link in model.iter("{*}cxn"):
        if (link.get("type") or "parOf") == "parOf":
            place = whole_number(local_attribute(link, "srcOrd"), digits=7)
            below.setdefault(link.get("srcId") or "", []).append((place, link.get("destId") or ""))
    lines: list[str] = []
    stack = [(-1, top) for top in reversed(tops)]
    waiting = dict(texts)
    while stack or waiting:
        level, identifier = stack.pop() if stack else (0, next(iter(waiting)))
        text = waiting.pop(identifier, None)
        if text is None:  # twice, or no text of the diagram
            continue
        if text:
            lines.append("  " * min(max(level, 0), 8) + f"- {text}")
        stack += [(level + 1, inner) for _, inner in sorted(below.get(identifier, ()), reverse=True)]
    return lines
