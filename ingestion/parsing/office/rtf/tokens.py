"""The tokens of RTF, and the encodings that its fonts and headers name."""

import codecs
import re
from collections.abc import Iterator
from typing import NamedTuple

_TOKEN = re.compile(
    rb"\\(?P<word>[a-zA-Z]{1,32})(?P<number>-?\d{1,9})? ?"
    rb"|\\'(?P<hex>[0-9a-fA-F]{2})"
    rb"|\\(?P<symbol>[^a-zA-Z])"
    rb"|(?P<brace>[{}])"
    rb"|(?P<text>[^\\{}\r\n]+)"
    rb"|[\r\n]+|\\",
    re.DOTALL,
)

# The numbers that a font table has for an alphabet, from the specification of RTF 1.9.1.
_CHARSETS = {
    77: "mac_roman",
    128: "cp932",
    129: "cp949",
    130: "johab",
    134: "gb18030",
    136: "cp950",
    161: "cp1253",
    162: "cp1254",
    163: "cp1258",
    177: "cp1255",
    178: "cp1256",
    186: "cp1257",
    204: "cp1251",
    222: "cp874",
    238: "cp1250",
    254: "cp437",
    255: "cp850",
}
_DEFAULT = "cp1252"
_MACHINES = {"ansi": _DEFAULT, "mac": "mac_roman", "pc": "cp437", "pca": "cp850"}


class Token(NamedTuple):
    """One of: a control word with its number, a control symbol, a brace, or bytes of text."""

    word: str = ""
    number: int | None = None
    symbol: str = ""
    brace: str = ""
    text: bytes = b""


def tokens(data: bytes) -> Iterator[Token]:
    """Yield the tokens of a file. Binary data of pictures is passed over."""
    position = 0
    while found := _TOKEN.match(data, position):
        position = found.end()
        word, number, hexadecimal, symbol, brace, text = found.groups()
        if word is not None:
            value = None if number is None else int(number)
            if word == b"bin":
                position += max(0, value or 0)
            else:
                yield Token(word.decode("ascii"), value)
        elif hexadecimal is not None:
            yield Token(text=bytes.fromhex(hexadecimal.decode("ascii")))
        elif symbol is not None:
            yield Token(symbol=symbol.decode("latin-1"))
        elif brace is not None:
            yield Token(brace=brace.decode("ascii"))
        elif text is not None:
            yield Token(text=text)


def encoding_of_page(word: str, number: int | None) -> str | None:
    """The encoding that the header names by `ansi`, `mac`, `pc`, `pca` or `ansicpg`; None for other words."""
    if word != "ansicpg":
        return _MACHINES.get(word)
    name = {65001: "utf-8", 10000: "mac_roman"}.get(number or 0, f"cp{number}")
    try:
        return codecs.lookup(name).name
    except LookupError:
        return _DEFAULT


def encoding_of_font(charset: int) -> str | None:
    """The encoding of a font with this number of an alphabet; None for that of the file."""
    return _CHARSETS.get(charset)
