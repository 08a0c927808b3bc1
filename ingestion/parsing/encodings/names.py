"""The known text encodings, by the names that users and files give them."""

import codecs
from dataclasses import dataclass

from ingestion.parsing.encodings.alphabets import CJK, LATIN, OTHERS

_WEST = ("ca", "da", "de", "en", "es", "fi", "fr", "ga", "is", "it", "nb", "nl", "pt", "sq", "sv")
_CENTRAL = ("cs", "de", "en", "hr", "hu", "pl", "ro", "sk", "sl", "sq")
_BALTIC = ("da", "de", "en", "et", "fi", "lt", "lv", "pl", "sv")
_TURKISH = (*_WEST, "tr")
_EVERY = (*LATIN, *OTHERS, *CJK)
_CYRILLIC = ("be", "bg", "mk", "ru", "sr", "uk")


@dataclass(frozen=True, slots=True)
class Encoding:
    """An encoding: Python's name, the common name, and the languages that are written in it.

    `rarity` is the cost of its rareness among files, in the unit of `alphabets`.
    """

    name: str
    shown: str
    languages: tuple[str, ...]
    rarity: float


_ALL = (
    Encoding("utf_8", "UTF-8", _EVERY, 0.0),
    Encoding("utf_16_le", "UTF-16-LE", _EVERY, 2.0),
    Encoding("utf_16_be", "UTF-16-BE", _EVERY, 2.5),
    Encoding("utf_32_le", "UTF-32-LE", _EVERY, 3.0),
    Encoding("utf_32_be", "UTF-32-BE", _EVERY, 3.0),
    Encoding("cp1252", "Windows-1252", _WEST, 0.0),
    Encoding("cp1250", "Windows-1250", _CENTRAL, 1.5),
    Encoding("cp1251", "Windows-1251", _CYRILLIC, 1.0),
    Encoding("cp1253", "Windows-1253", ("el",), 1.5),
    Encoding("cp1254", "Windows-1254", _TURKISH, 1.5),
    Encoding("cp1255", "Windows-1255", ("he",), 1.5),
    Encoding("cp1256", "Windows-1256", ("ar", "fa"), 1.5),
    Encoding("cp1257", "Windows-1257", _BALTIC, 2.5),
    Encoding("cp1258", "Windows-1258", ("vi",), 3.0),
    Encoding("cp874", "Windows-874", ("th",), 1.5),
    Encoding("cp932", "Shift_JIS", ("ja",), 1.0),
    Encoding("euc_jp", "EUC-JP", ("ja",), 2.0),
    Encoding("iso2022_jp_2", "ISO-2022-JP", ("ja",), 2.0),
    Encoding("gb18030", "GB18030", ("zh", "zh-Hant"), 1.0),
    Encoding("big5hkscs", "Big5", ("zh-Hant",), 1.0),
    Encoding("cp949", "EUC-KR", ("ko",), 1.0),
    Encoding("iso2022_kr", "ISO-2022-KR", ("ko",), 3.0),
    Encoding("johab", "Johab", ("ko",), 4.0),
    Encoding("cp850", "IBM850", _WEST, 2.2),
    Encoding("cp437", "IBM437", _WEST, 2.4),
    Encoding("cp852", "IBM852", _CENTRAL, 2.5),
    Encoding("cp855", "IBM855", _CYRILLIC, 4.0),
    Encoding("cp857", "IBM857", ("tr",), 3.0),
    Encoding("cp862", "IBM862", ("he",), 3.0),
    Encoding("cp865", "IBM865", ("da", "nb"), 3.5),
    Encoding("cp866", "IBM866", ("be", "bg", "ru", "uk"), 2.0),
    Encoding("cp737", "IBM737", ("el",), 3.0),
    Encoding("cp775", "IBM775", _BALTIC, 3.5),
    Encoding("koi8_r", "KOI8-R", ("ru", "bg"), 1.5),
    Encoding("koi8_u", "KOI8-U", ("uk", "ru", "be"), 2.0),
    Encoding("iso8859_1", "ISO-8859-1", _WEST, 1.0),
    Encoding("iso8859_2", "ISO-8859-2", _CENTRAL, 2.0),
    Encoding("iso8859_3", "ISO-8859-3", ("eo", "mt"), 4.0),
    Encoding("iso8859_4", "ISO-8859-4", _BALTIC, 3.5),
    Encoding("iso8859_5", "ISO-8859-5", _CYRILLIC, 2.5),
    Encoding("iso8859_6", "ISO-8859-6", ("ar",), 2.5),
    Encoding("iso8859_7", "ISO-8859-7", ("el",), 2.0),
    Encoding("iso8859_8", "ISO-8859-8", ("he",), 2.0),
    Encoding("iso8859_9", "ISO-8859-9", _TURKISH, 2.0),
    Encoding("iso8859_10", "ISO-8859-10", ("is", "da", "sv", "nb", "fi", "lt", "lv", "et"), 4.0),
    Encoding("iso8859_13", "ISO-8859-13", _BALTIC, 3.5),
    Encoding("iso8859_14", "ISO-8859-14", ("cy", "ga"), 4.0),
    Encoding("iso8859_15", "ISO-8859-15", _WEST, 1.5),
    Encoding("iso8859_16", "ISO-8859-16", ("ro", "hu", "pl", "sl", "hr", "de", "fr"), 4.0),
    Encoding("mac_roman", "Mac Roman", _WEST, 3.5),
    Encoding("mac_latin2", "Mac Central European", _CENTRAL, 4.0),
    Encoding("mac_cyrillic", "Mac Cyrillic", _CYRILLIC, 3.0),
    Encoding("mac_greek", "Mac Greek", ("el",), 3.5),
    Encoding("mac_turkish", "Mac Turkish", ("tr",), 3.5),
    Encoding("mac_iceland", "Mac Icelandic", ("is",), 4.0),
)

