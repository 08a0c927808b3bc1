"""What a search is narrowed to, as people say it, and the scope that this means."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path, PurePath

from ingestion.errors import InvalidInput
from ingestion.storage.catalogue.catalogue import Catalogue
from ingestion.storage.catalogue.records import Document, Scope
from ingestion.text.names import composed

_PAGES = re.compile(r"\s*(\d+)\s*(?:(-|–|\.\.)\s*(\d+)?)?\s*")
_LAST_PAGE = 2**31


@dataclass(frozen=True, slots=True)
class Filters:
    """All of these must hold; an empty one does not narrow.

    Attributes:
        documents: names, paths or ids.
        folders: folders that a document was ingested from, with all below.
        types: suffixes of the files, with or without the dot.
        added_from, added_to: days on which documents were added, both included, in local time.
        pages: first and last page, counted from 1, both included.
    """

    documents: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    added_from: date | None = None
    added_to: date | None = None
    pages: tuple[int, int] | None = None


def parse_pages(text: str) -> tuple[int, int]:
    """Return the first and last page of "7", "3-7" or "3-". Raises InvalidInput for anything else."""
    match = _PAGES.fullmatch(text)
    first = int(match[1]) if match else 0
    last = first if match and not match[2] else int(match[3]) if match and match[3] else _LAST_PAGE
    if not 1 <= first <= last:
        raise InvalidInput(f"{text!r} is no range of pages; write 7, 3-7 or 3-")
    return min(first, _LAST_PAGE), min(last, _LAST_PAGE)


def resolve(catalogue: Catalogue, collections: Sequence[str], filters: Filters) -> Scope:
    """Return the scope of collections (none: the default one) and filters.

    Filters that no document meets give a scope in which nothing is found. Raises UnknownName for a
    collection or document that is not there.
    """
    scope = catalogue.scope(collections, filters.documents)
    documents = scope.documents
    if filters.folders or filters.types or filters.added_from or filters.added_to:
        found = frozenset(
            document.id for document in catalogue.documents(scope.collections) if _meets(document, filters)
        )
        documents = found if documents is None else found & documents
    return Scope(scope.collections, documents, filters.pages)


def _meets(document: Document, filters: Filters) -> bool:
    suffixes = {"." + kind.lower().removeprefix(".") for kind in filters.types}
    if suffixes and suffixes.isdisjoint(PurePath(name).suffix.lower() for name in document.names):
        return False
    added = datetime.fromisoformat(document.added).astimezone().date()
    if filters.added_from and added < filters.added_from:
        return False
    if filters.added_to and added > filters.added_to:
        return False
    if not filters.folders:
        return True
    folders = [composed(str(Path(folder).expanduser().resolve())) for folder in filters.folders]
    return any(Path(composed(path)).is_relative_to(folder) for path in document.paths for folder in folders)
