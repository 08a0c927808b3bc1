"""Characters that nobody sees: which of them scripts and emoji need, and which can only carry hidden text.

| characters | stay | otherwise |
|---|---|---|
| tags (U+E0000 to U+E007F) | in the flag of a region, 🏴 and its letters | left out: they spell sentences |
| variation selectors | one, after a sign that has variants; the supplement after an ideograph | left out |
| joiner, non-joiner | one, in a joining script or between emoji | left out |
| zero-width space | beside Thai, Lao, Khmer and their like, whose words it parts | left out |
| word joiner, byte order mark, invisible operators, deprecated format characters | | left out |
| soft hyphen | always: many PDFs show it | |
| marks of direction | always: right-to-left text needs them | |
| Hangul fillers | beside the letters that they complete | a space, as they look |
| interlinear annotation | | left out, the separator as a space |

Of CARRIER or more such characters in a row nothing stays: no script has so many.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

CARRIER = 8  # invisible characters in a row, which encode something: a byte or a bit each
_UNSEEN_ENOUGH = 4  # characters left out in one place that count as a passage of hidden text

_CONTROLS = r"\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufdd0-\ufdef\uffff"
_DIRECTION = r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_CLASS = (
    rf"{_CONTROLS}{_DIRECTION}\u00ad\u034f\u115f\u1160\u180b-\u180f\u200b-\u200d\u2060-\u2064\u206a-\u206f"
    r"\ufe00-\ufe0f\ufeff\ufff9\ufffb\U000e0000-\U000e0fff"
)
_RUN = re.compile(f"[{_CLASS}]+")
_CONTROL = re.compile(f"[{_CONTROLS}]")
_KEPT_ANYWHERE = re.compile(rf"[{_DIRECTION}\u00ad]")
_FLAG = re.compile("[\U000e0030-\U000e0039\U000e0061-\U000e007a]{2,6}\U000e007f")
_BLACK_FLAG = "\U0001f3f4"
_TEXT_CARRIERS = re.compile("[\U000e0000-\U000e0fff]")
_VARIABLE_ASCII = frozenset("0123456789#*")  # with variants as emoji
_AS_SPACE = str.maketrans("\u3164\uffa0\ufffa", "   ")
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_UNSEEN_IN_LINES = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_OVERRIDES = re.compile("[\u202d\u202e][^\u202c\n]*")

_JOINING = re.compile(
    r"[\u0590-\u109f\u1700-\u1cff\ua800-\uabff\ufb1d-\ufdff\ufe70-\ufefc\U00010a00-\U00011fff\U0001e900-\U0001e95f]"
)
_WITHOUT_SPACES = re.compile(r"[\u0e00-\u109f\u1780-\u17ff\u1950-\u1aaf\ua9e0-\uaa7f]")
_MONGOLIAN = re.compile(r"[\u1800-\u18af]")
_JAMO = re.compile(r"[\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff]")
_IDEOGRAPH = re.compile(r"[\u2e80-\u2fff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")


class InvisibleRun(NamedTuple):
    """Invisible and control characters in a row.

    Attributes:
        start: Its first character.
        end: The character behind it.
        kept: Offsets of the characters that stay, in order.
        is_passage: Whether what is left out holds text: tags, or more than slips of an editor.
    """

    start: int
    end: int
    kept: tuple[int, ...]
    is_passage: bool


def runs(text: str, start: int = 0, end: int | None = None) -> Iterator[InvisibleRun]:
    """Yield the runs of a stretch of a text."""
    for found in _RUN.finditer(text, start, len(text) if end is None else end):
        first, behind = found.span()
        kept = tuple(_kept(text, first, behind))
        lost = [
            text[place]
            for place in range(first, behind)
            if place not in kept and not _CONTROL.match(text[place])
        ]
        spells = any(map(_TEXT_CARRIERS.match, lost))
        yield InvisibleRun(first, behind, kept, spells or len(lost) >= _UNSEEN_ENOUGH)


def as_seen(text: str) -> str:
    """The text with spaces for characters that look like one; its length stays."""
    return text.translate(_AS_SPACE)


def hidden_passages(text: str) -> int:
    """How many passages of a text are written in invisible characters that are left out."""
    return sum(run.is_passage for run in runs(text))


def reordered_passages(text: str) -> int:
    """How many passages are forced to be shown in another order than the text has; they stay."""
    return sum(len(found.group()) > 2 for found in _OVERRIDES.finditer(text))


def with_marked_tags(text: str) -> str:
    """The text with U+FFFD for each tag that `clean` leaves out, as in texts that an older version read.

    Offsets stay.
    """
    if not _TEXT_CARRIERS.search(text):
        return text
    kept = {place for run in runs(text) for place in run.kept}
    return "".join(
        "\ufffd" if _TEXT_CARRIERS.match(character) and place not in kept else character
        for place, character in enumerate(text)
    )


def without_invisible(text: str) -> str:
    """The text without the invisible and control characters that only hide something."""
    pieces: list[str] = []
    start = 0
    for run in runs(text):
        pieces.append(text[start : run.start])
        pieces += (text[place] for place in run.kept)
        start = run.end
    return "".join(pieces) + text[start:]


def first_unseen(text: str, *, lines: bool = False) -> tuple[int, str] | None:
    """Return the place from 1, and the character, of the first one that nobody sees; None without any.

    Control characters and halves of surrogate pairs are such. With `lines`, line feeds and tabs are seen.
    """
    seen = (_UNSEEN_IN_LINES if lines else _UNSEEN).sub("", without_invisible(text))
    if seen == text:
        return None
    pairs = zip(text, f"{seen}\0", strict=False)
    return next((place, one) for place, (one, other) in enumerate(pairs, 1) if one != other)


def _kept(text: str, first: int, behind: int) -> Iterator[int]:
    """The offsets of a run's characters that stay."""
    before, after = text[first - 1 : first] if first else "", text[behind : behind + 1]
    if before == _BLACK_FLAG and (flag := _FLAG.match(text, first, behind)):
        yield from range(*flag.span())
        first = flag.end()
    if sum(not _CONTROL.match(text[place]) for place in range(first, behind)) >= CARRIER:
        return
    last = ""  # invisible character that stays, before this one
    for place in range(first, behind):
        if _stays(text[place], before, last, after):
            last = text[place]
            yield place


