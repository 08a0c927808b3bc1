"""What documents are called where people see them: by name, by folders too where several have the name."""

import json
from collections.abc import Iterable

from ingestion.storage.catalogue.database import Database
from ingestion.text.names import labels, name_of


class Labels:
    """The documents' labels, by name as they are asked for, until documents change."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._changes = database.changes
        self._known: dict[str, dict[str, str]] = {}  # by name, the labels by document id

    def of(self, documents: Iterable[tuple[str, str]]) -> dict[str, str]:
        """Return each document's label by its id.

        A name that several documents of a collection have is preceded by as many folders of its path as tell
        these apart: `2023/report.pdf`.

        Args:
            documents: Ids and names of visible documents.
        """
        asked = dict(documents)
        with self._database.reading():
            if self._changes != self._database.changes:
                self._changes, self._known = self._database.changes, {}
            unknown = set(asked.values()) - self._known.keys()
            if unknown:
                self._known.update({name: {} for name in unknown})
                self._known.update(self._shared(unknown))
            return {id_: self._known[name].get(id_, name) for id_, name in asked.items()}

    def _shared(self, names: Iterable[str]) -> dict[str, dict[str, str]]:
        """Return the labels of documents whose name another has, by name and id."""
        rows = self._database.rows(
            "WITH shared AS (SELECT name, collection_id FROM documents "
            "WHERE name IN (SELECT value FROM json_each(?)) AND collection_id IS NOT NULL "
            "GROUP BY name, collection_id HAVING count(*) > 1) "
            "SELECT d.id, d.name, d.collection_id, s.path FROM shared "
            "JOIN documents d ON d.name = shared.name AND d.collection_id = shared.collection_id "
            "JOIN sources s ON s.document_id = d.id ORDER BY s.rowid",
            (json.dumps(list(names)),),
        )
        groups: dict[tuple[str, int], dict[str, str]] = {}
        for row in rows:
            group = groups.setdefault((row["name"], row["collection_id"]), {})
            # A document that lies under several names is known by the path that has this one.
            if row["id"] not in group or name_of(row["path"]) == row["name"] != name_of(group[row["id"]]):
                group[row["id"]] = row["path"]
        found: dict[str, dict[str, str]] = {}
        for (name, _), paths in groups.items():
            found.setdefault(name, {}).update(_told_apart(paths))
        return found


def _told_apart(paths: dict[str, str]) -> dict[str, str]:
    """Return labels by document id. Where two paths look the same, an id is in the label."""
    found = labels(paths)
    seen: set[str] = set()
    for identity, label in found.items():
        if label in seen:
            found[identity] = f"{label} ({identity})"
        seen.add(label)
    return found
