"""What an English pronoun stands for: noun phrases of the question before, and names of its answer.

There is no parser. A phrase is a run of words between function words and common verbs; where several phrases
could be meant, the caller puts all of them behind the question.
"""

import re
from dataclasses import dataclass
from functools import cache

from ingestion.text.stopwords import stopwords_of

# Base forms of verbs that end a phrase; with -s, -ed and -ing.
_VERBS = """
    accept achieve add adopt affect agree aim allow announce answer apply appoint approve argue ask
    assume audit avoid base begin belong benefit bring build buy call carry cause change check choose
    cite claim close combine come compare complete conclude conduct connect consider contain continue
    contribute control convert cover create deal decide decline decrease define deliver depend derive
    describe design determine develop die differ discover discuss drive drop earn elect employ enable
    encode end enter establish evaluate exceed exclude exist expect expire explain face fail fall find
    finish fit follow form found generate get give go grow handle happen have help hire hold identify
    implement improve include increase introduce invent invest involve issue join keep know last launch
    lead learn leave let lie live look lose make manage mean measure meet mention merge move narrow need
    obtain occur offer open operate order own pass pay perform place plan plant play prefer prevent
    produce propose protect prove provide publish purchase put quit raise reach read receive recommend
    record reduce refer register regulate reject release rely remain remove repair replace represent
    require resign rise run save say score see select sell send separate serve set settle show sign
    solve spend stand start state stay stop store strike suggest support take teach tell test treat try
    turn update use vote want warn win work write
"""
# Of these, those that are as often nouns: "the score", "a plan". They are verbs right behind a subject.
_NOUNS_TOO_TEXT = """
    aim answer audit base benefit call cause change claim close control cover deal decline decrease
    design drive drop end face finish fit form found handle help hire hold increase issue launch lead
    leave let lie live look lose measure need offer open order own pass pay place plan plant play
    produce purchase raise record register release repair report rise run save say score see set show
    sign stand start state stay stop store strike support test try turn update use vote want win
"""
_SURELY_VERBS = frozenset(_VERBS.split()) - frozenset(_NOUNS_TOO_TEXT.split())
# Past forms that no ending makes.
_IRREGULAR_TEXT = """
    began:begun brought:brought built:built bought:bought came: chose:chosen drew:drawn drove:driven
    fell: felt:felt found:found gave:given got: grew:grown had: held:held kept:kept knew:known led:led
    left:left lent:lent lost:lost made:made meant:meant met:met paid:paid put:put ran:run read:read
    rose: said:said saw:seen sent:sent set:set shot:shot sold:sold spent:spent spoke: stood:
    struck:struck taught:taught threw:thrown told:told took:taken went: won:won wrote:written sang:sung
    drank:drunk sank:sunk
"""
_IRREGULAR = dict(pair.split(":") for pair in _IRREGULAR_TEXT.split())
# Words that name nothing by themselves, beside stop words.
_EMPTY_TEXT = """
    also another any anyone anybody anything away back compared ever every exactly far first few
    generally got has how just last least less long many may me more most much never next often old only
    other please someone something still such tell than thing things together too typically usually
    versus very way ways whole without yet your yes what who when where which why whom whose does did do
    is are was were be been being can could will would should difference must might shall have had i you
    we they he she it them him us before after during between about
"""
_EMPTY = frozenset(_EMPTY_TEXT.split())
_DETERMINERS = frozenset({"the", "a", "an", "this", "that", "these", "those", "its", "their", "his", "her"})
_QUANTITIES = frozenset(
    {"of", "for", "in", "many", "much", "which", "what", "most", "more", "least", "fewer"}
)
_AUXILIARIES = frozenset({"do", "does", "did", "can", "could", "will", "would", "should", "must"})
_PERSONS = re.compile(
    r"(?:pilot|president|chair(?:man|woman|person)?|director|author|writer|patient|doctor|nurse|judge|king|"
    r"queen|"
    r"officer|ceo|cfo|minister|manager|teacher|professor|student|scientist|engineer|inventor|founder|"
    r"leader|player|"
    r"captain|driver|owner|tenant|landlord|employee|worker|man|woman|boy|girl|child|person|mother|father|son|"
    r"daughter|brother|sister|wife|husband|lawyer|secretary|treasurer|artist|actor|actress|singer|painter|"
    r"poet|"
    r"mayor|governor|general|soldier|bishop|pope|emperor|member|participant|investigator|auditor|accountant|"
    r"instructor|trainer|coach|victim|passenger|survivor|executive|researcher|agent|customer|user|client|"
    r"applicant)s?",
    re.IGNORECASE,
)
# A name's word: with a capital, or with a digit, an inner capital or a sign of code.
_TOKEN = re.compile(r"[\w&][\w.&'’!/+#*-]*[\w!+#*]|[\w&]+")
_NAMED = re.compile(r"[A-Z]|\w*[\d_!]|[a-z]+[A-Z]")
_NUMBER = re.compile(r"[\d.,%]+")
_BOLD = re.compile(r"\*\*(.+?)\*\*", re.DOTALL)
_PERSON_NAME = re.compile(
    r"(?:(?:Mr|Mrs|Ms|Dr|Prof|Sir)\.? )?[A-Z][\w’'-]+(?: (?:[A-Z]\.|(?!and\b|or\b|the\b|in\b|"
    r"of\b)[a-z]{2,3}|[A-Z][\w’'-]+)){0,2} [A-Z][\w’'-]+"
)
_TIME = re.compile(
    r"(?:the )?(?:(?:first|second|third|fourth|last|full|nine|six|three) )*"
    r"(?:(?:fiscal|calendar|end of|year|years|quarter|half|months?|weeks?|days?|fy|q[1-4]|january|february|"
    r"march|april|"
    r"may|june|july|august|september|october|november|december|year-end)\b.*|(?:of )?[\d.,-]+)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Phrase:
    """A noun phrase of a question, such as "the Bramley apple tree".

    Attributes:
        is_named: It has a name or a code; a number alone is none.
        owner: The owner in "Boeing's revenue"; "" without one.
        counts: It stands behind "how many", "which" or "what".
    """

    text: str
    is_named: bool
    owner: str = ""
    counts: bool = False

    @property
    def is_time(self) -> bool:
        return _TIME.fullmatch(self.text) is not None

    @property
    def is_plural(self) -> bool:
        words = self.text.split()
        last = words[-1].casefold()
        if last in ("people", "men", "women", "children", "staff", "police"):
            return True
        return (
            last.endswith("s") and not last.endswith(("ss", "us", "is", "'s", "’s"))
        ) or " and " in self.text

    @property
    def definite(self) -> str:
        """The phrase as one that has been spoken of: "a patient" is "the patient"."""
        return re.sub(r"^(?:an?|this|that|these|those) ", "the ", self.text, flags=re.IGNORECASE)

    @property
    def possessive(self) -> str:
        said = self.definite
        return said + ("'" if said.endswith("s") and self.is_plural and not self.is_named else "'s")


def phrases(question: str) -> list[Phrase]:
    """Return the noun phrases of an English question, in order, each once."""
    found: dict[str, Phrase] = {}
    for piece in re.split(r"[?;:()\"“”]|,(?!\d)|\.(?=\s|$)", question):
        for one in _of_clause(piece):
            found.setdefault(one.text.casefold(), one)
    return [
        one
        for key, one in found.items()
        if not any(key != other and re.search(rf"(?<!\w){re.escape(key)}(?!\w)", other) for other in found)
    ]


def person_phrase(found: list[Phrase]) -> Phrase | None:
    """Return the one phrase that means a person, up to the person's word: "the Latrobe pilot lost "
    "control"."""
    persons: list[Phrase] = []
    for one in found:
        match = next((m for m in re.finditer(r"\w+", one.text) if _PERSONS.fullmatch(m.group())), None)
        if match:
            persons.append(Phrase(one.text[: match.end()], one.is_named, one.owner, one.counts))
    return persons[0] if len(persons) == 1 else None


def names_in_answer(answer: str, question: str) -> list[str]:
    """Return persons that an answer names, the emphasised ones first; none that the question names."""
    plain = re.sub(r"\s*\[\d+\]", "", answer)
    bold = [" ".join(one.split()).strip(" .,;") for one in _BOLD.findall(plain)]
    first = re.split(r"(?<=[.!?])\s+(?=[A-Z])|\n\s*\n", plain.replace("**", "").strip(), maxsplit=1)[0]
    found: dict[str, None] = {}
    for text in [*(one for one in bold if len(one.split()) <= 6), first]:
        for match in _PERSON_NAME.finditer(text):
            words = match.group().split()
            if words[0].casefold() in stopwords_of("en") | _EMPTY:
                words = words[1:]
            name = " ".join(words)
            if (
                len(words) >= 2
                and not any(map(_is_empty, words))
                and name.casefold() not in question.casefold()
            ):
                found[name] = None
        if found:
            break
    return list(found)[:3]


def participle(verb: str) -> str | None:
    """Return the past participle of a past form; None where it is none that is known."""
    said = verb.casefold()
    if said in _IRREGULAR:
        return _IRREGULAR[said] or None
    return said if said.endswith("ed") and len(said) > 4 else None


def _of_clause(clause: str) -> list[Phrase]:
    words = [match.group() for match in _TOKEN.finditer(clause)]
    found: list[Phrase] = []
    run: list[str] = []
    start = 0

    def close() -> None:
        while run and run[-1].casefold() in ("of", "and", "&", "by", "for", *_DETERMINERS):
            run.pop()
        if run:
            one = _phrase(run, words[:start], is_first=start == 0)
            if one is not None:
                found.append(one)
        run.clear()

    for place, word in enumerate(words):
        if _continues(words, place, run):
            run.append(word)
        elif (
            _is_empty(word) or _is_verb(word, words[:place], run) or (run and word.casefold() in _DETERMINERS)
        ):
            close()
        else:
            if not run:
                start = place
            run.append(word)
    close()
    return found


def _continues(words: list[str], place: int, run: list[str]) -> bool:
    """Return whether a word such as "of" joins two parts of one phrase."""
    if not run or place + 1 == len(words):
        return False
    word, behind, before = words[place].casefold(), words[place + 1], words[place - 1]
    if _is_empty(behind) and behind.casefold() not in _DETERMINERS:
        return False
    if word == "of":
        return True
    if word in ("and", "&"):
        return bool(_NAMED.match(before) and _NAMED.match(behind) and not _NUMBER.fullmatch(behind))
    if word in ("the", "a", "an"):
        return before.casefold() == "of"
    return word == "by" and bool(_NUMBER.fullmatch(before) and _NUMBER.fullmatch(behind))


def _phrase(run: list[str], before: list[str], *, is_first: bool) -> Phrase | None:
    last = before[-1].casefold() if before else ""
    named = any(_NAMED.match(word) and not _NUMBER.fullmatch(word) for word in (run[1:] if is_first else run))
    text = " ".join(run)
    if not named and all(_NUMBER.fullmatch(word) for word in run):
        return None
    if len(run) == 1 and not named and (len(text) < 3 or last in ("too", "very", "so", "as", "how")):
        return None  # "too large"
    owner = re.match(r"(.+?)['’]s (?=\w)", text)
    counts = last in ("many", "much", "which", "what", "whose")
    if last in ("the", "a", "an"):
        text = f"{last} {text}"
    return Phrase(text, named, owner[1] if owner else "", counts)


def _is_empty(word: str) -> bool:
    said = word.casefold().replace("’", "'")
    if word.isupper() and len(word) > 1:  # WHO, IT
        return False
    return said in _EMPTY or said in stopwords_of("en") or said.removesuffix("'s") in _EMPTY


def _is_verb(word: str, before: list[str], run: list[str]) -> bool:
    """Return whether a word is a common verb where a verb may stand: "the test" is none."""
    said = word.casefold()
    if said not in _verb_forms() or (word[0].isupper() and before):
        return False
    if not before:
        return True
    last = before[-1].casefold()
    if run and last not in _DETERMINERS | {"of", "and", "by"}:
        # "the study covered", "does the study cover", but "its meeting", "the net use".
        owned = last.replace("’", "'").endswith("'s")
        ending = said.endswith("ed") or said in _IRREGULAR or (said.endswith("ing") and not owned)
        return ending or said in _SURELY_VERBS or _is_subject(before[: -len(run)])
    if last in ("what", "which", "who"):
        return said.endswith(("s", "ed")) or said in _IRREGULAR
    return last not in _DETERMINERS | _QUANTITIES


def _is_subject(before: list[str]) -> bool:
    """Return whether an auxiliary stands before a phrase, so that a base form follows it."""
    said = [word.casefold() for word in before]
    while said and said[-1] in _DETERMINERS:
        said.pop()
    return bool(said) and said[-1] in _AUXILIARIES


@cache
def _verb_forms() -> frozenset[str]:
    forms = set(_IRREGULAR)
    for base in _VERBS.split():
        stem = base.removesuffix("e")
        forms |= {
            base,
            f"{base}s",
            f"{base}es",
            f"{stem}ed",
            f"{stem}ing",
            f"{base}{base[-1]}ed",
            f"{base}{base[-1]}ing",
        }
        if base.endswith("y"):
            forms |= {f"{base[:-1]}ied", f"{base[:-1]}ies"}
    return frozenset(forms)
