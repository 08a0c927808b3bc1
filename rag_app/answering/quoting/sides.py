"""The sides of a question: one line for each, beginning with its name.

Sides are documents that the question names, each asked by itself; or two things or years that it compares,
wherever they stand.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from ingestion.text.stopwords import stopwords_of
from rag_app.answering.answers import PromptContext
from rag_app.answering.evidence.asked_of import of_side
from rag_app.answering.evidence.question_terms import language_of
from rag_app.answering.questions.answer_types import answer_type, sides
from rag_app.answering.quoting.absences import nothing_found
from rag_app.answering.quoting.candidates import Candidate, candidates
from rag_app.answering.quoting.lines import MOST_WORDS, Absence, Quotation, quoted, shortened
from rag_app.answering.quoting.statements import StatementKind
from rag_app.answering.quoting.values.held_values import led_by_value
from retrievers.hits import Side

# Of a side's line.
_MOST_WORDS = MOST_WORDS * 2 // 3


def sides_lines(packed: PromptContext) -> list[Quotation | Absence]:
    """Return a line for each side of evidence; nothing where the evidence answers for none of them."""
    lines = [_line(packed, side) for side in packed.sides]
    return lines if any(isinstance(line, Quotation) for line in lines) else []


def _line(packed: PromptContext, side: Side) -> Quotation | Absence:
    own = replace(packed, evidence=of_side(packed.evidence, side), question=side.within, sides=())
    best = None if side.name in packed.lacking else _best(own, packed.question)
    if best is None:
        documents = sorted({item.hit.chunk.document for item in own.evidence})
        return Absence(nothing_found(language_of(packed.question), _capital(side.name), documents))
    line = quoted(best, side.within)
    text = line.line if "**" in line.line else shortened(line.line, -1, 0, _MOST_WORDS)
    if text.replace("**", "").casefold().startswith(side.name.casefold()):
        return replace(line, line=text)
    between = " · " if best.statement.kind is StatementKind.ROW else ": "
    return replace(line, line=f"{_capital(side.name)}{between}{text}")


def _best(packed: PromptContext, whole: str) -> Candidate | None:
    """Return the statement that answers for a side, with a value of the sort that the `whole` asks for."""
    question = packed.question
    ranked = candidates(question, answer_type(question), packed) if packed.evidence else []
    ranked = led_by_value(whole, ranked)
    return ranked[0] if ranked and not ranked[0].is_soft else None


def _capital(name: str) -> str:
    return f"{name[0].upper()}{name[1:]}"


def compared(question: str, ranked: Sequence[Candidate]) -> list[Quotation]:
    """Return a line for each side of a comparison; nothing where not both have one."""
    both = sides(question)
    if not both:
        return []
    chosen: list[Candidate] = []
    for number, side in enumerate(both):
        others = [other for place, other in enumerate(both) if place != number]
        one = _of_side(side, others, [each for each in ranked if all(each is not other for other in chosen)])
        if one is None:
            return []
        chosen.append(one)
    return [_labelled(one, side, question) for one, side in zip(chosen, both, strict=True)]


def _of_side(side: str, others: Sequence[str], ranked: Sequence[Candidate]) -> Candidate | None:
    """Return the best statement about a side, and not about the other; else one of its document."""
    tests: tuple[Callable[[Candidate], bool], ...] = (
        lambda one: (
            _names(side, one.statement.text)
            and not any(_names(other, one.statement.text) for other in others)
        ),
        lambda one: _names(side, _about(one)) and not any(_names(other, _about(one)) for other in others),
        lambda one: _names(side, one.statement.text),
    )
    best = [next((one for one in ranked if test(one)), None) for test in tests]
    found = [one for one in best if one is not None]
    return max(found, key=lambda one: one.worth, default=None)


def _about(one: Candidate) -> str:
    chunk = one.evidence.hit.chunk
    return f"{chunk.document} {chunk.context} {chunk.heading or ''}"


def _names(side: str, text: str) -> bool:
    """Return whether a text names a side: all its content words, written apart or together."""
    joined = re.sub(r"[\W_]+", "", text.casefold())
    words = [word for word in re.findall(r"\w+", side.casefold()) if word not in stopwords_of("en")]
    return bool(words) and all(re.sub(r"(?:['’]?s)$", "", word) in joined for word in words)


def _labelled(one: Candidate, side: str, question: str) -> Quotation:
    line = quoted(one, question)
    shorter = line.line if "**" in line.line else shortened(line.line, -1, 0, _MOST_WORDS)
    if _names(side, shorter):
        return replace(line, line=shorter)
    return replace(line, line=f"{_capital(side)}: {shorter}")
