"""The second part of a question: "…, and when is it finished?" has a statement of its own."""

import re
from collections.abc import Sequence

from rag_app.answering.evidence.question_terms import TermKind, language_of, mentions, question_terms
from rag_app.answering.questions.answer_types import answer_type
from rag_app.answering.questions.asked_values import asked_value
from rag_app.answering.quoting.candidates import Candidate
from rag_app.answering.quoting.forms import fits
from rag_app.answering.quoting.values.held_values import holds

# Of a question in two parts no one line has to answer all: the other line's worth, as a share of the best.
SHARE_OF_PARTS = 0.25
PARTS = re.compile(
    r"[,;]?\s(?:and|und|et|y|e)\s(?P<part>(?:(?:in|at|by|to|from|on|for)\s)?(?:who|whom|what|when|where|which|why|how|"
    r"did|does|is|was|wer|wann|wo|warum|wie|qui|que|quand|où|comment|quién|qué|cuándo|dónde|cómo)\b.*)",
    re.IGNORECASE,
)
# Of the other part's words of content that its statement mentions.
_MENTIONED = 0.5


def of_other_part(question: str, ranked: Sequence[Candidate]) -> Candidate | None:
    """Return the statement that answers the second part of a question best; None where the first one does.

    It has at least half of that part's words, and a value of the sort that the part asks for.

    Args:
        ranked: The statements, the one that leads first.
    """
    match = PARTS.search(question)
    terms = [one for one in question_terms(match["part"]) if one.kind is TermKind.WORD] if match else []
    if match is None or not terms:
        return None
    part, language = match["part"], language_of(question)
    kind, value = answer_type(part), asked_value(part)

    def told(one: Candidate) -> int:
        return len(mentions(terms, one.statement.text, language))

    def answers(one: Candidate) -> bool:
        return holds(part, value, one) if value else fits(part, kind, one.statement) > 0

    best = ranked[0]
    if told(best) >= _MENTIONED * len(terms):
        return None
    near = [
        one
        for one in ranked[1:]
        if not one.is_soft
        and one.worth >= SHARE_OF_PARTS * best.worth
        and told(one) >= _MENTIONED * len(terms)
        and answers(one)
    ]
    return max(near, key=told, default=None)  # of equals the best
