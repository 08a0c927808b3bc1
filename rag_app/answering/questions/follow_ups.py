"""Follow-up questions: "When was it planted?", "Und 2021?", "¿Cuánto cuesta?".

Rules recognise them, so that a question that stands alone is searched for as it is, and costs no model call.
"""

import re

from ingestion.text.acronyms import without_acronyms
from ingestion.text.identifiers import identifiers
from ingestion.text.stopwords import stopwords_of
from rag_app.answering.questions.antecedents import phrases
from rag_app.answering.questions.question_kinds import kind_of
from rag_app.answering.questions.references import RULES, Compiled, rules

_OPENS = re.compile(
    r"\s*(?:and|or|but|so|then|also|ok(?:ay)?|what\s+(?:about|else|if)|how\s+(?:about|come|so)|which\s+ones?|"
    r"why\s+(?:not|so)|tell\s+me\s+more|go\s+on|more|for\s+(?:example|instance)|und|aber|et|mais|y|pero)\b",
    re.IGNORECASE,
)
_ANAPHOR = re.compile(
    # "The it budget" means another word.
    r"\b(?:(?:(?<!\bthe )(?<!\ban )(?<!\bour )it|its|itself|they|them|their|theirs|he|him|his|she|hers?|"
    r"former|latter)(?!\w)|there(?=\s*[?.!,]|\s*$)|the\s+same|"
    r"the\s+(?:first|second|third|last|other)\s+ones?|ones?(?=\s*\?|$)|"
    r"(?:about|of|for|from|to|with|by|on|like|than|is|was|does|did|do|why|how|when|where)\s+(?:this|that|"
    r"these|those)"
    r"(?=\s*[?.!,]|\s*$|\s+(?:is|was|are|were|do|does|did|mean|means|work|works|happen|happens|happened)\b)|"
    r"^(?:this|that|these|those)\b)",
    re.IGNORECASE,
)
# "this document" is the open one; "that company" was named before.
_POINTED = re.compile(
    r"\b(?:(?:of|about|for|is|was|does|did|in|with|from|to|on|by|are|were|do|has|have|had)\s+that|this|these|"
    r"those|such)\s+(?!documents?\b|papers?\b|reports?\b|files?\b|books?\b|articles?\b|"
    r"texts?\b|librar(?:y|ies)\b|collections?\b|pages?\b|chapters?\b|sections?\b|years?\b|is\b|was\b|are\b|"
    r"were\b|"
    r"the\b|a\b|an\b|it\b|they\b|he\b|she\b)[a-z]+s?\b",
    re.IGNORECASE,
)
# The question itself names what a pronoun stands for where a clause ends before the pronoun.
_CLAUSE_ENDS = re.compile(
    r",|;|\b(?:and|but|or|if|when|while|because|before|after|that|who|which|where|whose|as)\b", re.IGNORECASE
)
_PREPOSITION = re.compile(
    r"\s*(?:in|at|on|for|from|since|until|by|with|without|during|after|before|between|per|to|of)\b",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"\b(?:who|what|when|where|which|why|how|is|are|was|were|do|does|did|can|could|has|have|had|will|would|"
    r"should|"
    r"define|explain|describe|list|name|give|show|compare|summari[sz]e|find)\b",
    re.IGNORECASE,
)
_SUCH = re.compile(r"\bsuch\s+an?\s+[a-z]+\b", re.IGNORECASE)
_FRAGMENT = re.compile(
    r"\s*(?:the|a|an|its|their|his|her|my|our|only|just)\s+\w+(?:\s+\w+)?\s*[?.!]*\s*$", re.IGNORECASE
)
# Of "How many?" and "since when?": words that name nothing.
_NAMES_NOTHING = frozenset({"far", "long", "many", "much", "often", "since"})
_QUESTION_WORD = re.compile(r"\b(?:who|whom|whose|what|when|where|which|why|how|since)\b", re.IGNORECASE)
# A year that a question may name, also one of history.
NAMED_YEAR = re.compile(r"\b(?:1[5-9]|20)\d\d\b")
_SHORT = 4  # words of a fragment without a verb


