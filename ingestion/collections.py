"""Collections: named sets of documents, created, renamed and deleted.

A collection may have instructions: what a person asks of a language model about the form of answers from it.
"""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from ingestion.errors import InvalidInput, LibraryError, UnknownName
from ingestion.library import Library
from ingestion.storage.catalogue.catalogue import DEFAULT_COLLECTION, Catalogue, check_collection_name
from ingestion.text.invisible import first_unseen

# Characters of a collection's instructions: some lines. All of them stand in every prompt.
MOST_INSTRUCTIONS = 1_000
_LINE_ENDS = re.compile(r"\r\n?")


@dataclass(frozen=True, slots=True)
class CollectionInfo:
    """A collection and what is in it.

    Attributes:
        created: UTC in ISO 8601.
        instructions: What a language model is asked about the form of its answers; "" for nothing.
    """

    name: str
    documents: int
    pages: int
    chunks: int
    created: str
    instructions: str = ""

    @property
    def is_default(self) -> bool:
        """Whether it is the collection that always exists; deleting it empties it."""
        return self.name == DEFAULT_COLLECTION


def list_collections(library: Library) -> list[CollectionInfo]:
    """Return every collection, by name."""
    rows = library.catalogue.database.rows(
        "SELECT c.name, count(d.id) AS documents, coalesce(sum(d.page_count), 0) AS pages, "
        "coalesce(sum(d.chunk_count), 0) AS chunks, c.created, coalesce(i.text, '') AS instructions "
        "FROM collections c LEFT JOIN documents d ON d.collection_id = c.id "
        "LEFT JOIN collection_instructions i ON i.collection_id = c.id GROUP BY c.id ORDER BY c.name"
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

    The default collection is emptied and stays, with its instructions.

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


def checked_instructions(text: str) -> str:
    """Return instructions as they are kept: without white space around them.

    Raises InvalidInput for text that is too long, or has characters that nobody sees.
    """
    kept = _LINE_ENDS.sub("\n", text).strip()
    if len(kept) > MOST_INSTRUCTIONS:
        raise InvalidInput(
            f"the instructions have {len(kept):,} characters, and at most {MOST_INSTRUCTIONS:,} are kept; "
            "shorten them"
        )
    if unseen := first_unseen(kept, lines=True):
        place, character = unseen
        raise InvalidInput(
            f"character {place} of the instructions is U+{ord(character):04X}, which nobody sees; remove it"
        )
    return kept


def set_instructions(library: Library, name: str, text: str) -> CollectionInfo:
    """Give a collection instructions; an empty text removes them.

    Raises:
        UnknownName: There is no such collection.
        InvalidInput: See `checked_instructions`.
    """
    kept = checked_instructions(text)
    with library.changing:
        (identity,) = library.catalogue.collection_ids([name])
        with library.catalogue.database.transaction() as connection:
            if kept:
                connection.execute(
                    "INSERT OR REPLACE INTO collection_instructions VALUES (?, ?)", (identity, kept)
                )
            else:
                connection.execute("DELETE FROM collection_instructions WHERE collection_id = ?", (identity,))
        return _info(library, name)


def instructions_of(catalogue: Catalogue) -> dict[str, str]:
    """Return the instructions of the collections that have some, by name."""
    rows = catalogue.database.rows(
        "SELECT c.name, i.text FROM collections c JOIN collection_instructions i ON i.collection_id = c.id "
        "ORDER BY c.name"
    )
    return {row["name"]: row["text"] for row in rows}


def adopt_instructions(library: Library, given: Mapping[str, str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Give collections the instructions that come with documents from elsewhere, as with an archive.

    Only a collection with neither documents nor instructions takes them: nobody else decides how answers
    from a person's own documents read. A collection that is not there is created.

    Returns:
        The names of the collections that took theirs, and of those that did not and have others.

    Raises:
        InvalidInput: A name or a text is unusable.
    """
    taken, left = [], []
    for name, text in given.items():
        library.catalogue.ensure_collection(name)
        info = _info(library, name)
        if not text:
            continue
        if not info.documents and not info.instructions:
            set_instructions(library, name, text)
            taken.append(name)
        elif info.instructions != text:
            left.append(name)
    return tuple(taken), tuple(left)


def single_instructions(library: Library, names: Sequence[str]) -> str:
    """Return the instructions for a question about these collections: those of the one, "" for several."""
    asked = set(names)
    return instructions_of(library.catalogue).get(asked.pop(), "") if len(asked) == 1 else ""


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
