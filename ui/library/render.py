"""The Library page as HTML: the table, the queue, collections and storage."""

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

from rich.filesize import decimal

from ingestion.collections import CollectionInfo
from ingestion.documents import Status
from ingestion.fields.values import DocumentFields
from ingestion.storage.catalogue.records import Document
from rag_app.service.document_browser import PagePreview, Storage
from ui.components.samples import is_sample
from ui.components.text import also_known, escape, plural
from ui.components.uploads import FileRow, Mood, render_bar, render_rows
from ui.library.fields import render_fields, render_line
from ui.library.instructions import render_instructions

# Documents in one part of the table.
ROWS = 50
_UNKNOWN = "und"  # the code of a language that could not be told
# Names that a confirmation lists; the rest is a number.
_NAMED = 8
# A narrower part of the storage bar, as a share of its length, could not be seen.
_LEAST = 0.005
# Rows of the queue that are shown of each mood, and of failed files.
_QUEUED, _FAILED = 20, 100

EMPTY = (
    '<div class="empty"><b>No documents yet.</b> Drop PDF, Office, OpenDocument, e-mail, e-book, web, '
    "CSV, JSON, Markdown, text or code files, or archives of them, into the field under Add documents, or "
    "choose them there.</div>"
)
NONE_FOUND = '<div class="empty"><b>No document matches.</b> Clear the filters to see all of them.</div>'

# The orders of rag_app.service.document_browser.ORDERS, and the names of their columns.
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
    fields: Mapping[str, DocumentFields] = MappingProxyType({}),
    known: int,
    chosen: Collection[str],
    order: str,
    descending: bool,
    part: int,
    turn: int,
) -> str:
    """Return a part of the documents that the filters left.

    Args:
        fields: Of the part's documents, by id.
        known: The number of documents without filters.
        part: The part, from 0, of `ROWS` documents.
        turn: A counter that makes every rendering differ, so that the page shows the boxes as `chosen` says.
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
    body = "".join(_row(document, fields.get(document.id), document.id in chosen) for document in rows)
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


def _row(document: Document, fields: DocumentFields | None, chosen: bool) -> str:
    name, identity = escape(document.label), escape(document.id)
    title = render_line(fields, document.name)
    if is_sample(document):
        title += '<span class="title">sample document, to try the application out</span>'
    if document.names[1:]:
        others = ", ".join(f"<bdi>{escape(other)}</bdi>" for other in document.names[1:])
        title += f'<span class="title">also known as {others}</span>'
    cells = {
        "collection": f"<bdi>{escape(document.collection)}</bdi>",
        "pages": f"{document.pages:,}",
        "chunks": f"{document.chunks:,}",
        "size": decimal(document.bytes),
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
    """Return the attribute with a number's unit, for narrow pages, which have no column heads."""
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


def render_document(view: PagePreview) -> str:
    """Return a document's facts, its error, its warnings and its fields."""
    document = view.document
    facts = [
        plural(document.pages, "page"),
        decimal(document.bytes),
        f"added {document.added[:10]}",
        *(f"also known as {name}" for name in document.names[1:]),
    ]
    wrong = ""
    if document.status is not Status.OK:
        count = f"{plural(view.failures, 'page')} could not be read. " if view.failures else ""
        wrong = f'<p class="bad">{count}{escape(document.error or "")}</p>'
    if document.warnings:
        items = "".join(f"<li>{escape(warning)}</li>" for warning in document.warnings)
        wrong += f'<ul class="warnings" aria-label="Warnings">{items}</ul>'
    return (
        f'<h3 id="library-preview-title" tabindex="-1"><bdi>{escape(document.label)}</bdi></h3>'
        f'<p class="facts"><bdi>{escape(document.collection)}</bdi> · {escape(" · ".join(facts))}</p>{wrong}'
        f"{render_fields(view.fields)}"
    )


def render_queue(rows: Sequence[FileRow]) -> str:
    """Return the queue as a list with a summary; nothing for no rows."""
    if not rows:
        return ""
    listed = render_rows(rows, _queue_row, most=_QUEUED, failed=_FAILED)
    summary = f'<p role="status" class="summary">{_summary(rows)}</p>'
    return f'{summary}<ul class="queue" tabindex="0" aria-label="Files">{listed}</ul>'


