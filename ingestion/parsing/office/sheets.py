"""Properties of a sheet beside its values: merged, hidden, commented and linked cells, formulas.

openpyxl's read-only mode, which large sheets need, leaves these out. The XML is parsed only if its bytes
contain their tags.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO

from lxml import etree
from openpyxl.utils.cell import coordinate_to_tuple, range_boundaries

from ingestion.parsing.shared.xml import local_attribute, local_name
from ingestion.parsing.shared.zip_archive import OfficePackage, relationship_id
from ingestion.text.cleaning import one_line

Place = tuple[int, int]  # row and column, from 1

_TAGS = re.compile(rb"mergeCell |hyperlink |hidden=|<f[ >/]|:f[ >/]")
_FORMULA = re.compile(rb"<(?:\w+:)?f[ >/]")
# Cells in merged ranges; larger merges, such as of whole columns, are ignored.
_MOST_COVERED = 200_000
_MOST_NOTES = 20_000
_LONGEST_NOTE = 4_000
_WEB = ("http:", "https:", "mailto:", "ftp:")


@dataclass(slots=True)
class SheetExtras:
    """Properties of a sheet beside its values; `covered` maps cells of a merged range to its first cell."""

    covered: dict[Place, Place] = field(default_factory=dict)
    notes: dict[Place, list[str]] = field(default_factory=dict)
    links: dict[Place, str] = field(default_factory=dict)
    formulas: dict[Place, str] = field(default_factory=dict)
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: list[tuple[int, int]] = field(default_factory=list)
    wide_rows: dict[int, int] = field(default_factory=dict)  # with cells merged over columns, up to which


def read_extras(package: OfficePackage, part: str) -> SheetExtras:
    """Read the properties of the sheet in `part`; raises as the package does."""
    extras = SheetExtras()
    data = package.read(part)
    if _TAGS.search(data):
        _read_part(data, extras, package.links(part))
    for kind, name in package.related(part).values():
        if name not in package:
            continue
        if kind == "comments":
            _read_comments(package.xml(name), extras)
        elif kind == "threadedComment":
            _read_threads(package.xml(name), extras)
    return extras


def _read_part(data: bytes, extras: SheetExtras, outside: dict[str, str]) -> None:
    tags = ["{*}mergeCell", "{*}hyperlink", "{*}col", "{*}row"]
    if _FORMULA.search(data):
        tags.append("{*}c")
    shared: dict[str, str] = {}
    parser = etree.iterparse(
        BytesIO(data), tag=tags, resolve_entities=False, no_network=True, huge_tree=False
    )
    for _, element in parser:
        name = local_name(element)
        if name == "c":
            _read_formula(element, extras, shared)
            continue  # its row is cleared
        if name == "row" and _is_true(element.get("hidden")):
            extras.hidden_rows.add(int(element.get("r") or 0))
        elif name == "col" and _is_true(element.get("hidden")):
            extras.hidden_columns.append((int(element.get("min") or 0), int(element.get("max") or 0)))
        elif name == "mergecell":
            _read_merge(element.get("ref") or "", extras)
        elif name == "hyperlink":
            target = outside.get(relationship_id(element) or "", "")
            place = _place((element.get("ref") or "").partition(":")[0])
            if place and target.lower().startswith(_WEB) and len(extras.links) < _MOST_NOTES:
                extras.links[place] = one_line(target)
        element.clear()


def _read_formula(cell: etree._Element, extras: SheetExtras, shared: dict[str, str]) -> None:
    """Record the formula of a cell without a computed value."""
    formula = value = None
    for child in cell:
        if local_name(child) == "f":
            formula = child
        elif local_name(child) in ("v", "is"):
            value = child
    if formula is None:
        return
    text = (formula.text or "").strip()
    group = formula.get("si")
    if group is not None and text:
        shared[group] = text
    if value is not None and (value.text or len(value)):
        return
    place = _place(cell.get("r") or "")
    if place and cell.get("t") not in ("str",) and len(extras.formulas) < _MOST_NOTES:
        extras.formulas[place] = "=" + one_line(text or shared.get(group or "", "") or "?")


def _read_merge(reference: str, extras: SheetExtras) -> None:
    try:
        left, top, right, bottom = range_boundaries(reference)
    except (ValueError, TypeError):
        return
    if left is None or top is None or right is None or bottom is None:
        return
    if (right - left + 1) * (bottom - top + 1) + len(extras.covered) > _MOST_COVERED:
        return
    for row in range(top, bottom + 1):
        if right > left:
            extras.wide_rows[row] = max(right, extras.wide_rows.get(row, 0))
        for column in range(left, right + 1):
            extras.covered[row, column] = (top, left)


def _read_comments(root: etree._Element, extras: SheetExtras) -> None:
    authors = [one_line(element.text or "", 100) for element in root.iter("{*}author")]
    for comment in root.iter("{*}comment"):
        text = "".join(part.text or "" for part in comment.iter("{*}t"))
        if text.lstrip().startswith("[Threaded comment]"):
            continue  # a notice for old programs; the thread is in another part
        number = comment.get("authorId") or ""
        author = authors[int(number)] if number.isdigit() and int(number) < len(authors) else ""
        text = text.removeprefix(f"{author}:") if author else text
        _note(extras, comment.get("ref"), author, text)


def _read_threads(root: etree._Element, extras: SheetExtras) -> None:
    for comment in root.iter("{*}threadedComment"):
        text = "".join(part.text or "" for part in comment.iter("{*}text"))
        _note(extras, comment.get("ref"), "", text)


def _note(extras: SheetExtras, reference: str | None, author: str, text: str) -> None:
    place = _place(reference or "")
    text = one_line(text, _LONGEST_NOTE)
    if place and text and len(extras.notes) < _MOST_NOTES:
        extras.notes.setdefault(place, []).append(
            f"comment by {author}: {text}" if author else f"comment: {text}"
        )


def _place(reference: str) -> Place | None:
    try:
        return coordinate_to_tuple(reference)
    except (ValueError, TypeError, AttributeError):
        return None


def _is_true(value: str | None) -> bool:
    return value in ("1", "true")


def sheet_parts(package: OfficePackage) -> Iterator[tuple[str, str, str]]:
    """Yield title, part and state ("visible", "hidden", "veryHidden") of each sheet, in their order."""
    name, root = package.main_part("workbook")
    related = package.related(name)
    for sheet in root.iter("{*}sheet"):
        kind, part = related.get(relationship_id(sheet) or "", ("", ""))
        if kind == "worksheet" and part in package:
            yield local_attribute(sheet, "name") or "", part, sheet.get("state") or "visible"
