"""Collections: named sets of documents, created, renamed and deleted."""

from contextlib import suppress
from dataclasses import dataclass

from ingestion.errors import InvalidInput, LibraryError, UnknownName
from ingestion.library import Library
from ingestion.storage.catalogue.catalogue import DEFAULT_COLLECTION, check_collection_name


@dataclass(frozen=True, slots=True)
class CollectionInfo:
    """A collection and what is in it. `created` is UTC in ISO 8601."""

    name: str
    documents: int
    pages: int
    chunks: int
    created: str

    @property
    def is_default(self) -> bool:
        """Whether it is the collection that always exists; deleting it empties it."""
        return self.name == DEFAULT_COLLECTION


def list_collections(library: Library) -> list[CollectionInfo]:
    """Return every collection, by name."""
    rows = library.catalogue.database.rows(
        "SELECT c.name, count(d.id) AS documents, coalesce(sum(d.page_count), 0) AS pages, "
        "coalesce(sum(d.chunk_count), 0) AS chunks, c.created "
        "FROM collections c LEFT JOIN documents d ON d.collection_id = c.id GROUP BY c.id ORDER BY c.name"
    )
    return [CollectionInfo(**dict(row)) for row in rows]


def create_collection(library: Library, name: str) -> CollectionInfo:
    """Create an empty collection. Raises InvalidInput for an unusable name or one that is taken."""
    with library.changing:
        _check_free(library, name)
        _, is_new = library.catalogue.find_or_create_collection(name)
        if not is_new:  # by a file that is being ingested
            raise _taken(name)
        return _info(library, name)


def rename_collection(library: Library, old: str, new: str) -> CollectionInfo:
    """Give a collection another name; its documents stay as they are.

    Raises:
        UnknownName: There is no such collection.
        InvalidInput: The new name is unusable or taken, or `old` is the default collection.
    """
    library.catalogue.collection_ids([old])
    if old == DEFAULT_COLLECTION:
        raise InvalidInput(
            f"the collection {DEFAULT_COLLECTION!r} keeps its name, because commands that name no collection "
            "mean it; create another one and ingest into that"
        )
    with library.changing:
        _check_free(library, new)
        with library.catalogue.transaction() as connection:
            renamed = connection.execute(
                "UPDATE OR IGNORE collections SET name = ? WHERE name = ?", (new, old)
            )
        if not renamed.rowcount:
            library.catalogue.collection_ids([old])  # it was deleted meanwhile
            raise _taken(new)
        with suppress(LibraryError, OSError):  # cards are beside the truth
            for document in library.catalogue.documents(library.catalogue.collection_ids([new])):
                library.cards.note(library.catalogue, document.sha256)
        return _info(library, new)


def delete_collection(library: Library, name: str) -> CollectionInfo:
    """Delete a collection with all of its documents; return what it held.

    The default collection is emptied and stays.

    Raises:
        UnknownName: There is no such collection.
        LibraryError: A store cannot be written; what is left there is invisible and erased later.
    """
    catalogue = library.catalogue
    with library.changing:
        (identity,) = catalogue.collection_ids([name])
        info = _info(library, name)
        documents = catalogue.documents([identity])
        library.delete(*documents, collection_id=None if name == DEFAULT_COLLECTION else identity)
    return info


def _check_free(library: Library, name: str) -> None:
    check_collection_name(name)
    if name in library.catalogue.collections():
        raise _taken(name)


def _taken(name: str) -> InvalidInput:
    return InvalidInput(f"there is a collection {name!r} already; choose another name")


def _info(library: Library, name: str) -> CollectionInfo:
    found = [info for info in list_collections(library) if info.name == name]
    if not found:
        raise UnknownName("collection", name, library.catalogue.collections())
    return found[0]
