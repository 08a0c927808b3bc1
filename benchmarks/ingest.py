"""Ingestion against LangChain's usual recipe, and the encoder's runtimes against each other.

    python benchmarks/ingest.py [--quick] [--runs N] [--documents FOLDER] [--json FILE]

The recipe: each page's text by pypdf's `extract_text`, which is what PyPDFLoader does,
RecursiveCharacterTextSplitter 1000/200, sentence-transformers in fp32 with the same model, Chroma's add.
It writes one vector a chunk; the library also writes token vectors, a full-text index and page texts. It is
run with its encoder in fp32 and in int8. Many small notes are measured beside the encoder alone: see `notes`.
Each run is a process of its own, after its model has answered once; they take turns. Peak memory is
that of the process with its children, pages that processes share counted once. On a machine that
is busy with other work only the ratios mean something.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

from notes import notes_results
from report import Result, arguments, compare, figure, publish

from ingestion.encoders import Precision
from rag_app.config.environment import stay_offline

SAMPLES = Path(__file__).parent.parent / "docs" / "samples"
RUNS = 3
ENCODE_ROUNDS = 5
PASSAGES, QUICK_PASSAGES = 320, 48
NOTES, QUICK_NOTES = 1000, 100
STAGES = ("parse", "encode", "write")
READINGS = ("cls", "mean", "tokens")
QUERY = "Which costs rose most over the year, and why?"


def run_recipe(files: Sequence[Path], folder: Path) -> dict[str, Any]:
    """Ingest with the usual recipe."""
    import chromadb
    from chromadb.config import Settings
    from sentence_transformers import SentenceTransformer

    from ingestion.encoders import builtin_model_folder

    model = SentenceTransformer(str(builtin_model_folder()), device="cpu", local_files_only=True)
    model.encode(["warm up"])
    started = time.perf_counter()
    pages, chunks = recipe_chunks(files)
    vectors = model.encode(chunks, show_progress_bar=False)
    settings = Settings(anonymized_telemetry=False)
    client = chromadb.PersistentClient(str(folder / "chroma"), settings=settings)
    collection = client.create_collection("langchain", embedding_function=None)
    size = client.get_max_batch_size()
    for first in range(0, len(chunks), size):
        part = slice(first, first + size)
        names = [str(i) for i in range(len(chunks))[part]]
        collection.add(ids=names, embeddings=vectors[part], documents=chunks[part])
    return {"seconds": time.perf_counter() - started, "pages": pages, "chunks": len(chunks)}


def recipe_chunks(files: Sequence[Path]) -> tuple[int, list[str]]:
    """Return how many pages the files have, and their text in the recipe's chunks."""
    from langchain_text_splitters import RecursiveCharacterTextSplitter
    from pypdf import PdfReader

    pages = [page.extract_text() for file in files for page in PdfReader(file).pages]
    splitter = RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=200)
    return len(pages), [chunk for page in pages for chunk in splitter.split_text(page)]


def run_ours(precision: Precision, files: Sequence[Path], folder: Path) -> dict[str, Any]:
    """Ingest into a fresh library."""
    from ingestion.encoders import builtin_encoder
    from ingestion.library import Library
    from ingestion.pipeline.ingest import ingest

    encoder = builtin_encoder(precision)
    encoder.encode_query("warm up")
    with Library.open(folder / "library", encoder) as library:
        started = time.perf_counter()
        results = list(ingest(library, files))
        seconds = time.perf_counter() - started
    times = [dict(result.timings_ms) for result in results]
    return {
        "seconds": seconds,
        "pages": sum(result.pages for result in results),
        "chunks": sum(result.chunks for result in results),
        "stages": {stage: sum(one.get(stage, 0.0) for one in times) for stage in STAGES},
    }


RECIPE = "langchain-recipe"
SIDES: dict[str, Callable[[Sequence[Path], Path], dict[str, Any]]] = {
    "fp32": partial(run_ours, "fp32"),
    "int8": partial(run_ours, "int8"),
    RECIPE: run_recipe,
}


def measure(side: str, documents: Path, *, quick: bool) -> dict[str, Any]:
    """Run one side in a process of its own; add its peak memory in MiB."""
    command = [
        sys.executable,
        __file__,
        "--side",
        side,
        "--documents",
        str(documents),
        *(["--quick"] if quick else []),
    ]
    peak = 0.0
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        while process.poll() is None:
            peak = max(peak, sum(proportional_memory(one) for one in family(process.pid)))
            time.sleep(0.1)
        output = process.stdout.read() if process.stdout else ""
    if process.returncode:
        raise SystemExit(f"the run of {side} failed with exit code {process.returncode}; see above")
    found: dict[str, Any] = json.loads(output.splitlines()[-1])
    return found | {"peak": peak}


def family(process: int) -> Iterator[int]:
    yield process
    for children in Path(f"/proc/{process}/task").glob("*/children"):
        with suppress(OSError):  # it has just ended
            for child in children.read_text("ascii").split():
                # One that is not yet a program of its own has its parent's memory.
                if _command(int(child)) != _command(process):
                    yield from family(int(child))


def _command(process: int) -> bytes:
    return Path(f"/proc/{process}/cmdline").read_bytes()


