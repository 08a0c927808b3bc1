"""The type of answer that a question to the documents asks for, by its words.

English first; the commonest forms of German, French, Spanish and Italian as well. A question of no other type
asks for a fact.
"""

import re
from enum import Enum


class AnswerType(Enum):
    """What a person expects to read."""

    FACT = "fact"
    FIGURE = "figure"
    WHO = "who"
    WHEN = "when"
    HOW_MANY = "how many"
    YES_NO = "yes/no"
    DEFINITION = "definition"
    PROCEDURE = "procedure"
    LIST = "list"
    COMPARISON = "comparison"
    REASON = "reason"


def _form(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(rf"(?:{pattern})" for pattern in patterns), re.IGNORECASE)


_AMOUNT = (
    r"revenues?|sales|income|profit|loss|losses|earnings|ebitda?|margin|ebit|eps|assets|liabilities|"
    r"debt|cash flow|"
    r"capex|expenses?|expenditures?|costs?|price|fee|salary|rate|ratio|percentage|per ?cent|amount|"
    r"total|value|budget|"
    r"balance|dividends?|umsatz|gewinn|betrag|kosten|preis|ingresos|chiffre d'affaires|ricavi"
)
# The first form that matches decides.
_FORMS: tuple[tuple[AnswerType, re.Pattern[str]], ...] = (
    (
        AnswerType.REASON,
        _form(
            r"(?:^|[,;:] )\W*(?:and )?why\b|\band why\W*$|\bhow come\b|\bfor what reasons?\b",
            r"\bwhat reason (?:did|does|do|has|have|had|is|was)\b|"
            r"\bwhat (?:is|are|was|were|did|do|does)\b.{0,50}\b(?:causes?|reasons?)\b(?! of action)",
            r"^\W*what (?:caused?s?|drove|led to|prompted|explains?|(?:is|are|was|were) behind)\b",
            r"^\W*(?:und )?(?:warum|wieso|weshalb|weswegen)\b|^\W*por qué\b|^\W*pourquoi\b|^\W*perché\b",
        ),
    ),
    (
        AnswerType.COMPARISON,
        _form(
            r"\bcompar(?:e[ds]?|ing|ison|ed (?:to|with))\b",
            r"\bdifferen(?:ces?|t|tly|ce) (?:between|from|in)\b|\bdiffer\b",
            r"\bversus\b|\bvs\b",
            r"\bunterschiede?\b|\bvergleich\w*",
            r"\bse diferencian?\b|\b(?:sich )?unterscheide[nt]\b|\bdiffèrent\b|\bsi differenziano\b",
            r"\bdifférences? entre\b|\bdiferencias? entre\b|\bdifferenz[ae] (?:tra|fra)\b",
        ),
    ),
    (
        AnswerType.HOW_MANY,
        _form(r"\bhow many\b", r"\bnumber of\b", r"\bwie ?viele\b", r"\bcombien de\b", r"\bcuánt[oa]s\b"),
    ),
    (
        AnswerType.FIGURE,
        _form(
            r"\bhow (?:much|high|large|big|long|far|fast|heavy|old|deep|wide|tall|often)\b",
            r"\bwie ?viel\b|\bwie (?:hoch|groß|lang|alt)\b|\bcombien\b|\bcuánto\b|\bquanto\b",
            rf"^\W*(?:what|which)\b.{{0,80}}\b(?:{_AMOUNT})\b",
            rf"\b(?:welche[rsn]?|quel(?:le)?|cuál|qual)\b.{{0,60}}\b(?:{_AMOUNT})\b",
        ),
    ),
    (
        AnswerType.WHEN,
        _form(
            r"^\W*(?:(?:and|since|until|by) )?when\b",
            r"\b(?:what|which) (?:date|year|day|month|time)\b|\bon what date\b|\bin (?:what|which) year\b",
            r"^\W*(?:seit |bis |ab )?wann\b|^\W*quand\b|^\W*(?:desde )?cuándo\b|^\W*quando\b",
        ),
    ),
    (
        AnswerType.WHO,
        _form(
            r"^\W*(?:and )?who(?:m|se)?\b|\bby whom\b",
            r"^\W*we[rmn]\b|^\W*qui\b|^\W*quién(?:es)?\b|^\W*chi\b",
        ),
    ),
    (
        AnswerType.LIST,
        _form(
            r"^\W*(?:please )?(?:list|name|enumerate|give|show|tell me) (?:me )?(?:all|the|every|each|"
            r"four|three|five)\b",
            r"^\W*(?:what|which) (?:are|were) (?:the|all)\b",
            r"^\W*(?:what|which) (?:\w+ )?(?:kinds?|types?|sorts?|criteria|conditions|requirements|"
            r"reasons|factors|"
            r"stages|phases|features|options|sources|categories|duties|responsibilities|members|"
            r"components)\b",
            r"^\W*welche\b.{0,40}\b(?:gibt es|sind)\b|^\W*nenne\b|^\W*cuáles son\b|^\W*quels? sont\b|"
            r"^\W*quali sono\b",
        ),
    ),
    (
        AnswerType.DEFINITION,
        _form(
            r"^\W*what(?: is|'s|’s| are) (?:(?:an?|the) )?[\w&./-]+(?: [\w&./-]+){0,2}\W*$",
            r"\bwhat (?:do(?:es)?|did) .{1,60} (?:mean|stand for)\b|\bmeaning of\b|\bdefin(?:e[ds]?|ition)\b",
            r"\bwhat is meant by\b|\bwhat is it\W*$|\bwhat (?:kind|sort|type) of \w+ is\b",
            r"^\W*was (?:ist|sind|bedeutet|heißt)\b|^\W*qu['’]est[- ]ce que?\b|^\W*qué (?:es|son|"
            r"significa)\b|"
            r"^\W*(?:che )?cos['’a]\s?(?:è|sono)\b",
        ),
    ),
    (
        AnswerType.PROCEDURE,
        _form(
            r"\bsteps?\b.{0,30}\b(?:to|for|of|in|are)\b",
            r"^\W*(?:and )?how (?:do|does|can|could|should|would|must|to)\b",
            r"\bprocedure (?:for|to|of)\b|\bwhat (?:should|must|do) (?:i|you|we|one) do\b|"
            r"\binstructions? (?:for|to)\b",
            r"\bwie (?:kann|muss|soll|wird|werden|mache)\b|\bcomment (?:faire|puis)\b|\bcómo (?:se|"
            r"puedo|hay)\b",
        ),
    ),
    (
        AnswerType.YES_NO,
        _form(
            r"^\W*(?:and )?(?:is|are|was|were|does|do|did|can|could|may|must|should|will|would|has|have|"
            r"had)\b",
            r"^\W*(?:ist|sind|war|waren|darf|dürfen|kann|können|muss|müssen|hat|haben|wird|gibt es)\b",
            r"^\W*(?:est-ce que|peut-on|y a-t-il|¿?(?:es|son|hay|puede|se puede|tiene)|è|ha|può)\b",
        ),
    ),
)
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")


