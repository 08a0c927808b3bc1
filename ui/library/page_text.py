"""The text of one page of a document, as HTML."""

from collections.abc import Iterator, Sequence

from ingestion.documents import Heading
from ingestion.storage.catalogue.records import StoredChunk
from rag_app.service.document_browser import PagePreview
from ui.components.text import Span, escape, flow, marked, plural


def render_page(view: PagePreview) -> str:
    """Return a page's text in flowing paragraphs, and a box that shows where its chunks begin and end."""
    label = view.page.label if view.page else None
    printed = f" (printed {escape(label)})" if label and label != str(view.number) else ""
    head = f'<p class="where" role="status">Page {view.number:,} of {view.document.pages:,}{printed}</p>'
    if view.page is None or view.failure is not None:
        reason = escape(view.failure or "it has no text")
        return f'{head}<div class="empty">This page could not be read: {reason}</div>'
    if not view.page.text.strip():
        return f'{head}<div class="empty">This page has no text.</div>'
    parts = "".join(_page_parts(view.page.text, view.chunks, view.headings))
    name = f"Text of page {view.number}"
    found = plural(len(view.chunks), "passage")
    return (
        f'{head}<div class="text" dir="auto" tabindex="0" role="region" aria-label="{name}">{parts}</div>'
        f'<label class="framing"><input type="checkbox"> Show the {found} that a search finds</label>'
    )


def _page_parts(text: str, chunks: Sequence[StoredChunk], headings: Sequence[Heading]) -> Iterator[str]:
    lines = [_line(text, heading.start) for heading in headings]
    # As in the sources of an answer: a PDF breaks its lines where its page ends. Code keeps its lines.
    text = text if any(chunk.is_code for chunk in chunks) else flow(text)
    position = 0
    for chunk in sorted(chunks, key=lambda chunk: chunk.start):
        start = max(position, chunk.start)
        if text[position:start].strip():
            yield f'<div class="outside">{_emphasised(text, position, start, lines)}</div>'
        if start < chunk.end:
            heading = f" · {escape(chunk.heading)}" if chunk.heading else ""
            yield (
                f'<div class="chunk"><span class="label">passage {chunk.ordinal + 1:,}{heading}</span>'
                f"{_emphasised(text, start, chunk.end, lines)}</div>"
            )
        position = max(position, chunk.end)
    if text[position:].strip():
        yield f'<div class="outside">{_emphasised(text, position, len(text), lines)}</div>'


def _line(text: str, start: int) -> Span:
    """Return the span of a heading: from `start` to the end of its line."""
    end = text.find("\n", start)
    return start, len(text) if end < 0 else end


def _emphasised(text: str, start: int, end: int, lines: Sequence[Span]) -> str:
    """Return a piece of the text with the lines in it emphasised."""
    return marked(text[start:end], [(first - start, last - start) for first, last in lines], "strong")
