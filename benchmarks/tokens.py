"""The token store beside its peers: speed, quality, size, and what writing it takes.

    RAG_EVAL_DATA=FOLDER python benchmarks/tokens.py [--quick] [--vectors FOLDER] [--json FILE]

maxsim/…, nearest/…   see token_speed.py
quality/…, size/…     see token_quality.py; size/…/bytes-a-token stands beside what is published of fast-plaid
                      (72) and PLAID (36, Santhanam et al., 2022: 2 bits a dimension and a centroid)
store/CHUNKS/CODEC    tokens written in a second, from float32 vectors to files flushed to the disk, by
                      documents of so many chunks of 180 tokens
merge/…               tokens merged in a second, with and without inverted lists
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from report import Result, arguments, compare, evaluation_data, figure, publish

from ingestion.encoders import Encodings
from ingestion.storage.tokens.codec import CodecSpec
from ingestion.storage.tokens.indexing import FEWEST_CHUNKS
from ingestion.storage.tokens.merge import merge
from ingestion.storage.tokens.segment import Segment
from ingestion.storage.tokens.store import TokenStore
from ingestion.storage.tokens.writing import write_segment

CHUNK_TOKENS, DIMENSIONS, POOLED = 180, 128, 384
CHUNKS = (20, 500)  # of a document
CODECS = ("int8", "int4")
RUNS, QUICK_RUNS = 9, 3
WRITTEN_TOKENS = 360_000  # in a run
SCALES = np.full(DIMENSIONS, 0.4 / 127, np.float32)
PUBLISHED = {"fast-plaid": 72, "PLAID": 36}  # bytes a token


def writing(runs: int) -> list[Result]:
    """Measure `TokenStore.write`."""
    found = []
    for chunks in CHUNKS:
        document = _document(chunks)
        documents = WRITTEN_TOKENS // len(document.tokens)
        for codec in CODECS:
            speeds = []
            for _ in range(runs):
                with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
                    store = TokenStore(Path(folder), SCALES, CodecSpec.parse(codec))
                    started = time.perf_counter()
                    for number in range(documents):
                        store.write(f"{number}.tok", (f"{number}", 1), document, "m")
                    speeds.append(documents * len(document.tokens) / (time.perf_counter() - started))
            found.append(figure(f"store/{chunks}/{codec}", "tokens/s", speeds))
    return found


def merging(runs: int) -> list[Result]:
    """Measure a merge of eight segments into one that is just large enough for lists."""
    chunks = FEWEST_CHUNKS // 8
    speeds: dict[str, list[float]] = {"plain": [], "lists": []}
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as name:
        folder = Path(name)
        store = TokenStore(folder, SCALES)
        document = _document(chunks)
        for number in range(8):
            store.write(f"{number}.tok", (f"{number}", 1), document, "m")
        for _ in range(runs):
            for what, scales in (("plain", None), ("lists", SCALES)):
                started = time.perf_counter()
                sources = [Segment(folder / f"{number}.tok") for number in range(8)]
                merged = merge([(one, one.document_keys()) for one in sources], scales=scales)
                write_segment(folder / "merged.tok", merged.file)
                tokens = 8 * len(document.tokens)
                speeds[what].append(tokens / (time.perf_counter() - started))
    return [figure(f"merge/{what}", "tokens/s", some) for what, some in speeds.items()]


def published(results: list[dict[str, Any]]) -> list[Result]:
    """Set our bytes a token against what is published."""
    return [
        compare(f"{one['name']}/{peer}", "bytes", [one["ours"]], [size], f"{peer}, published")
        for one in results
        if one["name"].endswith("/bytes-a-token")
        for peer, size in PUBLISHED.items()
    ]


def _document(chunks: int) -> Encodings:
    random = np.random.default_rng(0)
    tokens = random.normal(size=(chunks * CHUNK_TOKENS, DIMENSIONS)).astype(np.float32)
    tokens /= np.linalg.norm(tokens, axis=1, keepdims=True)
    pooled = np.zeros((chunks, POOLED), np.float32)
    offsets = np.arange(chunks + 1) * CHUNK_TOKENS
    return Encodings(pooled, pooled, tokens, offsets, np.zeros((len(tokens), 2), np.int32))


def _other(script: str, *options: str) -> dict[str, Any]:
    """Run another benchmark in a process of its own, which sets its threads itself."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "results.json"
        command = [sys.executable, str(Path(__file__).with_name(script)), "--json", str(file), *options]
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        found: dict[str, Any] = json.loads(file.read_text("utf-8"))
        return found


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--vectors", type=Path, metavar="FOLDER", help="keep the encoded sets there")
    options = parser.parse_args()
    evaluation_data()
    quick = ["--quick"] if options.quick else []
    vectors = ["--vectors", str(options.vectors)] if options.vectors else []
    speed = _other("token_speed.py", *quick)
    quality = _other("token_quality.py", *quick, *vectors)
    runs = QUICK_RUNS if options.quick else RUNS
    others = [*speed["results"], *quality["results"]]
    results = [Result(**one) for one in others] + published(others) + writing(runs) + merging(min(runs, 3))
    settings = {
        "speed": speed["settings"],
        "quality": quality["settings"],
        "runs": runs,
        "quick": options.quick,
        "written_tokens": WRITTEN_TOKENS,
        "chunk_tokens": CHUNK_TOKENS,
    }
    publish(results, settings, options.json)


if __name__ == "__main__":
    main()
