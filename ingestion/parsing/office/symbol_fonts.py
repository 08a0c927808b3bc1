"""Characters of symbol fonts, such as Wingdings, as the Unicode characters that they look like."""

import re

# The font Symbol has Greek letters at the codes of Latin ones.
_SYMBOL = dict(
    zip(
        range(0x41, 0x7B),
        "ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ[∴]⊥_‾αβχδεφγηιϕκλμνοπθρστυϖωξψζ",
        strict=True,
    )
) | {
    0xA2: "′", 0xA3: "≤", 0xA5: "∞", 0xAB: "↔", 0xAC: "←", 0xAD: "↑", 0xAE: "→", 0xAF: "↓", 0xB0: "°",
    0xB1: "±", 0xB2: "″", 0xB3: "≥", 0xB4: "×", 0xB5: "∝", 0xB6: "∂", 0xB7: "•", 0xB8: "÷", 0xB9: "≠",
    0xBA: "≡", 0xBB: "≈", 0xBC: "…", 0xC5: "⊕", 0xC6: "∅", 0xC7: "∩", 0xC8: "∪", 0xCC: "⊂", 0xCE: "∈",
    0xCF: "∉", 0xD0: "∠", 0xD1: "∇", 0xD2: "®", 0xD3: "©", 0xD4: "™", 0xD5: "∏", 0xD6: "√", 0xD7: "⋅",
    0xD8: "¬", 0xD9: "∧", 0xDA: "∨", 0xDB: "⇔", 0xDE: "⇒", 0xE5: "∑", 0xF2: "∫", 0x22: "∀", 0x24: "∃",
    0x2D: "−", 0x7E: "∼", 0xA0: "€",
}  # fmt: skip
_WINGDINGS = {
    0x6C: "●", 0x6E: "■", 0x6F: "□", 0x71: "❑", 0x72: "❒", 0x75: "◆", 0x76: "❖", 0x77: "◆", 0x9F: "•",
    0xA7: "▪", 0xA8: "☐", 0xD8: "➢", 0xDF: "←", 0xE0: "→", 0xE8: "➔", 0xF0: "⇨", 0xFB: "✗", 0xFC: "✓",
    0xFD: "☒", 0xFE: "☑", 0x28: "☎", 0x29: "✆", 0x2A: "✉", 0x4A: "☺", 0x4C: "☹", 0xAB: "★",
}  # fmt: skip
_WINGDINGS_2 = {0x4F: "✗", 0x50: "✓", 0x51: "☒", 0x52: "☑", 0x53: "☒", 0x54: "☒", 0xA3: "☐", 0x98: "•"}
_FONTS = {"symbol": _SYMBOL, "wingdings": _WINGDINGS, "wingdings 2": _WINGDINGS_2}

UNKNOWN = "\ufffd"
PRIVATE = 0xF000  # the first private-use code of fonts with 256 signs
_PRIVATE_SIGN = re.compile("[\uf000-\uf0ff]")


def symbol(font: str, code: int) -> str:
    """The Unicode character of a code in a font; `UNKNOWN` if there is none."""
    place = code - PRIVATE if PRIVATE <= code <= PRIVATE + 0xFF else code
    signs = _FONTS.get(font.strip().lower())
    if signs is not None:
        return signs.get(place, chr(place) if place < 0x41 and font.lower() == "symbol" else UNKNOWN)
    if place != code:
        return UNKNOWN
    return chr(code) if 0x20 <= code < 0xD800 or 0xF900 <= code < 0x110000 else UNKNOWN


def with_symbols(text: str, font: str) -> str:
    """Replace private-use codes of a symbol font by Unicode characters."""
    return _PRIVATE_SIGN.sub(lambda sign: symbol(font, ord(sign.group())), text)


def has_symbols(text: str) -> bool:
    return not text.isascii() and _PRIVATE_SIGN.search(text) is not None
