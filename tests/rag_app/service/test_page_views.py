"""A page on the screen: the cited row is marked, and in it the cell that the answer gives."""

from pathlib import Path

import pytest

from ingestion.library import Library
from ingestion.parsing import ParseLimits
from ingestion.pipeline.ingest import ingest
from rag_app.service.page_views import PageViewer
from tests.helpers.drawn_page import DPI, drawn
from tests.helpers.placed_text import STATEMENT, page, placed


def test_the_answers_cell_is_marked_in_its_row(library: Library, tmp_path: Path) -> None:
    (tmp_path / "sheet.pdf").write_bytes(placed(page(STATEMENT)))
    (result,) = ingest(library, [tmp_path / "sheet.pdf"])
    identity = result.document_id or ""
    stored = library.catalogue.page(identity, 1)
    assert stored is not None
    start = stored.text.index("Total current assets")
    row = (start, stored.text.index("886") + 3)
    viewer = PageViewer(library, ParseLimits())
    answer = "Total current assets · December 31, 2022: **$886 million** [1]"

    view = viewer.view(identity, 1, [row], answer=answer)
    ((first, behind),) = view.cells
    assert stored.text[first:behind] == "886"
    assert view.picture is not None
    line, (cell,) = view.picture.boxes
    assert line[0].left < cell.left
    assert cell.right <= line[-1].right + 1
    assert abs(cell.top - line[-1].top) < 2

    assert viewer.view(identity, 1, [row], answer="no cell in bold").cells == ()
    assert viewer.view(identity, 1, [(0, 10)], answer=answer).cells == ()


@pytest.mark.slow
def test_a_picture_is_shown_with_its_words_marked(library: Library, tmp_path: Path) -> None:
    image, boxes = drawn()
    image.save(tmp_path / "harbour.PNG", dpi=(DPI, DPI))
    (result,) = ingest(library, [tmp_path / "harbour.PNG"])
    identity = result.document_id or ""
    stored = library.catalogue.page(identity, 1)
    assert stored is not None
    start = stored.text.index("replaced")
    view = PageViewer(library, ParseLimits()).view(identity, 1, [(start, start + len("replaced"))])
    assert view.picture is not None
    ((box,),) = view.picture.boxes
    assert (box.left, box.top) == pytest.approx(boxes["replaced"][:2], abs=8)
