"""Quotations: which statement answers; the weights of what tells it, and how often the first one is right.

    RAG_EVAL_DATA=FOLDER python benchmarks/quotations.py [--quick] [--sets a,b] [--every N] [--kept FOLDER]
                                                         [--evidence FILE] [--json FILE]

quotations/SET/first-gold   share of the answerable questions whose first quotation is of a passage or page
                            that answers, by the weights that were fitted on the other sets
quotations/SET/contained    share whose quotations contain the gold answer
quotations/SET/words        of the quotations, the median
quotations/all/COEFFICIENT  the weights that are fitted on all sets: what worth.py has

The sets are those of `asked_evidence`. A statement is right where it is of a passage or page that answers,
and contains the gold answer: literally, or as `rag-app eval --answers` sees it where people wrote the
answers. Sets weigh alike in a fit, and so do the questions of a set, and what is right and wrong of a
question.
"""

import re
import statistics
from collections.abc import Sequence

import numpy as np
from answers import TOP_K
from asked_evidence import Asked, asked, evidence_arguments
from logistic import Fitted, Floats, fitted
from quality import set_arguments
from report import Result, figure, publish

import rag_app.answering.quoting.worth as quoting
from rag_app.answering.evidence.calibration import Calibration
from rag_app.answering.questions.answer_types import answer_type
from rag_app.answering.quoting.candidates import Candidate, candidates
from rag_app.answering.quoting.composition import compose
from rag_app.answering.quoting.worth import READER_SIGNALS, SIGNALS
from rag_app.config.environment import stay_offline
from rag_app.evaluation.answers.gold import match_gold
from retrievers.strategies import DEFAULT_STRATEGY

Looked = tuple[Asked, list[Candidate], list[bool]]


def looked(one: Asked) -> Looked:
    """Return a question's statements, and which of them are right."""
    found = candidates(one.question, answer_type(one.packed.question), one.packed)
    gold = [one.gold[each.evidence.number - 1] and answers(one, each.statement.text) for each in found]
    return one, found, gold


def answers(one: Asked, text: str) -> bool:
    if one.has_passages:
        return any(plain(answer) in plain(text) for answer in one.answers)
    return match_gold(text, one.answers, one.question).contained


def plain(text: str) -> str:
    words = re.findall(r"\w+", text.casefold())
    return f" {' '.join(words)} "


def model(questions: Sequence[Looked], names: Sequence[str]) -> Fitted:
    """Fit the weights to questions of which some statement is right, and not all are."""
    rows, labels, weights = list[list[float]](), list[float](), list[float]()
    usable = [one for one in questions if any(one[2]) and not all(one[2])]
    sets = [one.set for one, _, _ in usable]
    for one, found, gold in usable:
        for each, is_right in zip(found, gold, strict=True):
            rows.append([float(getattr(each.signals, name)) for name in names])
            labels.append(float(is_right))
            weights.append(1 / sets.count(one.set) / gold.count(is_right))
    total: Floats = np.array(weights) / sum(weights)
    return fitted(np.array(rows), np.array(labels), total)


def reported(name: str, questions: Sequence[Looked], weights: Calibration) -> list[Result]:
    """Return a set's figures by some weights."""
    quoting.WITH_READER = quoting.WITHOUT_READER = weights
    first, contained, words = list[float](), list[float](), list[float]()
    for one, _, _ in questions:
        quotations = compose(one.packed)
        text = "\n".join(each.plain for each in quotations)
        first.append(float(bool(quotations) and one.gold[quotations[0].evidence.number - 1]))
        contained.append(float(bool(one.answers) and answers(one, text)))
        words.append(float(len(text.split())))
    return [
        figure(f"quotations/{name}/first-gold", "share", [statistics.fmean(first)]),
        figure(f"quotations/{name}/contained", "share", [statistics.fmean(contained)]),
        figure(f"quotations/{name}/words", "", [statistics.median(words)]),
    ]


def main() -> None:
    parser = set_arguments(__doc__, (DEFAULT_STRATEGY,))
    evidence_arguments(parser)
    options = parser.parse_args()
    stay_offline()
    names = [one for one in SIGNALS if not (options.no_reader and one in READER_SIGNALS)]
    questions = [looked(one) for one in asked(options) if one.is_answerable]
    results = list[Result]()
    for name in dict.fromkeys(one.set for one, _, _ in questions):
        own = [one for one in questions if one[0].set == name]
        others = [one for one in questions if one[0].set != name]
        weights = model(others or own, names)
        made = Calibration(weights.intercept, dict(zip(names, weights.coefficients.tolist(), strict=True)))
        results += reported(name, own, made)
    whole = model(questions, names)
    pairs = [("intercept", whole.intercept), *zip(names, whole.coefficients.tolist(), strict=True)]
    results += [figure(f"quotations/all/{name}", "", [value]) for name, value in pairs]
    settings = {"sets": options.sets, "every": options.every, "top_k": TOP_K, "reader": not options.no_reader}
    publish(results, settings, options.json)
    print(whole.printed(names))


if __name__ == "__main__":
    main()
