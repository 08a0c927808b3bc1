"""The costs of signs and of unusual positions of characters in a decoded text, in any language."""

import re
import unicodedata
from dataclasses import dataclass, field
from functools import lru_cache

from ingestion.parsing.encodings.alphabets import script

# Costs of characters that are no letters, and of unusual positions, in the unit of `alphabets`.
_TYPOGRAPHY = 3.0
_SIGN = 5.0
_ODD = 7.5
_CONTROL = 12.0
_UNKNOWN = 14.0
_RUN = 1.0  # a character again and again, as in lines that are drawn
_SIGN_WITHIN_WORD = 7.0
_CAPITAL_WITHIN_WORD = 5.0
_SCRIPTS_IN_ONE_WORD = 8.0
_CAPITAL = 0.7  # a word all in capitals
_WRONG_SIDE = 5.0  # an opening quotation mark behind a word
_CJK_BESIDE_SMALL = 2.0
_FIGURE_WITHIN_WORD = 6.0  # as UTF-16 looks, read as letters of one byte

_TYPOGRAPHIC = frozenset("“”„‚’‘–—…«»‹›•·©®™€£§°¿¡\u00a0、。「」『』【】（）！？：；，．・ー〜～％〒々“”№")
_SIGNS = frozenset("ªº²³½¼¾µ×÷±¹†‡¶¥¢←→↑↓○●◎□■△▲▽▼◇◆★☆※＊＋－＝／")
_WITHIN_WORDS = frozenset("’·ー々\u00ad\u00a0\u0640—")
_OPENING = frozenset("“„‚‘«‹¿¡")
_BEFORE_WORDS = frozenset("“‘«‹»›„€£¥§©•–—°№±×→←\u00a0")
_FIGURE = re.compile(r"(?<=[A-Za-z])[0-9](?=[^\W\d_])")
_WORD = re.compile(r"[^\W\d_]+")
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]|[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_KINDS = {"typography": _TYPOGRAPHY, "sign": _SIGN, "odd": _ODD, "control": _CONTROL, "unknown": _UNKNOWN}


@dataclass(slots=True)
class PositionCosts:
    """The costs of a text that do not depend on its language.

    Attributes:
        standing: Cost of signs and of unusual positions.
        count: Number of non-ASCII characters.
        letters: Non-ASCII letters and how often they occur.
    """

    standing: float = 0.0
    count: int = 0
    letters: dict[str, int] = field(default_factory=dict)


def weigh(text: str) -> PositionCosts:
    weighed = PositionCosts()
    for match in _BEYOND_ASCII.finditer(text):
        at = match.start()
        character = match.group()
        before = text[at - 1] if at else " "
        after = text[at + 1] if at + 1 < len(text) else " "
        kind = _kind(character)
        weighed.count += 1
        if kind == "letter":
            weighed.letters[character] = weighed.letters.get(character, 0) + 1
            weighed.standing += _next_to(before, character) + _next_to(after, character)
        elif before == character and kind != "unknown":
            weighed.standing += _RUN
        else:
            weighed.standing += _KINDS[kind] + _misplaced(before, character, after)
    weighed.standing += _FIGURE_WITHIN_WORD * len(_FIGURE.findall(text))
    weighed.standing += sum(_capitals(match.group()) for match in _WORD.finditer(text))
    return weighed


def _misplaced(before: str, sign: str, after: str) -> float:
    """The cost of a sign within a word or on the wrong side of one."""
    if sign in _WITHIN_WORDS or _is_cjk(before) or _is_cjk(after):
        return 0.0
    if before.isalpha() and after.isalpha():
        return _SIGN_WITHIN_WORD
    if sign in _OPENING:
        return _WRONG_SIDE if before.isalpha() or after.isspace() else 0.0
    return _WRONG_SIDE if after.isalpha() and sign not in _BEFORE_WORDS else 0.0


def _next_to(other: str, letter: str) -> float:
    """The cost of a letter beside a letter of another script."""
    if not other.isalpha():
        return 0.0
    first, second = script(other), script(letter)
    if first == second or _is_cjk(other):
        return 0.0
    if _is_cjk(letter):
        return _CJK_BESIDE_SMALL if "a" <= other <= "z" else 0.0
    return _SCRIPTS_IN_ONE_WORD


def _capitals(word: str) -> float:
    """The cost of a word whose non-ASCII letters differ in case from the others."""
    if word.isascii() or len(word) < 2 or word.islower() or word.istitle():
        return 0.0
    capital = sum(letter > "\x7f" and letter.isupper() for letter in word[1:])
    if not any(letter.islower() for letter in word):
        return capital * _CAPITAL
    small = sum(letter > "\x7f" and letter.islower() for letter in word)
    lone = small * _CAPITAL_WITHIN_WORD if sum(map(str.isupper, word)) > len(word) // 2 else 0.0
    return max(capital * _CAPITAL_WITHIN_WORD, lone)


def _is_cjk(character: str) -> bool:
    return character > "\x7f" and script(character) in ("CJK", "HANGUL")


@lru_cache(maxsize=2**14)
def _kind(character: str) -> str:
    if character in _TYPOGRAPHIC:
        return "typography"
    if character in _SIGNS:
        return "sign"
    category = unicodedata.category(character)
    if character == "\ufffd":
        return "unknown"
    if category[0] in "LM":
        return "letter"
    if category in ("Cc", "Co", "Cn", "Cs"):
        return "control"
    return "odd"