def _stays(character: str, before: str, last: str, after: str) -> bool:
    """Whether a character stays between these visible ones, behind the invisible `last`."""
    stays = False
    if _KEPT_ANYWHERE.match(character):
        stays = True
    elif not before:
        pass
    elif "\ufe00" <= character <= "\ufe0f":
        has_variants = not before.isascii() and not before.isspace()
        stays = not last and (has_variants or before in _VARIABLE_ASCII)
    elif "\U000e0100" <= character <= "\U000e01ef":
        stays = not last and bool(_IDEOGRAPH.match(before))
    elif character in "\u200c\u200d":
        joins = bool(_JOINING.match(before)) or (_is_pictured(before) and _is_pictured(after))
        stays = joins and (not last or "\ufe00" <= last <= "\ufe0f")
    elif character == "\u200b":
        stays = not last and any(map(_WITHOUT_SPACES.match, (before, after)))
    elif character in "\u115f\u1160":
        stays = any(map(_JAMO.match, (before, after)))
    elif "\u180b" <= character <= "\u180f":
        stays = not last and bool(_MONGOLIAN.match(before))
    elif character == "\u034f":
        stays = unicodedata.combining(before) > 0
    return stays


def _is_pictured(character: str) -> bool:
    """Whether this is an emoji, a modifier of one, or another sign that emoji are joined from."""
    return (
        bool(character)
        and unicodedata.category(character) in ("So", "Sk", "Sm", "Po")
        and not character.isascii()
    )
