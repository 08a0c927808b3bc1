"""Formulas as one line of text, inside the child process: `(a + b)/c`, `x^2`, `√(y)`.

OMML of Office files and MathML of web pages both end here, so that a fraction reads alike in all formats.
"""

import re
import unicodedata

_ATOM = re.compile(r"[\w.,%°′″!∞]+\Z")
_BRACKETED = re.compile(r"\([^()]*\)\Z|\[[^\[\]]*\]\Z|\{[^{}]*\}\Z")
# Letters that programs store as signs of their own for italics: 𝑥 is read, and searched, as x.
_MATHEMATICAL = re.compile("[\U0001d400-\U0001d7ff\u210e]+")
_INVISIBLE = re.compile("[\u2061-\u2064\u200b]")

MAX_DEPTH = 60  # of formulas within formulas; nobody can read ten


def plain(text: str) -> str:
    """The letters and signs of a formula as they are typed elsewhere."""
    text = _MATHEMATICAL.sub(lambda found: unicodedata.normalize("NFKC", found.group()), text)
    return _INVISIBLE.sub("", text)


def grouped(text: str) -> str:
    """`text` in brackets, unless it is one name or number or has brackets already."""
    text = text.strip()
    return text if not text or _ATOM.match(text) or _BRACKETED.match(text) else f"({text})"


def fraction(above: str, below: str) -> str:
    return f"{grouped(above)}/{grouped(below)}"


def scripts(base: str, below: str, above: str) -> str:
    """A base with what stands below it (an index, a limit) and above it (a power)."""
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
    """What must stand in front of raised (`name` "sup") or lowered text: else 10³ would be read as 103.

    Args:
        name: "sup" or "sub".
        before: The text that it follows.
        content: The raised or lowered text.
        after: The text that follows it.
    """
    if not before[-1:].isdigit() or not re.match(r"\s*[-+−–]?\d", content):
        return ""
    if name == "sup" and after[:1] in ("/", "⁄"):
        return " "  # 3 1/2
    return "^" if name == "sup" else "_"
