"""What a question costs in large libraries, stage by stage, and what their stores take.

    RAG_EVAL_DATA=FOLDER python benchmarks/query.py [--quick] [--chunks N…] [--folder FOLDER] [--json FILE]

Libraries of 100,000 and 1,000,000 chunks (--quick: 20,000) are made from the passages of xquad-en,
covidqa-dev and cranfield, as `large.py` says, and asked those sets' questions. 1,000,000 chunks take 35 GB in
FOLDER, where libraries that are there already are used again.

query/STRATEGY/SIZE         ms; ours: the strategy's median, peer: one exhaustive int8 scan by the same store
query/STRATEGY/SIZE/p95     ms
query/STRATEGY/SIZE/STAGE   ms, median; `…/p95` beside it
recall/colbert/SIZE         share of the exact top 10 among the 1,000 candidates
memory/…, disk/…            MiB resident after all questions, and MB on the disk, by store
open/…, add-1000/…, invisible/…   ms: a library opened, 1,000 chunks added without encoding, and until a
                            document whose deletion was asked for is found no more
"""

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from large import CHUNKS_A_DOCUMENT, Maker, MeanAndTokens, Real, build, documents_of
from numpy.typing import NDArray
from report import Result, arguments, compare, figure, publish

from ingestion.encoders import Encodings, builtin_encoder, join
from ingestion.library import Library
from ingestion.storage.originals import Source
from ingestion.storage.tokens.candidates import CANDIDATES, EXHAUSTIVE_CHUNKS, live_rows
from ingestion.storage.tokens.codec import Int8Codec
from ingestion.storage.tokens.maxsim import maxsim
from rag_app.config.environment import stay_offline
from retrievers.hits import Query
from retrievers.search import search
from retrievers.strategies import strategy_named

SETS = ("xquad-en", "covidqa-dev", "cranfield")
SIZES, QUICK_SIZES = (100_000, 1_000_000), (20_000,)
QUESTIONS, QUICK_QUESTIONS = 120, 30
STRATEGIES = ("colbert", "cascade", "mean", "bm25")
SCANS = 5
BEST = 10
ADDED, DELETED = 50, 20  # documents

Floats = NDArray[np.float32]


def passages(data: Path, cache: Path, *, quick: bool) -> Real:
    """Return the sets' passages, encoded now or when they were asked for the last time."""
    encoder = builtin_encoder()
    texts = [row["text"] for name in SETS for row in _lines(data / name / "corpus.jsonl")]
    if quick:
        texts = texts[::8]
    file = cache / f"passages-{len(texts)}.npz"
    names = ("cls", "mean", "tokens", "offsets", "spans")
    if file.is_file():
        with np.load(file) as known:
            if str(known["fingerprint"]) == encoder.fingerprint:
                encodings = Encodings(**{name: known[name] for name in names})
                return Real.of(texts, encodings, encoder.scales)
    parts = [encoder.encode(texts[first : first + 256]) for first in range(0, len(texts), 256)]
    encodings = join(parts)
    np.savez(file, fingerprint=encoder.fingerprint, **{name: getattr(encodings, name) for name in names})
    return Real.of(texts, encodings, encoder.scales)


def questions(data: Path, count: int) -> list[str]:
    """Return questions of all sets, in turns."""
    by_set = [[row["text"] for row in _lines(data / name / "queries.jsonl")] for name in SETS]
    random = np.random.default_rng(0)
    for some in by_set:
        random.shuffle(some)
    return [text for texts in zip(*by_set, strict=False) for text in texts][:count]


