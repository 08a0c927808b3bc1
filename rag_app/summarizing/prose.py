"""How well a sentence of a document can be quoted alone."""

import re
from enum import IntEnum

# In words. A shorter sentence says little; a longer one is mostly a list, or was split wrongly.
SHORTEST, LONGEST = 6, 45
_MOST_NUMBERS = 0.2
_LEAST_LETTERS = 0.72
_LEAST_LOWER_CASE = 0.4
# A heading in title case has capitals on all but small words.
_SMALL_WORD, _LEAST_LONG_LOWER_CASE = 3, 0.25

_ENDS = re.compile(r"[.!?…。！？][\"'”’»)\]]*$")
_BEGINS = re.compile(r"[\"'“‘«]*[^\W_a-zà-öø-ÿ]")
_LIST_ITEM = re.compile(r"\s*(?:[•▪◦●○‣·*–—-]\s|\(?\d{1,3}[.)]\s|\(?[a-zA-Z][.)]\s|\([ivx]+\)\s)")
_LEADERS = re.compile(r"\.{4,}|(?:\. ){3,}|\s\|\s|_{3,}")
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\u0e00-\u0e7f]")
# Characters per word, about, in a script without spaces.
_UNSPACED_WORD = 1.7

# Text of many documents that says nothing about this one.
_BOILERPLATE = re.compile(
    r"accompanying notes|reclassif|incorporated (?:herein )?by reference|check mark|forward[- ]looking|"
    r"all rights reserved|copyright|table of contents|intentionally left blank|pursuant to|registrant|"
    r"exchange act|securities act|form (?:10|8)-[kq]|\brefer to\b|more information|unless otherwise|"
    r"\bsee (?:also )?(?:the )?(?:note|item|part|section|page|figure|table|exhibit|appendix|“)|"
    r"(?:this|the) (?:section|table|page|exhibit|filing|press release)\b|\buse of the terms?\b|"
    r"terms? [“\"]|due to rounding|financial statements|accounting standards|\b(?:FASB|ASU|ASC)\b|"
    r"non-gaap|disclose information|certif(?:y|ication)|hereby|hereto|herein|thereof|undersigned|https?://|www\.|@",
    re.IGNORECASE,
)
# References to something else: a table, a list, another place, a person named before.
_POINTS = re.compile(
    r"the following|as follows|^(?:below|above|note) |\b(?:he|she|his|her)\b|\bis its\b|"
    r"\b(?:set forth|described|discussed|included|contained|presented|defined|shown|listed) (?:\w+ )?"
    r"(?:in|under|above|below|elsewhere)\b",
    re.IGNORECASE,
)
# Beginnings of sentences that continue the one before.
_GOES_ON = re.compile(
    r"(?:However|Therefore|Thus|Hence|Moreover|Furthermore|In addition|Additionally|Also|But|And|Or|So|Yet|"
    r"As a result|Consequently|Accordingly|Similarly|Likewise|Conversely|In contrast|For example|"
    r"For instance|This|These|Those|That|Such|It|Its|They|Their|He|She|His|Her|Both|Neither|Otherwise|"
    r"Instead|Nevertheless|The (?:former|latter|same|above|increase|decrease|change|remaining|following)|"
    r"Other|Another|Then|Here|Diese[rs]?|Daher|Jedoch|Außerdem|Ce(?:tte|s)?|Cependant|Est[eao]s?|"
    r"Sin embargo)\b"
)
# Beginnings of sentences about the document itself.
_ANNOUNCES = re.compile(
    r"(?:In )?(?:this|the present|dieses?|diese[rm]?|cet|cette|ce|est[ea]) (?:paper|study|article|report|"
    r"document|guide|book|chapter|manual|thesis|handbook|policy|plan|agreement|work|review|Dokument|Bericht|"
    r"Arbeit|Artikel|Studie|Buch|rapport|étude|livre|documento|informe|estudio|artículo|libro)\b",
    re.IGNORECASE,
)


class Prose(IntEnum):
    """How well a sentence can stand alone; a higher value is better."""

    NONE = 0  # a row of a table, a heading, a list's number, a fragment
    BOILERPLATE = 1  # a sentence, but one that says nothing about its document
    LEANS = 2  # a sentence that points elsewhere: "this", "however", "as follows"
    STANDS_ALONE = 3


def prose(text: str) -> Prose:
    """Return how well a sentence of a document can be quoted on its own."""
    plain = " ".join(text.split())
    if not _is_sentence(plain):
        return Prose.NONE
    if _BOILERPLATE.search(plain):
        return Prose.BOILERPLATE
    if _ANNOUNCES.match(plain):
        return Prose.STANDS_ALONE
    return Prose.LEANS if _GOES_ON.match(plain) or _POINTS.search(plain) else Prose.STANDS_ALONE


def word_count(text: str) -> int:
    """Return the number of words; an estimate for scripts without spaces."""
    unspaced = len(_UNSPACED.findall(text))
    return len(_UNSPACED.sub(" ", text).split()) + round(unspaced / _UNSPACED_WORD)


def _is_sentence(plain: str) -> bool:
    if not SHORTEST <= word_count(plain) <= LONGEST or not _ENDS.search(plain) or not _BEGINS.match(plain):
        return False
    if _LIST_ITEM.match(plain) or _LEADERS.search(plain) or plain.count("(") != plain.count(")"):
        return False
    words = plain.split()
    letters = sum(character.isalpha() or character.isspace() for character in plain)
    numbers = sum(any(map(str.isdigit, word)) for word in words)
    if letters < _LEAST_LETTERS * len(plain) or numbers > _MOST_NUMBERS * len(words):
        return False
    cased = [word for word in words if word[0].lower() != word[0].upper()]
    long = [word for word in cased if len(word) > _SMALL_WORD]
    return all(
        sum(word[0].islower() for word in some) >= least * len(some)
        for some, least in ((cased, _LEAST_LOWER_CASE), (long, _LEAST_LONG_LOWER_CASE))
    )