def proportional_memory(process: int) -> float:
    """Return a process's share of memory in MiB; 0 where the system does not say."""
    with suppress(OSError):  # it has just ended
        for line in Path(f"/proc/{process}/smaps_rollup").read_text("ascii").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    return 0.0


def ingestion_results(documents: Path, runs: int, *, quick: bool) -> list[Result]:
    """Let the sides take turns."""
    found: dict[str, list[dict[str, Any]]] = {side: [] for side in SIDES}
    for _ in range(runs):
        for side in SIDES:
            found[side].append(measure(side, documents, quick=quick))
    peer = found.pop(RECIPE)
    results = []
    for side, ours in found.items():
        for what in ("pages", "chunks"):
            here, there = ([one[what] / one["seconds"] for one in some] for some in (ours, peer))
            name = f"ingest/{side}/{what}-per-second/{RECIPE}"
            results.append(compare(name, f"{what}/s", here, there, RECIPE))
        here, there = ([one["peak"] for one in some] for some in (ours, peer))
        if all(here) and all(there):
            results.append(compare(f"ingest/{side}/peak-memory/{RECIPE}", "MiB", here, there, RECIPE))
        shares = [{k: v / sum(one["stages"].values()) for k, v in one["stages"].items()} for one in ours]
        results += [
            figure(f"ingest/{side}/share/{stage}", "of stage time", [one[stage] for one in shares])
            for stage in STAGES
        ]
    return results


def encoder_results(passages: Sequence[str], rounds: int) -> list[Result]:
    """Let the runtimes encode the same passages in turns, in one process."""
    from ingestion.encoders import builtin_encoder, builtin_model_folder

    encoders = {"openvino": builtin_encoder(), "int8": builtin_encoder("int8"), "torch": builtin_encoder()}
    with patch("ingestion.encoders.runtime.has_openvino", return_value=False):
        encoders["torch"].encode_query("warm up")
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(builtin_model_folder()), device="cpu", local_files_only=True)
    rates: dict[str, list[float]] = {name: [] for name in (*encoders, "sentence-transformers")}
    queries: dict[str, list[float]] = {name: [] for name in encoders}
    vectors = {name: encoder.encode(passages) for name, encoder in encoders.items()}
    model.encode(["warm up"])
    for _ in range(rounds):
        for name, encoder in encoders.items():
            rates[name].append(len(passages) / _seconds(partial(encoder.encode, passages)))
            times = [_seconds(partial(encoder.encode_query, QUERY)) for _ in range(10)]
            queries[name].append(1000 * statistics.median(times))
        seconds = _seconds(lambda: model.encode(list(passages), show_progress_bar=False))
        rates["sentence-transformers"].append(len(passages) / seconds)
    results = [
        compare(f"encode/passages-per-second/{name}-{peer}", "passages/s", rates[name], rates[peer], peer)
        for name, peer in (
            ("openvino", "torch"),
            ("int8", "torch"),
            ("int8", "openvino"),
            ("openvino", "sentence-transformers"),
            ("int8", "sentence-transformers"),
        )
    ]
    results += [
        compare(f"encode/query/{name}-torch", "ms", queries[name], queries["torch"], "torch")
        for name in ("openvino", "int8")
    ]
    for name in ("openvino", "int8"):
        for reading in READINGS:
            ours, exact = getattr(vectors[name], reading), getattr(vectors["torch"], reading)
            cosines = (ours * exact).sum(axis=1)
            results.append(figure(f"encode/cosine-to-torch/{name}/{reading}/mean", "", [cosines.mean()]))
            results.append(figure(f"encode/cosine-to-torch/{name}/{reading}/least", "", [cosines.min()]))
    return results


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--documents", type=Path, default=SAMPLES, help="a folder of PDFs")
    parser.add_argument("--runs", type=int, default=RUNS, help="turns that the sides take")
    parser.add_argument("--side", choices=SIDES, help="run this side only, here, and print its figures")
    options = parser.parse_args()
    files = sorted(options.documents.glob("*.pdf"), key=lambda file: file.stat().st_size)
    if not files:
        raise SystemExit(f"{options.documents} holds no PDF; name a folder with --documents")
    files = files[:2] if options.quick else files
    stay_offline()
    os.environ["TOKENIZERS_PARALLELISM"] = "true"
    if options.side:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(SIDES[options.side](files, Path(folder))))
        return
    runs = 1 if options.quick else options.runs
    results = ingestion_results(options.documents, runs, quick=options.quick)
    wanted = QUICK_PASSAGES if options.quick else PASSAGES
    passages: list[str] = []
    for file in files:
        if len(passages) < wanted:
            passages += recipe_chunks([file])[1]
    passages = passages[:wanted]
    results += encoder_results(passages, 2 if options.quick else ENCODE_ROUNDS)
    notes = QUICK_NOTES if options.quick else NOTES
    results += notes_results(notes, runs)
    settings = {
        "documents": len(files),
        "megabytes": round(sum(file.stat().st_size for file in files) / 1e6, 1),
        "runs": runs,
        "quick": options.quick,
        "passages": len(passages),
        "notes": notes,
    }
    publish(results, settings, options.json)


if __name__ == "__main__":
    main()
