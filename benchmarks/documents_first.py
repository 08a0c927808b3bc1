"""The weights of the strategy `documents-first`, and what each of its parts gives.

    RAG_EVAL_DATA=FOLDER python benchmarks/documents_first.py --kept FOLDER [--quick] [--json FILE]

The documents of three sets are one library, so that questions have to find their document among all. Each
set's questions are asked of the whole library ("together") and of the set's own documents in it ("apart").

weight/FEATURE               of the conditional logit, fitted on all questions
weight/without SET/FEATURE   the same without the questions of one set
together/SET/METRIC/VARIANT  the mean over the questions; peer: `fusion`
apart/SET/METRIC/VARIANT
gain/…, gain/…/low, …/high   how much more that is, and its 95% interval by the bootstrap

Variants: `documents` (no glossary), `glossary` (documents do not count), `both`, each with the weights fitted
without the set ("nested"), and `shipped`, with the application's own weights.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from report import Result, arguments, compare, evaluation_data, figure, publish

from ingestion.encoders import builtin_encoder
from ingestion.library import Library
from ingestion.pipeline.ingest import ingest
from ingestion.storage.catalogue.records import Scope
from rag_app.config.environment import stay_offline
from rag_app.evaluation.comparing import compare as paired
from rag_app.evaluation.datasets import Dataset, document_of, page_id, read_dataset
from rag_app.evaluation.metrics import measure
from retrievers.documents_first import DocumentsFirstRetriever
from retrievers.documents_first.prior import FEATURES, WEIGHTS, Floats, features
from retrievers.documents_first.retriever import NAMES
from retrievers.hits import Query, Retriever
from retrievers.search import query_of
from retrievers.strategies import strategy_named

SETS = ("financebench-dev", "filings-dev", "mixed-dev")
METRICS = ("page@5", "page@20", "document@5")
DEPTH = 100
PENALTY = 0.05
STEPS, RATE = 1000, 0.3
VARIANTS = ("documents", "glossary", "both", "shipped")


@dataclass(frozen=True, slots=True)
class Example:
    """A question's [n, 5] features of n documents, and which of these hold its answer."""

    name: str
    features: Floats
    is_gold: Floats


def fitted(examples: Sequence[Example]) -> Floats:
    """Return the weights that make the documents of the answers likeliest, by gradient ascent.

    Where several documents hold the answer, their probabilities are added up.
    """
    weights = np.zeros(len(FEATURES))
    for _ in range(STEPS):
        slope = -PENALTY * weights
        for one in examples:
            scores = one.features @ weights
            shares = np.exp(scores - scores.max())
            shares /= shares.sum()
            gold = shares * one.is_gold
            slope += one.features.T @ (gold / gold.sum() - shares) / len(examples)
        weights += RATE * slope
    return weights


def asked(dataset: Dataset) -> Dataset:
    """Return the data set without questions that follow others: these are asked in a conversation."""
    kept = tuple(question for question in dataset.questions if question.after is None)
    return replace(dataset, questions=kept, qrels={one.id: dataset.qrels[one.id] for one in kept})


def scopes(library: Library, dataset: Dataset) -> dict[str, Scope]:
    """Return the whole library's scope, and that of the set's own documents."""
    assert dataset.documents is not None
    names = {file.name for file in dataset.documents.iterdir()}
    whole = library.catalogue.scope()
    own = frozenset(one.id for one in library.catalogue.documents() if one.name in names)
    return {"together": whole, "apart": Scope(whole.collections, own)}


def pages(library: Library, retriever: Retriever, query: Query, scope: Scope) -> list[str]:
    """Return the pages that a strategy finds, best first."""
    found = retriever.rank(query, scope, DEPTH).candidates
    chunks = library.catalogue.chunks([one.chunk_id for one in found])
    places = (chunks[one.chunk_id] for one in found)
    return list(dict.fromkeys(page_id(chunk.document, chunk.page) for chunk in places))


def examples_of(library: Library, dataset: Dataset) -> Iterator[Example]:
    scope, fusion = library.catalogue.scope(), strategy_named("fusion").build(library)
    names = NAMES.of(library, scope)
    labels = [one.label for one in names.documents]
    for question in dataset.questions:
        query = query_of(library, question.text)
        found = fusion.rank(query, scope, DEPTH).candidates
        gold = {document_of(page) for page, grade in dataset.qrels[question.id].items() if grade > 0}
        yield Example(
            dataset.name,
            features(names, names.naming(query.text), found),
            np.array([float(label in gold) for label in labels]),
        )


def measured(
    library: Library, dataset: Dataset, scope: Scope, retrievers: Mapping[str, Retriever]
) -> dict[str, Mapping[str, Floats]]:
    """Return each variant's values of the metrics by question."""
    rankings: dict[str, dict[str, list[str]]] = {name: {} for name in retrievers}
    for question in dataset.questions:
        query = query_of(library, question.text)
        for name, retriever in retrievers.items():
            rankings[name][question.id] = pages(library, retriever, query, scope)
    return {name: measure(dataset, found) for name, found in rankings.items()}


def results(library: Library, datasets: Sequence[Dataset]) -> Iterator[Result]:
    examples = [one for dataset in datasets for one in examples_of(library, dataset)]
    for name, weight in zip(FEATURES, fitted(examples), strict=True):
        yield figure(f"weight/{name}", "1", [weight])
    for dataset in datasets:
        weights = fitted([one for one in examples if one.name != dataset.name] or examples)
        for name, weight in zip(FEATURES, weights, strict=True):
            yield figure(f"weight/without {dataset.name}/{name}", "1", [weight])
        variants: dict[str, Retriever] = {
            "fusion": strategy_named("fusion").build(library),
            "documents": DocumentsFirstRetriever(library, terms_weight=0, feature_weights=weights),
            "glossary": DocumentsFirstRetriever(library, prior_weight=0, feature_weights=weights),
            "both": DocumentsFirstRetriever(library, feature_weights=weights),
            "shipped": DocumentsFirstRetriever(library, feature_weights=WEIGHTS),
        }
        for where, scope in scopes(library, dataset).items():
            values = measured(library, dataset, scope, variants)
            for metric in METRICS:
                by_name = {name: found[metric] for name, found in values.items()}
                gains = {one.a: one for one in paired(metric, by_name, "fusion")}
                for name in VARIANTS:
                    label = f"{where}/{dataset.name}/{metric}/{name}"
                    means = [float(by_name[name].mean())], [float(by_name["fusion"].mean())]
                    yield compare(label, metric, *means, "fusion")
                    interval = gains[name].interval
                    for end, gain in (
                        ("", gains[name].difference),
                        ("/low", interval.low),
                        ("/high", interval.high),
                    ):
                        yield figure(f"gain/{label}{end}", metric, [gain])


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--kept", type=Path, required=True, help="keep the library in this folder")
    given = parser.parse_args()
    stay_offline()
    names = SETS[1:2] if given.quick else SETS
    datasets = [asked(read_dataset(evaluation_data() / name)) for name in names]
    with Library.open(given.kept, builtin_encoder()) as library:
        folders = [dataset.documents for dataset in datasets if dataset.documents]
        for result in ingest(library, folders):
            if not (result.status.is_success or result.status == "partial"):
                sys.exit(f"{result.path} cannot be ingested: {result.error}")
        publish(list(results(library, datasets)), {"sets": list(names)}, given.json)


if __name__ == "__main__":
    main()
