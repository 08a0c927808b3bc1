"""Training examples of the reader from lists: questions, and what `fusion` finds for them, right and wrong.

From the first three quarters of xquad-en's articles (36 of 48), from covidqa-dev's first articles that hold
half of its questions, and from manuals (`reader_manuals`). The corpora hold these texts alone: nothing else
is read.

questions  people's own; the passage they were asked of is right
headings   made of a manual's headings; the passage below is right
cloze      a sentence without some of its words, behind a question word; its passage is right
topic      a sentence; the other passages of its article are right, its own is left out
"""

import hashlib
import random
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from reader_examples import Example, TrainingPassage, answered, places

from ingestion.encoders import Encoder
from ingestion.storage.catalogue.records import StoredChunk
from ingestion.text.sentences import sentence_spans
from ingestion.text.stopwords import stopwords_of
from rag_app.evaluation.corpus import Corpus, open_corpus
from rag_app.evaluation.datasets import CorpusPassage, Dataset, json_lines, read_dataset
from retrievers.fusion import standardised
from retrievers.reranking import RERANK_DEPTH
from retrievers.search import search
from retrievers.strategies import STRATEGIES

FIRST_STAGE = "fusion"
XQUAD_ARTICLES = 36
CLOZE_OF_A_PASSAGE = 1
TOPICS_OF_A_PASSAGE = 1

