"""Training examples of the adapter: numbered sources, and questions that they answer or leave open.

The texts are those of `reader_sources` and `reader_lists`: question sets that the training folder's README
names, the first 36 articles of xquad-en, and the first half of covidqa-dev. Nothing of another set is read.

An example holds several questions about the same sources. Sources are passages of one subject, so that a
question needs the right one of them: the passage that answers, others of its article or report, and tables.
About one question in five is left open: what answers it is not among the sources.
"""

import random
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reader_corruptions import with_other_name, with_other_year
from reader_lists import HALVES, article, gold_answers, only
from reader_sources import medical_question, plain_words, read_rows

from ingestion.text.sentences import sentence_spans
from rag_app.evaluation.datasets import read_dataset

_LONGEST_WORDS = 190  # of a source
_ANSWER_WORDS = 45
_TABLE_ROWS = 14
_SCALES = {"thousand": "thousand", "million": "million", "billion": "billion", "percent": "%"}
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Source:
    """A numbered source as a prompt has it."""

    document: str
    page: int
    context: str
    text: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A question; its answer with the number of its source, or None where the sources leave it open."""

    question: str
    answer: str | None


@dataclass(frozen=True, slots=True)
class SourcesAndQuestions:
    """An example: sources, and questions about them."""

    sources: tuple[Source, ...]
    asked: tuple[Asked, ...]


@dataclass(frozen=True, slots=True)
class _Piece:
    """A passage, and its questions with answers that are words of it."""

    name: str
    context: str
    text: str
    asked: tuple[tuple[str, str], ...]


def adapter_examples(evaluation: Path, training: Path, seed: int) -> dict[str, list[SourcesAndQuestions]]:
    """Return the examples of each set."""
    chance = random.Random(seed)
    made = {name: list(_passages(evaluation / name, chance)) for name in HALVES}
    sets = {
        "policyqa": _policyqa,
        "tatqa": _tatqa,
        "fetaqa": _fetaqa,
        "pubmedqa": _pubmedqa,
        "medquad": _medquad,
    }
    made |= {name: list(make(read_rows(training / f"{name}.jsonl"), chance)) for name, make in sets.items()}
    return made


def _passages(folder: Path, chance: random.Random) -> Iterator[SourcesAndQuestions]:
    dataset = only(read_dataset(folder), HALVES[folder.name])
    answers = gold_answers(folder)
    asked: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for question in dataset.questions:
        said = answers.get(question.id, ())
        if said:
            asked[next(iter(dataset.qrels[question.id]))].append((question.text, said[0]))
    by_article: dict[str, list[_Piece]] = defaultdict(list)
    for passage in dataset.passages:
        name = article(passage)
        title = passage.title
        by_article[name].append(_Piece(name, title, passage.text, tuple(asked[passage.id])))
    yield from _of_articles(by_article, chance)


def _policyqa(rows: Sequence[Row], chance: random.Random) -> Iterator[SourcesAndQuestions]:
    asked: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for row in rows:
        if len(row["answer"].split()) >= 2:
            asked[row["title"], row["context"]].append((row["question"], row["answer"]))
    by_article: dict[str, list[_Piece]] = defaultdict(list)
    for (title, context), some in asked.items():
        by_article[title].append(_Piece(title, title, context, tuple(some)))
    yield from _of_articles(by_article, chance)


def _of_articles(
    by_article: Mapping[str, Sequence[_Piece]], chance: random.Random
) -> Iterator[SourcesAndQuestions]:
    """Yield an example for each passage with questions: it, others of its article, and one of elsewhere."""
    everything = [one for some in by_article.values() for one in some]
    names = [question for one in everything for question, _ in one.asked]
    for own in everything:
        if not own.asked:
            continue
        others = [one for one in by_article[own.name] if one is not own]
        near = chance.sample(others, min(chance.randint(1, 3), len(others)))
        away = chance.sample(everything, chance.randint(0, 1))
        asked = chance.sample(own.asked, min(4, len(own.asked)))
        text = _around(own.text, [answer for _, answer in asked], chance)
        sources = [(own, text), *((one, _excerpt(one.text, chance)) for one in (*near, *away))]
        chance.shuffle(sources)
        number = next(place for place, (one, _) in enumerate(sources, 1) if one is own)
        told = [
            Asked(question, _cited(answer, number)) for question, answer in asked if answer.strip() in text
        ]
        shown = " ".join(text for _, text in sources)
        left = [
            question
            for one in others
            if one not in near
            for question, answer in one.asked
            if answer.strip().casefold() not in shown.casefold()
        ]
        changed = [_changed(question, shown, names, chance) for question, _ in own.asked]
        open_ones = [*chance.sample(left, min(1, len(left))), *[one for one in changed if one][:1]]
        told += [
            Asked(one, None)
            for one in chance.sample(open_ones, min(chance.choice((0, 1, 1, 2)), len(open_ones)))
        ]
        if told:
            chance.shuffle(told)
            yield SourcesAndQuestions(
                tuple(_source(one.name, one.context, text, chance) for one, text in sources), tuple(told)
            )


def _tatqa(rows: Sequence[Row], chance: random.Random) -> Iterator[SourcesAndQuestions]:
    for row in rows:
        table = _table(row["table"], chance)
        questions = [_tatqa_answer(one) for one in row["questions"]]
        kept = [one for one in questions if one is not None]
        if not kept:
            continue
        held = chance.sample(row["paragraphs"], min(chance.randint(1, 3), len(row["paragraphs"])))
        texts = [table, *(_around(one, (), chance) for one in held)]
        chance.shuffle(texts)
        told: list[Asked] = []
        for question, cells, answer in kept:
            at = [
                n
                for n, one in enumerate(texts, 1)
                if all(plain_words(cell) in plain_words(one) for cell in cells)
            ]
            if len(at) == 1 or (at and texts[at[0] - 1] == table):
                told.append(Asked(question, _cited(answer, at[0])))
            elif not at and not any(plain_words(cell) in plain_words(" ".join(texts)) for cell in cells):
                told.append(Asked(question, None))
        shown = " ".join(texts)
        for question, _, _ in kept:
            other = _changed(question, shown, [], chance)
            if other and chance.random() < 0.35:
                told.append(Asked(other, None))
        told = chance.sample(told, min(6, len(told)))
        if told:
            name = f"annual-report-{chance.randint(2005, 2023)}"
            yield SourcesAndQuestions(
                tuple(
                    _source(name, chance.choice(("Notes", "Annual report", "")), one, chance) for one in texts
                ),
                tuple(told),
            )


def _tatqa_answer(asked: Row) -> tuple[str, list[str], str] | None:
    """Return a question, the texts that hold its answer, and the answer; None for one to be computed."""
    if asked["type"] not in {"span", "multi-span"}:
        return None
    cells = asked["answer"] if isinstance(asked["answer"], list) else [asked["answer"]]
    cells = [str(one).strip() for one in cells if str(one).strip()]
    if not cells or sum(len(one.split()) for one in cells) > _ANSWER_WORDS:
        return None
    scale = _SCALES.get(str(asked.get("scale") or ""), "")
    joined = ", ".join(cells)
    if scale == "%":
        joined = joined if "%" in joined else f"{joined}%"
    elif scale and re.fullmatch(r"[$€£]?\s*[\d,.()]+", joined):
        joined = f"{joined} {scale}"
    return str(asked["question"]), cells, joined


def _fetaqa(rows: Sequence[Row], chance: random.Random) -> Iterator[SourcesAndQuestions]:
    for row in rows:
        used = sorted({place for place, _ in row["cells"] if place})
        if not 0 < len(used) <= 4 or len(row["answer"].split()) > _ANSWER_WORDS:
            continue
        table = row["table"]
        first = max(1, min(used) - chance.randint(0, _TABLE_ROWS // 2))
        last = min(len(table), max(used) + chance.randint(1, _TABLE_ROWS // 2))
        if last - first > 2 * _TABLE_ROWS:
            continue
        is_open = chance.random() < 0.2 and last - first - len(used) >= 3
        kept = [0, *(place for place in range(first, last) if not is_open or place not in used)]
        other = chance.choice(rows)
        texts = [
            (row, _lines([table[place] for place in kept], chance)),
            (other, _lines(other["table"][: chance.randint(3, 8)], chance)),
        ]
        chance.shuffle(texts)
        number = next(place for place, (one, _) in enumerate(texts, 1) if one is row)
        answer = None if is_open else _cited(row["answer"], number)
        yield SourcesAndQuestions(
            tuple(
                _source(one["page"], f"{one['page']} · {one['section']}", text, chance) for one, text in texts
            ),
            (Asked(row["question"], answer),),
        )


def _pubmedqa(rows: Sequence[Row], chance: random.Random) -> Iterator[SourcesAndQuestions]:
    for row in rows:
        said = _head(row["long_answer"])
        about = [
            _excerpt(one, chance) for one in chance.sample(row["contexts"], min(2, len(row["contexts"])))
        ]
        other = chance.choice(rows)
        texts = [
            ("own", row["long_answer"]),
            *(("near", one) for one in about),
            ("away", other["long_answer"]),
        ]
        chance.shuffle(texts)
        number = next(place for place, (kind, _) in enumerate(texts, 1) if kind == "own")
        word = {"yes": "Yes. ", "no": "No. "}.get(row["decision"], "")
        yield SourcesAndQuestions(
            tuple(_source("study", "", text, chance) for _, text in texts),
            (Asked(row["question"], word + _cited(said, number)),),
        )


def _medquad(rows: Sequence[Row], chance: random.Random) -> Iterator[SourcesAndQuestions]:
    of_focus: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        of_focus[row["focus"]].append(row)
    subjects = [one for one in of_focus.values() if len({row["question"] for row in one}) >= 3]
    for some in chance.sample(subjects, min(900, len(subjects))):
        by_question = list({row["question"]: row for row in some}.values())
        chance.shuffle(by_question)
        shown, left = by_question[: chance.randint(1, 3)], by_question[3:4]
        told = [
            Asked(medical_question(row["question"], chance), _cited(said, number))
            for number, row in enumerate(shown, 1)
            if len((said := _head(row["answer"])).split()) <= _ANSWER_WORDS and "?" not in said
        ]
        told += [Asked(medical_question(row["question"], chance), None) for row in left]
        if not told:
            continue
        yield SourcesAndQuestions(
            tuple(
                _source(row["focus"], row["focus"], _around(row["answer"], (), chance), chance)
                for row in shown
            ),
            tuple(told),
        )


def _changed(question: str, shown: str, others: Sequence[str], chance: random.Random) -> str | None:
    """Return the question about another year or name, which the sources leave open."""
    some = chance.sample(list(others), min(8, len(others)))
    return with_other_year(question, shown, chance) or with_other_name(question, shown, some, chance)


def _cited(answer: str, number: int) -> str:
    """Return an answer as it should be written, with the number of its source."""
    text = " ".join(answer.split())
    first = text.split()[0] if text else ""
    if first.isalpha() and first.islower():
        text = text[:1].upper() + text[1:]
    if text[-1:] in ".!?" and len(text.split()) > 4:
        return f"{text[:-1]} [{number}]{text[-1]}"
    return f"{text.rstrip('.,;: ')} [{number}]"


def _table(table: Sequence[Sequence[str]], chance: random.Random) -> str:
    return _lines(table[:30], chance)


def _lines(rows: Sequence[Sequence[str]], chance: random.Random) -> str:
    between = chance.choice((" ", " ", "  ", " | "))
    return "\n".join(
        between.join(one for one in (" ".join(cell.split()) for cell in row) if one) for row in rows
    )


def _head(text: str, most: int = _ANSWER_WORDS) -> str:
    """Return the first sentence of a text, and a second where both are short."""
    said = [text[one.start : one.end] for one in sentence_spans(text)[:2]]
    if len(said) == 2 and len(" ".join(said).split()) <= most // 2:
        return " ".join(" ".join(said).split())
    return " ".join(said[0].split()[:_LONGEST_WORDS]) if said else text


def _excerpt(text: str, chance: random.Random) -> str:
    """Return one to four sentences of a text."""
    spans = sentence_spans(text)
    if not spans:
        return text
    first = chance.randrange(len(spans))
    last = min(len(spans) - 1, first + chance.randint(0, 3))
    return _bounded(text[spans[first].start : spans[last].end])


def _around(text: str, answers: Sequence[str], chance: random.Random) -> str:
    """Return the sentences of a text that hold the answers, with some around them, or the whole text."""
    spans = sentence_spans(text)
    at = [text.find(one.strip()) for one in answers if one.strip()]
    if len(text.split()) <= _LONGEST_WORDS and chance.random() < 0.5:
        return text
    if not at or min(at) < 0 or not spans:
        return _bounded(text)
    ends = [start + len(one.strip()) for start, one in zip(at, answers, strict=False)]
    held = [
        n
        for n, one in enumerate(spans)
        if any(one.start < e and s < one.end for s, e in zip(at, ends, strict=True))
    ]
    first = max(0, min(held) - chance.randint(0, 2))
    last = min(len(spans) - 1, max(held) + chance.randint(0, 2))
    return text[spans[first].start : spans[last].end]


def _bounded(text: str) -> str:
    words = text.split(" ")
    return " ".join(words[:_LONGEST_WORDS])


def _source(name: str, context: str, text: str, chance: random.Random) -> Source:
    slug = re.sub(r"[^\w]+", chance.choice("-_ "), name).strip("-_ ")[:40] or "document"
    shown = context if chance.random() < 0.6 else ""
    return Source(
        f"{slug}{chance.choice(('.pdf', '.pdf', '.docx', '.html'))}", chance.randint(1, 90), shown, text
    )
