"""What opening, searching and deleting cost in a library of many documents and in one of few.

    python benchmarks/library.py [--quick] [--documents N] [--json FILE]

The library of N documents and one of N / 10 are made by `Library.add`, from random words and random unit
vectors: neither parser nor encoder is measured. Each is then opened in a process of its own, which says
how long that took, how much memory it held after it, and how long each of the deletions took.
Ratios are N documents ÷ N / 10; 1 means that the size does not matter.
"""

import hashlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from report import Result, arguments, compare, publish

from ingestion.documents import Chunk, Page, ParsedDocument, Status
from ingestion.encoders import Encodings, builtin_encoder
from ingestion.library import Library
from ingestion.storage.originals import Source
from ingestion.storage.timing import utc_now
from rag_app.config.environment import stay_offline

DOCUMENTS, QUICK_DOCUMENTS = 2000, 100
RUNS = 3
DELETIONS = 10
CHUNKS, TOKENS, WORDS = 5, 100, 400  # of a document; tokens of a chunk
VOCABULARY = 50_000
UNITS = {
    "open": "s",
    "memory": "MiB",
    "delete": "ms",
    "documents": "ms",
    "bm25": "ms",
    "mean": "ms",
    "colbert": "ms",
}


def make(folder: Path, documents: int) -> None:
    """Fill a library."""
    random = np.random.default_rng(0)
    encoder = builtin_encoder()
    file = folder.with_suffix(".txt")
    with Library.open(folder, encoder) as library:
        (collection,) = library.catalogue.collections().values()
        for number in range(documents):
            text = " ".join(f"w{word}" for word in random.integers(VOCABULARY, size=WORDS))
            file.write_text(text, "utf-8")
            sha256 = hashlib.sha256(text.encode()).hexdigest()
            source = Source(f"/made/{number}.txt", f"{number}.txt", sha256, len(text), file)
            edges = [len(text) * part // CHUNKS for part in range(CHUNKS + 1)]
            chunks = [
                Chunk(i, 1, start, end, text[start:end], None, "")
                for i, (start, end) in enumerate(pairwise(edges))
            ]
            encodings = Encodings(
                cls=_unit(random, CHUNKS, encoder.dimension),
                mean=_unit(random, CHUNKS, encoder.dimension),
                tokens=_unit(random, CHUNKS * TOKENS, encoder.token_dimension),
                offsets=np.arange(CHUNKS + 1) * TOKENS,
                spans=np.zeros((CHUNKS * TOKENS, 2), np.int32),
            )
            parsed = ParsedDocument(Status.OK, page_count=1, pages=(Page(1, text),))
            library.add(
                collection,
                source,
                parsed,
                chunks,
                {library.representation().id: encodings},
                language="en",
                added=utc_now(),
            )


def use(folder: Path) -> dict[str, Any]:
    """Open a library once, search and delete."""
    random = np.random.default_rng(1)
    encoder = builtin_encoder()
    encoder.encode_query("warm up")
    before = _memory()
    started = time.perf_counter()
    with Library.open(folder, encoder) as library:
        found: dict[str, Any] = {"open": time.perf_counter() - started, "memory": _memory() - before}
        scope = library.catalogue.scope()
        documents = library.catalogue.documents()
        query = _unit(random, 32, encoder.token_dimension)
        vector = _unit(random, 1, encoder.dimension)[0]
        (collection,) = scope.collections
        searches: dict[str, Callable[[], object]] = {
            "documents": library.catalogue.documents,
            "bm25": lambda: library.catalogue.words.search("w17 w1234 w40000", scope, 10).hits,
            "mean": lambda: library.vectors.query(collection, "mean", vector, 10),
            "colbert": lambda: library.tokens.search(query, library.segments(scope), 10),
        }
        for name, search in searches.items():
            search()  # opens what is opened at first use
            found[name] = 1000 * statistics.median(_seconds(search) for _ in range(DELETIONS))
        deletions = documents[len(documents) // 2 :][:DELETIONS]
        found["delete"] = 1000 * statistics.median(
            _seconds(partial(library.delete, one)) for one in deletions
        )
    return found


def _unit(random: np.random.Generator, rows: int, columns: int) -> NDArray[np.float32]:
    values = random.normal(size=(rows, columns))
    return np.asarray(values / np.linalg.norm(values, axis=1, keepdims=True), np.float32)


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _memory() -> float:
    """Return this process's share of memory in MiB; 0 where the system does not say."""
    file = Path("/proc/self/smaps_rollup")
    lines = file.read_text("ascii").splitlines() if file.exists() else []
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), 0.0)


def measure(folder: Path) -> dict[str, Any]:
    command = [sys.executable, __file__, "--library", str(folder)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def results(many: int, runs: int) -> list[Result]:
    """Let the two libraries take turns."""
    few = many // 10
    with tempfile.TemporaryDirectory() as name:
        folders = {count: Path(name) / str(count) for count in (many, few)}
        for count, folder in folders.items():
            make(folder, count)
        found: dict[int, list[dict[str, Any]]] = {many: [], few: []}
        for _ in range(runs):
            for count, folder in folders.items():
                found[count].append(measure(folder))
    return [
        compare(
            f"library/{what}/{many}-documents",
            unit,
            [one[what] for one in found[many]],
            [one[what] for one in found[few]],
            f"{few} documents",
        )
        for what, unit in UNITS.items()
    ]


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--documents", type=int, default=DOCUMENTS, help="how many the larger library holds")
    parser.add_argument("--library", type=Path, help="use this library only, here, and print its figures")
    options = parser.parse_args()
    stay_offline()
    if options.library:
        print(json.dumps(use(options.library)))
        return
    many = QUICK_DOCUMENTS if options.quick else options.documents
    runs = 1 if options.quick else RUNS
    publish(results(many, runs), {"documents": many, "runs": runs, "quick": options.quick}, options.json)


if __name__ == "__main__":
    main()