_EDGES = "(),.;:%$€£\"'"
_SENTENCE_WORDS = range(8, 61)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question to make an example of; passages that hold a text of `holding` are not wrong.

    `answers`: "answers" where `holding` has the answers, "sentence" where it is the sentence that answers,
    "all" where the whole passage does, "none" where nothing is asked.
    """

    text: str
    right: frozenset[str]
    left_out: frozenset[str] = frozenset()
    holding: tuple[str, ...] = ()
    answers: str = "answers"


def list_examples(data: Path, manuals: Dataset, encoder: Encoder, seed: int) -> dict[str, list[Example]]:
    """Return the examples of each kind, from the folder of the evaluation sets and from manuals."""
    chance = random.Random(seed)
    kinds = ("questions", "cloze", "topic", "headings", "manual cloze", "manual topic")
    found: dict[str, list[Example]] = {kind: [] for kind in kinds}
    for name in (*HALVES, manuals.name):
        is_manuals = name == manuals.name
        dataset = manuals if is_manuals else only(read_dataset(data / name), HALVES[name])
        of = "manual " if is_manuals else ""
        own = list(_headings(manuals) if is_manuals else _people(dataset, data / name))
        asked = {
            "headings" if is_manuals else "questions": own,
            f"{of}cloze": [one for passage in dataset.passages for one in _cloze(passage, chance)],
            f"{of}topic": [one for passage in dataset.passages for one in _topic(passage, dataset, chance)],
        }
        with (
            tempfile.TemporaryDirectory() as folder,
            open_corpus(dataset, Path(folder), encoder) as corpus,
        ):
            for kind, some in asked.items():
                made = [_example(corpus, one) for one in some]
                found[kind] += [one for one in made if one is not None]
    return found


def held_out(dataset: Dataset) -> Dataset:
    """Return a data set with the questions about articles that no example is made of."""
    if dataset.name not in HALVES:
        return dataset
    chosen = HALVES[dataset.name](dataset)
    used = {one.id for one in dataset.passages if article(one) in chosen}
    questions = tuple(one for one in dataset.questions if used.isdisjoint(dataset.qrels[one.id]))
    return replace(dataset, questions=questions)


def article(passage: CorpusPassage) -> str:
    """Return what a passage is part of: its title, or its id up to the last hyphen."""
    return passage.title or passage.id.rpartition("-")[0]


def _xquad_half(dataset: Dataset) -> set[str]:
    return set(list(dict.fromkeys(article(one) for one in dataset.passages))[:XQUAD_ARTICLES])


def _covid_half(dataset: Dataset) -> set[str]:
    of = {one.id: article(one) for one in dataset.passages}
    counts = Counter(of[next(iter(dataset.qrels[question.id]))] for question in dataset.questions)
    chosen: set[str] = set()
    for name in dict.fromkeys(of.values()):
        if sum(counts[one] for one in chosen) >= len(dataset.questions) / 2:
            break
        chosen.add(name)
    return chosen


HALVES = {"xquad-en": _xquad_half, "covidqa-dev": _covid_half}


def only(dataset: Dataset, choose: Callable[[Dataset], set[str]]) -> Dataset:
    """Return the chosen articles of a data set, and the questions that are about them alone."""
    chosen = choose(dataset)
    passages = tuple(one for one in dataset.passages if article(one) in chosen)
    ids = {one.id for one in passages}
    questions = tuple(one for one in dataset.questions if set(dataset.qrels[one.id]) <= ids)
    digest = hashlib.sha256("\n".join(sorted(ids)).encode()).hexdigest()
    return replace(dataset, passages=passages, questions=questions, corpus=digest)


def gold_answers(folder: Path) -> dict[str, tuple[str, ...]]:
    """Return the gold answers of a data set's questions, by the question's id."""
    return {
        str(line["_id"]): tuple(line.get("metadata", {}).get("answers", ()))
        for line, _ in json_lines(folder / "queries.jsonl")
    }


def _people(dataset: Dataset, folder: Path) -> Iterator[_Asked]:
    answers = gold_answers(folder)
    for question in dataset.questions:
        right = frozenset(unit for unit, grade in dataset.qrels[question.id].items() if grade > 0)
        yield _Asked(question.text, right, holding=answers.get(question.id, ()))


def _headings(dataset: Dataset) -> Iterator[_Asked]:
    for question in dataset.questions:
        yield _Asked(question.text, frozenset(dataset.qrels[question.id]), answers="all")


def _cloze(passage: CorpusPassage, chance: random.Random) -> Iterator[_Asked]:
    for _ in range(CLOZE_OF_A_PASSAGE):
        sentence = _a_sentence(passage, chance)
        question = _without_answer(sentence.split(), chance) if sentence else None
        if question:
            yield _Asked(question, frozenset({passage.id}), holding=(sentence,), answers="sentence")


def _topic(passage: CorpusPassage, dataset: Dataset, chance: random.Random) -> Iterator[_Asked]:
    others = {one.id for one in dataset.passages if article(one) == article(passage)} - {passage.id}
    for _ in range(TOPICS_OF_A_PASSAGE):
        sentence = _a_sentence(passage, chance)
        if sentence and others:
            yield _Asked(sentence, frozenset(others), frozenset({passage.id}), (sentence,), "none")


def _a_sentence(passage: CorpusPassage, chance: random.Random) -> str:
    spans = sentence_spans(passage.text)
    sentences = [passage.text[span.start : span.end] for span in spans]
    sentences = [one for one in sentences if len(one.split()) in _SENTENCE_WORDS]
    return chance.choice(sentences) if sentences else ""


def _without_answer(words: Sequence[str], chance: random.Random) -> str | None:
    """Return a question word, and of the words around an answer most; None if too few are left."""
    spans = list(_answers(words, chance))
    if not spans or chance.random() < 0.4:
        first = chance.randrange(1, len(words) - 2)
        kind = chance.choice(("What", "What", "How", "Why", "Which"))
        spans = [(first, first + chance.randint(2, 5), kind)]
    first, last, kind = chance.choice(spans)
    around = [
        *words[max(0, first - chance.randint(4, 12)) : first],
        *words[last : last + chance.randint(2, 10)],
    ]
    kept = [one for one in around if chance.random() > (0.15 if _is_small(one) else 0.3)]
    if sum(not _is_small(one) for one in kept) < 3:
        return None
    return f"{kind} {' '.join(kept).strip(_EDGES + ' ')}?"


def _answers(words: Sequence[str], chance: random.Random) -> Iterator[tuple[int, int, str]]:
    """Yield years, numbers and names among the words: the first, the one after the last, how to ask."""
    for place, word in enumerate(words):
        core = word.strip(_EDGES)
        if re.fullmatch(r"(1[5-9]|20)\d\d", core):
            yield place, place + 1, chance.choice(("When", "In what year", "In which year"))
        elif re.fullmatch(r"\d[\d,.]*", core):
            many = chance.choice(("How many", "How much", "What number of"))
            yield place, place + 1, "What percentage" if "%" in word else many
        elif place and core[:1].isupper() and not _is_small(core):
            last = place
            while last < len(words) and words[last].strip(_EDGES)[:1].isupper():
                last += 1
            yield place, last, chance.choice(("Who", "What", "Which", "Where"))


def _is_small(word: str) -> bool:
    return word.lower() in stopwords_of("en")


def _example(corpus: Corpus, asked: _Asked) -> Example | None:
    """Return the example, or None where the first stage finds nothing right, or not two that are wrong."""
    result = search(
        corpus.library, asked.text, STRATEGIES[FIRST_STAGE], corpus.scope(), top_k=3 * RERANK_DEPTH
    )
    hits = [hit for hit in result.hits if corpus.unit(hit.chunk) not in asked.left_out]
    right = [hit for hit in hits if corpus.unit(hit.chunk) in asked.right]
    if not right:
        return None
    head = hits[:RERANK_DEPTH]
    if right[0] not in head:
        head[-1] = right[0]
    held = [_plain(one) for one in asked.holding]
    wrong = [
        place
        for place, hit in enumerate(head)
        if corpus.unit(hit.chunk) not in asked.right
        and not any(one in _plain(hit.chunk.text) for one in held)
    ]
    if len(wrong) < 2:
        return None
    places_right = [place for place, hit in enumerate(head) if corpus.unit(hit.chunk) in asked.right]
    return Example(
        asked.text,
        tuple(
            _right(hit.chunk, asked)
            if place in places_right
            else TrainingPassage(hit.chunk.context, hit.chunk.text, _not(asked, place in wrong))
            for place, hit in enumerate(head)
        ),
        tuple(places_right),
        tuple(wrong),
        tuple(standardised([hit.score for hit in head])),
    )


def _right(chunk: StoredChunk, asked: _Asked) -> TrainingPassage:
    if asked.answers == "answers":
        found = answered(chunk.context, chunk.text, asked.holding)
        return found if found.spans else replace(found, answers=None)
    if asked.answers == "all":
        return TrainingPassage(chunk.context, chunk.text, True)
    said = places(chunk.text, asked.holding[0]) if asked.answers == "sentence" else []
    return TrainingPassage(chunk.context, chunk.text, bool(said) or None, (), tuple(said))


def _not(asked: _Asked, is_wrong: bool) -> bool | None:
    return False if is_wrong and asked.answers != "none" else None


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