def answer_type(question: str) -> AnswerType:
    """Return the type of answer that a question asks for."""
    asked = " ".join(question.split())
    found = next((kind for kind, form in _FORMS if form.search(asked)), AnswerType.FACT)
    if found is AnswerType.COMPARISON and not sides(asked):
        found = next((kind for kind, form in _FORMS[1:] if form.search(asked)), AnswerType.FACT)
    if (
        found is AnswerType.LIST
        and _YEAR.search(asked)
        and re.search(rf"\b(?:{_AMOUNT})\b", asked, re.IGNORECASE)
    ):
        return AnswerType.FIGURE
    return found


# "the revenue of A and B", "between A and B", "A or B", "A versus B".
_BETWEEN = re.compile(
    r"\b(?:between|compare[ds]?|comparison of|zwischen|entre|tra|fra|se diferencian|unterscheiden sich|"
    r"diffèrent|si differenziano)\s+(?P<a>.+?)\s+"
    r"(?:and|with|to|und|mit|et|y|e)\s+(?P<b>.+?)[\s?.!]*$",
    re.IGNORECASE,
)
_VERSUS = re.compile(
    r"(?P<a>[^,?]+?)\s+(?:vs\.?|versus|differ(?:ent)? from|compared? (?:to|with))\s+(?P<b>[^,?]+)",
    re.IGNORECASE,
)
_OF = re.compile(r"^.*\b(?:of|in|at|for|by|from)\s+(?=\S)", re.IGNORECASE)
_ARTICLE = re.compile(r"^(?:an?|the|de[rnm]|die|das|eine?[mnr]?|la|le|les|el|los|las|il)\s+", re.IGNORECASE)
_ASKS = re.compile(
    r"^(?:(?:how|what|which|why|in|does|do|did|is|are|was|were|has|have|can|much|many)\s+)+", re.IGNORECASE
)
_MOST_SIDE_WORDS = 6


def sides(question: str) -> tuple[str, ...]:
    """Return the two things or two years that a question compares; nothing where it names no two."""
    asked = " ".join(question.split())
    years = tuple(dict.fromkeys(_YEAR.findall(asked)))
    match = _BETWEEN.search(asked) or _VERSUS.search(asked)
    if match is not None:
        first, second = (
            _ARTICLE.sub("", _ASKS.sub("", one.strip(" ?.,'\"“”"))) for one in (match["a"], match["b"])
        )
        if len(first.split()) > 2:
            first = _ARTICLE.sub("", _OF.sub("", first)) or first
        if len(second.split()) > 2:
            second = re.split(r"\s+(?:in|for|on|at|during|when|as)\s+", second)[0]
        if first.casefold() != second.casefold() and all(
            0 < len(one.split()) <= _MOST_SIDE_WORDS for one in (first, second)
        ):
            if not (_YEAR.fullmatch(first) and _YEAR.fullmatch(second)) and len(years) == 2:
                return years
            return first, second
    return years if len(years) == 2 else ()
