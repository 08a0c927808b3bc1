"""The table of the page Documents: sorted, selected and opened by buttons, in parts of so many rows."""

from collections.abc import Collection, Sequence

from ingestion.documents import Status
from ingestion.storage.catalogue.records import Document
from ui.components.text import escape, plural, size

ROWS = 50
_UNKNOWN = "und"  # the language of a document that is in none for certain

EMPTY = (
    '<div class="empty"><b>No documents yet.</b> Drop PDF, Word, PowerPoint, Excel, e-book, web, CSV, '
    "Markdown or text files into the field under Add documents, or choose them there.</div>"
)
NONE_FOUND = '<div class="empty"><b>No document is like that.</b> Clear the filters to see all of them.</div>'

# Orders (see rag_app.service.document_browser.ORDERS) and what their columns are called.
_COLUMNS = {
    "name": "Name",
    "collection": "Collection",
    "pages": "Pages",
    "chunks": "Chunks",
    "size": "Size",
    "language": "Language",
    "added": "Added",
    "status": "Status",
}


def render_table(
    documents: Sequence[Document],
    *,
    known: int,
    chosen: Collection[str],
    order: str,
    descending: bool,
    part: int,
    turn: int,
) -> str:
    """Return part `part` (from 0) of the documents that the filters left of `known`.

    `turn` counts: with it every rendering is another one, and shows again what a person ticked meanwhile.
    """
    if not documents:
        return EMPTY if not known else NONE_FOUND
    rows = documents[part * ROWS : (part + 1) * ROWS]
    all_chosen = all(document.id in chosen for document in documents)
    box = (
        f'<input type="checkbox" data-act="choose-all" data-key="all"{" checked" if all_chosen else ""} '
        f'aria-label="Select {plural(len(documents), "document")}">'
    )
    head = "".join(_head(name, words, order, descending) for name, words in _COLUMNS.items())
    body = "".join(_row(document, document.id in chosen) for document in rows)
    return (
        f'<div class="total" data-turn="{turn}">{_total(documents, known)}</div>'
        f'<table role="table"><caption>Documents</caption>'
        f'<thead role="rowgroup"><tr role="row"><th role="columnheader" class="box">{box}</th>{head}</tr>'
        f'</thead><tbody role="rowgroup">{body}</tbody></table>{_parts(len(documents), part)}'
    )


def _total(documents: Sequence[Document], known: int) -> str:
    count = plural(known, "document")
    if len(documents) < known:
        count = f"{len(documents):,} of {count}"
    pages = sum(document.pages for document in documents)
    chunks = sum(document.chunks for document in documents)
    return f"{count}, {plural(pages, 'page')}, {plural(chunks, 'chunk')}"


def _head(name: str, words: str, order: str, descending: bool) -> str:
    sorts = arrow = ""
    if name == order:
        sorts = f' aria-sort="{"descending" if descending else "ascending"}"'
        arrow = f'<span aria-hidden="true"> {"▾" if descending else "▴"}</span>'
    return (
        f'<th role="columnheader" class="{name}"{sorts}><button type="button" data-act="sort" '
        f'data-order="{name}" data-key="sort-{name}" title="Sort by {words.lower()}">{words}{arrow}'
        f"</button></th>"
    )


def _row(document: Document, chosen: bool) -> str:
    name, identity = escape(document.label), escape(document.id)
    title = ""
    if document.title and document.title != document.name:
        title = f'<bdi class="title">{escape(document.title)}</bdi>'
    if document.names[1:]:
        others = ", ".join(f"<bdi>{escape(other)}</bdi>" for other in document.names[1:])
        title += f'<span class="title">also known as {others}</span>'
    cells = {
        "collection": f"<bdi>{escape(document.collection)}</bdi>",
        "pages": f"{document.pages:,}",
        "chunks": f"{document.chunks:,}",
        "size": size(document.bytes),
        "language": "–" if document.language == _UNKNOWN else escape(document.language),
        "added": f'<time datetime="{escape(document.added)}">{escape(document.added[:10])}</time>',
        "status": _status(document),
    }
    units = {"pages": _unit(document.pages, "page"), "chunks": _unit(document.chunks, "chunk")}
    shown = "".join(
        f'<td role="cell" class="{key}"{units.get(key, "")}>{cell}</td>' for key, cell in cells.items()
    )
    return (
        f'<tr role="row"{" class=chosen" if chosen else ""}><td role="cell" class="box">'
        f'<input type="checkbox" data-act="choose" data-id="{identity}" data-key="box-{identity}"'
        f'{" checked" if chosen else ""} aria-label="Select {name}"></td>'
        f'<th role="rowheader" scope="row" class="name"><button type="button" data-act="open" '
        f'data-id="{identity}" data-key="open-{identity}" title="Read {name}"><bdi>{name}</bdi></button>'
        f"{title}</th>{shown}</tr>"
    )


def _unit(number: int, noun: str) -> str:
    """Return the attribute that says what is counted where the column's head does not stand above it."""
    return f' data-unit="{noun if number == 1 else f"{noun}s"}"'


def _status(document: Document) -> str:
    if document.status is Status.OK:
        if not document.warnings:
            return "complete"
        reasons = escape(" ".join(document.warnings))
        return f'<span class="warned" title="{reasons}">{plural(len(document.warnings), "warning")}</span>'
    words = document.status.replace("_", " ")
    if document.pages_failed:
        words = f"{plural(document.pages_failed, 'page')} failed"
    return f'<span class="bad" title="{escape(document.error or words)}">{escape(words)}</span>'


def _parts(count: int, part: int) -> str:
    last = (count - 1) // ROWS
    if not last:
        return ""

    def button(words: str, to: int) -> str:
        off = "" if 0 <= to <= last else " disabled"
        return (
            f'<button type="button" data-act="part" data-part="{to}" data-key="{words}"{off}>{words}</button>'
        )

    shown = f"{part * ROWS + 1:,} to {min(count, (part + 1) * ROWS):,} of {count:,}"
    return (
        f'<nav aria-label="Parts of the list">{button("Previous", part - 1)}<span>{shown}</span>'
        f"{button('Next', part + 1)}</nav>"
    )
