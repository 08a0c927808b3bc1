"""What the reader is trained on: a question and passages that do, or do not, answer it."""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ingestion.text.sentences import sentence_spans
from retrievers.reader.antecedents import with_antecedents

Span = tuple[int, int]

_SENTENCES = 5  # wrong ones of a passage


@dataclass(frozen=True, slots=True)
class TrainingPassage:
    """A passage as a reader sees it.

    Attributes:
        answers: Whether it answers the question; None: unknown.
        spans: Characters of `text` that are the answer, each right; none where it is unknown.
        sentences: Characters of `text` that are the sentences or rows which answer; none where unknown.
    """

    context: str
    text: str
    answers: bool | None
    spans: tuple[Span, ...] = ()
    sentences: tuple[Span, ...] = ()

    @property
    def content(self) -> str:
        """The text as it is read: the context line and the text."""
        return f"{self.context}\n{self.text}"


@dataclass(frozen=True, slots=True)
class Example:
    """A question and passages.

    Attributes:
        right: The places of the passages that should be first; none: there is no order.
        wrong: The places of those that should be behind each right one.
        scores: The first stage's standardised scores; none: the passages are from no list.
    """

    question: str
    passages: tuple[TrainingPassage, ...]
    right: tuple[int, ...] = ()
    wrong: tuple[int, ...] = ()
    scores: tuple[float, ...] = ()


def of_one(question: str, right: TrainingPassage, wrong: Sequence[TrainingPassage]) -> Example:
    """Return the example of one right passage and wrong ones."""
    return Example(question, (right, *wrong), (0,), tuple(range(1, len(wrong) + 1)))


def answered(context: str, text: str, answers: Sequence[str]) -> TrainingPassage:
    """Return a passage that answers, with every place of an answer's words in it."""
    spans = tuple(dict.fromkeys(span for answer in answers for span in places(text, answer)))
    return TrainingPassage(context, text, True, spans, sentences_with(text, spans))


def places(text: str, answer: str) -> list[Span]:
    """Return the characters of each place of an answer's words, whatever stands between them."""
    words = answer.split()
    if not words:
        return []
    pattern = r"\s+".join(map(re.escape, words))
    before = r"(?<!\w)" if words[0][0].isalnum() else ""
    behind = r"(?!\w)" if words[-1][-1].isalnum() else ""
    return [match.span() for match in re.finditer(f"{before}{pattern}{behind}", text, re.IGNORECASE)]


def sentences_with(text: str, spans: Sequence[Span]) -> tuple[Span, ...]:
    """Return the sentences in which spans begin."""
    found = [(one.start, one.end) for one in sentence_spans(text)]
    return tuple(one for one in found if any(one[0] <= start < one[1] for start, _ in spans))


def without_answer(passage: TrainingPassage, least_words: int = 8) -> TrainingPassage | None:
    """Return a passage without the sentences that answer; None where too little is left."""
    if not passage.sentences:
        return None
    text, kept = passage.text, 0
    parts: list[str] = []
    for start, end in sorted(passage.sentences):
        parts.append(text[kept:start])
        kept = end
    joined = re.sub(r"[ \t]{2,}", " ", "".join([*parts, text[kept:]])).strip()
    left = re.sub(r"\n{2,}", "\n", joined)  # no empty line tells where a row was
    said = {text[start:end].casefold() for start, end in passage.spans}
    if len(left.split()) < least_words or any(one in left.casefold() for one in said):
        return None
    return TrainingPassage(passage.context, left, False)


def by_sentence(example: Example, others: Sequence[str], chance: random.Random) -> Example | None:
    """Return the right passage's sentences, each as a passage of its own; `others` answer nothing."""
    passage = example.passages[example.right[0]]
    if not passage.sentences:
        return None
    spans = [(one.start, one.end) for one in sentence_spans(passage.text)]
    begins = {end: begin for begin, end in with_antecedents(passage.text, spans)}
    wrong = [
        passage.text[begins[last] : last]
        for first, last in spans
        if not any(begins[last] < end and start < last for start, end in passage.sentences)
    ] + list(others)
    if not wrong:
        return None
    begin, end = chance.choice(passage.sentences)
    begin = begins.get(end, begin)
    own = tuple(
        (one[0] - begin, one[1] - begin) for one in passage.spans if begin <= one[0] and one[1] <= end
    )
    text = passage.text[begin:end]
    right = TrainingPassage(passage.context, text, True, own, ((0, len(text)),))
    chosen = chance.sample(wrong, min(_SENTENCES, len(wrong)))
    return of_one(example.question, right, [TrainingPassage(passage.context, one, False) for one in chosen])


def behind(passage: TrainingPassage, line: str) -> TrainingPassage:
    """Return a passage with a line above its text."""
    shift = len(line) + 1

    def moved(spans: Sequence[Span]) -> tuple[Span, ...]:
        return tuple((start + shift, end + shift) for start, end in spans)

    return replace(
        passage,
        text=f"{line}\n{passage.text}",
        spans=moved(passage.spans),
        sentences=moved(passage.sentences),
    )
