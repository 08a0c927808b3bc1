"""Values in a text: an amount of money, a duration, a count of something, a person's name."""

import re
from collections.abc import Iterator

from ingestion.text.dates import dates
from ingestion.text.numbers import numbers
from rag_app.answering.evidence.question_terms import is_form
from rag_app.answering.questions.asked_values import OFFICES, AskedValue, ValueKind, word_stem

_SMALL = (
    r"one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty|fifty|"
    r"sixty|ninety|hundred|thousand|million|billion"
)
_CURRENCY = (
    r"[$€£¥₹]|dollars?|euros?|pounds?(?! of)|cents?|francs?|yen|yuan|rupees?|shillings?|USD|EUR|GBP|CHF|JPY"
)
_PRICE = (
    r"(?:price|cost|fee|fare|rent|salary|wage|premium|deposit|fine|preis|kosten|gebühr|miete|betrag|precio|"
    r"prix)s?"
)
_MONEY = re.compile(
    rf"\b{_PRICE}(?:\s(?:is|was|are|were|of|at|from|per\s\w+|in\s\w+|beträgt))*\s?[:=·|]?\s?\d|"
    r"(?:[$€£¥₹]|\b(?:USD|EUR|GBP|CHF|JPY))\s?[(–—-]?\d|"
    rf"\b(?:\d[\d.,]*|{_SMALL})(?:[ -](?:{_SMALL}|mn|bn))?\s?(?:{_CURRENCY})(?!\w)|"
    r"\b(?:free of charge|(?:at )?no (?:charge|cost|fee)|for free|kostenlos|kostenfrei|gratis|gratuit\w*)\b",
    re.IGNORECASE,
)
_SURE_MONEY = re.compile(
    r"(?:[$€£¥₹]|\b(?:USD|EUR|GBP|CHF|JPY))\s?[(–—-]?\d|"
    rf"\b(?:\d[\d.,]*|{_SMALL})(?:[ -](?:{_SMALL}|mn|bn))?\s?(?:{_CURRENCY})(?!\w)",
    re.IGNORECASE,
)
_MONEY_TABLE = re.compile(rf"(?:{_CURRENCY})(?!\w)|\b(?:thousands|millions|{_PRICE})\b", re.IGNORECASE)
_PERCENTAGE = re.compile(
    r"\d\s?%|\b(?:per ?cent|prozent|por ciento|pour ?cent|basis points|fold)\b|"
    r"\b(?:half|thirds?|quarters?|fourths?|fifths?|majority|all|none)\b|\d/\d|(?<!\d)0?\.\d|\d\.\d|"
    r"\b(?:one|two|three|four|five|nine|\d+) (?:in|out of) \w+\b",
    re.IGNORECASE,
)
_SURE_PERCENTAGE = re.compile(
    rf"(?:\d|\b(?:{_SMALL}))[ -]?(?:%|(?:per ?cent|percentage points?|prozent)\b)", re.IGNORECASE
)
_DURATION = re.compile(
    rf"(?:\d|\b(?:an?|{_SMALL}|few|several|half|couple of|many|every|per|each|einem?r?|zwei|drei|vier)\b)"
    r"\W{0,3}(?:\w+[- ]){0,2}?"
    r"(?:years?|yrs?|months?|weeks?|days?|hours?|hrs?|h|d|minutes?|mins?|seconds?|secs?|ms|decades?|centur\w+|"
    r"jahre?n?|monate?n?|wochen?|tage?n?|stunden?|minuten?|años?|meses|semanas?|días?|horas?|ans?|mois|"
    r"jours?|heures?)\b|"
    r"\b(?:until|since|indefinite\w*|permanent\w*|forever|perpetual\w*|lifetime|lifelong|annual\w*|daily|"
    r"weekly|monthly|quarterly|overnight|as long as|longer than|bis|hasta)\b|(?<!\d)\d{4}(?!\d)|\d:\d\d",
    re.IGNORECASE,
)
_SURE_DURATION = re.compile(
    rf"(?:\d|\b(?:{_SMALL}|zwei|drei|vier)\b)\W{{0,3}}"
    r"(?:(?:business|calendar|consecutive|full|more|working) )?"
    r"(?:years?|yrs?|months?|weeks?|days?|hours?|hrs?|h|minutes?|mins?|seconds?|secs?|ms|decades?|centur\w+|"
    r"jahre?n?|monate?n?|wochen?|tage?n?|stunden?|minuten?|años?|meses|semanas?|días?|horas?|ans?|mois|"
    r"jours?|heures?)\b",
    re.IGNORECASE,
)
_DISTANCE = re.compile(
    rf"(?:\d\s?-?|\b(?:half|several|few|{_SMALL})\W+)(?:km|m|cm|mm|nm|µm|mi|miles?|feet|foot|ft|inch(?:es)?|in|"
    r"yards?|yd|met(?:er|re)s?|kilomet\w+|centimet\w+|millimet\w+|stor(?:ies|eys)|base pairs)\b|"
    r"\d\s?[\"”'′″]",
    re.IGNORECASE,
)
_AGE = re.compile(
    r"\bage[sd]?\b\W{0,4}(?:(?:of|at|is|was|were|between|from|over|under|than|least|most|range\w*|mean|"
    rf"median)\W{{1,3}}){{0,3}}(?:\d|(?:{_SMALL})\b)|"
    rf"(?:\d|\b(?:{_SMALL}))\W{{1,3}}(?:years?|months?|weeks?|days?)\W(?:olds?|of age)\b|"
    r"\b(?:alter|edad|âge)\b\W{0,4}\d|\d\s(?:jahre alt|años de edad|ans)\b|"
    r"\b(?:born|founded|built|established|created|opened|dat(?:es?|ing) (?:from|back))\b.{0,60}\d{3}",
    re.IGNORECASE,
)
_TIME = re.compile(
    r"(?<!\d)(?:1\d|20)\d\d(?!\d)|\b\d[\d,]*\s(?:BC|AD|B?CE|BP)\b|\bcentur(?:y|ies)\b|\b\d{1,2}[:.]\d\d\b|"
    r"\b(?:after|before|until|within|during|when|while|upon|later|early|today|now|currently|"
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)day|january|february|march|april|june|july|august|september|"
    r"october|november|december|spring|summer|autumn|winter|age|era|war|decade|years?|months?|weeks?|days?|"
    r"nach|vor|bis|seit|jahr\w*)\b",
    re.IGNORECASE,
)
# Words in names that are no person's.
_NOBODY = (
    r"(?:Agenc\w+|Agreement|Annual|Association|Authority|Bank|Board|Bureau|Cent(?:er|re)|Chapter|City|College|"
    r"Commission|Committee|Company|Conference|Corporation|Council|Country|County|Court|Department|District|"
    r"Federal|Financial|Foundation|General|Government|Group|Health|Hospital|House|Inc|Indemnified|Institute|"
    r"International|Island|Journal|Ltd|Management|Ministry|National|New|North\w*|Office|Organi[sz]ation|Park|"
    r"Part(?:y|ies)|Program\w*|Project|Protocol|Report|Republic|River|Safety|School|Section|Senate|Services?|"
    r"Society|South\w*|States?|Street|Systems?|Table|Team|The|Trial|Union|United|University|West\w*|World)\b"
)
_NAME = rf"(?!{_NOBODY})[A-Z][a-z’'-]+\b"
_FULL_NAME = re.compile(
    r"\b(?:Mr|Mrs|Ms|Dr|Prof|Sir|Dame)\.?\s[A-Z]|\b[A-Z][a-z]+\s(?:et al|and colleagues)\b|"
    rf"\b{_NAME}(?:,?\s(?:[A-Z]\.\s?)*(?:(?:de|van|von|der|di|da|del|la|le|bin|al)\s)*{_NAME})+(?!\s{_NOBODY})"
)
# "Anna, our secretary", "the secretary is Anna".
_OF_OFFICE = re.compile(
    rf"\b{_NAME},?(?:\s\w+){{0,2}}\s(?i:{OFFICES})\b|\b(?i:{OFFICES})(?:\s(?:is|was))?\W{{1,2}}{_NAME}"
)
# Within a sentence, where a capital says that it is a name.
_SINGLE_NAME = re.compile(rf"(?<=[a-z,;(] ){_NAME}(?!\s{_NOBODY})")
# Figures that count nothing: of identifiers, sections, years, citations, list marks.
_NO_COUNT = re.compile(
    r"\b[^\W\d_]+[-‐]?\d[\w.-]*|\b\d+(?:\.\d+){2,}|\(\d{1,2}\)|\[\d+\]|\b(?:in|since|of|from|until|during|"
    r"fiscal|year|and|for|to),? (?:19|20)\d\d\b|\b(?:sections?|articles?|tables?|figures?|pages?|chapters?|"
    r"items?|notes?|steps?|parts?|nos?|vol|version|fy|q)\.?\s?\d[\d.\-]*|^\s*\d+[.)]?\s",
    re.IGNORECASE,
)
# Figures that are of something else than what is counted.
_PRICE_OR_TIME = re.compile(
    r"[$€£¥]\s?[\d.,]+|\d[\d.,]*\s?[€£]|\d[\d.,]*\s(?:years?|months?|weeks?|days?|hours?|minutes?)\b",
    re.IGNORECASE,
)
_SOME = re.compile(
    r"\b(?:no|none|never|once|twice|both|single|only|several|many|few|dozens?|hundreds|thousands|millions|half|"
    r"pair|couple|all|each|every|another|either|neither|majority|most|first|second|third|fourth|fifth|quarter|"
    r"triple|double[sd]?|unmanned|ein|eine|zwei|drei|vier|fünf|sechs|uno|dos|tres|cuatro|cinco|deux|trois|"
    r"quatre)\b",
    re.IGNORECASE,
)
_CAPITAL = re.compile(r"[A-Z][\w’'-]+")
_WORD = re.compile(r"[^\W_]+(?:[.,'’][^\W_]+)*")
# How many words stand between a figure and what it counts: before it ("45 evaluable patients"), and behind
# ("patients enrolled at the end of the year: 45"); a word such as "many" stands before it, and nearer.
_BEFORE, _BEHIND, _NEAR = 5, 12, 4
# Texts count the same under many names: people, and places of business.
_NAMESAKES = (
    frozenset({
        "account", "adult", "associate", "attendance", "attendee", "case", "child", "children", "customer",
        "employee", "folk", "fte", "guest", "headcount", "individual", "inhabitant", "man", "member",
        "membership", "men", "menschen", "miembro", "mitglied", "mitglieder", "participant", "passenger",
        "patient", "people", "person", "persona", "personen", "personnel", "player", "population",
        "resident", "respondent", "soldier", "staff", "student", "subject", "subscriber", "subscription",
        "teilnehmer", "troop", "unmanned", "user", "viewer", "visitor", "volunteer", "woman", "women",
        "worker", "workforce",
    }),
    frozenset({
        "branch", "branche", "facility", "filiale", "location", "office", "outlet", "plant", "property",
        "restaurant", "shop", "site", "store", "tienda", "warehouse",
    }),
)  # fmt: skip
# What is a value and nothing else: "15 %", where "6.3" may be a percentage.
_SURE = {
    ValueKind.PERCENTAGE: _SURE_PERCENTAGE,
    ValueKind.MONEY: _SURE_MONEY,
    ValueKind.DISTANCE: _DISTANCE,
    ValueKind.DURATION: _SURE_DURATION,
    ValueKind.AGE: _AGE,
}
_PATTERNS = {
    ValueKind.PERCENTAGE: _PERCENTAGE,
    ValueKind.MONEY: _MONEY,
    ValueKind.DISTANCE: _DISTANCE,
    ValueKind.DURATION: _DURATION,
    ValueKind.AGE: _AGE,
}


