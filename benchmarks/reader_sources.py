"""Training examples of the reader from question sets (the folder's README names them and their licences)."""

import json
import random
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from reader_examples import Example, Span, TrainingPassage, answered, of_one, without_answer

from ingestion.chunking.chunk_context import SEPARATOR
from ingestion.text.sentences import sentence_spans
from ingestion.text.stopwords import stopwords_of

_PASSAGE_WORDS = 100
_ROWS = 16  # of a table, at most
_WRONG = 3
Row = Mapping[str, Any]


def source_examples(data: Path, chance: random.Random) -> dict[str, list[Example]]:
    """Return the examples of each set in the folder of training data."""
    made = {
        "medquad": _medquad,
        "policyqa": _policyqa,
        "tatqa": _tatqa,
        "fetaqa": _fetaqa,
        "pubmedqa": _pubmedqa,
    }
    return {name: list(make(read_rows(data / f"{name}.jsonl"), chance)) for name, make in made.items()}


def read_rows(path: Path) -> list[Row]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _medquad(rows: Sequence[Row], chance: random.Random) -> Iterator[Example]:
    """Wrong: answers to other questions about the subject, and the same question's about another subject."""
    of_focus, of_kind = defaultdict(list), defaultdict(list)
    for row in rows:
        of_focus[row["focus"]].append(row)
        of_kind[_kind(row)].append(row)
    for row in rows:
        same = [one for one in of_focus[row["focus"]] if one["question"] != row["question"]]
        like = chance.sample(of_kind[_kind(row)], min(3, len(of_kind[_kind(row)])))
        like = [one for one in like if one["focus"] != row["focus"]]
        wrong = [*chance.sample(same, min(2, len(same))), *like[:1]]
        if not same or not wrong:
            continue
        text = _head(row["answer"])
        said = [(one.start, one.end) for one in sentence_spans(text) if text[one.start : one.end][-1] != "?"]
        sentences = tuple(said[:1]) if row["question"].startswith("What is (are)") else ()
        right = TrainingPassage(_context(row, chance), text, True, (), sentences)
        question = medical_question(row["question"], chance)
        yield of_one(
            question,
            right,
            [TrainingPassage(_context(one, chance), _head(one["answer"]), False) for one in wrong],
        )


def _kind(row: Row) -> str:
    return str(row["question"]).replace(row["focus"], "…")


def _context(row: Row, chance: random.Random) -> str:
    return chance.choice(("", row["focus"], row["focus"], f"Health topics{SEPARATOR}{row['focus']}"))


def medical_question(question: str, chance: random.Random) -> str:
    question = re.sub(r"\s+\?", "?", question).replace("??", "?")
    return question.replace("What is (are)", chance.choice(("What is", "What are", "Define")))


def _head(text: str) -> str:
    """Return the first sentences of a text, as many as a passage holds."""
    end = 0
    for sentence in sentence_spans(text):
        if end and len(text[: sentence.end].split()) > _PASSAGE_WORDS:
            break
        end = sentence.end
    return " ".join(text[:end].split()[: 2 * _PASSAGE_WORDS])


