"""The fields of documents in the catalogue: what the rules recognised, and what a person wrote instead.

Fields are recognised when a document is added. Those of a document that was added before there were fields,
by older rules or under another name are recognised when they are asked for, from the text that is stored.
"""

import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, astuple, dataclass
from typing import Self

from ingestion.documents import FileProperties
from ingestion.errors import InvalidInput, LibraryError
from ingestion.fields.front_matter import FRONT_PAGES, FrontMatter, FrontPage
from ingestion.fields.recognition import RULES_VERSION, recognise
from ingestion.fields.values import FIELD_NAMES, DocumentFields, FieldName, FieldValues, checked_field
from ingestion.storage.catalogue.catalogue import Catalogue
from ingestion.storage.catalogue.records import Document
from ingestion.storage.catalogue.texts import PADDING, Slice, read_slices

# Documents whose fields are written in one transaction.
_TOGETHER = 100


@dataclass(frozen=True, slots=True)
class RecognisedFields:
    """What is stored of a document: its fields, and what they were recognised from beside its text."""

    values: FieldValues
    name: str
    properties: FileProperties
    rules: int = RULES_VERSION

    @classmethod
    def of(cls, front: FrontMatter) -> Self:
        """Recognise the fields of a document."""
        return cls(recognise(front), front.name, front.properties)

    def is_current(self, name: str) -> bool:
        """Whether the present rules recognised them, under a document's present name."""
        return self.rules == RULES_VERSION and self.name == name


class DocumentFieldTable:
    """Rows of `document_fields` and `field_edits`. Safe to use from several threads."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._database = catalogue.database
        self._known: tuple[int, dict[str, DocumentFields]] = (-1, {})

    def of(self, documents: Sequence[Document]) -> dict[str, DocumentFields]:
        """Return the fields of visible documents, by id."""
        changes, known = self._known
        if (
            changes != self._database.changes
        ):  # read first: what changes meanwhile is read again the next time
            known = {}
            self._known = self._database.changes, known
        missing = [document for document in documents if document.id not in known]
        if missing:
            known.update(self._read(missing))
        return {document.id: known[document.id] for document in documents}

    def stored(self, documents: Sequence[Document]) -> dict[str, DocumentFields]:
        """Return the fields of documents without reading a text: those that are not stored yet are empty."""
        ids = [document.id for document in documents]
        with self._database.reading() as connection:
            recognised, edits = _stored(connection, ids), _edits(connection, ids)
        values = {one: recognised[one].values if one in recognised else FieldValues() for one in ids}
        return {one: DocumentFields(values[one], edits.get(one, {})) for one in ids}

    def _read(self, documents: Sequence[Document]) -> dict[str, DocumentFields]:
        ids = [document.id for document in documents]
        with self._database.reading() as connection:
            recognised, edits = _stored(connection, ids), _edits(connection, ids)
        recognised |= self._renewed(documents, recognised)
        return {one: DocumentFields(recognised[one].values, edits.get(one, {})) for one in ids}

    def properties(self, document_id: str) -> FileProperties:
        """Return what a document's file says of itself, as far as it was kept."""
        with self._database.reading() as connection:
            found = _stored(connection, [document_id])
        return found[document_id].properties if document_id in found else FileProperties()

    def edits(self, document_id: str) -> dict[FieldName, str]:
        """Return what a person wrote of a document's fields."""
        with self._database.reading() as connection:
            return _edits(connection, [document_id]).get(document_id, {})

    def edit(
        self, document_id: str, written: Mapping[FieldName, str], restored: Collection[FieldName] = ()
    ) -> None:
        """Keep what a person writes of a document's fields.

        Args:
            written: By the field's name; "" says that the document has none.
            restored: Fields that are taken back to what is recognised.

        Raises:
            InvalidInput: A value cannot be kept: see `checked_field`.
            LibraryError: The catalogue cannot be written.
        """
        checked = {name: checked_field(name, text) for name, text in written.items()}
        with self._database.transaction(changes_documents=True) as connection:
            kept = _edits(connection, [document_id]).get(document_id, {}) | checked
            write_edits(connection, document_id, {k: v for k, v in kept.items() if k not in restored})

    def _renewed(
        self, documents: Sequence[Document], stored: Mapping[str, RecognisedFields]
    ) -> dict[str, RecognisedFields]:
        """Recognise the fields that are not stored as they would be now, and store them."""
        found: dict[str, RecognisedFields] = {}
        for document in documents:
            known = stored.get(document.id)
            if known is None or not known.is_current(document.name):
                properties = known.properties if known else FileProperties()
                with self._database.reading() as connection:
                    pages = tuple(_front_pages(connection, document.id))
                front = FrontMatter(document.name, document.title, properties, pages)
                found[document.id] = RecognisedFields.of(front)
        rows = list(found.items())
        for first in range(0, len(rows), _TOGETHER):
            # Fields that cannot be stored, as on a full disk, are recognised again the next time.
            with suppress(LibraryError), self._database.transaction() as connection:
                for document_id, fields in rows[first : first + _TOGETHER]:
                    write_recognised(connection, document_id, fields)
        return found


