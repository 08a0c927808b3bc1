"""The representations and segments tables: which models read the library, and where their tokens lie."""

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from ingestion.storage.catalogue.database import Database, insert_row
from ingestion.storage.catalogue.records import Representation, RepresentationState, Scope
from ingestion.storage.catalogue.segment_table import SegmentTable
from ingestion.storage.tokens.layout import DocumentKey

# Columns that hold the attribute of that name as it is.
_PLAIN = ("name", "source", "fingerprint", "dimension", "token_dimension", "codec", "state")


class RepresentationTable:
    """Rows of `representations` and `segments`. Writing takes a transaction's connection."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.segment_table = SegmentTable(database)

    def all(self, *states: RepresentationState) -> list[Representation]:
        """Return the representations in one of the states, or all of them."""
        rows = self._database.rows("SELECT * FROM representations ORDER BY id")
        found = [_representation(row) for row in rows]
        return [one for one in found if not states or one.state in states]

    def insert(self, connection: sqlite3.Connection, representation: Representation) -> Representation:
        """Write a new one; return it with its id."""
        scales = representation.scales
        identity = insert_row(
            connection,
            "representations",
            **{name: getattr(representation, name) for name in _PLAIN},
            readings=" ".join(representation.vector_kinds),
            scales=None if scales is None else scales.astype("<f4").tobytes(),
        )
        return replace(representation, id=identity)

    def set_state(self, connection: sqlite3.Connection, identity: int, state: RepresentationState) -> None:
        connection.execute("UPDATE representations SET state = ? WHERE id = ?", (state, identity))

    def remove(self, connection: sqlite3.Connection, identity: int) -> None:
        """Remove a representation and its segments' rows. Its vectors must be gone."""
        for table in ("segments", "segment_files"):
            connection.execute(f"DELETE FROM {table} WHERE representation_id = ?", (identity,))
        connection.execute("DELETE FROM representations WHERE id = ?", (identity,))

    def segments(self, representation: int, scope: Scope | None = None) -> list[str]:
        """Return the files of a representation's segments that have documents of the scope, or all."""
        if scope is not None and scope.documents is not None:
            collections = ", ".join("?" * len(scope.collections))
            rows = self._database.rows(
                "SELECT DISTINCT s.file FROM segments s JOIN documents d ON d.id = s.document_id "
                f"WHERE s.representation_id = ? AND d.collection_id IN ({collections}) "
                "AND d.id IN (SELECT value FROM json_each(?))",
                (representation, *scope.collections, json.dumps(sorted(scope.documents))),
            )
            return [row["file"] for row in rows]
        within = None if scope is None else scope.collections
        return [one.file for one in self.segment_table.files(representation, within)]

    def segment(self, document_id: str, representation: int) -> str | None:
        rows = self._database.rows(
            "SELECT file FROM segments WHERE document_id = ? AND representation_id = ?",
            (document_id, representation),
        )
        return rows[0]["file"] if rows else None

    def documents(self, representation: int, files: Iterable[str] | None = None) -> dict[str, str]:
        """Return the segment of each document that has one in the representation, by document id; only of
        those in `files`, if given."""
        where = "" if files is None else "AND file IN (SELECT value FROM json_each(?))"
        rows = self._database.rows(
            f"SELECT document_id, file FROM segments WHERE representation_id = ? {where}",
            (representation, *([] if files is None else [json.dumps(list(files))])),
        )
        return {row["document_id"]: row["file"] for row in rows}

    def keys(self, representation: int, files: Iterable[str]) -> set[DocumentKey]:
        """Return the visible documents, with their versions, whose tokens lie in these segments."""
        rows = self._database.rows(
            "SELECT d.id, d.version FROM segments s JOIN documents d ON d.id = s.document_id "
            "WHERE s.representation_id = ? AND s.file IN (SELECT value FROM json_each(?))",
            (representation, json.dumps(list(files))),
        )
        return {(row["id"], row["version"]) for row in rows}

    def document_names(self, file: str) -> list[str]:
        """Return the names of the documents whose tokens lie in a segment."""
        rows = self._database.rows(
            "SELECT d.name FROM segments s JOIN documents d ON d.id = s.document_id WHERE s.file = ? "
            "ORDER BY d.name",
            (file,),
        )
        return [row["name"] for row in rows]

    def missing(self, representation: int) -> list[str]:
        """Return the ids of the documents that have no segment in a representation."""
        rows = self._database.rows(
            "SELECT d.id FROM documents d WHERE d.collection_id IS NOT NULL AND NOT EXISTS (SELECT 1 "
            "FROM segments s WHERE s.document_id = d.id AND s.representation_id = ?) ORDER BY d.rowid",
            (representation,),
        )
        return [row["id"] for row in rows]


def _representation(row: sqlite3.Row) -> Representation:
    scales = row["scales"]
    return Representation(
        id=row["id"],
        vector_kinds=tuple(row["readings"].split()),
        scales=None if scales is None else np.frombuffer(scales, "<f4").copy(),
        **{name: row[name] for name in _PLAIN},
    )
