"""Statements that may answer, with how well each does."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from rag_app.answering.answers import Evidence, EvidenceSentence, PassageWindow, PromptContext
from rag_app.answering.evidence.prompt_context import SAME_QUESTION
from rag_app.answering.evidence.question_terms import (
    QuestionTerm,
    TermKind,
    language_of,
    mentions,
    question_terms,
)
from rag_app.answering.questions.answer_types import AnswerType
from rag_app.answering.quoting.asked_rows import IN_FULL, fits_time, has_years, label_and_title, named_words
from rag_app.answering.quoting.extremes import is_extreme
from rag_app.answering.quoting.forms import fits
from rag_app.answering.quoting.fragments import BIBLIOGRAPHY, among_references, is_labelled, why_no_answer
from rag_app.answering.quoting.quotable_tables import is_head
from rag_app.answering.quoting.statements import ITEM, Statement, StatementKind, inside, statements, window_of
from rag_app.answering.quoting.values.numbered import is_of_asked_number, is_of_other_number, numbered_things
from rag_app.answering.quoting.worth import StatementSignals, signals_of, standings, worth

# Of a document's questions, those that match the question asked at most this much worse than the best.
_NEARLY = 0.05

# A row with the most or the least of what is asked for counts more than rows whose label the question names.
_EXTREME = 10 * IN_FULL

# What a row of three months is worth to a question about a year, or one of Europe to a question about Asia.
_OTHER_ROW = 0.5


@dataclass(frozen=True, slots=True)
class Candidate:
    """A statement of a passage that may answer.

    Attributes:
        sentence: Its characters on the page, as a sentence of the evidence.
        found: All statements of the passage's window; `place` is its own.
        signals: What tells how well it answers.
        is_soft: Of a kind that is never an answer; it is quoted where there is nothing else.
        is_reply: It stands below the document's own form of the question.
        named: How well the question names it, where it is a row: see `asked_rows`.
        time: Whether it is a row of the length of time that is asked for: see `asked_rows`.
        label: Of a row of a table.
        is_titled: The question names the table or the section that the row stands in.
        is_other_row: It is not, but another row with the same label is; or it is about "week 3" where another
            statement is about the asked "week 5".
        is_of_named: It is a field of the one document that has the identifier that is asked for.
        mentioned: The terms of the question that it mentions.
    """

    evidence: Evidence
    window: PassageWindow
    found: tuple[Statement, ...]
    place: int
    sentence: EvidenceSentence
    signals: StatementSignals
    is_soft: bool = False
    is_reply: bool = False
    named: int = 0
    time: int = 0
    label: str = ""
    is_titled: bool = False
    is_other_row: bool = False
    is_of_named: bool = False
    mentioned: frozenset[QuestionTerm] = frozenset()

    @property
    def is_of_identifier(self) -> bool:
        """Whether it has the question's identifier, or is a field of a form that has it."""
        is_of_form = is_labelled(self.statement) and any(one.is_named for one in self.evidence.sentences)
        return self.sentence.is_named or is_of_form or self.is_of_named

    @property
    def worth(self) -> float:
        """The probability that it answers; orders the candidates of one question."""
        if self.is_reply:
            return 1.0
        found = worth(self.signals, is_read=self.evidence.reading is not None)
        return found * _OTHER_ROW if self.time < 0 or self.is_other_row else found

    @property
    def statement(self) -> Statement:
        return self.found[self.place]

    @property
    def introduces(self) -> bool:
        """Whether a list follows it."""
        return _introduces(self.found, self.place)

    @property
    def marked(self) -> float:
        """How much of it the reader takes for part of the answer, from 0 to 1."""
        reading, chunk = self.evidence.reading, self.evidence.hit.chunk
        if reading is None:
            return 0.0
        return reading.marked(self.sentence.start - chunk.start, self.sentence.end - chunk.start)

    @property
    def span(self) -> tuple[int, int, float] | None:
        """The reader's span in the statement: its characters on the page, and its probability."""
        reading, chunk = self.evidence.reading, self.evidence.hit.chunk
        if reading is None or reading.span is None:
            return None
        start, end = chunk.start + reading.span.start, chunk.start + reading.span.end
        within = self.sentence.start <= start < end <= self.sentence.end
        return (start, end, reading.span.probability) if within else None


@dataclass(frozen=True, slots=True)
class _Question:
    text: str
    forms: Sequence[str]
    asked: AnswerType
    terms: Sequence[QuestionTerm]
    language: str


