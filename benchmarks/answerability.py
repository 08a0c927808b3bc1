"""Answerability: whether the documents answer a question; its calibration, and how well it refuses.

    RAG_EVAL_DATA=FOLDER python benchmarks/answerability.py [--quick] [--sets a,b] [--every N]
                                [--kept FOLDER] [--evidence FILE] [--picture FILE] [--json FILE]

answerability/SET/auc                   of answerable against unanswerable questions, by a model of the other
                                        sets
answerability/SET/reader-auc            the same, of what the reader says alone
answerability/SET/both-auc              the same, with what the reader says
answerability/SET/THRESHOLD/answerable  share of the answerable questions below a threshold: wrongly refused
answerability/SET/THRESHOLD/unanswerable
                                        share of the unanswerable ones below it: rightly refused
answerability/SET/SIGNAL/answerable     share of the answerable questions with a signal that is 0 or 1
answerability/SET/SIGNAL/unanswerable   the same of the unanswerable ones
answerability/all/COEFFICIENT           the model that is fitted on all sets: what answerability.py has

The sets are those of `asked_evidence`. Sets weigh alike in a fit, and so do the questions with an answer and
without one in a set.

The reader reads what is found, unless --no-reader. --evidence keeps the questions with their evidence in a
file, and reads them from there where it exists. --picture draws the curves as SVG.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from answers import TOP_K
from asked_evidence import Asked, asked, evidence_arguments
from logistic import Fitted, Floats, fitted
from quality import set_arguments
from report import Result, figure, publish

from rag_app.answering.evidence.answerability import AnswerSignals, signals
from rag_app.answering.quoting.values.held_values import lacking_value
from rag_app.answering.refusals.unseen_names import has_unseen_year, unseen_names
from rag_app.config.environment import stay_offline
from retrievers.strategies import DEFAULT_STRATEGY

THRESHOLDS = tuple(step / 50 for step in range(51))
LABELS = (("answerable", 1), ("unanswerable", 0))
BINARY = ("lacks_value", "unseen_name")
SHOWN = (0.2, 0.3, 0.4)

Example = tuple[Asked, AnswerSignals]


def signals_of(one: Asked) -> AnswerSignals:
    lacks_value = lacking_value(one.packed) is not None
    question, evidence = one.packed.question, one.packed.evidence
    unseen_name = bool(unseen_names(question, evidence)) or has_unseen_year(question, evidence)
    return signals(one.packed, lacks_value=lacks_value, unseen_name=unseen_name)


def matrix(examples: Sequence[Example], names: Sequence[str]) -> tuple[Floats, Floats, Floats]:
    """Return signals [n, s], labels [n] and weights [n] in sum 1."""
    values = np.array([[getattr(signal, name) for name in names] for _, signal in examples], np.float64)
    labels = np.array([float(one.is_answerable) for one, _ in examples])
    groups = [(one.set, one.is_answerable) for one, _ in examples]
    weights = np.array([1 / groups.count(group) for group in groups])
    return values, labels, weights / weights.sum()


def model(examples: Sequence[Example], names: Sequence[str]) -> Fitted:
    return fitted(*matrix(examples, names))


def auc(scores: Floats, labels: Floats) -> float:
    """Return how often an answerable question scores above an unanswerable one; ties count half."""
    good, bad = scores[labels == 1], scores[labels == 0]
    return float((good[:, None] > bad).mean() + (good[:, None] == bad).mean() / 2)


def reported(examples: Sequence[Example], names: Sequence[str]) -> list[Result]:
    """Return each set's figures, by the model of the other sets."""
    found = []
    for name in dict.fromkeys(one.set for one, _ in examples):
        others = [one for one in examples if one[0].set != name]
        own = [one for one in examples if one[0].set == name]
        values, labels, _ = matrix(own, names)
        probabilities = model(others or own, names).probabilities(values)
        found.append(figure(f"answerability/{name}/auc", "", [auc(probabilities, labels)]))
        for title, of in (("reader", ("answers",)), ("both", ("answers", *names))):
            told = model(others or own, of).probabilities(matrix(own, of)[0])
            found.append(figure(f"answerability/{name}/{title}-auc", "", [auc(told, labels)]))
        for signal in names:
            if signal in BINARY:
                has = matrix(own, (signal,))[0][:, 0]
                found += [
                    figure(
                        f"answerability/{name}/{signal}/{kind}", "share", [float(has[labels == label].mean())]
                    )
                    for kind, label in LABELS
                ]
        for threshold in THRESHOLDS:
            refused = probabilities < threshold
            for kind, label in LABELS:
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


def main() -> None:
    parser = set_arguments(__doc__, (DEFAULT_STRATEGY,))
    evidence_arguments(parser)
    parser.add_argument("--picture", type=Path, metavar="FILE", help="draw the curves there, as SVG")
    options = parser.parse_args()
    stay_offline()
    names = ["relevance", "lacks_value", "unseen_name"]
    examples = [(one, signals_of(one)) for one in asked(options)]
    results = reported(examples, names)
    whole = model(examples, names)
    pairs = [("intercept", whole.intercept), *zip(names, whole.coefficients.tolist(), strict=True)]
    results += [figure(f"answerability/all/{name}", "", [value]) for name, value in pairs]
    reads = not options.no_reader
    settings = {"sets": options.sets, "every": options.every, "top_k": TOP_K, "reader": reads}
    publish(results, settings, options.json)
    if options.picture:
        draw(results, options.picture)
    print(whole.printed(names))


if __name__ == "__main__":
    main()