def holds_value(text: str, asked: AskedValue, around: str = "") -> bool:
    """Return whether a text, as it is read, has a value of the sort that is asked for.

    Where it is not sure it has one: "a third of them" is a percentage, and "most patients" a count.

    Args:
        around: The text that it is from. What stands there without a capital too is no name.
    """
    if asked.kind in _PATTERNS:
        return _PATTERNS[asked.kind].search(text) is not None
    if asked.kind is ValueKind.DATE:
        return _TIME.search(text) is not None or bool(dates(text))
    if asked.kind in (ValueKind.FULL_NAME, ValueKind.PERSON):
        return _names_someone(text, asked, around)
    if asked.counted and asked.kind is ValueKind.COUNT:
        return _counts(_uncounted(text), asked)
    left = _NO_COUNT.sub(" ", text)
    return _is_figure(left, asked) or _SOME.search(left) is not None


def sure_value(text: str, asked: AskedValue) -> tuple[int, int] | None:
    """Return the characters of a text's first value that is one of the sort without any doubt; None without.

    Persons, dates and counts have no form that is sure.
    """
    match = _SURE[asked.kind].search(text) if asked.kind in _SURE else None
    return match.span() if match else None


def has_sure_value(text: str, asked: AskedValue) -> bool:
    """Return whether a text has a value that is surely one of the sort; a count stands before what it counts.

    "13 strategic objectives" is a count of objectives, "Strategic objective 4: in 30 days" hardly.
    """
    if asked.kind is ValueKind.NUMBER:
        return _is_figure(_NO_COUNT.sub(" ", text), asked)
    if asked.kind is not ValueKind.COUNT or not asked.counted:
        beside = not asked.counted or any(word_stem(word) in asked.counted for word in _WORD.findall(text))
        return beside and sure_value(text, asked) is not None
    words = _WORD.findall(_uncounted(text))
    named = [place for place, word in enumerate(words) if _names(word_stem(word), asked.counted)]
    return any(
        _is_figure(word, asked) or _SOME.fullmatch(word) is not None
        for place in named
        for word in words[max(0, place - _NEAR) : place]
    )


