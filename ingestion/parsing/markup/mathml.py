"""MathML of web pages and books as one line of text."""

from collections.abc import Callable

from lxml import etree

from ingestion.parsing.shared.formulas import MAX_DEPTH, fraction, grouped, plain, root, scripts
from ingestion.parsing.shared.xml import inner_text, local_name

_UNREAD = ("annotation", "annotation-xml", "mphantom", "none", "mprescripts")
_OPERATORS = "=+−±×÷·<>≤≥≠≈→∈"


def math_text(element: etree._Element, depth: int = 0) -> str:
    """The formula as it would be typed; `depth` is that of its nesting."""
    if depth > MAX_DEPTH:
        return inner_text(element)
    name = local_name(element)
    if name in _UNREAD or not name:
        return ""
    if name in ("mi", "mn", "mo", "mtext", "ms"):
        text = " ".join(plain(inner_text(element)).split())
        return f" {text} " if name == "mo" and text and text in _OPERATORS else text
    inner = [math_text(child, depth + 1) for child in element if local_name(child)]
    if name in _BUILT:
        return _BUILT[name](*inner, *[""] * 3)
    if name == "mfenced":
        separator = (element.get("separators") or ",")[:1]
        return f"{element.get('open', '(')}{separator.join(inner)}{element.get('close', ')')}"
    joined = _joined(name, inner)
    return " ".join((plain(element.text or "") + joined).split())


def _joined(name: str, inner: list[str]) -> str:
    match name:
        case "msqrt":
            return root("".join(inner))
        case "mtable":
            return f"[{'; '.join(row for row in inner if row)}]"
        case "mtr":
            return ", ".join(cell.strip() for cell in inner)
        case "menclose":
            return grouped("".join(inner))
    return "".join(inner)


# Elements that are built from their first few children; missing children are "".
_BUILT: dict[str, Callable[..., str]] = {
    "mfrac": lambda above, below, *_: fraction(above, below),
    "mroot": lambda inner, degree, *_: root(inner, degree),
    "msup": lambda base, above, *_: scripts(base, "", above),
    "mover": lambda base, above, *_: scripts(base, "", above),
    "msub": lambda base, below, *_: scripts(base, below, ""),
    "munder": lambda base, below, *_: scripts(base, below, ""),
    "msubsup": lambda base, below, above, *_: scripts(base, below, above),
    "munderover": lambda base, below, above, *_: scripts(base, below, above),
    "semantics": lambda shown, *_: shown,
}