class _Same:
    """A context that is equal to itself alone: comparing all its evidence takes longer than is saved."""

    __slots__ = ("context",)

    def __init__(self, context: PromptContext) -> None:
        self.context = context

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.context is self.context

    def __hash__(self) -> int:
        return id(self.context)


def candidates(question: str, asked: AnswerType, packed: PromptContext) -> list[Candidate]:
    """Return the statements that may answer, best first."""
    return list(_ranked(question, asked, _Same(packed)))


# A question's statements are looked at for its refusal, for its answer and for the citations.
@lru_cache(maxsize=4)
def _ranked(question: str, asked: AnswerType, of: _Same) -> list[Candidate]:
    packed = of.context
    known = max((one.answers for item in packed.evidence for one in item.sentences), default=0.0)
    least = known - _NEARLY if known >= SAME_QUESTION else 0.0
    looked = _Question(question, packed.forms, asked, question_terms(question), language_of(question))
    every = _distinct(looked, packed, least) or _distinct(looked, packed, None)
    every = _told_apart(_of_asked_number(question, _without_labels(every)))
    firm = [one for one in every if not one.is_soft] or every
    if least > 0.0:  # the text below the document's own question answers, in its order
        firm = [replace(one, is_reply=True) for one in firm]
    best = max(firm, key=lambda one: one.worth, default=None)
    words = _words(looked.terms)

    def is_named(one: Candidate) -> bool:
        """Return whether it has the identifier that is asked for; of a form, most of the words too."""
        return one.is_of_identifier and (not is_labelled(one.statement) or 2 * _words(one.mentioned) >= words)

    firm = firm if any(is_named(one) for one in firm) else _with_fields_of_named(firm, words)

    def order(one: Candidate) -> tuple[bool, int, int, float, int, float, int, int]:
        document = one.evidence.hit.chunk.document_id
        is_of_best = best is not None and document == best.evidence.hit.chunk.document_id
        row = one.named if is_of_best else 0
        # Rows and fields that were read together are worth the same: their own words tell them apart.
        own = (0, 0.0) if one.is_reply else (-len(one.mentioned), -one.marked)
        return (
            not is_named(one),
            -row,
            -one.time * bool(row),
            -one.worth,
            *own,
            one.evidence.number,
            one.sentence.start,
        )

    ranked = sorted(firm, key=order)
    if ranked and is_named(ranked[0]) and is_labelled(ranked[0].statement):
        ranked.sort(key=lambda one: -_words(one.mentioned) * (is_named(one) and is_labelled(one.statement)))
    return ranked


def _with_fields_of_named(firm: Sequence[Candidate], words: int) -> list[Candidate]:
    """Return statements with the fields marked that tell of the one document that has the identifier.

    A form may name its subject on one page and tell of it on the next. Fields with most of the question's
    words are marked, where no other document has the identifier.
    """
    named = {one.evidence.hit.chunk.document_id for one in firm if one.is_of_identifier}
    if len(named) != 1:
        return list(firm)
    return [
        replace(one, is_of_named=True)
        if one.evidence.hit.chunk.document_id in named
        and is_labelled(one.statement)
        and 2 * _words(one.mentioned) > words
        else one
        for one in firm
    ]


def _of_asked_number(question: str, every: Sequence[Candidate]) -> list[Candidate]:
    """Return statements with those about "week 3" marked, where another is about the asked "week 5"."""
    asked = numbered_things(question)
    if not asked or not any(is_of_asked_number(asked, one.statement.text) for one in every):
        return list(every)
    return [
        replace(one, is_other_row=True) if is_of_other_number(asked, one.statement.text) else one
        for one in every
    ]


def _without_labels(every: Sequence[Candidate]) -> list[Candidate]:
    """Return statements with lines marked soft that only repeat the label of a row."""
    labels = {one.label for one in every if one.label}
    return [
        replace(one, is_soft=True)
        if one.statement.kind is StatementKind.LINE and one.statement.text.casefold() in labels
        else one
        for one in every
    ]


def _told_apart(every: Sequence[Candidate]) -> list[Candidate]:
    """Return statements with the rows marked that another table of the document has under the asked title."""
    asked = {(one.evidence.hit.chunk.document_id, one.label) for one in every if one.is_titled}
    return [
        replace(one, is_other_row=True)
        if one.label and not one.is_titled and (one.evidence.hit.chunk.document_id, one.label) in asked
        else one
        for one in every
    ]