def write_recognised(connection: sqlite3.Connection, document_id: str, fields: RecognisedFields) -> None:
    """Store what was recognised of a document, within a transaction."""
    body = {"name": fields.name, "properties": astuple(fields.properties), "values": asdict(fields.values)}
    connection.execute(
        "INSERT OR REPLACE INTO document_fields (document_id, rules, pad, body) "
        "SELECT id, ?2, zeroblob(?3), ?4 FROM documents WHERE id = ?1",
        (document_id, RULES_VERSION, PADDING, _encoded(body)),
    )


def write_edits(connection: sqlite3.Connection, document_id: str, edits: Mapping[FieldName, str]) -> None:
    """Store what a person wrote of a document, within a transaction: all of it, or nothing any more."""
    if not edits:
        remove_edits(connection, document_id)
        return
    connection.execute(
        "INSERT OR REPLACE INTO field_edits (document_id, pad, body) VALUES (?, zeroblob(?), ?)",
        (document_id, PADDING, _encoded(dict(edits))),
    )


def remove_edits(connection: sqlite3.Connection, document_id: str) -> None:
    """Forget what a person wrote of a document, within a transaction."""
    connection.execute("DELETE FROM field_edits WHERE document_id = ?", (document_id,))


def _encoded(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _stored(connection: sqlite3.Connection, ids: Sequence[str]) -> dict[str, RecognisedFields]:
    """Return what is stored of documents; what cannot be read is left out."""
    rows = connection.execute(
        "SELECT document_id, rules, body FROM document_fields "
        "WHERE document_id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(ids)),),
    ).fetchall()
    found = {}
    for document_id, rules, body in rows:
        with suppress(ValueError, KeyError, TypeError):
            fields = json.loads(body)
            values, properties = FieldValues(**fields["values"]), FileProperties(*fields["properties"])
            found[document_id] = RecognisedFields(values, fields["name"], properties, rules)
    return found


def _edits(connection: sqlite3.Connection, ids: Sequence[str]) -> dict[str, dict[FieldName, str]]:
    """Return what a person wrote of documents. An edit that this version would not keep is left out."""
    rows = connection.execute(
        "SELECT document_id, body FROM field_edits WHERE document_id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(ids)),),
    ).fetchall()
    found: dict[str, dict[FieldName, str]] = {}
    for document_id, body in rows:
        with suppress(ValueError, AttributeError):
            written = json.loads(body)
            for name in FIELD_NAMES:
                with suppress(InvalidInput):
                    if isinstance(text := written.get(name), str):
                        found.setdefault(document_id, {})[name] = checked_field(name, text)
    return found


def _front_pages(connection: sqlite3.Connection, document_id: str) -> Iterator[FrontPage]:
    """Yield a document's first pages; none where its text cannot be read, which `verify` says."""
    rows = connection.execute(
        "SELECT d.text_id, p.text_start, p.text_length, json_extract(p.layout, '$.width') AS width, "
        "json_extract(p.layout, '$.height') AS height FROM pages p JOIN documents d ON d.id = p.document_id "
        "WHERE p.document_id = ? AND p.number <= ? ORDER BY p.number",
        (document_id, FRONT_PAGES),
    ).fetchall()
    places = [Slice(row["text_start"], row["text_length"]) for row in rows]
    with suppress(ValueError, sqlite3.OperationalError):
        texts = read_slices(connection, {rows[0]["text_id"]: places}) if rows else {}
        for row, place in zip(rows, places, strict=True):
            text = texts[row["text_id"], place]
            yield FrontPage(text, float(row["width"] or 0), float(row["height"] or 0))