def _summary(rows: Sequence[FileRow]) -> str:
    going = sum(row.mood in (Mood.WORKING, Mood.WAITING) for row in rows)
    failed = sum(row.mood is Mood.FAILED for row in rows)
    ended = f"{len(rows) - going:,} of {plural(len(rows), 'file')} finished"
    return f"{ended}, {failed:,} failed" if failed else ended


def _queue_row(row: FileRow) -> str:
    name, key = escape(row.name), f"{row.job}-{row.file}"
    place = f'data-job="{row.job}" data-file="{row.file}"'
    action = form = ""
    if row.mood in (Mood.WORKING, Mood.WAITING):
        action = _queue_button("cancel", "Cancel", f"Cancel {name}", place, key)
    elif row.can_retry:
        action = _queue_button("retry", "Try again", f"Try {name} again", place, key)
    if row.wants_password:
        form = (
            f'<form data-act="unlock" {place}><label>Password '
            f'<input type="password" data-key="password-{key}" autocomplete="off" maxlength="1000" '
            f'aria-label="Password of {name}"></label>'
            f'<button data-key="unlock-{key}">Open</button></form>'
        )
    return (
        f'<li class="{row.mood}"><bdi class="name">{name}</bdi>'
        f'<span class="into">{escape(row.collection)}</span>{action}'
        f'<span class="words">{escape(row.words)}</span>{render_bar(row)}{form}</li>'
    )


def _queue_button(act: str, words: str, label: str, place: str, key: str) -> str:
    return (
        f'<button type="button" data-act="{act}" {place} data-key="{act}-{key}" '
        f'aria-label="{label}">{words}</button>'
    )


def render_collections(collections: Sequence[CollectionInfo]) -> str:
    """Return the collections with their numbers of documents and pages, and their instructions."""
    rows = "".join(
        f"<li><bdi>{escape(one.name)}</bdi><span>{plural(one.documents, 'document')}, "
        f"{plural(one.pages, 'page')}</span>{render_instructions(one)}</li>"
        for one in collections
    )
    return f'<ul class="collections">{rows}</ul>' if rows else '<div class="empty">No collection yet.</div>'


def render_done(message: str) -> str:
    """Return what a person reads when something is done."""
    return f'<div class="done" role="status">{escape(message)}</div>'


def render_storage(storage: Storage) -> str:
    """Return the library's bytes on the disk by kind, as a bar and as numbers."""
    parts = [
        ("originals", "documents' own bytes", storage.originals),
        ("vectors", "single vectors (Chroma)", storage.vectors),
        ("tokens", "token vectors", storage.tokens),
        ("words", "words", storage.words),
        ("text", "text", storage.text),
        ("rest", "the rest of the catalogue", storage.rest),
    ]
    shown = [part for part in parts if part[2] > _LEAST * storage.total]
    bar = "".join(f'<span class="{name}" style="flex-grow:{value}"></span>' for name, _, value in shown)
    legend = "".join(
        f'<li><span class="{name}" aria-hidden="true"></span>{words}<b>{decimal(value)}</b></li>'
        for name, words, value in parts
    )
    return (
        f'<p class="total">The library takes {decimal(storage.total)}</p>'
        f'<div class="bar" aria-hidden="true">{bar}</div><ul class="legend">{legend}</ul>'
    )


def render_deletion(documents: Sequence[Document]) -> str:
    """Return the question whether to delete documents, with the consequences."""
    pages = sum(document.pages for document in documents)
    names = "".join(
        f"<li><bdi>{escape(document.label)}</bdi>{also_known(document.names)}</li>"
        for document in documents[:_NAMED]
    )
    if left := len(documents) - _NAMED:
        names += f"<li>and {left:,} more</li>" if left > 0 else ""
    whose = "Its" if len(documents) == 1 else "Their"
    return (
        f"<p><b>Delete {plural(len(documents), 'document')}?</b> {whose} {plural(pages, 'page')} "
        f"will no longer be found. Your original files are not touched.</p><ul>{names}</ul>"
    )


def render_collection_deletion(info: CollectionInfo) -> str:
    """Return the question whether to delete a collection, or to empty the default one."""
    verb = "Empty" if info.is_default else "Delete"
    return (
        f"<p><b>{verb} the collection <bdi>{escape(info.name)}</bdi>?</b> Its "
        f"{plural(info.documents, 'document')} with {plural(info.pages, 'page')} will no longer be "
        "found. Your original files are not touched.</p>"
    )
