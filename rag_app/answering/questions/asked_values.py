"""The sort of value that a question asks for: money, a count of something, a duration, a person's name.

What answers such a question has a value of that sort; a passage without one is only about it. English first;
the commonest forms of German, French and Spanish as well. Most questions tell of no sort.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from ingestion.text.numbers import numbers


class ValueKind(StrEnum):
    """A sort of value, in the order in which a question's words are tried."""

    PERCENTAGE = "percentage"
    MONEY = "money"
    DISTANCE = "distance"
    DURATION = "duration"
    AGE = "age"
    NUMBER = "number"
    COUNT = "count"
    DATE = "date"
    FULL_NAME = "full name"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class AskedValue:
    """What a question asks for.

    Attributes:
        counted: The stems of what is counted: "customer" in "how many monthly active customers"; none for
            what no text repeats, such as "kinds". Of a duration: words of which one stands beside it, where
            the question asks for a time before something.
        known: The figures of the question, and its words with a capital, which are no answer to it.
    """

    kind: ValueKind
    counted: frozenset[str] = frozenset()
    known: frozenset[str] = frozenset()


def _form(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(rf"(?:{pattern})" for pattern in patterns), re.IGNORECASE)


_RATES = (
    r"renewal|growth|vacancy|occupancy|unemployment|interest|tax|literacy|mortality|infection|fatality|dropout|"
    r"response|success|survival|turnout|churn|retention|discount|exchange|failure"
)
_TIME_UNITS = r"years?|months?|weeks?|days?|hours?|minutes?|seconds?"
_CURRENCIES = r"money|(?:us |u\.s\. )?dollars?|euros?|pounds?(?! of)|cents?"
# Whose holder is a person.
OFFICES = (
    r"pilot|author|ceo|cfo|director|chairman|chairwoman|chairperson|president|founder|driver|captain|instructor|"
    r"owner|investigator|officer|manager|inspector|inventor|landlord|tenant|treasurer|secretary"
)
_AMOUNTS = r"price|salary|fee|fine|wage|dues|rent|deposit"
_MEASURES = (
    r"pounds?|tons?|tonnes?|kilograms?|kilos?|grams?|ounces?|miles?|(?:kilo|centi|milli)?met(?:er|re)s?|feet|"
    r"inches|acres?|hectares?|lit(?:er|re)s?|gallons?|volts?|watts?|amp(?:ere)?s?|degrees?|bytes?|bits?|calories"
)
_FORMS: tuple[tuple[ValueKind, re.Pattern[str]], ...] = (
    (
        ValueKind.PERCENTAGE,
        _form(
            r"\b(?:what|which) (?:\w+ ){0,3}?(?:percentage|percent|per cent|proportion|fraction)\b",
            r"\bhow (?:many|much) per ?cent\b",
            rf"^\W*what (?:is|are|was|were) (?:[\w'’&.-]+ ){{0,8}}?(?:{_RATES}) rates?\b",
            r"\b(?:welche[rsn]?|wie ?viel) prozent\b|\bquel pourcentage\b|\bqué porcentaje\b",
        ),
    ),
    (
        ValueKind.MONEY,
        _form(
            rf"\bhow (?:much|many) (?:\w+ )?(?:{_CURRENCIES})\b",
            r"\bhow much (?:[\w'’&.-]+ ){0,6}?(?:costs?|pa(?:id|ys?)|earn(?:s|ed)?|charge[sd]?|spen[dt]s?)\b",
            rf"^\W*what (?:\w+ )?(?:{_AMOUNTS})\b",
            rf"^\W*what (?:is|are|was|were) (?:[\w'’&.-]+ ){{0,5}}?(?:{_AMOUNTS}|royalty)\b(?! (?:rate|ratio|"
            r"percentage|index))",
            r"\bwhat (?:do|does|did|would|will) .{1,60} cost\b",
            r"\bwie hoch .{0,40}(?:beitrag|gebühr|preis|miete|gehalt|entgelt|kosten)\w*\b",
            r"\b(?:was|wie ?viel) kostet\b|\bcuánto cuesta\b|\bcombien coûte\b",
        ),
    ),
    (
        ValueKind.DISTANCE,
        _form(
            r"\bhow (?:far (?:away|from|is|apart)|tall|wide|thick)\b",
            r"\bwhat(?: is|['’]s| was) the (?:(?:maximum|minimum|average|total) )?"
            r"(?:(?:wi-?fi|radio|wireless|driving|flying|flight|firing|operating) range|height|width|"
            r"diameter|altitude|elevation|wingspan)\b",
        ),
    ),
    (
        ValueKind.DURATION,
        _form(
            rf"\bhow many (?:more |full )?(?:{_TIME_UNITS})\b",
            r"\bfor how long\b",
            r"\bhow (?:far|long|much time) (?:ahead|in advance|before(?:hand)?)\b",
            r"\bhow (?:soon|much notice)\b",
            r"\b(?:at|after) (?:which|what) times? (?:after|before)\b",
            r"\bwhat(?: is|['’]s| was) the (?:\w+ )?"
            r"(?:notice|trial|probation|retention|warranty|guarantee|grace|waiting|cooling[- ]off) period\b",
            r"\bhow long (?:ago|did|do|does|has|have|had|will|would|must|should|can|may|after|until)\b",
            r"\bwie lange\b|\bwie ?viele (?:jahre|monate|wochen|tage|stunden|minuten)\b|\bcuánto tiempo\b|"
            r"\bcombien de temps\b",
        ),
    ),
    (
        ValueKind.AGE,
        _form(r"\bhow old\b", r"\b(?:what|which) age\b", r"\bwie alt\b|\bquel âge\b|\bqué edad\b"),
    ),
    (ValueKind.NUMBER, _form(rf"\bhow (?:many|much) (?:\w+ )?(?:{_MEASURES})\b")),
    (
        ValueKind.COUNT,
        _form(
            r"\bhow many\b",
            r"^\W*what (?:is|are|was|were) the (?:\w+ ){0,2}number of\b",
            r"\bwie ?viele\b|\bcombien de\b|\bcuánt[oa]s\b",
        ),
    ),
    (
        ValueKind.NUMBER,  # of each of two, to be compared
        _form(
            r"^\W*(?:who|which|what)\b.{1,80}?\b(?:more|less|fewer|higher|lower|larger|smaller|bigger|longer|"
            r"shorter|older|younger|faster|slower|cheaper|heavier|taller)\b.+\bor\b",
        ),
    ),
    (ValueKind.NUMBER, _form(r"\bhow (?:much|high|large|big|heavy|fast|hot|cold|wide|deep|often)\b")),
    (
        ValueKind.DATE,
        _form(
            r"^\W*(?:and )?(?:(?:since|until|by|from) )?when (?:was|were|did)\b",
            r"^\W*(?:in |on |by |since )?(?:what|which) (?:\w+ )?(?:year|date|day|month)\b"
            r"(?! (?:old|period))",
            r"^\W*(?:seit |bis |ab )?wann (?:war|wurde|hat)\b",
        ),
    ),
    (
        ValueKind.FULL_NAME,
        _form(
            r"^\W*who signed\b",
            rf"^\W*who (?:is|was) (?:the |its |their )?(?:[\w'’-]+ ){{0,3}}?(?:{OFFICES})\b",
            rf"\b(?:what|who) (?:is|was) the (?:full )?name of (?:[\w-]+ ){{1,3}}?(?:{OFFICES})\b",
        ),
    ),
    (ValueKind.PERSON, _form(r"^\W*who (?:wrote|founded|invented|discovered|proposed|designed)\b")),
)
_IS_AHEAD = re.compile(r"\b(?:ahead|in advance|beforehand|notice)\b", re.IGNORECASE)
_AHEAD = frozenset(
    {"advance", "ahead", "before", "beforehand", "earlier", "notice", "prior", "frist", "vor", "vorher"}
)
_COUNTED = re.compile(
    r"\b(?:how many|number of|wie ?viele|combien de|cuánt[oa]s)\s+(?P<named>.*)$", re.IGNORECASE
)
# Where the name of what is counted ends.
_ENDS = frozenset(
    [
        "did",
        "do",
        "does",
        "are",
        "is",
        "was",
        "were",
        "will",
        "would",
        "can",
        "could",
        "have",
        "has",
        "had",
        "of",
        "in",
        "on",
        "at",
        "for",
        "to",
        "from",
        "by",
        "per",
        "with",
        "that",
        "who",
        "which",
        "the",
        "you",
        "i",
        "we",
        "they",
        "it",
        "there",
        "should",
        "must",
        "may",
        "kann",
        "muss",
        "hat",
        "haben",
        "sind",
        "gibt",
        "es",
        "hay",
        "ont",
        "sont",
    ]
)
_BEFORE = frozenset({"of", "the", "these", "those", "all"})
_MOST_WORDS = 6
# No text repeats these: "six coronaviruses", "three times".
_VAGUE = frozenset({"area", "item", "kind", "one", "piece", "sort", "thing", "time", "type"})


