"""Which runs of a Word document nobody sees: hidden, tiny, or in the colour of what is behind them.

White letters in a dark cell, on a shaded paragraph or in a text box are seen. Where a large shape lies behind
the text, the colour behind a word is not known: it stays, and `unclear` counts it.
"""

import re
from typing import NamedTuple

from lxml import etree

from ingestion.parsing.office.docx.styles import Styles, is_on, value_of
from ingestion.parsing.shared.xml import child, local_attribute, local_name, whole_number

MARKED = "marked as hidden"
TINY = "too small to be read"
UNSEEN = "in the colour of the page"

MIN_HALF_POINTS = 3  # a smaller font cannot be read
MIN_SCALE = 5  # percent of a letter's width
ALIKE = 16  # of 255; colours that differ less in red, green and blue look the same
LARGE_EMU = 4_000_000_000_000  # a shape of 6 by 5 cm; 360,000 English Metric Units a cm

Colour = tuple[int, int, int]
_WHITE: Colour = (255, 255, 255)
_HEX = re.compile(r"[0-9A-Fa-f]{6}")
_WANTED = frozenset({"color", "sz", "w", "shd", "highlight"})
_HIGHLIGHTS = {"white": _WHITE, "black": (0, 0, 0), "yellow": (255, 255, 0)}


class _Look(NamedTuple):
    """Settings of letters by their names, and whether they are hidden."""

    settings: dict[str, etree._Element]
    is_hidden: bool


class RunVisibility:
    """Judges runs, in a document with these styles.

    Attributes:
        unclear: How many runs may be invisible, and stay.
    """

    def __init__(self, styles: Styles, document: etree._Element) -> None:
        self._styles = styles
        self._known: dict[tuple[str | None, str | None], _Look] = {}
        self._page = (
            _hex(local_attribute(background, "color"))
            if (background := child(document, "background")) is not None
            else None
        )
        self._has_shapes_behind = any(
            anchor.get("behindDoc") in ("1", "true") and _is_large(anchor)
            for anchor in document.iter("{*}anchor")
        )
        self.unclear = 0

    def hidden_kind(self, paragraph: etree._Element, run: etree._Element | None) -> str:
        """Why nobody sees a run with these properties; "" for one that is seen."""
        properties = child(paragraph, "ppr")
        own = {local_name(setting): setting for setting in run} if run is not None else {}
        look = self._look(value_of(child(properties, "pstyle")), value_of(own.get("rstyle")))
        if is_on(own["vanish"]) if "vanish" in own else look.is_hidden:
            return MARKED
        settings = {**look.settings, **own}
        if "sz" in settings and whole_number(value_of(settings["sz"]), 99) < MIN_HALF_POINTS:
            return TINY
        if "w" in settings and whole_number((value_of(settings["w"]) or "").rstrip("%"), 99) < MIN_SCALE:
            return TINY
        colour = _hex(value_of(settings.get("color")))
        if colour is None or not self._is_alike_behind(colour, paragraph, properties, settings):
            return ""
        if self._has_shapes_behind and colour != self._page:
            self.unclear += 1
            return ""
        return UNSEEN

    def _look(self, paragraph: str | None, run: str | None) -> _Look:
        key = paragraph, run
        if key not in self._known:
            names = [name for name in (run, paragraph or self._styles.default) if name]
            parts = [child(style, "rpr") for name in names for style in self._styles.chain_of(name)]
            parts.append(self._styles.defaults)
            settings: dict[str, etree._Element] = {}
            for part in parts:
                for setting in part if part is not None else ():
                    if (name := local_name(setting)) in _WANTED:
                        settings.setdefault(name, setting)
            hidden = any(map(self._styles.is_hidden, names)) or is_on(child(self._styles.defaults, "vanish"))
            self._known[key] = _Look(settings, hidden)
        return self._known[key]

    def _is_alike_behind(
        self,
        colour: Colour,
        paragraph: etree._Element,
        properties: etree._Element | None,
        settings: dict[str, etree._Element],
    ) -> bool:
        """Whether letters of a colour stand on nearly that colour, as far as this is known."""
        highlight = value_of(settings.get("highlight"))
        if highlight not in (None, "none"):
            behind = _HIGHLIGHTS.get(highlight or "")
            return behind is not None and _are_alike(colour, behind)
        shadings = [settings.get("shd"), child(properties, "shd")]
        shadings += [child(style, "ppr", "shd") for style in self._styles.chain(properties)]
        in_table = False
        for outer in paragraph.iterancestors():
            match local_name(outer):
                case "tc":
                    shadings.append(child(outer, "tcpr", "shd"))
                case "tbl":
                    shadings.append(child(outer, "tblpr", "shd"))
                    in_table = in_table or child(outer, "tblpr", "tblstyle") is not None
                case "txbxcontent":
                    return False
        for shading in shadings:
            if shading is not None and (value_of(shading) or "clear") not in ("clear", "nil"):
                return False  # a pattern
            if shading is not None and (fill := _hex(local_attribute(shading, "fill"))) is not None:
                return _are_alike(colour, fill)
        # A table's style may shade its head in any colour.
        return not in_table and _are_alike(colour, self._page or _WHITE)


def _hex(value: str | None) -> Colour | None:
    """A colour from six digits; None for "auto", a name, or nothing."""
    if value is None or not _HEX.fullmatch(value):
        return None
    return int(value[:2], 16), int(value[2:4], 16), int(value[4:], 16)


def _are_alike(one: Colour, other: Colour) -> bool:
    return all(abs(first - second) < ALIKE for first, second in zip(one, other, strict=True))


def _is_large(anchor: etree._Element) -> bool:
    extent = child(anchor, "extent")
    if extent is None:
        return True
    return whole_number(extent.get("cx"), digits=14) * whole_number(extent.get("cy"), digits=14) >= LARGE_EMU