def _lines(file: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def measure(folder: Path, asked: Sequence[str], real: Path) -> dict[str, Any]:
    """Open a library once, ask, add and delete. In a process of its own."""
    encoder = MeanAndTokens(builtin_encoder())
    encoder.encode_query("warm up")
    before = _resident()
    started = time.perf_counter()
    found: dict[str, Any] = {}
    with Library.open(folder, encoder) as library:
        found["open"] = [1000 * (time.perf_counter() - started)]
        found["memory/open"] = [_resident() - before]
        scope = library.catalogue.scope()
        for number, name in enumerate(STRATEGIES):
            grown = _resident()
            # Spaces make it another question, whose vectors are not at hand yet.
            for question in asked[:3]:
                search(library, question + " " * number, strategy_named(name), scope)
            timings: dict[str, list[float]] = {}
            for question in asked[3:]:
                result = search(library, question + " " * number, strategy_named(name), scope)
                for stage, taken in result.timings_ms.items():
                    timings.setdefault(stage, []).append(taken)
            found[f"query/{name}"] = timings
            found[f"memory/after-{name}"] = [_resident() - grown]
            print(name, {k: round(statistics.median(v), 2) for k, v in timings.items()}, file=sys.stderr)
        found["memory/tokens"] = [_mapped(folder / "tokens")]
        found["disk"] = disk(library)
        found["scan"], found["recall"] = scan(library, asked)
        found["memory/tokens-after-scan"] = [_mapped(folder / "tokens")]
        found["add-1000"] = [add(library, real)]
        found["invisible"], found["deleted"] = delete(library)
    return found


def scan(library: Library, asked: Sequence[str]) -> tuple[list[float], list[float]]:
    """Return what scoring every chunk takes, and the share of the best of these among the candidates.

    The time is of single scans, the shares are of all questions: for these each segment is read once.
    """
    index, scope = library.representation(), library.catalogue.scope()
    tokens = index.tokens
    queries = [Query(question, library.encoder).tokens for question in asked]
    names = library.segments(scope)
    times = []
    for query in queries[:SCANS]:
        started = time.perf_counter()
        tokens.search(query, names, BEST, exhaustive_up_to=sys.maxsize)
        times.append(1000 * (time.perf_counter() - started))
    exact: list[list[tuple[float, str]]] = [[] for _ in queries]
    assert index.record.scales is not None
    codec = Int8Codec(index.record.scales)
    for _, segment, dead in tokens.opened(names)[0]:
        rows = live_rows(segment, dead, None)
        for query, best in zip(queries, exact, strict=True):
            scores = maxsim(codec.encode_query(query), segment.codes, segment.offsets, rows)
            first = np.argsort(-scores)[:BEST]
            ids = segment.chunk_ids(first if rows is None else rows[first])
            best.extend(zip((-scores[first]).tolist(), ids, strict=True))
        segment.release()
    shares = []
    for query, best in zip(queries, exact, strict=True):
        # Candidates are scored exactly: those of the exact best that are among them are their best, too.
        kept = tokens.search(query, names, BEST, exhaustive_up_to=0).scores
        shares.append(len({chunk for _, chunk in sorted(best)[:BEST]} & kept.keys()) / BEST)
    return times, shares


def add(library: Library, cache: Path) -> float:
    """Return how long 1,000 chunks take to be added, in ms."""
    with np.load(cache) as known:
        count = len(known["offsets"]) - 1
        encodings = Encodings(**{n: known[n] for n in ("cls", "mean", "tokens", "offsets", "spans")})
    assert library.encoder.scales is not None
    real = Real.of([" ".join(["word"] * 400)] * count, encodings, library.encoder.scales)
    (collection,) = library.catalogue.collections().values()
    documents = list(documents_of(Maker(real, seed=1), ADDED))
    file = library.folder / "added.txt"
    file.write_text("", "utf-8")
    taken = 0.0
    for parsed, chunks, vectors in documents:
        scaled = Encodings(
            vectors.cls, vectors.mean, vectors.tokens * library.encoder.scales, vectors.offsets, vectors.spans
        )
        name = f"added-{uuid4().hex}.txt"
        file.write_text(name, "utf-8")
        sha256 = hashlib.sha256(name.encode()).hexdigest()
        source = Source(f"/made/{name}", name, sha256, len(name), file)
        started = time.perf_counter()
        library.add(collection, source, parsed, chunks, {library.representation().id: scaled}, language="en")
        taken += 1000 * (time.perf_counter() - started)
    library.merger.wait()
    return taken


def delete(library: Library) -> tuple[list[float], list[float]]:
    """Return the ms until deleted documents were invisible, and until they were erased."""
    documents = library.catalogue.documents()
    random = np.random.default_rng(0)
    invisible: list[float] = []
    erased: list[float] = []
    for place in random.choice(len(documents), DELETED, replace=False):
        document = documents[place]
        chunk = document.chunk_ids()[0]
        gone = threading.Event()
        started = time.perf_counter()

        def watch(chunk: str = chunk, started: float = started, gone: threading.Event = gone) -> None:
            while library.catalogue.chunks([chunk]):
                time.sleep(0.0002)
            invisible.append(1000 * (time.perf_counter() - started))
            gone.set()

        thread = threading.Thread(target=watch)
        thread.start()
        library.delete(document)
        erased.append(1000 * (time.perf_counter() - started))
        thread.join()
    return invisible, erased


def disk(library: Library) -> dict[str, float]:
    """Return MB on the disk by store, and of the segments by section."""
    from ingestion.maintenance import stats

    found = stats(library)
    stores = {
        name: getattr(found.bytes, name) / 1e6 for name in ("catalogue", "chroma", "tokens", "originals")
    }
    (builtin,) = found.representations
    sections = {f"tokens/{name}": size / 1e6 for name, size in builtin.section_bytes.items()}
    return {**stores, **sections, "text": found.text_bytes / 1e6, "words": found.word_bytes / 1e6}


def _resident() -> float:
    """Return this process's memory in MiB, of which what is mapped of files is a part."""
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


def _mapped(folder: Path) -> float:
    """Return how much of the folder's files this process has mapped and resident, in MiB."""
    total, ours = 0, False
    for line in Path("/proc/self/smaps").read_text("utf-8").splitlines():
        if "-" in line.split(" ", 1)[0]:
            ours = str(folder) in line
        elif ours and line.startswith("Rss:"):
            total += int(line.split()[1])
    return total / 1024


def results(size: int, found: dict[str, Any]) -> list[Result]:
    """Turn a size's figures into results."""
    label = f"{size // 1000}k" if size < 1_000_000 else f"{size // 1_000_000}M"
    rows: list[Result] = []
    for name in STRATEGIES:
        timings = found[f"query/{name}"]
        peer = "exhaustive int8 scan"
        rows.append(compare(f"query/{name}/{label}", "ms", timings["total"], found["scan"], peer))
        for stage, taken in timings.items():
            place = f"query/{name}/{label}" + ("" if stage == "total" else f"/{stage}")
            if stage != "total":
                rows.append(figure(place, "ms", taken))
            rows.append(figure(f"{place}/p95", "ms", [float(np.percentile(taken, 95))]))
    rows.append(figure(f"recall/colbert/{label}", "of the exact top 10", [statistics.mean(found["recall"])]))
    rows += [figure(f"disk/{name}/{label}", "MB", [size]) for name, size in found["disk"].items()]
    rows += [
        figure(f"{name}/{label}", "MiB", taken) for name, taken in found.items() if name.startswith("memory/")
    ]
    rows += [figure(f"{name}/{label}", "ms", found[name]) for name in ("open", "add-1000", "invisible")]
    rows.append(figure(f"invisible/{label}/most", "ms", [max(found["invisible"])]))
    rows.append(figure(f"deleted/{label}", "ms", found["deleted"]))
    return rows


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--chunks", type=int, nargs="+", help="how many chunks the libraries have")
    parser.add_argument("--folder", type=Path, help="where libraries are made and kept; temporary otherwise")
    parser.add_argument("--library", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    stay_offline()
    data = Path(os.environ.get("RAG_EVAL_DATA", "missing"))
    if not data.is_dir():
        sys.exit("set RAG_EVAL_DATA to the folder of xquad-en, covidqa-dev and cranfield")
    asked = questions(data, QUICK_QUESTIONS if options.quick else QUESTIONS)
    if options.library:
        cache = next(options.library.parent.glob("passages-*.npz"))
        print(json.dumps(measure(options.library, asked, cache)))
        return
    sizes = options.chunks or (QUICK_SIZES if options.quick else SIZES)
    rows: list[Result] = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for size in sizes:
            library = folder / f"library-{size}"
            mark = folder / f"library-{size}.complete"
            if not mark.exists():
                real = passages(data, folder, quick=options.quick)
                build(library, MeanAndTokens(builtin_encoder()), real, size, _tell)
                mark.touch()
            command = [sys.executable, __file__, "--library", str(library)]
            command += ["--quick"] if options.quick else []
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            rows += results(size, json.loads(done.stdout.splitlines()[-1]))
    settings = {
        "questions": len(asked),
        "chunks": list(sizes),
        "exhaustive_up_to": EXHAUSTIVE_CHUNKS,
        "candidates": CANDIDATES,
        "chunks_a_document": CHUNKS_A_DOCUMENT,
        "quick": options.quick,
    }
    publish(rows, settings, options.json)


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
