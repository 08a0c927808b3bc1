"""The documents of the library: name, size, status, and a button that deletes."""

from collections.abc import Sequence

from ingestion.documents import Status
from ingestion.storage.catalogue.records import Document
from ui.components.text import escape, plural


def render_documents(documents: Sequence[Document], collection: str | None = None) -> str:
    """Return the list, in the order given; of an empty one, what to do, with the collection's name."""
    if not documents:
        where = f" in <bdi>{escape(collection)}</bdi>" if collection else ""
        return (
            f'<div class="empty"><b>No documents{where} yet.</b> '
            "Drop PDF, Word, PowerPoint, Excel, e-book, web, CSV, Markdown or text files above.</div>"
        )
    pages = sum(document.pages for document in documents)
    chunks = sum(document.chunks for document in documents)
    total = ", ".join([plural(len(documents), "document"), plural(pages, "page"), plural(chunks, "chunk")])
    return f'<div class="total">{total}</div><ul class="documents">{"".join(map(_row, documents))}</ul>'


def render_confirmation(document: Document) -> str:
    """Return what deleting means, as a question."""
    return (
        f"<div>Delete <b><bdi>{escape(document.label)}</bdi></b>? Its {plural(document.pages, 'page')} and "
        f"{plural(document.chunks, 'chunk')} leave the library{also_known(document)}. "
        "The file that you added it from stays.</div>"
    )


def also_known(document: Document) -> str:
    """Return, as the end of a sentence, the other names of a document's bytes; nothing for one name."""
    if not document.names[1:]:
        return ""
    names = ", ".join(f"<bdi>{escape(name)}</bdi>" for name in document.names[1:])
    return f", also known as {names}"


def render_error(message: str) -> str:
    """Return a message in red."""
    return f'<div class="failed" role="alert">{escape(message)}</div>'


def _row(document: Document) -> str:
    size = f"{plural(document.pages, 'page')} · {plural(document.chunks, 'chunk')}"
    status = ""
    if document.status is not Status.OK:
        words = document.status.replace("_", " ")
        status = f' · <span class="status" title="{escape(document.error or words)}">{escape(words)}</span>'
    name = escape(document.label)
    return (
        f'<li><bdi class="name" title="{escape(document.path)}">{name}</bdi>'
        f'<span class="size">{size}{status}{also_known(document)}</span>'
        f'<button type="button" data-delete="{escape(document.id)}" title="Delete" '
        f'aria-label="Delete {name}">&times;</button></li>'
    )
