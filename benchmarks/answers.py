"""Quotations as answers, abstention, and verdicts on planted sentences, on the evaluation sets.

    RAG_EVAL_DATA=FOLDER python benchmarks/answers.py [--quick] [--sets a,b] [--strategies a,b]
                                                      [--every N] [--kept FOLDER] [--json FILE]

answers/SET/STRATEGY/contains      share of the answers without an LLM, of 60 words at most, that contain a
                                   gold answer; letters and figures alone are compared
answers/SET/STRATEGY/words         words of these answers, mean
abstention/SET/STRATEGY/precision  of the questions that were not answered, those without an answer
abstention/SET/STRATEGY/recall     of the questions without an answer, those that were not answered
abstention/SET/STRATEGY/refused    of the questions with an answer, those that were not answered
verdicts/SET/KIND                  share of sentences that are shown as unsupported
verdicts/SET/precision, recall     of all these: unsupported, shown as unsupported

Sentences that no source holds: "swapped" (of another question's answer), "number" (one digit changed), "date"
(another month), "not" (put in, or taken out). Sentences that one holds: "verbatim", and "clause", the longest
part between commas.

A question without an answer is one whose gold document (an article; all of its passages) has been taken out
of what is found. Every question is asked over the whole library.
"""

import calendar
import json
import random
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from quality import set_arguments
from report import Result, evaluation_data, figure, publish

from ingestion.encoders import Encoder, builtin_encoder
from rag_app.answering.answers import Evidence, PromptContext, Verdict
from rag_app.answering.citations import cite_text
from rag_app.answering.evidence.prompt_context import pack
from rag_app.answering.extractive_answerer import quotations
from rag_app.config.environment import stay_offline
from rag_app.config.settings import Settings
from rag_app.evaluation.corpus import Corpus, open_corpus
from rag_app.evaluation.datasets import read_dataset
from retrievers.search import SearchResult, search
from retrievers.strategies import DEFAULT_STRATEGY, STRATEGIES, strategy_named

