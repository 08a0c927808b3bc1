"""Rules that recognise orders to a language model: verbs and their objects, language by language.

A rule is a shape with slots ("ignore … earlier … orders") that each language fills with its words. An order
begins a clause, so that "the contractor shall ignore the previous instructions" is none. Words and texts are
compared in their folded form (`fold`): without case, accents and disguises.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ingestion.text.invisible import without_invisible
from rag_app.answering.instruction_words import BEFORE, FORMATS, NEGATED, ONE_WORD, SHAPES, UNSPACED, WORDS

_WITHIN = r"[^.!?。！？؟\n]"  # a sentence
_JOINERS = re.compile(
    "[\u00ad\u034f\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\U000e0100-\U000e01ef]"
)
_NOT_DECOMPOSED = str.maketrans("łøđıœæ", "lodioa")

# Letters of other scripts that look like Latin ones, in their lower case.
_CONFUSABLE = str.maketrans(
    "аеорсухіјѕԁһкмтнвпӏѵԝԛгѡαονρτυικεηγχωɡɪɢɴᴏʀᴇᴀʟʟᴘᴠᴜѕᴛᴄᴍꜱʜʙᴅᴋʏոօցհ",
    "aeopcyxijsdhkmthbnlvwqrwaovptuikenyxwgignoreallpvustcmshbdkynogh",
)
_LEET = (str.maketrans("013457@$|", "oieastasi"), str.maketrans("013457@$|", "oleastasl"))
_LEET_WORD = re.compile(r"(?=[0-9@$|]*[a-z])(?=[a-z]*[0-9@$|])[a-z0-9@$|]{3,}")
_SPACED = re.compile(r"(?:(?<!\w)\w[ .\-_·*]){4,}\w(?!\w)")
_WORD_SIGNS = re.compile(r"(?<=\w)[-_.](?=\w)")


def fold(text: str) -> str:
    """A text without invisible characters, case, accents and compatibility forms, in one line."""
    visible = _JOINERS.sub("", without_invisible(text))
    parts = unicodedata.normalize("NFKD", visible)
    plain = "".join(character for character in parts if unicodedata.category(character) != "Mn")
    return " ".join(unicodedata.normalize("NFC", plain).casefold().translate(_NOT_DECOMPOSED).split())


def disguises(folded: str) -> Iterator[str]:
    """The text behind look-alike letters, digits for letters, spaced letters, and signs between words."""
    latin = folded.translate(_CONFUSABLE)
    texts = [latin, *(_spelled(latin, digits) for digits in _LEET)]
    for text in dict.fromkeys((*texts, folded)):
        if text != folded:
            yield text
        if _SPACED.search(text):
            yield _SPACED.sub(lambda run: re.sub(r"[^\w]", "", run.group()), text)
        if _WORD_SIGNS.search(text):
            yield _WORD_SIGNS.sub(" ", text)


def _spelled(text: str, digits: dict[int, int]) -> str:
    """The text with letters for the digits in its words."""
    return _LEET_WORD.sub(lambda word: word.group().translate(digits), text)


class _Shape(NamedTuple):
    pattern: re.Pattern[str]
    begins_clause: bool


def _filled(shape: str, words: dict[str, str]) -> str:
    for slot, content in words.items():
        shape = shape.replace("{" + slot + "}", content)
    return shape.replace("~", _GAP)


def _language(words: dict[str, str], negated: Sequence[str]) -> tuple[re.Pattern[str], tuple[_Shape, ...]]:
    """Where an order may begin, and the shapes of a language."""
    shapes = [*SHAPES, *((True, shape) for shape in negated)]
    filled = [(begins, fold(_filled(shape, words))) for begins, shape in shapes]
    first = (
        "ignore",
        "reveal",
        "answer",
        "only",
        "become",
        "hence",
        "send",
        "silent",
        "note",
        "if_model",
        "new",
    )
    starts = "|".join([*(words[slot] for slot in first), *(shape.partition("~")[0] for shape in negated)])
    return (
        re.compile(rf"(?<!\w)(?={fold(_filled(f'(?:{starts})', words))})"),
        tuple(_Shape(re.compile(pattern), begins) for begins, pattern in filled),
    )


_GAP = _WITHIN + "{0,40}?"
_CLAUSE = re.compile(fold(BEFORE))
_LATIN, _CYRILLIC, _ARABIC = (
    tuple(_language(WORDS[name], NEGATED.get(name, ())) for name in names)
    for names in (("en", "de", "fr", "es", "nl", "pl"), ("ru",), ("ar",))
)
_UNSPACED = re.compile("|".join(f"(?:{fold(pattern)})" for pattern in UNSPACED))
_FORMS = re.compile("|".join(f"(?:{fold(pattern)})" for pattern in FORMATS))
_ONE_WORD = re.compile("|".join(ONE_WORD))
_ALPHABETS = (
    (re.compile("[a-z]"), _LATIN),
    (re.compile("[\u0400-\u04ff]"), _CYRILLIC),
    (re.compile("[\u0600-\u06ff]"), _ARABIC),
)
_HAS_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_CLAUSE_LENGTH = 40  # characters before an order that tell whether it begins its clause


def order_in(text: str) -> tuple[str, int, int] | None:
    """The folded text in which an order stands, and the order's span; None without one."""
    folded = fold(text)
    for plain in (folded, *disguises(folded)):
        if (span := _order(plain)) is not None:
            return plain, *span
    return None


def _order(text: str) -> tuple[int, int] | None:
    for alphabet, languages in _ALPHABETS:
        if alphabet.search(text):
            for starts, shapes in languages:
                for start in starts.finditer(text):
                    if (span := _at(text, start.start(), shapes)) is not None:
                        return span
    if _HAS_UNSPACED.search(text) and (found := _UNSPACED.search(text)):
        return found.span()
    found = _FORMS.search(text) or _ONE_WORD.search(text)
    return found.span() if found else None


def _at(text: str, start: int, shapes: tuple[_Shape, ...]) -> tuple[int, int] | None:
    begins = _CLAUSE.search(text[max(0, start - _CLAUSE_LENGTH) : start]) is not None or start == 0
    for shape in shapes:
        if (begins or not shape.begins_clause) and (found := shape.pattern.match(text, start)):
            return found.span()
    return None
