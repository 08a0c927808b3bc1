"""Answerability: whether the documents answer a question; its calibration, and how well it refuses.

    RAG_EVAL_DATA=FOLDER python benchmarks/answerability.py [--quick] [--sets a,b] [--every N]
                                [--kept FOLDER] [--signals FILE] [--picture FILE] [--json FILE]

answerability/SET/auc                   of answerable against unanswerable questions, by a model of the other
                                        sets
answerability/SET/former-auc            the same, of MaxSim's relevance alone
answerability/SET/THRESHOLD/answerable  share of the answerable questions below a threshold: wrongly refused
answerability/SET/THRESHOLD/unanswerable
                                        share of the unanswerable ones below it: rightly refused
answerability/all/COEFFICIENT           the model that is fitted on all sets: what answerability.py has

The sets: articles 37 to 48 of xquad-en and the second half of covidqa-dev, each question as it is and with
its gold document taken out of what is found; filings-dev and mixed-dev, with the questions that nothing
answers. Sets weigh alike in a fit, and so do the questions with an answer and without one in a set.

The reader reads what is found, unless --no-reader. --signals keeps what was computed of the questions in a
file, and reads it from there where it exists. --picture draws the curves as SVG.
"""

import argparse
import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from answers import BUDGET, TOP_K
from numpy.typing import NDArray
from quality import set_arguments
from report import Result, evaluation_data, figure, publish

from ingestion.encoders import builtin_encoder
from ingestion.library import Library
from rag_app.answering.answers import Exchange, PromptContext
from rag_app.answering.evidence.answerability import READER_SIGNALS, SIGNALS, AnswerSignals, signals
from rag_app.answering.evidence.prompt_context import pack
from rag_app.answering.questions.query_rewriting import carried_over
from rag_app.config.environment import stay_offline
from rag_app.evaluation.corpus import Corpus, open_corpus
from rag_app.evaluation.datasets import read_dataset
from retrievers.reader import BuiltinReader
from retrievers.reader.reading import Reader, Reading
from retrievers.search import SearchResult, search
from retrievers.strategies import DEFAULT_STRATEGY, strategy_named

SETS = ("xquad-en", "covidqa-dev", "mixed-dev", "filings-dev")
DEPTH = 100  # enough that TOP_K passages are left without the gold document's
HELD_OUT_ARTICLES = 12  # of xquad-en, the last ones: a reader is trained on no question about them
THRESHOLDS = tuple(step / 50 for step in range(51))
SHOWN = (0.3, 0.4, 0.5, 0.6)
PENALTY = 0.01  # of squared coefficients of standardised signals, per weight of all questions
STEPS = 50
QUICK = 20

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Example:
    """The signals of a question, and whether the documents answer it."""

    set: str
    question: str
    is_answerable: bool
    signals: AnswerSignals


@dataclass(frozen=True, slots=True)
class Fitted:
    """A logistic regression over raw signals."""

    intercept: float
    coefficients: Floats

    def probabilities(self, values: Floats) -> Floats:
        scores: Floats = 1 / (1 + np.exp(-(self.intercept + values @ self.coefficients)))
        return scores


def evidence(library: Library, question: str, result: SearchResult, reader: Reader | None) -> PromptContext:
    chunks = [hit.chunk for hit in result.hits]
    read: Sequence[Reading] = reader.read(question, chunks) if reader else ()
    return pack(
        library,
        result,
        budget=BUDGET,
        count_tokens=lambda text: len(library.encoder.offsets(text)),
        readings={chunk.id: one for chunk, one in zip(chunks, read, strict=True)} if reader else None,
    )