ENCODINGS = {encoding.name: encoding for encoding in _ALL}

# Older standards and the newer ones that contain them. As in browsers, because files that declare the older
# one have characters of the newer one.
_HOLDS = {
    "ascii": "cp1252",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "big5": "big5hkscs",
    "cp950": "big5hkscs",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "tis_620": "cp874",
    "iso8859_11": "cp874",
    "iso2022_jp": "iso2022_jp_2",
    "utf_8_sig": "utf_8",
    "cp858": "cp850",
    "utf_16": "utf_16",
    "utf_32": "utf_32",
}
# Names that Python does not know, without punctuation.
_UNKNOWN_TO_PYTHON = {
    "cp1252": "ansi",
    "mac_roman": "macroman macintosh xmacroman",
    "mac_latin2": "maccentraleurope maccentraleuropean",
    "mac_cyrillic": "maccyrillic xmaccyrillic",
    "mac_greek": "macgreek",
    "mac_turkish": "macturkish",
    "mac_iceland": "macicelandic",
    "cp874": "windows874",
    "cp932": "windows932 windows31j xsjis",
    "gb18030": "windows936 xgbk",
    "cp949": "windows949",
    "big5hkscs": "windows950 xxbig5",
    "euc_jp": "xeucjp",
    "utf_16": "unicode ucs2",
}
_ALIASES = {alias: name for name, aliases in _UNKNOWN_TO_PYTHON.items() for alias in aliases.split()}


def encoding_named(name: str) -> str | None:
    """Python's name of an encoding by any of its names; None for an unknown name."""
    plain = "".join(character for character in name.lower() if character.isalnum())
    if (alias := _ALIASES.get(plain)) is not None:
        return alias
    for spelling in (name, f"cp{plain}" if plain.isdecimal() else plain):
        try:
            found = codecs.lookup(spelling.strip()).name
        except (LookupError, ValueError):  # ValueError: a NUL in it
            continue
        found = _ALIAS_OF_CODEC.get(found, found)
        found = _HOLDS.get(found, found)
        if found in ENCODINGS or found in ("utf_16", "utf_32"):
            return found
    return None


def shown_name(name: str) -> str:
    """The common name of an encoding, by Python's name."""
    return ENCODINGS[name].shown if name in ENCODINGS else name.upper().replace("_", "-")


def known_names() -> str:
    """The names that users may give, in one line."""
    return ", ".join(("UTF-8", "UTF-16", "UTF-32", *(encoding.shown for encoding in _ALL[5:])))


# `codecs.lookup` spells some names with other marks than the modules have.
_ALIAS_OF_CODEC = {
    codecs.lookup(name).name: name for name in (*ENCODINGS, *_HOLDS) if codecs.lookup(name).name != name
}
