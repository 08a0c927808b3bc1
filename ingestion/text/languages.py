"""Language data: stemmers, decimal marks, apostrophes, and the normal form of a word."""

import threading
import unicodedata
from functools import cache

import Stemmer

UNDETERMINED = "und"

# ISO 639-1 code → Snowball algorithm. Croatian and Bosnian share Serbian's, which reads both alphabets.
_STEMMERS = {
    "ar": "arabic", "bs": "serbian", "ca": "catalan", "cs": "czech", "da": "danish", "de": "german",
    "el": "greek", "en": "english", "eo": "esperanto", "es": "spanish", "et": "estonian", "eu": "basque",
    "fa": "persian", "fi": "finnish", "fr": "french", "ga": "irish", "hi": "hindi", "hr": "serbian",
    "hu": "hungarian", "hy": "armenian", "id": "indonesian", "it": "italian", "lt": "lithuanian",
    "nb": "norwegian", "ne": "nepali", "nl": "dutch", "nn": "norwegian", "no": "norwegian", "pl": "polish",
    "pt": "portuguese", "ro": "romanian", "ru": "russian", "sr": "serbian", "st": "sesotho",
    "sv": "swedish", "ta": "tamil", "tr": "turkish", "yi": "yiddish",
}  # fmt: skip

# Latin words in texts of these languages are quotations, most often English.
_OTHER_SCRIPTS = frozenset({
    "am", "ar", "as", "be", "bg", "bn", "dz", "el", "fa", "gu", "he", "hi", "hy", "ja", "ka", "kk", "km",
    "kn", "ko", "ky", "lo", "mk", "ml", "mn", "mr", "my", "ne", "or", "pa", "ps", "ru", "sa", "si", "ta",
    "te", "tg", "th", "ug", "uk", "ur", "yi", "zh",
})  # fmt: skip
# Undetermined text (short notes, tables) counts as English, in questions and in documents.
_ENGLISH = frozenset({"en", UNDETERMINED})

# 1.234,5 and not 1,234.5 (Unicode CLDR, the languages' main countries).
_DECIMAL_COMMA = frozenset({
    "af", "az", "be", "bg", "bs", "ca", "cs", "da", "de", "el", "es", "et", "eu", "fi", "fo", "fr", "gl",
    "hr", "hu", "hy", "id", "is", "it", "ka", "kk", "ky", "lb", "lt", "lv", "mk", "mn", "nb", "nl", "nn",
    "no", "pl", "pt", "ro", "ru", "sk", "sl", "sq", "sr", "sv", "tg", "tk", "tr", "tt", "uk", "uz", "vi",
})  # fmt: skip
# Here an apostrophe stands inside a word (don't, м'ята); elsewhere between two (l'homme, foto's).
_APOSTROPHE_INSIDE = frozenset({*_ENGLISH, "uk", "be", "uz"})
_DOTLESS_I = frozenset({"tr", "az"})

# A stemmer keeps state while it works on a word, so two threads cannot share it.
_stemming = threading.Lock()


def decimal_mark(language: str) -> str:
    """Return the character before a fraction."""
    return "," if language in _DECIMAL_COMMA else "."


def splits_at_apostrophe(language: str) -> bool:
    return language not in _APOSTROPHE_INSIDE


def normalise(word: str, language: str) -> str:
    """A word in lower case and NFKC, with ASCII digits, without invisible characters."""
    if language in _DOTLESS_I:
        word = word.replace("I", "ı").replace("İ", "i")
    folded = unicodedata.normalize("NFKC", word).translate(_VISIBLE).casefold()
    return folded if folded.isascii() else unicodedata.normalize("NFKC", folded)


def stem(word: str, language: str) -> str:
    """The term of a normalised word: its stem without accents.

    Snowball's rules read accents (información, gemäß), so accents are removed last. English has none of its
    own: there they are removed first, and "résumés" matches "resume".
    """
    english = language in _ENGLISH or (language in _OTHER_SCRIPTS and word.isascii())
    if english:
        word = word.translate(_UNACCENTED)
    algorithm = "english" if english else _STEMMERS.get(language)
    if algorithm:
        with _stemming:
            word = _stemmer(algorithm).stemWord(word)
    return word.translate(_UNACCENTED)


@cache
def _stemmer(algorithm: str) -> Stemmer.Stemmer:
    return Stemmer.Stemmer(algorithm, 0)  # no cache of its own: the terms are cached


class _Visible(dict[int, str]):
    """Removes invisible characters (soft hyphen, zero-width joiners, direction marks) and spaces."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        decimal = unicodedata.decimal(character, None)
        if decimal is not None:
            self[code] = str(decimal)
        else:
            self[code] = "" if unicodedata.category(character) in ("Cf", "Cc", "Cs", "Zs") else character
        return self[code]


class _Unaccented(dict[int, str]):
    """Removes accents from Latin and Greek letters, and points from Hebrew and Arabic letters.

    Marks that are letters stay: vowels of Indic and South-East Asian scripts, Cyrillic й.
    """

    def __missing__(self, code: int) -> str:
        character = chr(code)
        plain = character
        if code < 0x0250 or 0x0370 <= code < 0x0400 or 0x1E00 <= code < 0x2000:
            parts = unicodedata.normalize("NFD", character)
            plain = "".join(part for part in parts if not unicodedata.combining(part)) or character
        elif unicodedata.combining(character) and (code < 0x0370 or 0x0591 <= code < 0x0671):
            plain = ""
        self[code] = plain
        return plain


_VISIBLE = _Visible()
_UNACCENTED = _Unaccented(
    str.maketrans({
        # Letters that Unicode does not take apart.
        "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ł": "l", "ı": "i", "ħ": "h", "ё": "е",
        # One letter, two keyboards: Arabic and Persian; the apostrophe inside a word.
        "ی": "ي", "ى": "ي", "ک": "ك", "ـ": "", "'": "", "’": "", "ʼ": "",
    })
)  # fmt: skip