SETS = ("xquad-en", "covidqa-dev")
TOP_K = 8
DEPTH = 100  # enough that TOP_K passages are left without the gold document's
BUDGET = 1500
VERDICTS = 200
QUICK = 60
LEAST_WORDS = 6
SEED = 0
MONTHS = tuple(calendar.month_name)[1:]
AUXILIARY = r"\b(is|are|was|were|can|could|will|would|has|have|had|should|may|does|do|did)\b"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with its answers, its evidence, and that which is left without the gold document."""

    text: str
    answers: tuple[str, ...]
    article: str
    packed: PromptContext
    without: PromptContext


def plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


def asked(corpus: Corpus, answers: Mapping[str, Sequence[str]], strategy: str, every: int) -> Iterator[Asked]:
    library = corpus.library
    articles = {one.id: one.title or one.id.rpartition("-")[0] for one in corpus.dataset.passages}

    def packed(result: SearchResult) -> PromptContext:
        return pack(
            library, result, budget=BUDGET, count_tokens=lambda text: len(library.encoder.offsets(text))
        )

    for question in corpus.dataset.questions[::every]:
        gold = {articles[unit] for unit in corpus.dataset.qrels[question.id]}
        found = search(library, question.text, strategy_named(strategy), corpus.scope(), top_k=DEPTH)
        left = [hit for hit in found.hits if articles[corpus.unit(hit.chunk)] not in gold][:TOP_K]
        yield Asked(
            question.text,
            tuple(answers[question.id]),
            min(gold),
            packed(replace(found, hits=found.hits[:TOP_K])),
            packed(replace(found, hits=tuple(left))),
        )


def answered(label: str, questions: Sequence[Asked], threshold: float) -> list[Result]:
    """Return how good quotations are, and abstention."""
    texts = [
        " ".join(" ".join(sentence.text.split()) for _, sentence in quotations(one.packed))
        for one in questions
    ]
    contains = [
        any(plain(answer) and plain(answer) in plain(text) for answer in one.answers)
        for one, text in zip(questions, texts, strict=True)
    ]
    refused = sum(one.packed.relevance < threshold for one in questions)
    right = sum(one.without.relevance < threshold for one in questions)
    return [
        figure(f"answers/{label}/contains", "share", [sum(contains) / len(contains)]),
        figure(f"answers/{label}/words", "words", [sum(len(text.split()) for text in texts) / len(texts)]),
        figure(f"abstention/{label}/precision", "share", [right / ((right + refused) or 1)]),
        figure(f"abstention/{label}/recall", "share", [right / len(questions)]),
        figure(f"abstention/{label}/refused", "share", [refused / len(questions)]),
    ]


def answer_sentence(one: Asked) -> str | None:
    """Return the sentence of the evidence that has the answer in it."""
    for item in one.packed.evidence:
        for sentence in item.sentences:
            text = " ".join(sentence.text.split())
            if len(text.split()) >= LEAST_WORDS and any(
                plain(a) in plain(text) for a in one.answers if plain(a)
            ):
                return text
    return None


def clause(text: str, _: random.Random) -> str | None:
    parts = [part.strip() for part in re.split(r"[,;]", text) if len(part.split()) >= LEAST_WORDS]
    return f"{max(parts, key=len).rstrip('.')}." if len(parts) > 1 else None


def number_changed(text: str, chance: random.Random) -> str | None:
    """Change a digit of a number; not of a reference in brackets, which an answer has as markers."""
    bare = re.sub(r"\[[^\]]*\]", lambda match: " " * len(match[0]), text)
    found = list(re.finditer(r"(?<![\w.,-])\d+(?:[.,]\d+)*(?![\w-]*[A-Za-z])", bare))
    if not found:
        return None
    match = chance.choice(found)
    place = match.start() + chance.choice([at for at, one in enumerate(match[0]) if one.isdigit()])
    digit = chance.choice([one for one in "123456789" if one != text[place]])
    return text[:place] + digit + text[place + 1 :]


def date_changed(text: str, chance: random.Random) -> str | None:
    found = list(re.finditer(rf"\b({'|'.join(MONTHS)})\b(?=,?\s+\d)|(?<=\d\s)\b({'|'.join(MONTHS)})\b", text))
    if not found:
        return None
    match = chance.choice(found)
    return text[: match.start()] + chance.choice([m for m in MONTHS if m != match[0]]) + text[match.end() :]


def denied(text: str, _: random.Random) -> str | None:
    if re.search(rf"{AUXILIARY} not\b", text):
        return re.sub(rf"{AUXILIARY} not\b", r"\1", text, count=1)
    match = re.search(AUXILIARY, text)
    return f"{text[: match.end()]} not{text[match.end() :]}" if match else None


CHANGES: Mapping[str, Callable[[str, random.Random], str | None]] = {
    "number": number_changed,
    "date": date_changed,
    "not": denied,
    "clause": clause,
    "verbatim": lambda text, _: text,
}
HELD = ("clause", "verbatim")


def is_unsupported(text: str, evidence: Sequence[Evidence], encoder: Encoder) -> bool:
    return any(one.verdict is Verdict.UNSUPPORTED for one in cite_text(text, evidence, encoder).sentences)


def verdicts(name: str, questions: Sequence[Asked], encoder: Encoder, limit: int) -> list[Result]:
    """Return how planted sentences are judged, and true ones."""
    chance = random.Random(SEED)
    pairs = [(one, text) for one in questions if (text := answer_sentence(one))]
    chance.shuffle(pairs)
    shown: dict[str, list[bool]] = {}
    for one, text in pairs[:limit]:
        planted = {kind: change(text, chance) for kind, change in CHANGES.items()}
        planted["swapped"] = chance.choice([other for who, other in pairs if who.article != one.article])
        for kind, sentence in planted.items():
            if sentence is not None and (sentence != text or kind == "verbatim"):
                shown.setdefault(kind, []).append(is_unsupported(sentence, one.packed.evidence, encoder))
    bad = [value for kind, values in shown.items() if kind not in HELD for value in values]
    good = [value for kind in HELD for value in shown.get(kind, [])]
    return [
        *(figure(f"verdicts/{name}/{kind}", "share", [sum(v) / len(v)]) for kind, v in sorted(shown.items())),
        figure(f"verdicts/{name}/precision", "share", [sum(bad) / (sum(bad) + sum(good))]),
        figure(f"verdicts/{name}/recall", "share", [sum(bad) / len(bad)]),
        figure(f"verdicts/{name}/sentences", "sentences", [len(bad) + len(good)]),
    ]


def answers_of(folder: Path) -> dict[str, list[str]]:
    lines = map(json.loads, (folder / "queries.jsonl").read_text("utf-8").splitlines())
    return {str(line["_id"]): line["metadata"]["answers"] for line in lines}


def main() -> None:
    parser = set_arguments(__doc__, tuple(STRATEGIES))
    parser.set_defaults(sets=",".join(SETS))
    parser.add_argument("--every", type=int, default=1, metavar="N", help="ask every Nth question only")
    options = parser.parse_args()
    data = evaluation_data()
    stay_offline()
    sets = ["xquad-en"] if options.quick else options.sets.split(",")
    strategies = [DEFAULT_STRATEGY] if options.quick else options.strategies.split(",")
    threshold = Settings.model_fields["answer_threshold"].default
    found: list[Result] = []
    with tempfile.TemporaryDirectory() as temporary:
        for name in sets:
            dataset, answers = read_dataset(data / name), answers_of(data / name)
            every = len(dataset.questions) // QUICK if options.quick else options.every
            with open_corpus(dataset, options.kept or Path(temporary), builtin_encoder()) as corpus:
                for strategy in strategies:
                    questions = list(asked(corpus, answers, strategy, every))
                    found += answered(f"{name}/{strategy}", questions, threshold)
                    if strategy == DEFAULT_STRATEGY:
                        some = QUICK // 2 if options.quick else VERDICTS
                        found += verdicts(name, questions, corpus.library.encoder, some)
    settings = {
        "sets": sets,
        "strategies": strategies,
        "top_k": TOP_K,
        "threshold": threshold,
        "every": options.every,
        "quick": options.quick,
    }
    publish(found, settings, options.json)


if __name__ == "__main__":
    main()
