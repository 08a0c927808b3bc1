"""Follow-up questions, as they are to be understood without what was said before: "When was it planted?".

Whether a question is a follow-up is decided by rule, so that one that stands by itself is searched for as
it was asked, and no model's time is spent on it. A model then writes the whole question; without one, or
where it writes nothing of use, the words of the question before are carried over.
"""

import re
from collections.abc import Sequence

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage

from ingestion.sentences import sentence_spans
from ingestion.words import function_words
from rag_app.answers import Exchange
from rag_app.untrusted import is_instruction, without_hidden

# A condensed question is about as long as the two that it joins.
MOST_TOKENS = 80
_LONGEST = 400
_ANSWER_SHOWN = 300
_EXCHANGES_SHOWN = 3

_RULES = """Rewrite the last question so that it can be understood without the conversation before it.
Put in what words like "it", "they" and "there" stand for. Change nothing else, and answer nothing.
Write one line: the question."""

_OPENS = re.compile(
    r"\s*(?:and|or|but|so|then|also|ok(?:ay)?|what\s+(?:about|else|if)|how\s+(?:about|come|so)|which\s+ones?|"
    r"why\s+(?:not|so)|tell\s+me\s+more|go\s+on|more|for\s+(?:example|instance)|und|aber|et|mais|y|pero)\b",
    re.IGNORECASE,
)
_ANAPHOR = re.compile(
    r"\b(?:it|its|itself|they|them|their|theirs|he|him|his|she|hers?|there(?=\s*[?.!,]|\s*$)|former|latter|the\s+same|"
    r"the\s+(?:first|second|third|last|other)\s+ones?|ones?(?=\s*\?|$)|"
    r"(?:about|of|for|from|to|with|by|on|like|than|is|was|does|did|do|why|how|when|where)\s+(?:this|that|these|those)"
    r"(?=\s*[?.!,]|\s*$|\s+(?:is|was|are|were|do|does|did|mean|means|work|works|happen|happens|happened)\b)|"
    r"^(?:this|that|these|those)\b)",
    re.IGNORECASE,
)
# "this document" means the one at hand, "that company" one that was spoken of.
_POINTED = re.compile(
    r"\b(?:(?:of|about|for|is|was|does|did|in|with|from|to|on|by|are|were|do|has|have|had)\s+that|this|these|"
    r"those|such)\s+(?!documents?\b|papers?\b|reports?\b|files?\b|books?\b|articles?\b|"
    r"texts?\b|librar(?:y|ies)\b|collections?\b|pages?\b|chapters?\b|sections?\b|years?\b|is\b|was\b|are\b|were\b|"
    r"the\b|a\b|an\b|it\b|they\b|he\b|she\b)[a-z]+s?\b",
    re.IGNORECASE,
)
# What a pronoun may stand for is in the question itself where a clause ends in between.
_CLAUSE_ENDS = re.compile(
    r",|;|\b(?:and|but|or|if|when|while|because|before|after|that|who|which|where|whose|as)\b", re.IGNORECASE
)
_PREPOSITION = re.compile(
    r"\s*(?:in|at|on|for|from|since|until|by|with|without|during|after|before|between|per|to|of)\b",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"\b(?:who|what|when|where|which|why|how|is|are|was|were|do|does|did|can|could|has|have|had|will|would|should|"
    r"define|explain|describe|list|name|give|show|compare|summari[sz]e|find)\b",
    re.IGNORECASE,
)
_FRAGMENT = re.compile(
    r"\s*(?:the|a|an|its|their|his|her|my|our|only|just)\s+\w+(?:\s+\w+)?\s*[?.!]*\s*$", re.IGNORECASE
)
# "How many?", "since when?": words that ask and name nothing.
_NAMES_NOTHING = frozenset({"far", "long", "many", "much", "often", "since"})
_YEAR = re.compile(r"\b(?:1[5-9]|20)\d\d\b")
_SHORT = 4  # words of a fragment without a verb


def condense_messages(question: str, history: Sequence[Exchange]) -> list[BaseMessage]:
    """Return the chat messages that have a model write the standalone question."""
    told = "\n".join(
        f"Question: {one.question}\nAnswer: {_shown(one.answer)}" for one in history[-_EXCHANGES_SHOWN:]
    )
    return [SystemMessage(_RULES), HumanMessage(f"{told}\n\nLast question: {question}")]


def _shown(answer: str) -> str:
    """Return the beginning of an answer without what its documents say to a model."""
    spans = sentence_spans(answer)
    said = [answer[span.start : span.end] for span in spans]
    return without_hidden(" ".join(one for one in said if not is_instruction(one)))[:_ANSWER_SHOWN]


def accepted(written: str, question: str) -> str | None:
    """Return a model's standalone question, or None where what it wrote cannot be one."""
    lines = [line.strip() for line in written.strip().splitlines() if line.strip()]
    if len(lines) != 1 or not 3 <= len(lines[0]) <= _LONGEST:
        return None
    text = re.sub(
        r"^(?:standalone\s+|rewritten\s+|last\s+)?question\s*:\s*", "", lines[0], flags=re.IGNORECASE
    )
    text = text.strip("\"“”' ")
    # A model that has lost the thread writes of something else.
    kept = _content(question)
    return text if text and kept <= _content(text) | function_words("en") else None


def is_follow_up(question: str) -> bool:
    """Return whether a question cannot be understood without the one before it."""
    if _OPENS.match(question) or not _content(question) - _NAMES_NOTHING:
        return True
    if len(question.split()) <= _SHORT and not _ASKS.search(question):
        if _FRAGMENT.match(question) or _PREPOSITION.match(question):
            return True
        if not _content(_YEAR.sub("", question)):
            return True
    if _POINTED.search(question) and not _antecedent(question, _POINTED.search(question)):
        return True
    return any(not _antecedent(question, match) for match in _ANAPHOR.finditer(question))


def carried_over(question: str, history: Sequence[Exchange]) -> str:
    """Return a follow-up question with the previous question's words of content behind it.

    One that names nothing but another year is the previous question with that year.
    """
    if not history:
        return question
    before = history[-1].question
    year = _YEAR.search(question)
    if year and _YEAR.search(before) and not _content(_YEAR.sub("", question)):
        return _YEAR.sub(year[0], before)
    known = _content(question)
    words = [
        word
        for word in re.findall(r"[\w’'-]+", _YEAR.sub("", before) if year else before)
        if word.casefold() not in function_words("en") and word.casefold() not in known
    ]
    return f"{question.strip()} ({' '.join(dict.fromkeys(words))})" if words else question


def _antecedent(question: str, match: "re.Match[str] | None") -> bool:
    """Whether what a pronoun stands for may be named before it, in a clause of its own."""
    if match is None:
        return False
    before = question[: match.start()]
    ends = list(_CLAUSE_ENDS.finditer(before))
    return any(_content(before[: end.start()]) for end in ends)


def _content(text: str) -> set[str]:
    words = {word.casefold() for word in re.findall(r"\w+", text)}
    return {word for word in words if word not in function_words("en")}
