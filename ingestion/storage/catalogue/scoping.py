"""A scope as a condition of SQL."""

import json
from collections.abc import Sequence
from typing import Any

from ingestion.storage.catalogue.records import Scope


def within(scope: Scope) -> tuple[str, list[Any]]:
    """Return a condition on documents d and chunks c, and its parameters."""
    where = [f"d.collection_id IN ({marks(scope.collections)})"]
    parameters: list[Any] = [*scope.collections]
    if scope.documents is not None:
        where.append("d.id IN (SELECT value FROM json_each(?))")
        parameters.append(json.dumps(sorted(scope.documents)))
    if scope.pages is not None:
        where.append("c.page BETWEEN ? AND ?")
        parameters.extend(scope.pages)
    return " AND ".join(where), parameters


def marks(values: Sequence[object]) -> str:
    """Return as many question marks as there are values."""
    return ", ".join("?" * len(values))
