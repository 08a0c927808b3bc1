"""What the built-in reranker gives and costs, on questions that it was not trained on.

    RAG_EVAL_DATA=FOLDER python benchmarks/reranker.py [--quick] [--sets a,b] [--strategies a,b]
                                                       [--kept FOLDER] [--json FILE]

reranked/SET/METRIC/STRATEGY/WEIGHT  the mean over the questions where the first stage's score counts WEIGHT
                                     standard deviations beside the reranker's; peer: without it
gain/SET/METRIC/STRATEGY/WEIGHT      how much more that is, and the ends of its 95% interval (…/low, …/high)
cost/ms-a-passage/BATCH              milliseconds a passage of 180 wordpieces, so many read for a question;
                                     peer: sentence-transformers' CrossEncoder with the same layers

Of xquad-en and covidqa-dev only the questions about articles that `reader_lists` leaves out are asked;
all passages are searched.
"""

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from quality import SETS, gained, set_arguments
from reader_lists import held_out
from report import Result, compare, evaluation_data, publish

from ingestion.encoders import builtin_encoder, builtin_model_folder
from rag_app.config.environment import stay_offline
from rag_app.evaluation.comparing import compare as paired
from rag_app.evaluation.corpus import open_corpus
from rag_app.evaluation.datasets import Dataset, read_dataset
from rag_app.evaluation.metrics import compared
from rag_app.evaluation.runner import TOP_K, evaluate, system_of
from retrievers.reader import FIRST_STAGE_WEIGHT, BuiltinReader
from retrievers.reranking import RERANK_DEPTH, CrossEncoderReranker, Reranker
from retrievers.strategies import DEFAULT_STRATEGY, strategy_named

RUNS = 15
BATCHES = (8, RERANK_DEPTH)
WEIGHTS = (FIRST_STAGE_WEIGHT, 3.0, 2.0, 1.0, 0.0)


class Weighted:
    """The built-in reranker with a weight of its own; what was read is remembered for the next weight."""

    def __init__(self, weight: float, reranker: BuiltinReader, known: dict[tuple[str, str], float]) -> None:
        self.name = f"{weight:g}"
        self.first_stage_weight = weight
        self._reranker = reranker
        self._known = known

    def score(self, question: str, passages: Sequence[str]) -> list[float]:
        asked = question.strip()  # what is evaluated has spaces behind it
        new = [one for one in passages if (asked, one) not in self._known]
        for one, score in zip(new, self._reranker.score(asked, new), strict=True):
            self._known[asked, one] = score
        return [self._known[asked, one] for one in passages]


def gains(dataset: Dataset, names: Sequence[str], weights: Sequence[float], kept: Path) -> list[Result]:
    """Return what each strategy finds with the reranker and without."""
    found: list[Result] = []
    with open_corpus(dataset, kept, builtin_encoder()) as corpus:
        for name in names:
            known: dict[tuple[str, str], float] = {}
            rerankers = [Weighted(weight, BuiltinReader(), known) for weight in weights]
            strategy = strategy_named(name)
            done = evaluate(corpus, [system_of(corpus, strategy, one, TOP_K) for one in (None, *rerankers)])
            plain, *reranked = done.results
            for metric in compared(corpus.dataset):
                values = {one.name: one.values[metric] for one in done.results}
                by_name = {one.a: one for one in paired(metric, values, plain.name)}
                for one in reranked:
                    label = f"{dataset.name}/{metric}/{name}/{one.reranker}"
                    means = [one.means[metric]], [plain.means[metric]]
                    found.append(compare(f"reranked/{label}", metric, *means, "without"))
                    found += gained(label, by_name[one.name])
    return found


def cross_encoder(folder: Path) -> CrossEncoderReranker:
    """Return a CrossEncoder that has the encoder's layers, and a head that knows nothing: only its time is
    looked at."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer
    from transformers.utils import logging

    logging.set_verbosity_error()
    model = AutoModelForSequenceClassification.from_pretrained(builtin_model_folder(), num_labels=1)
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(builtin_model_folder()).save_pretrained(folder)
    return CrossEncoderReranker("CrossEncoder", folder)


def costs(runs: int) -> list[Result]:
    """Return the time that a passage takes, alternating."""
    question = "How much of the heat goes into the wall when the flow separates?"
    passages = [f"{number} " + "heat flows into walls " * 44 for number in range(max(BATCHES))]
    found = []
    with tempfile.TemporaryDirectory() as folder:
        rerankers: tuple[Reranker, ...] = (BuiltinReader(), cross_encoder(Path(folder)))
        for size in BATCHES:
            times: list[list[float]] = [[] for _ in rerankers]
            for run in range(runs + 1):
                for one, own in zip(rerankers, times, strict=True):
                    started = time.perf_counter()
                    one.score(question, passages[:size])
                    if run:  # the first one loads
                        own.append(1000 * (time.perf_counter() - started) / size)
            name = f"cost/ms-a-passage/{size}"
            found.append(compare(name, "ms", times[0], times[1], "sentence-transformers CrossEncoder"))
    return found


def main() -> None:
    options = set_arguments(__doc__, (DEFAULT_STRATEGY,)).parse_args()
    data = evaluation_data()
    stay_offline()
    sets = SETS[:1] if options.quick else options.sets.split(",")
    weights = WEIGHTS[:1] if options.quick else WEIGHTS
    strategies = options.strategies.split(",")
    found = costs(3 if options.quick else RUNS)
    with tempfile.TemporaryDirectory() as temporary:
        for name in sets:
            dataset = held_out(read_dataset(data / name))
            found += gains(dataset, strategies, weights, options.kept or Path(temporary))
    settings = {
        "sets": sets,
        "strategies": strategies,
        "depth": RERANK_DEPTH,
        "weights": weights,
        "quick": options.quick,
    }
    publish(found, settings, options.json)


if __name__ == "__main__":
    main()