def _words(terms: Iterable[QuestionTerm]) -> int:
    """Return how many of a question's terms are words of content."""
    return sum(term.kind is TermKind.WORD for term in terms)


def _distinct(question: _Question, packed: PromptContext, least: float | None) -> list[Candidate]:
    """Return each statement once, though two passages have it.

    Args:
        least: The least score of the document's question above a statement; None: headings count too.
    """
    seen: set[tuple[str, int, int]] = set()
    every: list[Candidate] = []
    for item, standing in zip(packed.evidence, standings(packed.evidence), strict=True):
        for one in _of_passage(question, item, standing, least):
            place = (item.hit.chunk.document_id, item.hit.chunk.page, one.sentence.start)
            if place not in seen:
                seen.add(place)
                every.append(one)
    return every


def _of_passage(
    question: _Question, item: Evidence, standing: float, least: float | None
) -> Iterator[Candidate]:
    window, chunk = window_of(item), item.hit.chunk
    found = tuple(statements(window))
    listed = BIBLIOGRAPHY.match(chunk.heading or "") is not None
    for place in inside(found, chunk.start - window.start, chunk.end - window.start):
        found = _without_heading(found, place, chunk.heading)
        one = found[place]
        start, end = window.start + one.start, window.start + one.end
        overlapping = [
            each
            for each in item.sentences
            if each.start < end and start < each.end and any(map(str.isalnum, each.text))
        ]
        told = [each for each in overlapping if not each.is_heading or least is None]
        if not told:
            continue
        answers = max(each.answers for each in told)
        if answers < (least or 0.0):
            continue
        is_reply = bool(least) and answers >= (least or 0.0)
        reason = None if is_reply else why_no_answer(one)
        mentioned = mentions(question.terms, one.text, question.language)
        time = fits_time(question.text, window, one)
        label, is_titled = label_and_title(question.text, window, one)
        introduces = question.asked in (AnswerType.LIST, AnswerType.PROCEDURE) and _introduces(found, place)
        yield Candidate(
            item,
            window,
            found,
            place,
            _as_one(told, start, end, window.text[one.start : one.end]),
            signals_of(
                item,
                one,
                (start - chunk.start, end - chunk.start),
                standing=standing,
                match=max(each.score for each in told),
                fit=max(fits(question.text, question.asked, one), has_years(question.text, window, one)),
                mentioned=mentioned,
            ),
            mentioned=frozenset(mentioned),
            named=_EXTREME
            if is_extreme(question.text, window, one)
            else named_words(question.text, question.forms, question.asked, window, one) * (time >= 0),
            time=time,
            label=label,
            is_titled=is_titled,
            is_soft=(reason is not None and not (introduces and reason in ("label", "heading")))
            or (question.asked is AnswerType.REASON and one.kind is StatementKind.ROW)
            or (
                not is_reply
                and (listed or among_references(found, place) or is_head(window, one.start, one.end))
            ),
        )


def _as_one(told: Sequence[EvidenceSentence], start: int, end: int, text: str) -> EvidenceSentence:
    """Return a statement's characters with the best of what its sentences have."""
    return EvidenceSentence(
        start,
        end,
        text,
        max(each.score for each in told),
        tuple(dict.fromkeys(also for each in told for also in each.also)),
        is_named=any(each.is_named for each in told),
        answers=max(each.answers for each in told),
    )


def _introduces(found: Sequence[Statement], place: int) -> bool:
    following = found[place + 1 : place + 2]
    return found[place].text.endswith(":") and bool(following) and ITEM.match(following[0].text) is not None


def _without_heading(found: tuple[Statement, ...], place: int, heading: str | None) -> tuple[Statement, ...]:
    """Return the statements with one that begins with its passage's heading cut behind it."""
    one = found[place]
    title = " ".join((heading or "").split())
    if not title or not one.text.startswith(title + " ") or one.kind is StatementKind.ROW:
        return found
    rest = one.text[len(title) + 1 :]
    if not (rest[0].isupper() or rest[0].isdigit()) or len(rest.split()) < 4:
        return found
    kind = StatementKind.SENTENCE if rest[-1] in ".!?" else StatementKind.LINE
    return (
        *found[:place],
        Statement(one.start, one.end, kind, rest, one.lead, one.tail),
        *found[place + 1 :],
    )
