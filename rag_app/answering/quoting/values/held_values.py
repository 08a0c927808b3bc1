"""Whether a statement has a value of the sort that a question asks for: an amount of money, a person's name.

A statement that has one leads, if it is about as likely to answer as the best. Where none has one, the
question is probably not answered.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from rag_app.answering.answers import PromptContext
from rag_app.answering.evidence.question_terms import TermKind
from rag_app.answering.questions.answer_types import answer_type
from rag_app.answering.questions.asked_values import AskedValue, ValueKind, asked_value
from rag_app.answering.quoting.candidates import Candidate, candidates
from rag_app.answering.quoting.fragments import is_labelled
from rag_app.answering.quoting.lines import quoted
from rag_app.answering.quoting.statements import StatementKind
from rag_app.answering.quoting.values.text_values import (
    has_sure_value,
    holds_value,
    is_figure_of_table,
    names_counted,
)

# What is worth less than this share of the best statement is no answer, though it has such a value.
_SHARE = 0.6
_WORD = re.compile(r"\w+")
_LABELS = {ValueKind.AGE: re.compile(r"\b(?:age|alter|âge|edad):", re.IGNORECASE)}
# "· Year ended December 31, 2018:", between a row's label or another value and the value.
_HEAD = re.compile(r"\s[·;]\s[^:;·]*:(?=\s)")


def lacking_value(packed: PromptContext) -> AskedValue | None:
    """Return the sort of value that a question asks for, where no statement that may answer has one.

    None for a question that asks for no sort of value, and for one with sides.
    """
    question = packed.question
    asked = asked_value(question)
    if asked is None or packed.sides:
        return None
    ranked = candidates(question, answer_type(question), packed)
    return asked if ranked and _holding(question, asked, ranked) is None else None


def led_by_value(question: str, ranked: Sequence[Candidate]) -> list[Candidate]:
    """Return statements with the first that has a value of the sort that is asked for in front.

    Args:
        ranked: The statements, the best first.
    """
    asked = asked_value(question)
    first = _holding(question, asked, ranked) if asked and ranked else None
    return list(ranked) if first is None else [first, *(one for one in ranked if one is not first)]


def is_row_without(question: str, one: Candidate) -> bool:
    """Return whether a statement is a row without a value of the sort that a question asks for."""
    asked = asked_value(question) if one.statement.kind is StatementKind.ROW else None
    return asked is not None and not holds(question, asked, one)


def _holding(question: str, asked: AskedValue, ranked: Sequence[Candidate]) -> Candidate | None:
    """Return the first statement with a value that is worth about as much as the best.

    Of persons, the first that also has most of the names that the question has: many are named around it.
    """
    least = _SHARE * ranked[0].worth
    found = [one for one in ranked if one.worth >= least and holds(question, asked, one)]
    if asked.kind in (ValueKind.FULL_NAME, ValueKind.PERSON):
        return max(found, key=_names_of, default=None)
    labelled = [one for one in found if _has_asked_label(question, asked, one)]
    sure = [one for one in found if _is_sure(question, asked, one)]
    return next(iter(labelled or sure or found or _fields(question, asked, ranked)), None)


def _fields(question: str, asked: AskedValue, ranked: Sequence[Candidate]) -> list[Candidate]:
    """Return the fields with the sort of value as a label that the best statement's document has."""
    document = ranked[0].evidence.hit.chunk.document_id
    own = [one for one in ranked if one.evidence.hit.chunk.document_id == document]
    return [one for one in own if _is_field(asked, one) and holds(question, asked, one)]


def is_asked_field(question: str, one: Candidate) -> bool:
    """Return whether a statement is a field whose label is the sort of value asked for: "Age: 60"."""
    asked = asked_value(question)
    return asked is not None and _is_field(asked, one)


def _is_field(asked: AskedValue, one: Candidate) -> bool:
    label = _LABELS.get(asked.kind)
    return label is not None and is_labelled(one.statement) and label.search(one.statement.text) is not None


def _is_sure(question: str, asked: AskedValue, one: Candidate) -> bool:
    """Return whether a statement's value is surely one of the sort, as that of a row is."""
    if asked.kind in (ValueKind.MONEY, ValueKind.COUNT) and one.statement.kind is StatementKind.ROW:
        return True
    return has_sure_value(_said(one, question), asked)


def _said(one: Candidate, question: str) -> str:
    """Return a statement as it is read; of a row the label and the values, without heads."""
    line = quoted(one, question).plain
    return _HEAD.sub(" ", line) if one.statement.kind is StatementKind.ROW else line


def _names_of(one: Candidate) -> int:
    return sum(term.kind is TermKind.NAME for term in one.mentioned)


def holds(question: str, asked: AskedValue, one: Candidate) -> bool:
    """Return whether a statement has a value of the sort that is asked for, as it is read."""
    line = _said(one, question)
    if holds_value(line, asked, one.window.text):
        return True
    if one.is_reply and asked.counted:  # below "How many people are in a class?": "Never more than eight."
        return holds_value(line, replace(asked, counted=frozenset()))
    is_row = one.statement.kind is StatementKind.ROW
    is_named = one.named > 0 or _has_asked_label(question, asked, one)
    return is_row and is_figure_of_table(line, asked, one.window.text, is_named=is_named)


def _has_asked_label(question: str, asked: AskedValue, one: Candidate) -> bool:
    """Return whether a question asks for a row of a count by its whole label, such as "for" of votes."""
    label = set(_WORD.findall(one.label.casefold()))
    is_asked = bool(label) and label <= set(_WORD.findall(question.casefold()))
    return asked.kind is ValueKind.COUNT and is_asked and names_counted(one.window.text, asked)
