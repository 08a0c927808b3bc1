"""The models of the application: the list, the files on this machine, and the download of others.

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
