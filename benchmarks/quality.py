"""What strategies find, beside LangChain's usual recipe, by the code of `rag-app eval`.

    RAG_EVAL_DATA=FOLDER python benchmarks/quality.py [--quick] [--sets a,b] [--strategies a,b]
                                                      [--kept FOLDER] [--report FOLDER] [--json FILE]

quality/SET/METRIC/STRATEGY  the mean over the questions; peer: the recipe's
gain/SET/METRIC/STRATEGY     how much more that is than the recipe's, on the same questions, and the ends of
                             its 95% interval by the bootstrap (…/low, …/high)
latency/SET/STRATEGY         milliseconds a question, median; peer: the recipe's

The recipe (`langchain-recipe`): each page's text by pypdf's `extract_text`, RecursiveCharacterTextSplitter
1000/200, sentence-transformers in fp32 with the same model, Chroma. Passages have their title in front.
A passage or page counts by its best chunk, for all alike.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from report import Result, arguments, compare, evaluation_data, figure, publish

from ingestion.encoders import builtin_encoder, builtin_model_folder
from rag_app.config.environment import stay_offline
from rag_app.evaluation import report as pages
from rag_app.evaluation.comparing import Comparison
from rag_app.evaluation.comparing import compare as paired
from rag_app.evaluation.corpus import open_corpus
from rag_app.evaluation.datasets import Dataset, page_id, read_dataset
from rag_app.evaluation.metrics import compared
from rag_app.evaluation.runner import TOP_K, EvaluatedSystem, Evaluation, Retrieved, evaluate, system_of
from retrievers.strategies import DEFAULT_STRATEGY, STRATEGIES, strategy_named

RECIPE = "langchain-recipe"
SETS = ("xquad-en", "covidqa-dev", "cranfield", "financebench-dev")
MORE = {"page": ("page@20", "document@5"), "passage": ("recall@20",)}
PREVIEW = 200


def recipe_texts(dataset: Dataset) -> Iterator[tuple[str, str]]:
    """Yield each passage's or page's id and text, as the recipe reads it."""
    if dataset.documents is None:
        for passage in dataset.passages:
            yield passage.id, f"{passage.title}\n{passage.text}".strip()
        return
    from pypdf import PdfReader

    for file in sorted(dataset.documents.iterdir()):
        for number, page in enumerate(PdfReader(file).pages, start=1):
            yield page_id(file.name, number), page.extract_text()


@contextmanager
def recipe(dataset: Dataset) -> Iterator[EvaluatedSystem]:
    """Yield the recipe over a data set."""
    import chromadb
    from langchain_text_splitters import RecursiveCharacterTextSplitter
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(builtin_model_folder()), device="cpu", local_files_only=True)
    splitter = RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=200)
    units, chunks = [], []
    for unit, text in recipe_texts(dataset):
        for chunk in splitter.split_text(text):
            units.append(unit)
            chunks.append(chunk)
    vectors = model.encode(chunks, show_progress_bar=False)
    with tempfile.TemporaryDirectory() as folder:
        client = chromadb.PersistentClient(
            folder, settings=chromadb.config.Settings(anonymized_telemetry=False)
        )
        collection = client.create_collection("langchain", embedding_function=None)
        size = client.get_max_batch_size()
        for first in range(0, len(chunks), size):
            part = slice(first, first + size)
            names = [str(number) for number in range(len(chunks))[part]]
            collection.add(ids=names, embeddings=vectors[part], documents=chunks[part])

        def find(question: str) -> Retrieved:
            started = time.perf_counter()
            found = collection.query(
                query_embeddings=model.encode([question], show_progress_bar=False),
                n_results=min(TOP_K, len(chunks)),
            )
            milliseconds = 1000 * (time.perf_counter() - started)
            hits = [int(name) for name in found["ids"][0]]
            previews = {units[hit]: chunks[hit][:PREVIEW] for hit in reversed(hits)}
            ids = tuple(dict.fromkeys(units[hit] for hit in hits))
            return Retrieved(ids, tuple(previews[unit] for unit in ids[:3]), milliseconds)

        stored = sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file())
        yield EvaluatedSystem(RECIPE, None, find, stored)


def run(dataset: Dataset, strategies: list[str], kept: Path, report: Path | None) -> Evaluation:
    ours = [strategy_named(name) for name in strategies if name != RECIPE]
    with open_corpus(dataset, kept, builtin_encoder()) as corpus, recipe(dataset) as theirs:
        contenders = [system_of(corpus, strategy, None, TOP_K) for strategy in ours]
        done = evaluate(corpus, [*contenders, theirs])
    if report:
        pages.write(done, report / dataset.name)
    return done


def gained(label: str, gain: Comparison) -> list[Result]:
    """Return a paired difference and the ends of its interval."""
    values = {"": gain.difference, "/low": gain.interval.low, "/high": gain.interval.high}
    return [figure(f"gain/{label}{end}", gain.metric, [value]) for end, value in values.items()]


def results(done: Evaluation) -> list[Result]:
    found = []
    name, unit = done.dataset.name, done.dataset.unit
    by_name = {one.name: one for one in done.results}
    theirs = by_name[RECIPE]
    for metric in (*compared(done.dataset), *MORE[unit]):
        values = {one.name: one.values[metric] for one in done.results}
        gains = {one.a: one for one in paired(metric, values, RECIPE)}
        for strategy, one in by_name.items():
            if strategy == RECIPE:
                continue
            label, gain = f"{name}/{metric}/{strategy}", gains[strategy]
            found.append(
                compare(f"quality/{label}", metric, [one.means[metric]], [theirs.means[metric]], RECIPE)
            )
            found += gained(label, gain)
    for strategy, one in by_name.items():
        if strategy != RECIPE:
            ours, peer = [one.latency_ms_p50], [theirs.latency_ms_p50]
            found.append(compare(f"latency/{name}/{strategy}", "ms", ours, peer, RECIPE))
    return found


def set_arguments(description: str | None, strategies: Sequence[str]) -> argparse.ArgumentParser:
    """Return a parser with the options of what is measured on whole data sets."""
    parser = arguments(description)
    parser.add_argument("--sets", default=",".join(SETS), help="names of folders, with commas between")
    parser.add_argument("--strategies", default=",".join(strategies), help="names, with commas between")
    parser.add_argument("--kept", type=Path, metavar="FOLDER", help="keep the encoded sets there")
    return parser


def main() -> None:
    parser = set_arguments(__doc__, tuple(STRATEGIES))
    parser.add_argument("--report", type=Path, metavar="FOLDER", help="write a report of each set there")
    options = parser.parse_args()
    data = evaluation_data()
    stay_offline()
    sets = SETS[:1] if options.quick else options.sets.split(",")
    strategies = [DEFAULT_STRATEGY] if options.quick else options.strategies.split(",")
    found: list[Result] = []
    with tempfile.TemporaryDirectory() as temporary:
        for name in sets:
            done = run(read_dataset(data / name), strategies, options.kept or Path(temporary), options.report)
            found += results(done)
    settings = {"sets": sets, "strategies": strategies, "top_k": TOP_K, "quick": options.quick}
    publish(found, settings, options.json)


if __name__ == "__main__":
    main()
