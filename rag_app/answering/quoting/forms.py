"""How well the form of a statement fits the type of answer that a question asks for."""

import re
from collections.abc import Callable

from rag_app.answering.questions.answer_types import AnswerType
from rag_app.answering.quoting.statements import Statement, StatementKind

_FIGURE = re.compile(r"\d")
_COUNT = re.compile(
    r"\b\d[\d.,]*\b|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen|hundred|"
    r"thousand|million|zwei|drei|"
    r"vier|fünf|sechs|deux|trois|quatre|cinq|dos|tres|cuatro|cinco)\b",
    re.IGNORECASE,
)
_AMOUNT = re.compile(
    r"[$€£¥%]\s?\d|\d\s?[%€£]|\d[\d.,]*\s*(?:million|billion|thousand|percent|\w+)", re.IGNORECASE
)
_DATE = re.compile(
    r"\b(?:1[5-9]|20)\d\d\b|\b(?:jan|feb|mar|apr|may|june?|july?|aug|sep|oct|nov|dec)[a-z]*\.?\s+\d|"
    r"\b\d{1,2}[:./]\d{2}\b|"
    r"\b(?:after|before|until|within|during|when|once|if|daily|weekly|monthly|annually|days?|weeks?|"
    r"months?|years?|hours?|"
    r"wenn|bis|nach|vor|spätestens)\b",
    re.IGNORECASE,
)
_NAME = re.compile(
    r"\b(?!The |This |These |In |For |As |An |All )[A-Z][\w.&'’-]*(?:\s+(?:[A-Z]\.|(?:de|van|von|del|"
    r"and|&|et)\s)?\s*[A-Z][\w.&'’-]+)+|\b(?:LLP|Inc|GmbH|Ltd|et al)\b|"
    r"\b(?:he|she|they|chairman|director|officer|president|authors?|board|members?|vorstand)\b"
)
_DEFINES = re.compile(
    r"\b(?:is|are|means?|refers? to|denotes?|stands for|is called|is defined as|consists? of|describes|"
    r"(?:shall|will) mean|"
    r"ist|sind|bedeutet|bezeichnet|heißt|es|son|significa|est|signifie|è|sono)\b",
    re.IGNORECASE,
)
_DECIDES = re.compile(
    r"\b(?:not|no|never|none|neither|nor|cannot|without|may|must|shall|should|can|only|required|allowed|"
    r"permitted|prohibited|"
    r"except|unless|nicht|kein\w*|darf|dürfen|muss|müssen|no|nunca|ne|pas|jamais|peut|puede|debe)\b|n['’]t\b",
    re.IGNORECASE,
)
# What would be is not what is.
_CONDITION = re.compile(r"\W*(?:if|unless|whether|falls|wenn|si|se)\b", re.IGNORECASE)
_CAUSE = re.compile(
    r"\b(?:because|since|due to|owing to|thanks to|as a result|result(?:s|ed|ing)? (?:of|in|from)|"
    r"reflect(?:s|ed|ing)?|caus(?:es?|ed|ing)|reasons?|attribut(?:ed|able)|driven by|drove|led to|leads? to|"
    r"leading to|contribut(?:es?|ed|ing)|therefore|thus|hence|so that|in order to|in an effort to|"
    r"to (?:avoid|prevent|ensure|reduce|protect|allow|enable|keep|gain|make)|explain(?:s|ed)?|primarily|"
    r"mainly|partially offset|given (?:that|the)|weil|da|wegen|aufgrund|damit|deshalb|daher|um|porque|"
    r"debido a|ya que|por lo que|parce que|en raison|puisque|perché|a causa)\b",
    re.IGNORECASE,
)
_STEP = re.compile(
    r"\b(?:first|then|next|finally|step|press|click|run|use|set|open|add|call|select|must|should|"
    r"by \w+ing)\b",
    re.IGNORECASE,
)
_DEFINED = re.compile(
    r"\b(?:define[sd]?|definition of|meaning of|meant by) (?:an?|"
    r"the)? ?[\"“']?(?P<x>[\w&./-]+(?: [\w&./-]+){0,3}?)[\"”']?\W*$",
    re.IGNORECASE,
)
_SUBJECT = re.compile(
    r"^\W*(?:what|was|qué|qu['’]est[- ]ce que?|che cos['’a]\s?)\s*(?:is|are|does|do|did|ist|sind|"
    r"bedeutet|es|son|è|sono)?\s*"
    r"(?:an?|the|eine?|der|die|das|un[ea]?|el|la|le)?\s*[\"“”']?(?P<x>.+?)[\"“”']?(?:\s+(?:mean|"
    r"stand for|in the .+|is it))?\W*$",
    re.IGNORECASE,
)


def fits(question: str, asked: AnswerType, one: Statement) -> float:
    """Return how well a statement's form fits the type of answer, from 0 to 1."""
    if asked is AnswerType.DEFINITION:
        return float(_is_definition(question, one.text))
    return _FITS[asked](one) if asked in _FITS else 0.0


def _has(pattern: re.Pattern[str]) -> Callable[[Statement], float]:
    return lambda one: float(pattern.search(one.text) is not None)


# How well the form of a statement fits, by the type of answer.
_FITS: dict[AnswerType, Callable[[Statement], float]] = {
    AnswerType.WHO: _has(_NAME),
    AnswerType.WHEN: _has(_DATE),
    AnswerType.HOW_MANY: _has(_COUNT),
    AnswerType.FIGURE: lambda one: max(_has(_AMOUNT)(one), 0.5 * _has(_FIGURE)(one)),
    AnswerType.YES_NO: lambda one: (
        _has(_DECIDES)(one) * (one.kind is not StatementKind.ROW) * (_CONDITION.match(one.text) is None)
    ),
    AnswerType.REASON: lambda one: _has(_CAUSE)(one) * (one.kind is not StatementKind.ROW),
    AnswerType.PROCEDURE: lambda one: max(_has(_STEP)(one), float(one.kind is StatementKind.ITEM)),
    AnswerType.LIST: lambda one: float(one.kind is StatementKind.ITEM or one.text.count(",") >= 2),
}


def _is_definition(question: str, text: str) -> bool:
    """Return whether a statement begins "X is …", of the X that a question asks for."""
    plain = " ".join(question.split())
    match = _DEFINED.search(plain) or _SUBJECT.match(plain)
    subject = re.escape(match["x"].split(" in ")[0].strip()) if match else r"[\w-]+"
    if re.search(rf"\bdefined?s? (?:the term )?[“\"']?{subject}\b", text, re.IGNORECASE):
        return True
    told = re.search(rf"(?:^|[\s“\"'(]){subject}[s”\"')]*", text[:120], re.IGNORECASE)
    return told is not None and _DEFINES.search(text[told.end() : told.end() + 60]) is not None