def asked_value(question: str) -> AskedValue | None:
    """Return the sort of value that a question asks for; None where its words do not tell."""
    asked = " ".join(question.split())
    kind = next((kind for kind, form in _FORMS if form.search(asked)), None)
    if kind is None:
        return None
    counted = _COUNTED.search(asked) if kind is ValueKind.COUNT else None
    if kind is ValueKind.DURATION and _IS_AHEAD.search(asked):
        return AskedValue(kind, _AHEAD)
    known = {number.text for number in numbers(asked)} | set(re.findall(r"\b[A-Z][\w’'-]*", asked))
    return AskedValue(kind, _counted(counted["named"]) if counted else frozenset(), frozenset(known))


def word_stem(word: str) -> str:
    """Return a word as what is counted is compared: in the singular, without capitals."""
    plain = re.sub(r"['’]s?$", "", word.casefold())
    if plain.endswith("ies"):
        return f"{plain[:-3]}y"
    return plain[:-1] if plain.endswith("s") and not plain.endswith("ss") else plain


def _counted(named: str) -> frozenset[str]:
    """Return the stems of what is counted: the words in the plural of its name, or all of them."""
    words: list[str] = []
    for word in re.findall(r"[^\W_]+(?:[-'’][^\W_]+)*", named):
        if not words and (word.casefold() in _BEFORE or word.isdigit()):
            continue
        if word.casefold() in _ENDS or len(words) == _MOST_WORDS:
            break
        words.append(word)
    plural = [word for word in words if word.casefold().endswith("s") and not word.casefold().endswith("ss")]
    stems = frozenset(word_stem(word) for word in plural or words)
    return frozenset() if stems & _VAGUE else stems
