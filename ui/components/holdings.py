"""What the library holds besides its documents: collections, and room on the disk."""

from collections.abc import Sequence

from ingestion.collections import CollectionInfo
from ingestion.storage.catalogue.records import Document
from rag_app.service.document_browser import Storage
from ui.components.document_list import also_known
from ui.components.text import escape, plural, size

# Names that a confirmation lists; the rest is a number.
_NAMED = 8
# Parts of a bar narrower than this share of it would not be seen.
_LEAST = 0.005


def render_collections(collections: Sequence[CollectionInfo]) -> str:
    """Return the collections with what is in them."""
    rows = "".join(
        f"<li><bdi>{escape(one.name)}</bdi><span>{plural(one.documents, 'document')}, "
        f"{plural(one.pages, 'page')}</span></li>"
        for one in collections
    )
    return f'<ul class="collections">{rows}</ul>' if rows else '<div class="empty">No collection yet.</div>'


def render_storage(storage: Storage) -> str:
    """Return a bar of what takes room on the disk, and the numbers."""
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
        f'<li><span class="{name}" aria-hidden="true"></span>{words}<b>{size(value)}</b></li>'
        for name, words, value in parts
    )
    return (
        f'<p class="total">The library takes {size(storage.total)}</p>'
        f'<div class="bar" aria-hidden="true">{bar}</div><ul class="legend">{legend}</ul>'
    )


def render_deletion(documents: Sequence[Document]) -> str:
    """Return what deleting these documents means, as a question."""
    pages = sum(document.pages for document in documents)
    chunks = sum(document.chunks for document in documents)
    names = "".join(
        f"<li><bdi>{escape(document.label)}</bdi>{also_known(document)}</li>"
        for document in documents[:_NAMED]
    )
    if left := len(documents) - _NAMED:
        names += f"<li>and {left:,} more</li>" if left > 0 else ""
    whose = "Its" if len(documents) == 1 else "Their"
    return (
        f"<p><b>Delete {plural(len(documents), 'document')}?</b> {whose} {plural(pages, 'page')} and "
        f"{plural(chunks, 'chunk')} leave the library. Files that they were added from stay.</p>"
        f"<ul>{names}</ul>"
    )


def render_collection_deletion(info: CollectionInfo, *, stays: bool) -> str:
    """Return what deleting a collection means, as a question. The default one `stays`, emptied."""
    verb = "Empty" if stays else "Delete"
    return (
        f"<p><b>{verb} the collection <bdi>{escape(info.name)}</bdi>?</b> Its "
        f"{plural(info.documents, 'document')} with {plural(info.pages, 'page')} leave the library.</p>"
    )