def is_figure_of_table(line: str, asked: AskedValue, table: str, *, is_named: bool) -> bool:
    """Return whether a row has a figure whose unit, or what it counts, its table says elsewhere.

    Args:
        line: The row, as it is read.
        table: The text around it.
        is_named: The question has the words of the row's label.
    """
    if asked.kind is ValueKind.MONEY:
        return "%" not in line and bool(numbers(line)) and _MONEY_TABLE.search(table) is not None
    return asked.kind is ValueKind.COUNT and is_named and _is_figure(_uncounted(line), asked)


def names_counted(text: str, asked: AskedValue) -> bool:
    """Return whether a text has a form of what is counted."""
    return any(_names(word_stem(word), asked.counted) for word in _WORD.findall(text))


def _names_someone(text: str, asked: AskedValue, around: str) -> bool:
    common = {word.capitalize() for word in re.findall(r"\b[a-z]{2,}\b", around)} | asked.known
    forms = (_FULL_NAME, _SINGLE_NAME) if asked.kind is ValueKind.PERSON else (_FULL_NAME,)
    whole = [set(_CAPITAL.findall(one.group())) for form in forms for one in form.finditer(text)]
    if any(not name & common for name in whole):
        return True
    held = [word for one in _OF_OFFICE.finditer(text) for word in _CAPITAL.findall(one.group())]
    named = [word for word in held if word not in common and not re.fullmatch(OFFICES, word, re.IGNORECASE)]
    return asked.kind is ValueKind.FULL_NAME and bool(named)


def _uncounted(text: str) -> str:
    """Return a text without the figures that count nothing."""
    return _PRICE_OR_TIME.sub(" ", _NO_COUNT.sub(" ", text))


def _is_figure(text: str, asked: AskedValue) -> bool:
    return any(number.text not in asked.known for number in numbers(text))


def _counts(text: str, asked: AskedValue) -> bool:
    """Return whether a text has a figure near a form of what is counted."""
    words = _WORD.findall(text)
    named = [place for place, word in enumerate(words) if _names(word_stem(word), asked.counted)]
    return any(
        _is_figure(word, asked) or (is_near and _SOME.fullmatch(word) is not None)
        for place in named
        for word, is_near in _around(words, place)
    )


def _around(words: list[str], place: int) -> Iterator[tuple[str, bool]]:
    """Yield the words around a place; whether they stand closely before it."""
    for at in range(max(0, place - _BEFORE), min(len(words), place + _BEHIND + 1)):
        yield words[at], 0 <= place - at <= _NEAR


def _names(stem: str, counted: frozenset[str]) -> bool:
    if stem in counted or any(stem in group and counted & group for group in _NAMESAKES):
        return True
    return any(is_form(stem, one) for one in counted)
