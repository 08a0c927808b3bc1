"""What stands around a passage: its neighbours, so that a sentence that a chunk's edge cuts is whole."""

from collections.abc import Sequence
from dataclasses import replace

from ingestion.documents import Page
from ingestion.library import Library
from ingestion.storage.catalogue.records import StoredChunk
from ingestion.tables.reading import tables_of
from ingestion.tables.table import Table
from rag_app.answering.answers import PassageWindow


def windows(library: Library, chunks: Sequence[StoredChunk]) -> dict[str, PassageWindow]:
    """Return the windows of passages, by chunk id."""
    names = {chunk.id: (_beside(chunk, -1), _beside(chunk, 1)) for chunk in chunks}
    around = library.catalogue.chunks([name for pair in names.values() for name in pair if name])
    pages: dict[tuple[str, int], str] = {}
    tables: dict[tuple[str, int], tuple[Table, ...]] = {}
    found = {}
    for chunk in chunks:
        place = chunk.document_id, chunk.page
        if place not in pages:
            page = library.catalogue.page(*place)
            pages[place] = page.text if page is not None else ""
            tables[place] = _tables(library, chunk.document_id, page) if page is not None else ()
        before, after = names[chunk.id]
        window = _window(chunk, pages[place], around.get(before), around.get(after))
        found[chunk.id] = replace(window, tables=tables[place])
    return found


def _tables(library: Library, document_id: str, page: Page) -> tuple[Table, ...]:
    """Return a page's tables; one that goes on from the page before has its heads."""
    own = tables_of([page])
    if not own or any(column.head for column in own[0].columns) or page.number == 1:
        return own
    former = library.catalogue.page(document_id, page.number - 1)
    if former is None:
        return own
    return tuple(table for table in tables_of([former, page]) if table.page == page.number)


def _beside(chunk: StoredChunk, step: int) -> str:
    head, _, ordinal = chunk.id.rpartition(":")
    return f"{head}:{int(ordinal) + step}" if int(ordinal) + step >= 0 else ""


def _window(
    chunk: StoredChunk, page: str, before: StoredChunk | None, after: StoredChunk | None
) -> PassageWindow:
    """Return a passage with its neighbours; running heads between them end the window."""
    start, end = chunk.start, chunk.end
    if page[start:end] != chunk.text:  # the page is gone, or was read again meanwhile
        return PassageWindow(chunk.text, chunk.start)
    lead = tail = ""
    if before is not None and before.page == chunk.page:
        start = before.start if not page[before.end : start].strip() else start
    elif before is not None and before.page == chunk.page - 1:
        lead = before.text
    if after is not None and after.page == chunk.page:
        end = after.end if not page[end : after.start].strip() else end
    elif after is not None and after.page == chunk.page + 1:
        tail = after.text
    return PassageWindow(page[start:end], start, page[:start], lead, tail)
