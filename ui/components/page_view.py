"""A document's text, page by page: where its chunks begin and end, and which lines are headings."""

from collections.abc import Iterator, Sequence

from ingestion.documents import Heading, Status
from ingestion.storage.catalogue.records import StoredChunk
from rag_app.service.document_browser import PagePreview
from ui.components.text import escape, plural, size


def render_document(view: PagePreview) -> str:
    """Return what a document is, with what is wrong with it."""
    document = view.document
    facts = [
        plural(document.pages, "page"),
        plural(document.chunks, "chunk"),
        size(document.bytes),
        document.language,
        f"added {document.added[:10]}",
        *(f"also known as {name}" for name in document.names[1:]),
    ]
    title = f'<p><bdi class="title">{escape(document.title)}</bdi></p>' if document.title else ""
    wrong = ""
    if document.status is not Status.OK:
        count = f"{plural(view.failures, 'page')} could not be read. " if view.failures else ""
        wrong = f'<p class="bad">{count}{escape(document.error or "")}</p>'
    if document.warnings:
        items = "".join(f"<li>{escape(warning)}</li>" for warning in document.warnings)
        wrong += f'<ul class="warnings" aria-label="Warnings">{items}</ul>'
    return (
        f"<h3><bdi>{escape(document.label)}</bdi></h3>{title}"
        f'<p class="facts"><bdi>{escape(document.collection)}</bdi> · {escape(" · ".join(facts))}</p>{wrong}'
    )


def render_page(view: PagePreview) -> str:
    """Return a page's text: its chunks in frames, with what is in none of them between."""
    label = view.page.label if view.page else None
    printed = f" (printed {escape(label)})" if label and label != str(view.number) else ""
    head = (
        f'<p class="where" role="status">Page {view.number:,} of {view.document.pages:,}{printed}, '
        f"{plural(len(view.chunks), 'chunk')}</p>"
    )
    if view.page is None or view.failure is not None:
        reason = escape(view.failure or "it has no text")
        return f'{head}<div class="empty">This page could not be read: {reason}</div>'
    if not view.page.text.strip():
        return f'{head}<div class="empty">This page has no text.</div>'
    parts = "".join(_parts(view.page.text, view.chunks, view.headings))
    name = f"Text of page {view.number}"
    return f'{head}<div class="text" dir="auto" tabindex="0" role="region" aria-label="{name}">{parts}</div>'


def _parts(text: str, chunks: Sequence[StoredChunk], headings: Sequence[Heading]) -> Iterator[str]:
    lines = [_line(text, heading.start) for heading in headings]
    position = 0
    for chunk in sorted(chunks, key=lambda chunk: chunk.start):
        start = max(position, chunk.start)
        if text[position:start].strip():
            yield f'<div class="outside">{_emphasised(text, position, start, lines)}</div>'
        if start < chunk.end:
            heading = f" · {escape(chunk.heading)}" if chunk.heading else ""
            yield (
                f'<div class="chunk"><span class="label">chunk {chunk.ordinal + 1:,}{heading}</span>'
                f"{_emphasised(text, start, chunk.end, lines)}</div>"
            )
        position = max(position, chunk.end)
    if text[position:].strip():
        yield f'<div class="outside">{_emphasised(text, position, len(text), lines)}</div>'


def _line(text: str, start: int) -> tuple[int, int]:
    """Return the rest of the line from `start` on, which is a heading."""
    end = text.find("\n", start)
    return start, len(text) if end < 0 else end


def _emphasised(text: str, start: int, end: int, lines: Sequence[tuple[int, int]]) -> str:
    parts: list[str] = []
    position = start
    for line in sorted(lines):
        first, last = max(line[0], position), min(line[1], end)
        if first < last:
            parts += [escape(text[position:first]), "<strong>", escape(text[first:last]), "</strong>"]
            position = last
    return "".join([*parts, escape(text[position:end])])
