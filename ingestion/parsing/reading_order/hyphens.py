"""Joins words that are cut at a line end; real hyphens stay.

"certifi-" and "cate" are one word, "long-" and "term" two, "2020-" and "21" a range. These clues decide, in
this order: digits, capitals and single letters; the word or the compound elsewhere on the page; how the
language uses hyphens; and, in English, which parts are words.
"""

import re

from ingestion.parsing.reading_order.english import has_vocabulary, is_english_word

# PDFium writes U+FFFE for a hyphen at a line end, and no break after it; NULs are characters left out.
_END = re.compile(r"\ufffe\0*|[-\u2010\xad\x02]\0*[ \t]*(?:\r\n|[\r\n])[ \t]*")
_LEFT = re.compile(r"[^\W_]*\Z")
_RIGHT = re.compile(r"[^\W_]*")
_PREFIX = re.compile(r"^(?:non|un|re|pre|over|under|mis|dis|inter)(?=\w{4})")
_SUFFIX = re.compile(r"(?<=\w{3})(?:ations?|ings?|ible|able|ments?|ions?|ers?|ors?|ed|ly|es|s|al)$")
_LONG_PART = 7
_LONGEST = 40  # letters of a part that are looked at
_SOFT = "\xad"


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


# Words that show a page's language; each is frequent in one language and rare in the others.
_SIGNS = {
    "en": _set("the of and to in is that for with are this by"),
    "de": _set("der die und das nicht von mit ist den des ein für auf"),
    "fr": _set("le les des est une dans pour que pas sur qui du"),
    "es": _set("el los las que una por con del para es se su"),
    "pt": _set("os as que uma não com do da em para dos por"),
    "it": _set("il che di della per non una con gli del sono nel"),
    "nl": _set("de het een van en dat niet met voor zijn op is"),
}
_WORDS = re.compile(r"[^\W\d_]+")
_SIGN_CHARACTERS = 4000

# Words that follow a real hyphen: "Ein- und Ausgang", "first- and second-rate".
_AND = _set("and or to und oder bzw sowie et ou en of y e o")
# Words tied to the word before by a hyphen: after French verbs and numbers, Portuguese pronouns after verbs.
_TIED = {
    "fr": _set(
        "il elle ils elles on je tu nous vous ce ci là même mêmes être moi toi lui leur dire deux trois "
        "quatre cinq six sept huit neuf dix"
    ),
    "pt": _set("se me te lhe lhes nos vos feira lo la los las"),
}
# First parts that always take a hyphen, and first parts that take none before a part that is no word.
_APART = _set(
    "self ex non all well vice quasi semi anti pro pre post co multi cross half anglo "
    "franco hispano germano greco luso"
)
_TOGETHER = _set("un im ir dis mis con com per pur ob ab ac ad al ap ar as at de di en em inter")
# Endings that are never the last part of a compound.
_ENDINGS = _set(
    "al able ance ances ed ence ences ent er ers es est ful ible ic ical ics ied ies ified ify ing ings ion "
    "ions ish ism ist ists ities ity ive ized izing less ly ment mental mentation ments ness ous ship sion "
    "sional sions tal ted ter ters tial tic tical ties ting tion tional tions tive tives tor tors tory tures "
    "ture ty ure ures"
)


def join_words(text: str) -> str:
    """Replace each hyphen and line break that only cut a word by NULs; the length stays."""
    ends = list(_END.finditer(text))
    if not ends:
        return text
    page = _PageWords(text)
    pieces: list[str] = []
    done = 0
    for match in ends:
        left = _LEFT.search(text[max(0, match.start() - _LONGEST) : match.start()].replace("\0", ""))
        right = _RIGHT.match(text[match.end() : match.end() + _LONGEST].replace("\0", ""))
        if left is None or right is None or not left.group() or not right.group():
            continue
        if match.group().startswith(_SOFT) or page.is_one_word(
            left.group(), right.group(), match.start(), match.end()
        ):
            pieces += (text[done : match.start()], "\0" * (match.end() - match.start()))
            done = match.end()
    return "".join(pieces) + text[done:]


class _PageWords:
    """The clues of one page on its cut words."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._folded: str | None = None
        self._language: str | None = None

    def is_one_word(self, left: str, right: str, at: int, behind: int) -> bool:
        """Whether the hyphen at `at` only cuts a word that continues at `behind`."""
        if _is_marked(left, right) or self._has_another_hyphen(left, right, at, behind):
            return False
        one, two = left.lower(), right.lower()
        if two in _AND or two in _TIED.get(self.language, ()):
            return False
        found = self._elsewhere(one, two)
        if found is None:
            found = _is_whole_in_english(one, two) if self.language == "en" else one not in _APART
        return found

    def _has_another_hyphen(self, left: str, right: str, at: int, behind: int) -> bool:
        """Whether the word has further hyphens, as in "state-of-the-art"."""
        first = at - len(left)
        around = self._text[max(0, first - 1) : first], self._text[behind + len(right) :][:1]
        return any(side in ("-", "/", "\u2010") for side in around)

    def _elsewhere(self, left: str, right: str) -> bool | None:
        """Whether the page has it as one word (True) or with a hyphen (False) elsewhere; None for neither."""
        if self._folded is None:
            self._folded = self._text.lower()
        for shape, is_one in ((left + right, True), (f"{left}-{right}", False)):
            start = self._folded.find(shape)
            while start >= 0:
                sides = self._folded[max(0, start - 1) : start] + self._folded[start + len(shape) :][:1]
                if not any(map(str.isalnum, sides)):
                    return is_one
                start = self._folded.find(shape, start + 1)
        return None

    @property
    def language(self) -> str:
        """The language of most of the page's frequent words; English without any."""
        if self._language is None:
            words = set(_WORDS.findall(self._text[:_SIGN_CHARACTERS].lower()))
            counts = {name: len(words & signs) for name, signs in _SIGNS.items()}
            self._language = max(counts, key=lambda name: counts[name])
        return self._language


def _is_marked(left: str, right: str) -> bool:
    """Whether the parts show that the hyphen is real: "2020-21", "e-mail", "US-Dollar"."""
    if not (left.isalpha() and right.isalpha()) or len(left) == 1 or left.lower() == right.lower():
        return True
    if left not in (left.lower(), left.upper(), left.capitalize()):
        return True
    if right[0].isupper():
        return not (left.isupper() and right.isupper())
    # Scripts without capitals cut no words.
    return left.isupper() or not right[0].islower()


def _is_whole_in_english(left: str, right: str) -> bool:
    if is_english_word(left + right):
        return True
    if right in _ENDINGS or (left in _TOGETHER and not _may_be_word(right)):
        return True
    if left in _APART or not has_vocabulary():
        return False
    # Of a long second part, such as "deductible", the vocabulary may not know that it is a word.
    return not (_may_be_word(left) and (len(right) >= _LONG_PART or _may_be_word(right)))


def _may_be_word(text: str) -> bool:
    """Whether a part is a word, or a word with a usual prefix or suffix ("noninvestment")."""
    if is_english_word(text):
        return True
    stem = _SUFFIX.sub("", _PREFIX.sub("", text))
    return len(stem) > 2 and any(is_english_word(stem + end) for end in ("", "e", "y"))
