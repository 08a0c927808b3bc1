"""Formulas as one line of text: `(a + b)/c`, `x^2`, `√(y)`.

OMML of Office files and MathML of web pages share this notation.
"""

import re
import unicodedata

_ATOM = re.compile(r"[\w.,%°′″!∞]+\Z")
_BRACKETED = re.compile(r"\([^()]*\)\Z|\[[^\[\]]*\]\Z|\{[^{}]*\}\Z")
# Letters with code points of their own for italics: 𝑥 is stored, and searched, as x.
_MATHEMATICAL = re.compile("[\U0001d400-\U0001d7ff\u210e]+")
_INVISIBLE = re.compile("[\u2061-\u2064\u200b]")

MAX_DEPTH = 60  # of nested formulas; people cannot read ten


def plain(text: str) -> str:
    """The letters and signs of a formula as they are typed in plain text."""
    text = _MATHEMATICAL.sub(lambda found: unicodedata.normalize("NFKC", found.group()), text)
    return _INVISIBLE.sub("", text)


def grouped(text: str) -> str:
    """`text` in brackets, unless it is one name or number or has brackets already."""
    text = text.strip()
    return text if not text or _ATOM.match(text) or _BRACKETED.match(text) else f"({text})"


def fraction(above: str, below: str) -> str:
    return f"{grouped(above)}/{grouped(below)}"


def scripts(base: str, below: str, above: str) -> str:
    """A base with a subscript or lower limit (`below`) and a power or upper limit (`above`)."""
    text = base.strip()
    if below.strip():
        text += f"_{grouped(below)}"
    if above.strip():
        text += f"^{grouped(above)}"
    return text


def root(inner: str, degree: str = "") -> str:
    named = {"": "√", "2": "√", "3": "∛", "4": "∜"}
    degree = degree.strip()
    inner = inner.strip()
    return f"{named[degree]}({inner})" if degree in named else f"root_{grouped(degree)}({inner})"


def script_mark(name: str, before: str, content: str, after: str) -> str:
    """The mark before raised or lowered digits, without which 10³ would become 103; "" if needless.

    Args:
        name: "sup" for raised text, "sub" for lowered text.
        before: The text before it.
        content: The raised or lowered text.
        after: The text after it.
    """
    if not before[-1:].isdigit() or not re.match(r"\s*[-+−–]?\d", content):
        return ""
    if name == "sup" and after[:1] in ("/", "⁄"):
        return " "  # 3 1/2
    return "^" if name == "sup" else "_"
