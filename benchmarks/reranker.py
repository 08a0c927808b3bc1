"""What the built-in reranker gives and costs, on questions that it was not trained on.

    RAG_EVAL_DATA=FOLDER python benchmarks/reranker.py [--quick] [--sets a,b] [--strategies a,b]
                                                       [--kept FOLDER] [--json FILE]

reranked/SET/METRIC/STRATEGY  the mean over the questions with the reranker; peer: without
gain/SET/METRIC/STRATEGY      how much more that is, and the ends of its 95% interval (…/low, …/high)
cost/ms-a-passage/BATCH       milliseconds a passage of 180 wordpieces, so many read for a question; peer:
                              sentence-transformers' CrossEncoder with the same layers

Of xquad-en and covidqa-dev only the questions about articles that `reranker_examples` leaves out are asked;
all passages are searched.
"""

import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from quality import SETS
from report import Result, arguments, compare, figure, publish
from reranker_examples import held_out

from ingestion.encoders import builtin_encoder, builtin_model_folder
from rag_app.environment import stay_offline
from rag_app.evaluation.comparing import compare as paired
from rag_app.evaluation.corpus import open_corpus
from rag_app.evaluation.datasets import Dataset, read_dataset
from rag_app.evaluation.metrics import compared
from rag_app.evaluation.runner import TOP_K, contender_of, evaluate
from retrievers.joint import JointReranker
from retrievers.rerank import RERANK_DEPTH, CrossEncoderReranker, Reranker
from retrievers.strategies import DEFAULT_STRATEGY, strategy_named

RUNS = 15
BATCHES = (8, RERANK_DEPTH)


def gains(dataset: Dataset, names: Sequence[str], kept: Path) -> list[Result]:
    """Return what each strategy finds with the reranker and without."""
    found: list[Result] = []
    with open_corpus(dataset, kept, builtin_encoder()) as corpus:
        for name in names:
            strategy = strategy_named(name)
            done = evaluate(
                corpus,
                [contender_of(corpus, strategy, one, TOP_K) for one in (None, JointReranker())],
            )
            plain, reranked = done.results
            for metric in compared(corpus.dataset):
                label = f"{dataset.name}/{metric}/{name}"
                means = [reranked.means[metric]], [plain.means[metric]]
                found.append(compare(f"reranked/{label}", metric, *means, "without"))
                values = {"with": reranked.values[metric], "without": plain.values[metric]}
                (gain,) = paired(metric, values, "without")
                found.append(figure(f"gain/{label}", metric, [gain.difference]))
                found.append(figure(f"gain/{label}/low", metric, [gain.interval.low]))
                found.append(figure(f"gain/{label}/high", metric, [gain.interval.high]))
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
        rerankers: tuple[Reranker, ...] = (JointReranker(), cross_encoder(Path(folder)))
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
    parser = arguments(__doc__)
    parser.add_argument("--sets", default=",".join(SETS), help="names of folders, with commas between")
    parser.add_argument("--strategies", default=DEFAULT_STRATEGY, help="names, with commas between")
    parser.add_argument("--kept", type=Path, metavar="FOLDER", help="keep the encoded sets there")
    options = parser.parse_args()
    if not os.environ.get("RAG_EVAL_DATA"):
        sys.exit("the variable RAG_EVAL_DATA is not set; it names the folder of the evaluation sets")
    stay_offline()
    data = Path(os.environ["RAG_EVAL_DATA"])
    sets = SETS[:1] if options.quick else options.sets.split(",")
    strategies = options.strategies.split(",")
    found = costs(3 if options.quick else RUNS)
    with tempfile.TemporaryDirectory() as temporary:
        for name in sets:
            dataset = held_out(read_dataset(data / name))
            found += gains(dataset, strategies, options.kept or Path(temporary))
    settings = {"sets": sets, "strategies": strategies, "depth": RERANK_DEPTH, "quick": options.quick}
    publish(found, settings, options.json)


if __name__ == "__main__":
    main()
