"""The tables of a PDF page, as its text and its layout have them."""

from collections.abc import Sequence

import pypdfium2

from ingestion.documents import CellPlace
from ingestion.parsing.geometry.rules import Rules, rules_on
from ingestion.parsing.reading_order.lines import Glyph, Glyphs
from ingestion.parsing.reading_order.ordering import OrderedText
from ingestion.parsing.tables.detection import find_tables

_MOST_TABLES = 60  # of a page
_MOST_CELLS = 5_000


def table_places(reading: OrderedText, glyphs: Glyphs, page: pypdfium2.PdfPage) -> tuple[CellPlace, ...]:
    """The cells of a page's tables, as in `PageLayout.tables`, with offsets in the text of `reading`."""
    turned = _PageGlyphs(glyphs, reading.offsets, page.get_rotation())
    grids = find_tables(
        reading.text,
        turned,
        lambda: Rules() if turned.rotation else rules_on(page),
        has_columns=reading.offsets is not None,
    )
    places = [(number, *place) for number, grid in enumerate(grids[:_MOST_TABLES]) for place in grid.places()]
    return tuple(places) if len(places) <= _MOST_CELLS else ()


class _PageGlyphs:
    """The glyphs by their place in the text in reading order, on the page as it is seen."""

    def __init__(self, glyphs: Glyphs, offsets: Sequence[int] | None, rotation: int) -> None:
        self._glyphs = glyphs
        self._offsets = offsets
        self.rotation = rotation

    def box(self, offset: int) -> Glyph | None:
        box = self._glyphs.box(offset if self._offsets is None else self._offsets[offset])
        if box is None or not self.rotation:
            return box
        left, bottom, right, top = box
        if self.rotation == 90:
            return Glyph(bottom, -right, top, -left)
        if self.rotation == 180:
            return Glyph(-right, -top, -left, -bottom)
        return Glyph(-top, left, -bottom, right)

    def is_level(self, offset: int) -> bool:
        return self._glyphs.is_level(offset if self._offsets is None else self._offsets[offset])
