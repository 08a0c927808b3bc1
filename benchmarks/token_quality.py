"""What token codecs cost: how much worse they rank than float32 token vectors, and how much room they take.

    RAG_EVAL_DATA=FOLDER python benchmarks/token_quality.py [--quick] [--vectors FOLDER] [--json FILE]

quality/…  nDCG@10 of MaxSim over all passages; ours: codes, peer: the encoder's own vectors, in float32.
           Passages are encoded as they are, cut off at 256 wordpieces; the title, where the text does not
           begin with it, is their context line.
quality/SET/candidates  nDCG@10 of the best 1,000 candidates' MaxSim; peer: of every chunk's. The passages
           lie among chunks made from the other sets', 20,000 in all (--quick: 5,000), as `large.py` says
recall/SET/candidates   share of the exact top 10 among the candidates
size/…     of 1,000 chunks of 180 tokens, in megabytes (10⁶ bytes), as segments store them: token codes
           alone, and beside them spans, owners and offsets
speed/…    tokens pooled in a second by one process
"""

import csv
import json
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from large import Maker, Real
from numpy.typing import NDArray
from report import Result, arguments, compare, evaluation_data, figure, publish

from ingestion.encoders import Encodings, builtin_encoder
from ingestion.storage.tokens.codec import CodecSpec, Int8Codec, StoredTokens, TokenArrays, store_tokens
from ingestion.storage.tokens.layout import section_of
from ingestion.storage.tokens.maxsim import maxsim
from ingestion.storage.tokens.merge import merge
from ingestion.storage.tokens.pooling import pool
from ingestion.storage.tokens.segment import Segment
from ingestion.storage.tokens.store import TokenStore
from ingestion.storage.tokens.writing import write_segment
from rag_app.config.environment import stay_offline

SETS = ("xquad-en", "covidqa-dev", "cranfield")
CODECS = ("int8", "int4", "int8-pool2", "int4-pool2", "int8-pool3", "int8-nopunct")
QUICK_QUERIES = 300
HAYSTACK, QUICK_HAYSTACK = 20_000, 5_000  # chunks among which candidates are looked for
ASKED = 300  # queries of a set
CHUNKS, CHUNK_TOKENS = 1000, 180
BEST = 10
POOLING_RUNS = 3
# Products held at a time: tokens of passages by all queries' tokens.
_BLOCK_TOKENS = 2048

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Collection:
    """An evaluation set, encoded. `relevant`: by query, what each relevant passage is worth."""

    passages: TokenArrays
    queries: TokenArrays
    relevant: Sequence[Mapping[int, float]]


def read(data: Path, name: str, vectors: Path, most_queries: int | None) -> Collection:
    """Return a set, encoded now or when it was asked for the last time."""
    passages, queries = _lines(data / name / "corpus.jsonl"), _lines(data / name / "queries.jsonl")
    queries = queries[:most_queries]
    places = {passage["_id"]: place for place, passage in enumerate(passages)}
    relevant: dict[str, dict[int, float]] = {query["_id"]: {} for query in queries}
    with (data / name / "qrels" / "test.tsv").open(encoding="utf-8") as stream:
        for row in csv.DictReader(stream, delimiter="\t"):
            worth = float(row["score"])
            if worth > 0 and row["query-id"] in relevant and row["corpus-id"] in places:
                relevant[row["query-id"]][places[row["corpus-id"]]] = worth
    return Collection(
        _encoded(
            vectors / f"{name}.npz",
            [passage["text"] for passage in passages],
            [_context(passage) for passage in passages],
        ),
        _encoded(vectors / f"{name}-queries-{len(queries)}.npz", [query["text"] for query in queries], None),
        list(relevant.values()),
    )


