"""The child process that looks at Chroma's folder, or a copy: a damaged one can kill who reads it.

It reads a plan (JSON) from stdin, and prints a line (JSON) before and after each of Chroma's collections. A
plan names a "folder". One that also has "collections" and the folder "tokens" compares these with the
segments; any other one searches every collection for some of its own vectors.
"""

import ctypes
import json
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ingestion.errors import LibraryDamaged
from ingestion.storage.tokens.layout import DocumentKey
from ingestion.storage.tokens.segment import Segment
from ingestion.storage.vectors.soundness import check_folder
from ingestion.storage.vectors.store import embedded_chroma

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.models.Collection import Collection

_BATCH = 1000
_QUERIES = 32  # a collection: reading a graph that is damaged may fail where reading vectors does not
_TOLERANCE = 1e-4
_FOUND = 1e-3  # a distance; the search is approximate, so a few may be missed
_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main() -> None:
    """Look at what the plan names."""
    plan = json.loads(sys.stdin.read())
    _die_with_parent()
    try:
        check_folder(Path(plan["folder"]))
        client = embedded_chroma(Path(plan["folder"]))
        names = {collection.name for collection in client.list_collections()}
    except Exception as error:  # noqa: BLE001  # whatever a damaged folder makes Chroma raise
        _print({"error": f"cannot be opened: {error}"})
        return
    _print({"names": sorted(names)})
    for wanted in plan.get("collections", [{"name": name} for name in sorted(names)]):
        _print({"begin": wanted["name"]})
        try:
            if "segments" in wanted:
                _print(_differences(client, names, wanted, Path(plan["tokens"])))
            else:
                _search(client.get_collection(wanted["name"], embedding_function=None))
        except Exception as error:  # noqa: BLE001
            _print({"error": f"{wanted['name']} cannot be read: {error}"})
    _print({"end": True})


def _die_with_parent() -> None:
    """Have the kernel kill this process with its parent: who comes next must have the folder alone."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _search(collection: "Collection") -> None:
    """Search a collection for some of its vectors. Raises what Chroma raises, and what `_query` raises."""
    ids: list[str] = collection.get(include=[])["ids"]
    some: Any = collection.get(ids=ids[:: len(ids) // _QUERIES + 1], include=["embeddings"]) if ids else {}
    _query(collection, list(some.get("embeddings", ())))


def _print(value: object) -> None:
    print(json.dumps(value), flush=True)


def _differences(
    client: "ClientAPI", names: set[str], wanted: Mapping[str, Any], tokens: Path
) -> dict[str, Any]:
    expected = [chunk for _, _, ids, _ in wanted["segments"] for chunk in ids]
    if wanted["name"] not in names:
        return {"name": wanted["name"], "missing": expected, "surplus": [], "different": []}
    collection = client.get_collection(wanted["name"], embedding_function=None)
    stored = set(collection.get(include=[])["ids"])
    different: list[str] = []
    sample: list[Any] = []
    for ids, pages, vectors in _batches(wanted, tokens):
        found: Any = collection.get(ids=ids, include=["embeddings", "metadatas"])
        held = dict(zip(found["ids"], zip(found["embeddings"], found["metadatas"], strict=True), strict=True))
        for chunk, page, vector in zip(ids, pages, vectors, strict=True):
            if chunk in held and not _same(chunk, page, vector, *held[chunk]):
                different.append(chunk)
            elif chunk in held and vector is not None:
                sample.append(vector)
    _query(collection, sample[:: len(sample) // _QUERIES + 1])
    return {
        "name": wanted["name"],
        "missing": [chunk for chunk in expected if chunk not in stored],
        "surplus": sorted(stored.difference(expected)),
        "different": different,
    }


def _batches(
    wanted: Mapping[str, Any], tokens: Path
) -> Iterator[tuple[list[str], list[int], list[np.ndarray[Any, Any] | None]]]:
    """Yield (ids, pages, vectors) of about `_BATCH` chunks; no vectors where a segment cannot be read."""
    ids: list[str] = []
    pages: list[int] = []
    vectors: list[np.ndarray[Any, Any] | None] = []
    opened: dict[str, Segment | None] = {}
    for file, (identity, version), some, on in wanted["segments"]:
        if file not in opened:
            opened[file] = _open(tokens / file)
        ids += some
        pages += on
        vectors += _pooled(opened[file], wanted["pooling"], (identity, version), len(some))
        if len(ids) >= _BATCH:
            yield ids, pages, vectors
            ids, pages, vectors = [], [], []
    if ids:
        yield ids, pages, vectors


def _open(file: Path) -> Segment | None:
    try:
        return Segment(file)
    except LibraryDamaged:
        return None


def _pooled(
    segment: Segment | None, pooling: str, document: DocumentKey, chunks: int
) -> list[np.ndarray[Any, Any] | None]:
    """Return a document's vectors, or None for each of its chunks where they cannot be read."""
    try:
        rows = segment.touch_document(document) if segment else range(0)
    except LibraryDamaged:
        rows = range(0)
    if segment is None or len(rows) != chunks:
        return [None] * chunks
    return list(segment.pooled(pooling)[rows.start : rows.stop])


def _same(chunk: str, page: int, vector: Any, held: Any, metadata: Any) -> bool:
    if metadata != {"document_id": chunk.rsplit(":", 2)[0], "page": page}:
        return False
    return vector is None or bool(np.all(np.abs(vector - held) <= _TOLERANCE))


def _query(collection: "Collection", vectors: Sequence[Any]) -> None:
    """Search for some vectors. Raises LibraryDamaged where many of them are not found by themselves."""
    missed = 0
    for vector in vectors:
        found: Any = collection.query(query_embeddings=vector[None], n_results=1, include=["distances"])
        distances = found["distances"][0]
        missed += not (len(distances) and distances[0] <= _FOUND)
    if missed > len(vectors) // 8:
        raise LibraryDamaged(f"{missed} of {len(vectors)} of its vectors are not found")


if __name__ == "__main__":
    main()