def of_passages(corpus: Corpus, reader: Reader | None, every: int) -> Iterator[Example]:
    """Yield each question of a BEIR set twice: as it is, and without its gold document."""
    dataset, library = corpus.dataset, corpus.library
    articles = {one.id: one.title or one.id.rpartition("-")[0] for one in dataset.passages}
    held_out = set(list(dict.fromkeys(articles.values()))[-HELD_OUT_ARTICLES:])
    chosen = [one for one in dataset.questions if articles[next(iter(dataset.qrels[one.id]))] in held_out]
    if dataset.name != "xquad-en":
        chosen = list(dataset.questions[len(dataset.questions) // 2 :])
    for question in chosen[::every]:
        gold = {articles[unit] for unit in dataset.qrels[question.id]}
        strategy = strategy_named(DEFAULT_STRATEGY)
        found = search(library, question.text, strategy, corpus.scope(), top_k=DEPTH)
        left = [hit for hit in found.hits if articles[corpus.unit(hit.chunk)] not in gold][:TOP_K]
        for is_answerable, hits in ((True, found.hits[:TOP_K]), (False, tuple(left))):
            packed = evidence(library, question.text, replace(found, hits=hits), reader)
            if packed.evidence:
                yield Example(
                    dataset.name, question.text, is_answerable, signals(question.text, packed, found.named)
                )


def of_documents(corpus: Corpus, questions: Path, reader: Reader | None, every: int) -> Iterator[Example]:
    """Yield the questions of a folder of documents; a follow-up with the words of the question before."""
    lines = [json.loads(line) for line in questions.read_text("utf-8").splitlines()]
    texts = {line["id"]: line["question"] for line in lines}
    for line in lines[::every]:
        before = [Exchange(texts[line["after"]], "")] if line.get("after") else []
        question = carried_over(line["question"], before)
        found = search(
            corpus.library, question, strategy_named(DEFAULT_STRATEGY), corpus.scope(), top_k=TOP_K
        )
        packed = evidence(corpus.library, question, found, reader)
        if packed.evidence:
            yield Example(
                corpus.dataset.name,
                line["question"],
                line["answer"] is not None,
                signals(question, packed, found.named),
            )


def gathered(sets: Sequence[str], kept: Path, every: int, reader: Reader | None) -> Iterator[Example]:
    for name in sets:
        folder = evaluation_data() / name
        dataset = read_dataset(folder)
        with open_corpus(dataset, kept, builtin_encoder()) as corpus:
            if dataset.documents is None:
                yield from of_passages(corpus, reader, every)
            else:
                yield from of_documents(corpus, folder / "questions.jsonl", reader, every)


def matrix(examples: Sequence[Example], names: Sequence[str]) -> tuple[Floats, Floats, Floats]:
    """Return signals [n, s], labels [n] and weights [n] in sum 1."""
    values = np.array([[getattr(one.signals, name) for name in names] for one in examples])
    labels = np.array([float(one.is_answerable) for one in examples])
    groups = [(one.set, one.is_answerable) for one in examples]
    weights = np.array([1 / groups.count(group) for group in groups])
    return values, labels, weights / weights.sum()


def fitted(examples: Sequence[Example], names: Sequence[str]) -> Fitted:
    """Fit a logistic regression by Newton's method, with a small penalty on its coefficients."""
    values, labels, weights = matrix(examples, names)
    mean = weights @ values
    spread = np.sqrt(weights @ (values - mean) ** 2)
    spread[spread == 0] = 1.0
    columns = np.column_stack([np.ones(len(values)), (values - mean) / spread])
    penalty = PENALTY * np.diag([0.0, *np.ones(len(names))])
    found = np.zeros(columns.shape[1])
    for _ in range(STEPS):
        probabilities = 1 / (1 + np.exp(-columns @ found))
        slope = columns.T @ (weights * (labels - probabilities)) - penalty @ found
        curve = (columns.T * (weights * probabilities * (1 - probabilities))) @ columns + penalty
        found += np.linalg.solve(curve, slope)
    return Fitted(float(found[0] - found[1:] @ (mean / spread)), found[1:] / spread)


def auc(scores: Floats, labels: Floats) -> float:
    """Return how often an answerable question scores above an unanswerable one; ties count half."""
    good, bad = scores[labels == 1], scores[labels == 0]
    return float((good[:, None] > bad).mean() + (good[:, None] == bad).mean() / 2)


def reported(examples: Sequence[Example], names: Sequence[str]) -> list[Result]:
    """Return each set's figures, by the model of the other sets."""
    found = []
    for name in dict.fromkeys(one.set for one in examples):
        others = [one for one in examples if one.set != name]
        own = [one for one in examples if one.set == name]
        values, labels, _ = matrix(own, names)
        probabilities = fitted(others or own, names).probabilities(values)
        former = np.array([one.signals.relevance for one in own])
        found.append(figure(f"answerability/{name}/auc", "", [auc(probabilities, labels)]))
        found.append(figure(f"answerability/{name}/former-auc", "", [auc(former, labels)]))
        for threshold in THRESHOLDS:
            refused = probabilities < threshold
            for kind, label in (("answerable", 1), ("unanswerable", 0)):
                title = f"answerability/{name}/{threshold:.2f}/{kind}"
                found.append(figure(title, "share", [float(refused[labels == label].mean())]))
    return found


def draw(results: Sequence[Result], file: Path) -> None:
    """Draw the curve of each set: what is rightly refused over what is wrongly refused."""
    from matplotlib import pyplot

    shares = {one.name: one.ours for one in results}
    sets = dict.fromkeys(one.name.split("/")[1] for one in results if one.name.endswith("/auc"))
    figure_, axes = pyplot.subplots(figsize=(6, 4.5))
    for name in sets:
        wrong = [shares[f"answerability/{name}/{at:.2f}/answerable"] for at in THRESHOLDS]
        right = [shares[f"answerability/{name}/{at:.2f}/unanswerable"] for at in THRESHOLDS]
        (line,) = axes.plot(wrong, right, label=name, lw=1.6)
        for at in SHOWN:
            point = wrong[THRESHOLDS.index(at)], right[THRESHOLDS.index(at)]
            axes.plot(*point, "o", ms=4, color=line.get_color())
            axes.annotate(f"{at:.1f}", point, fontsize=7, xytext=(3, -9), textcoords="offset points")
    axes.set(
        xlabel="answerable questions that are refused",
        ylabel="unanswerable questions that are refused",
        xlim=(0, 0.4),
        ylim=(0, 1.02),
    )
    axes.grid(alpha=0.3)
    axes.legend(fontsize=9, frameon=False, loc="lower right")
    figure_.tight_layout()
    figure_.savefig(file, metadata={"Date": None})


def examples_of(options: argparse.Namespace, sets: Sequence[str], reader: Reader | None) -> list[Example]:
    if options.signals and options.signals.exists():
        rows = map(json.loads, options.signals.read_text("utf-8").splitlines())
        return [Example(**{**row, "signals": AnswerSignals(**row["signals"])}) for row in rows]
    with tempfile.TemporaryDirectory() as temporary:
        found = list(gathered(sets, options.kept or Path(temporary), options.every, reader))
    if options.signals:
        options.signals.write_text("".join(f"{json.dumps(asdict(one))}\n" for one in found), "utf-8")
    return found


def main() -> None:
    parser = set_arguments(__doc__, (DEFAULT_STRATEGY,))
    parser.set_defaults(sets=",".join(SETS))
    parser.add_argument("--every", type=int, default=1, metavar="N", help="ask every Nth question only")
    parser.add_argument("--signals", type=Path, metavar="FILE", help="keep the questions' signals there")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="draw the curves there, as SVG")
    parser.add_argument("--no-reader", action="store_true", help="fit what is used without a reader")
    options = parser.parse_args()
    options.every = QUICK if options.quick else options.every
    stay_offline()
    reader = None if options.no_reader else BuiltinReader()
    names = [one for one in SIGNALS if reader is not None or one not in READER_SIGNALS]
    examples = examples_of(options, options.sets.split(","), reader)
    results = reported(examples, names)
    whole = fitted(examples, names)
    pairs = [("intercept", whole.intercept), *zip(names, whole.coefficients.tolist(), strict=True)]
    results += [figure(f"answerability/all/{name}", "", [value]) for name, value in pairs]
    settings = {"sets": options.sets, "every": options.every, "top_k": TOP_K, "reader": reader is not None}
    publish(results, settings, options.json)
    if options.picture:
        draw(results, options.picture)
    body = ", ".join(f'"{name}": {value:.4g}' for name, value in pairs[1:])
    print(f"Calibration({whole.intercept:.4g}, {{{body}}})")


if __name__ == "__main__":
    main()