def _policyqa(rows: Sequence[Row], chance: random.Random) -> Iterator[Example]:
    """Wrong: the context without its answer, and contexts of the same site with other questions."""
    asked: dict[str, set[str]] = defaultdict(set)
    of_title: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        if row["context"] not in asked:
            of_title[row["title"]].append(row["context"])
        asked[row["context"]] |= _content(row["question"])
    for row in rows:
        start, end = row["start"], row["start"] + len(row["answer"])
        if not 3 <= len(row["answer"].split()) <= 40 or len(row["context"].split()) < 30:
            continue
        sentences = tuple(
            (one.start, one.end)
            for one in sentence_spans(row["context"])
            if one.start < end and start < one.end
        )
        right = TrainingPassage(row["title"], row["context"], True, ((start, end),), sentences)
        own = _content(row["question"])
        others = [one for one in of_title[row["title"]] if len(own & asked[one]) <= len(own) // 3]
        wrong = [
            TrainingPassage(row["title"], one, False) for one in chance.sample(others, min(2, len(others)))
        ]
        left = without_answer(right)
        if left or wrong:
            yield of_one(row["question"], right, [*([left] if left else []), *wrong])


def _tatqa(rows: Sequence[Row], chance: random.Random) -> Iterator[Example]:
    """Wrong: the table without the answer's rows or of other years, and the report's other paragraphs."""
    for row in rows:
        for asked in row["questions"]:
            answers = asked["answer"] if isinstance(asked["answer"], list) else []
            used = {int(one) - 1 for one in asked["paragraphs"]}
            others = [one for place, one in enumerate(row["paragraphs"]) if place not in used]
            wrong = [TrainingPassage("Notes", one, False) for one in others if len(one.split()) > 12]
            if asked["from"] == "text":
                held = [one for place, one in enumerate(row["paragraphs"]) if place in used]
                right = next((p for p in (answered("Notes", one, answers) for one in held) if p.spans), None)
            else:
                right = _table(row["table"], asked["question"], answers, chance)
            if right is None:
                continue
            made = [*wrong, *filter(None, (without_answer(right), _other_years(right, asked["question"])))]
            if made:
                yield of_one(asked["question"], right, chance.sample(made, min(_WRONG, len(made))))


def _table(
    table: Sequence[Sequence[str]], question: str, answers: Sequence[str], chance: random.Random
) -> TrainingPassage | None:
    """Return lines of a table that hold the rows with an answer's cell, or those that the question names."""
    wanted, asked = {plain_words(one) for one in answers}, _content(question)
    shared = [len(_content(row[0]) & asked) if row else 0 for row in table]
    rows = [place for place, row in enumerate(table) if wanted & {plain_words(cell) for cell in row}]
    rows = [place for place in rows if shared[place] == max(shared[one] for one in rows)]
    if not rows and not answers:
        rows = [place for place, count in enumerate(shared) if count and count == max(shared)]
    if not 0 < len(rows) <= 4:
        return None
    first, last = max(0, min(rows) - chance.randint(2, _ROWS // 2)), max(rows) + chance.randint(1, _ROWS // 2)
    heads = [place for place in range(min(3, len(table))) if place < first and not table[place][0]]
    kept = [*heads, *range(first, min(last + 1, len(table)))]
    return _lines(table, kept, rows, wanted, chance)


def _lines(
    table: Sequence[Sequence[str]],
    kept: Sequence[int],
    rows: Sequence[int],
    wanted: set[str],
    chance: random.Random,
) -> TrainingPassage:
    between = chance.choice((" ", " ", "  ", " | "))
    text, spans, sentences = "", list[Span](), list[Span]()
    for place in kept:
        begin = len(text)
        for cell in (" ".join(one.split()) for one in table[place]):
            if not cell:
                continue
            if len(text) > begin:
                text += between
            if place in rows and plain_words(cell) in wanted:
                spans.append((len(text), len(text) + len(cell)))
            text += cell
        if place in rows:
            sentences.append((begin, len(text)))
        text += "\n"
    head = " ".join(" ".join(cell for cell in table[0] if cell).split())
    context = chance.choice(
        ("", f"Annual report{SEPARATOR}{head}", f"Annual report{SEPARATOR}Notes{SEPARATOR}{head}")
    )
    return TrainingPassage(context[:160], text.rstrip("\n"), True, tuple(spans), tuple(sentences))


def _other_years(passage: TrainingPassage, question: str) -> TrainingPassage | None:
    """Return a table whose years are others than those that a question names."""
    years = {int(one) for one in re.findall(r"\b(?:19|20)\d\d\b", question)}
    shift = max(years) - min(years) + 4 if years else 0
    if not years or str(max(years)) not in passage.content:
        return None

    def moved(text: str) -> str:
        return re.sub(r"\b(?:19|20)\d\d\b", lambda match: str(int(match[0]) - shift), text)

    text, context = moved(passage.text), moved(passage.context)
    return (
        TrainingPassage(context, text, False)
        if not any(str(one) in context + text for one in years)
        else None
    )


def _fetaqa(rows: Sequence[Row], chance: random.Random) -> Iterator[Example]:
    """Wrong: the table without the rows used, and another page's table."""
    for row in rows:
        used = sorted({place for place, _ in row["cells"] if place})
        if not 0 < len(used) <= 3:
            continue
        table, answer, asked = row["table"], _content(row["answer"]), _content(row["question"])
        cells = [table[place][column] for place, column in row["cells"] if place in used]
        told = {plain_words(one) for one in cells if _content(one) and _content(one) <= answer - asked}
        first = max(1, min(used) - chance.randint(0, _ROWS // 2))
        kept = [0, *range(first, min(len(table), max(used) + chance.randint(1, _ROWS // 2)))]
        made = _lines(table, kept, used, told if len(told) == 1 else set(), chance)
        context = f"{row['page']}{SEPARATOR}{row['section']}"
        right = TrainingPassage(context, made.text, True, made.spans, made.sentences)
        other = chance.choice(rows)
        away = _lines(other["table"], range(min(len(other["table"]), 15)), (), set(), chance)
        wrong = [TrainingPassage(f"{other['page']}{SEPARATOR}{other['section']}", away.text, False)]
        left = without_answer(right)
        yield of_one(row["question"], right, [*([left] if left else []), *wrong])


def _pubmedqa(rows: Sequence[Row], chance: random.Random) -> Iterator[Example]:
    """Right: the conclusion. Wrong: those of other abstracts, and the background, which asks."""
    for row in rows:
        text = row["long_answer"]
        sentences = tuple((one.start, one.end) for one in sentence_spans(text)[:1])
        right = TrainingPassage(chance.choice(("", "Conclusions")), text, True, (), sentences)
        wrong = [
            TrainingPassage("", one["long_answer"], False) for one in chance.sample(rows, 2) if one is not row
        ]
        labels = zip(row["labels"], row["contexts"], strict=True)
        about = [
            one for label, one in labels if label in {"BACKGROUND", "OBJECTIVE", "PURPOSE", "AIM", "METHODS"}
        ]
        yield of_one(
            row["question"], right, [*wrong, *(TrainingPassage("", _head(one), False) for one in about[:1])]
        )


def _content(text: str) -> set[str]:
    return {word for word in re.findall(r"\w+", text.casefold()) if word not in stopwords_of("en")}


def plain_words(text: str) -> str:
    return re.sub(r"[^\w.%-]", "", text.casefold())
