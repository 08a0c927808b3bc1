"""Answers without a language model, refusals, and verdicts on planted sentences, on the evaluation sets.

    RAG_EVAL_DATA=FOLDER python benchmarks/answers.py [--quick] [--sets a,b] [--strategies a,b]
                                                      [--every N] [--kept FOLDER] [--json FILE]

answers/SET/STRATEGY/METRIC     figures of the answers without a language model, as `rag-app eval --answers
                                --without-gold` measures them (docs/answers.md describes the metrics);
                                with the ends of its 95% interval (…/low, …/high)
answers/SET/STRATEGY/words      words of an answer, median
verdicts/SET/KIND               share of sentences that are shown as unsupported
verdicts/SET/precision, recall  of all these: unsupported, shown as unsupported

Sentences that no source holds: "swapped" (of another question's answer), "number" (one digit changed), "date"
(another month), "not" (put in, or taken out). Sentences that one holds: "verbatim", and "clause", the longest
part between commas.

Every question is asked over the whole library, and again with its gold article, all of its passages, taken
out.
"""

import calendar
import random
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from quality import set_arguments
from report import Result, evaluation_data, figure, publish

from ingestion.encoders import Encoder, builtin_encoder
from rag_app.answering.answers import AskOptions, Evidence, PromptContext, Verdict
from rag_app.answering.citations import cite_text
from rag_app.answering.evidence.prompt_context import pack
from rag_app.answering.model_pool import ModelPool
from rag_app.config.environment import stay_offline
from rag_app.config.settings import Settings
from rag_app.evaluation.answers.asking import ask_all
from rag_app.evaluation.answers.measuring import CITATIONS, WORDS, measured
from rag_app.evaluation.corpus import Corpus, open_corpus
from rag_app.evaluation.datasets import read_dataset
from rag_app.llm.choice import EXTRACTIVE
from rag_app.model_store.store import ModelStore
from rag_app.service.questions import open_ask
from retrievers.search import search
from retrievers.strategies import DEFAULT_STRATEGY, STRATEGIES, strategy_named

SETS = ("xquad-en", "covidqa-dev")
TOP_K = 8
BUDGET = 1500
VERDICTS = 200
QUICK = 60
LEAST_WORDS = 6
SEED = 0
MONTHS = tuple(calendar.month_name)[1:]
AUXILIARY = r"\b(is|are|was|were|can|could|will|would|has|have|had|should|may|does|do|did)\b"


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with its answers and its evidence."""

    answers: tuple[str, ...]
    article: str
    packed: PromptContext


def plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


def answered(label: str, corpus: Corpus, models: ModelPool, options: AskOptions) -> list[Result]:
    """Return the figures of the answers, also of those to questions whose gold article is taken out."""
    with open_ask(models, Settings(), corpus.library, options) as ask:
        answers = list(ask_all(corpus, ask, without_gold=True))
    found = measured(options.strategy, options.strategy, None, answers)
    results = []
    for metric, mean in found.means.items():
        spread = found.intervals[metric]
        unit = "count" if metric in (WORDS, CITATIONS) else "share"
        name = f"answers/{label}/{metric}"
        ends = {name: mean, f"{name}/low": spread.low, f"{name}/high": spread.high}
        results += [figure(one, unit, [value]) for one, value in ends.items() if metric != WORDS]
    return [*results, figure(f"answers/{label}/words", "words", [found.words_median])]


def asked(corpus: Corpus) -> Iterator[Asked]:
    """Yield each question with its evidence."""
    library = corpus.library
    articles = {one.id: one.title or one.id.rpartition("-")[0] for one in corpus.dataset.passages}
    for question in corpus.dataset.questions:
        strategy = strategy_named(DEFAULT_STRATEGY)
        found = search(library, question.text, strategy, corpus.scope(), top_k=TOP_K)
        packed = pack(
            library, found, budget=BUDGET, count_tokens=lambda text: len(library.encoder.offsets(text))
        )
        gold = {articles[unit] for unit in corpus.dataset.qrels[question.id]}
        yield Asked(question.answers, min(gold), packed)


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


def main() -> None:
    parser = set_arguments(__doc__, tuple(STRATEGIES))
    parser.set_defaults(sets=",".join(SETS))
    parser.add_argument("--every", type=int, default=1, metavar="N", help="ask every Nth question only")
    options = parser.parse_args()
    data = evaluation_data()
    stay_offline()
    sets = ["xquad-en"] if options.quick else options.sets.split(",")
    strategies = [DEFAULT_STRATEGY] if options.quick else options.strategies.split(",")
    found: list[Result] = []
    encoder = builtin_encoder()
    models = ModelPool(ModelStore(Settings()), encoder)
    with tempfile.TemporaryDirectory() as temporary:
        for name in sets:
            dataset = read_dataset(data / name)
            every = len(dataset.questions) // QUICK if options.quick else options.every
            dataset = replace(dataset, questions=dataset.questions[::every])
            kept = options.kept or Path(temporary)
            with open_corpus(dataset, kept, encoder, by_article=True) as corpus:
                for strategy in strategies:
                    how = AskOptions(strategy=strategy, top_k=TOP_K, llm=EXTRACTIVE)
                    found += answered(f"{name}/{strategy}", corpus, models, how)
                some = QUICK // 2 if options.quick else VERDICTS
                found += verdicts(name, list(asked(corpus)), encoder, some)
    settings = {
        "sets": sets,
        "strategies": strategies,
        "top_k": TOP_K,
        "every": options.every,
        "quick": options.quick,
    }
    publish(found, settings, options.json)


if __name__ == "__main__":
    main()
