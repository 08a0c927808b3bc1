"""The models that the application knows: the list, what lies on this machine, and bringing the rest.

Importing this loads neither the hub's client nor torch.
"""

from rag_app.model_store.manifest import (
    FIELDS,
    ROLES,
    SCHEMES,
    SEPARATOR,
    ModelEntry,
    all_entries,
    manifest_path,
    read_manifest,
)
from rag_app.model_store.resolving import reranker_named, resolve

__all__ = [
    "FIELDS",
    "ROLES",
    "SCHEMES",
    "SEPARATOR",
    "ModelEntry",
    "all_entries",
    "manifest_path",
    "read_manifest",
    "reranker_named",
    "resolve",
]