def _lines(file: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def _context(passage: Mapping[str, str]) -> str:
    title, text = (" ".join(passage.get(part, "").split()) for part in ("title", "text"))
    return "" if text.startswith(title) else title


def _encoded(file: Path, texts: Sequence[str], contexts: Sequence[str] | None) -> TokenArrays:
    encoder = builtin_encoder()
    if file.is_file():
        with np.load(file) as known:
            if str(known["fingerprint"]) == encoder.fingerprint:
                return TokenArrays(**{name: known[name] for name in TokenArrays.__slots__})
    made: Encodings = encoder.encode(texts, contexts)
    arrays = {name: getattr(made, name) for name in TokenArrays.__slots__}
    np.savez(file, fingerprint=encoder.fingerprint, **arrays)
    return TokenArrays(**arrays)


def float_scores(queries: TokenArrays, passages: TokenArrays) -> Floats:
    """Return [q, n]: MaxSim of plain float32 vectors. A query without tokens scores 0."""
    offsets = passages.offsets
    scores = np.zeros((len(queries.offsets) - 1, len(offsets) - 1), np.float32)
    asked = np.flatnonzero(np.diff(queries.offsets))
    first = 0
    while first < len(offsets) - 1:
        last = int(np.searchsorted(offsets, offsets[first] + _BLOCK_TOKENS, side="right")) - 1
        last = max(last, first + 1)
        filled = np.flatnonzero(np.diff(offsets[first : last + 1]))
        if len(filled):
            products = passages.tokens[offsets[first] : offsets[last]] @ queries.tokens.T
            starts = (offsets[first:last] - offsets[first])[filled]
            best = np.maximum.reduceat(products, starts, axis=0)
            sums = np.add.reduceat(best, queries.offsets[:-1][asked], axis=1)
            scores[np.ix_(asked, first + filled)] = sums.T
        first = last
    return scores


def code_scores(spec: CodecSpec, scales: Floats, queries: TokenArrays, stored: StoredTokens) -> Floats:
    """Return [q, n]: MaxSim as the token store computes it."""
    codec = spec.vectors(scales)
    edges = zip(queries.offsets[:-1], queries.offsets[1:], strict=True)
    return np.stack(
        [
            maxsim(codec.encode_query(queries.tokens[first:last]), stored.codes, stored.offsets)
            for first, last in edges
        ]
    )


def ndcg(scores: Floats, relevant: Sequence[Mapping[int, float]]) -> float:
    """Return the mean nDCG@10 of the queries that have a relevant passage; of equal scores the first
    passage is first."""
    return ndcg_of([np.argsort(-row, kind="stable")[:BEST].tolist() for row in scores], relevant)


def ndcg_of(rankings: Sequence[Sequence[int]], relevant: Sequence[Mapping[int, float]]) -> float:
    """Return the mean nDCG@10 of rankings of at most ten passages, of queries that have a relevant one."""
    discounts = 1 / np.log2(np.arange(2, BEST + 2))
    found = []
    for best, worths in zip(rankings, relevant, strict=True):
        if not worths:
            continue
        ideal = sorted(worths.values(), reverse=True)[:BEST]
        gained = [worths.get(place, 0.0) for place in best]
        found.append(np.dot(gained, discounts[: len(gained)]) / np.dot(ideal, discounts[: len(ideal)]))
    return float(np.mean(found))


def quality(name: str, collection: Collection, scales: Floats) -> list[Result]:
    exact = ndcg(float_scores(collection.queries, collection.passages), collection.relevant)
    found = []
    for codec in CODECS:
        spec = CodecSpec.parse(codec)
        stored = store_tokens(spec, scales, collection.passages)
        ours = ndcg(code_scores(spec, scales, collection.queries, stored), collection.relevant)
        found.append(compare(f"quality/{name}/{codec}", "nDCG@10", [ours], [exact], "float32 MaxSim"))
    return found


def candidates(name: str, collections: Mapping[str, Collection], scales: Floats, chunks: int) -> list[Result]:
    """Measure what the token store's candidates lose in a haystack."""
    collection = collections[name]
    passages, queries = collection.passages, collection.queries
    hay = _real([other.passages for key, other in collections.items() if key != name], scales)
    step = max(len(queries.offsets) // ASKED, 1)
    asked = range(0, len(queries.offsets) - 1, step)
    with tempfile.TemporaryDirectory() as folder:
        store = TokenStore(Path(folder), scales)
        maker = Maker(hay)
        store.write("real.tok", ("real", 1), _without_pooled(passages), "m")
        for number, first in enumerate(range(len(passages.offsets) - 1, chunks, 5000)):
            made = maker.make(min(5000, chunks - first))
            tokens = made.codes * scales
            some = TokenArrays(tokens, made.offsets, made.spans.astype(np.int32), np.zeros(len(tokens), bool))
            store.write(f"made{number}.tok", (f"made{number}", 1), _without_pooled(some), "m")
        sources = [Segment(file) for file in sorted(Path(folder).glob("*.tok"))]
        merged = merge([(one, one.document_keys()) for one in sources], scales=scales)
        write_segment(Path(folder) / "merged.tok", merged.file)
        store.attach(["merged.tok"])
        found: dict[int, list[list[str]]] = {}
        for most in (sys.maxsize, 0):
            found[most] = [
                list(store.search(tokens, ["merged.tok"], BEST, exhaustive_up_to=most).scores)
                for place in asked
                for tokens in [queries.tokens[queries.offsets[place] : queries.offsets[place + 1]]]
            ]
    relevant = [collection.relevant[place] for place in asked]
    exact, ours = (ndcg_of([_places(best) for best in some], relevant) for some in found.values())
    shares = [len({*a} & {*b}) / BEST for a, b in zip(*found.values(), strict=True)]
    return [
        compare(f"quality/{name}/candidates", "nDCG@10", [ours], [exact], "every chunk's int8 MaxSim"),
        figure(f"recall/{name}/candidates", "of the exact top 10", [float(np.mean(shares))]),
    ]


def _places(best: Sequence[str]) -> list[int]:
    """Return the passages that chunk ids name; -1 for what was made."""
    return [int(chunk.rsplit(":", 1)[1]) if chunk.startswith("real:") else -1 for chunk in best]


def _real(passages: Sequence[TokenArrays], scales: Floats) -> Real:
    """Return passages to make chunks of, of which the text and the single vectors do not matter."""
    tokens = np.concatenate([one.tokens for one in passages])
    lengths = np.concatenate([np.diff(one.offsets) for one in passages])
    spans = np.concatenate([one.spans for one in passages])
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    pooled = np.ones((len(lengths), 2), np.float32)
    return Real([""] * len(lengths), Int8Codec(scales).encode(tokens), offsets, spans, pooled)


def _without_pooled(arrays: TokenArrays) -> Encodings:
    pooled = np.zeros((len(arrays.offsets) - 1, 0), np.float32)
    return Encodings(pooled, pooled, arrays.tokens, arrays.offsets, arrays.spans)


def sizes(passages: TokenArrays, scales: Floats) -> list[Result]:
    """Measure chunks cut from the passages' tokens, of which there may be too few: then several times."""
    rows = np.arange(CHUNKS * CHUNK_TOKENS) % len(passages.tokens)
    chunks = TokenArrays(
        passages.tokens[rows],
        np.arange(CHUNKS + 1) * CHUNK_TOKENS,
        passages.spans[rows],
        passages.punctuation[rows],
    )
    found = []
    for codec in CODECS:
        stored = store_tokens(CodecSpec.parse(codec), scales, chunks)
        codes = section_of("codes", stored.codes).bytes
        found.append(figure(f"size/{codec}", "MB", [codes / 1e6]))
        found.append(figure(f"size/{codec}/bytes-a-token", "bytes", [codes / len(rows)]))
        beside: dict[str, Sequence[NDArray[Any] | None]] = {
            "spans": [stored.spans],
            "owners": [stored.owners],
            "offsets": [stored.offsets, stored.token_offsets],
        }
        for what, arrays in beside.items():
            total = sum(section_of(what, array).bytes for array in arrays if array is not None)
            if total:
                found.append(figure(f"size/{codec}/{what}", "MB", [total / 1e6]))
    return found


def pooling_speed(passages: TokenArrays) -> list[Result]:
    found = []
    last = min(len(passages.offsets) - 1, 200)
    offsets = passages.offsets[: last + 1]
    tokens = passages.tokens[: offsets[-1]]
    for factor in (2, 3):
        speeds = []
        for _ in range(POOLING_RUNS + 1):
            started = time.perf_counter()
            pool(tokens, offsets, factor)
            speeds.append(len(tokens) / (time.perf_counter() - started))
        found.append(figure(f"speed/pool{factor}", "tokens/s", speeds[1:]))  # the first imports scipy
    return found


def run(quick: bool, vectors: Path | None = None) -> tuple[list[Result], dict[str, Any]]:
    """Return the results, and the settings they were made with. Encoded sets are kept in `vectors`."""
    data = evaluation_data()
    names = SETS[:1] if quick else SETS
    most_queries = QUICK_QUERIES if quick else None
    scales = builtin_encoder().scales
    found: list[Result] = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = vectors or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        collections = {name: read(data, name, folder, most_queries) for name in SETS}
        for name in names:
            found += quality(name, collections[name], scales)
            found += candidates(name, collections, scales, QUICK_HAYSTACK if quick else HAYSTACK)
        passages = collections[SETS[0]].passages
        found += sizes(passages, scales) + pooling_speed(passages)
    settings = {
        "sets": names,
        "queries": most_queries or "all",
        "haystack": QUICK_HAYSTACK if quick else HAYSTACK,
        "chunks": CHUNKS,
        "tokens_a_chunk": CHUNK_TOKENS,
        "pooling_runs": POOLING_RUNS,
        "quick": quick,
    }
    return found, settings


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--vectors", type=Path, metavar="FOLDER", help="keep the encoded sets there")
    options = parser.parse_args()
    evaluation_data()
    stay_offline()
    results, settings = run(options.quick, options.vectors)
    publish(results, settings, options.json)


if __name__ == "__main__":
    main()