def is_follow_up(question: str) -> bool:
    """Return whether a question cannot be understood without the one before it.

    It knows English and the languages of `questions.references`. An acronym in capitals is no pronoun; small
    talk ("no", "thanks") is no follow-up.
    """
    if kind_of(question) is not None:
        return False
    question = without_acronyms(question)
    spoken = languages_of(question)
    if spoken == ["en"]:
        return _in_english(question)
    return any(_in_another(question, language, known) for language in spoken if (known := rules(language)))


def names_subject(question: str) -> bool:
    """Return whether a follow-up names something of its own: "And Best Buy's?", "Was Khattab there?"."""
    if identifiers(question):
        return True
    spoken = languages_of(question)
    if spoken == ["en"]:
        return any(one.is_named and not one.is_time for one in phrases(question))
    if spoken == ["de"]:  # writes every noun with a capital
        return False
    return re.search(r"(?<=[\w,] )[^\W\d_a-zß-öø-ÿ]\w+", question) is not None


def languages_of(question: str) -> list[str]:
    """Return the languages with rules that have most words of a question; English where none has more."""
    words = _words(question)
    counts = {
        language: sum(word in stopwords_of(language) or word in _asks(language) for word in words)
        for language in RULES
    }
    most = max(counts.values())
    if most <= sum(word in stopwords_of("en") for word in words):
        return ["en"]
    return [language for language, count in counts.items() if count == most]


def content(text: str, languages: list[str]) -> set[str]:
    """Return the words of a text that are no stop words of the languages."""
    return {
        word for word in _words(text) if not any(word in stopwords_of(language) for language in languages)
    }


def _in_another(question: str, language: str, known: Compiled) -> bool:
    if known.opens.match(question):
        return True
    named = content(NAMED_YEAR.sub("", question), [language]) - known.asks
    if not named:
        return bool(
            known.asks & set(_words(question))
            or known.pronouns.search(question)
            or NAMED_YEAR.search(question)
        )
    if known.subjectless and known.subjectless.fullmatch(question.strip(" ¿?.!")):
        return True
    return any(
        not _named_before(question[: match.start()], language, known)
        for match in known.pronouns.finditer(question)
    )


def _named_before(before: str, language: str, known: Compiled) -> bool:
    """Return whether the text before a pronoun may name what it stands for.

    The name is in a clause of its own, has a capital, or stands before the verb ("le pommier a-t-il").
    """
    if any(content(before[: end.start()], [language]) - known.asks for end in known.clauses.finditer(before)):
        return True
    words = re.findall(r"\w+", before)
    if before.endswith("-"):
        words = words[: -2 if words[-1:] == ["t"] else -1]
        return bool(content(" ".join(words), [language]) - known.asks)
    return any(word[0].isupper() for word in words[1:])


def asking_words(languages: list[str]) -> frozenset[str]:
    """Return the words of the languages that ask and name nothing."""
    return frozenset().union(*map(_asks, languages))


def _asks(language: str) -> frozenset[str]:
    known = rules(language)
    return frozenset() if known is None else known.asks


def _words(text: str) -> list[str]:
    return [word.casefold() for word in re.findall(r"\w+", text)]


def _in_english(question: str) -> bool:
    if _OPENS.match(question):
        return True
    if not _content(question) - _NAMES_NOTHING:
        return bool(_QUESTION_WORD.search(question) or _ANAPHOR.search(question))
    if len(question.split()) <= _SHORT and not _ASKS.search(question):
        if _FRAGMENT.match(question) or _PREPOSITION.match(question):
            return True
        if not _content(NAMED_YEAR.sub("", question)):
            return True
    for pattern in (_POINTED, _SUCH):
        pointed = pattern.search(question)
        if pointed and not _antecedent(question, pointed):
            return True
    return any(not _antecedent(question, match) for match in _ANAPHOR.finditer(question))


def _antecedent(question: str, match: "re.Match[str] | None") -> bool:
    """Return whether a clause before a pronoun may name what it stands for."""
    if match is None:
        return False
    before = question[: match.start()]
    ends = list(_CLAUSE_ENDS.finditer(before))
    return any(_content(before[: end.start()]) for end in ends)


def _content(text: str) -> set[str]:
    return content(text, ["en"])
