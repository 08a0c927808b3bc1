"""Inline content of HTML: form fields, ruby, notes, raised figures."""

import re

from lxml import etree

from ingestion.parsing.markup.addresses import address_after
from ingestion.parsing.markup.html_references import References
from ingestion.parsing.markup.mathml import math_text
from ingestion.parsing.shared.formulas import script_mark
from ingestion.parsing.shared.xml import inner_text, local_name, walk

# Elements that are not entered: a browser shows other text than that between their tags.
REPLACED = frozenset({"img", "input", "select", "textarea", "ruby", "svg", "math"})

_MARKS = {"q": ("“", "”"), **dict.fromkeys(("button", "option", "output", "label"), (" ", " "))}
_UNSEEN_INPUTS = ("hidden", "password", "file")
BOXES = ("checkbox", "radio")
_MAX_SVG_TEXTS = 1000
_WHITE_SPACE = re.compile(r"\s+")
_SOFT = re.compile("[\u00ad\u200b]")  # invisible break opportunities, which would hide words from search
_NOTE_MARK = re.compile(r"[\s(]*[\w*†‡§]{1,5}[\s)]*\Z")


class HtmlInlineText:
    """Gathers the text of one line or cell.

    Args:
        references: Between the elements of the page.
        addresses: Write a link's address in brackets after its words.
        expanded: Expansions of abbreviations that are written already; None to write none.
    """

    def __init__(
        self, references: References, *, addresses: bool = False, expanded: set[str] | None = None
    ) -> None:
        self._references = references
        self._addresses = addresses
        self._expanded = expanded
        self._words: list[str] = []
        self._closing: list[tuple[etree._Element, str]] = []

    def add(self, text: str, *, keep_space: bool = False) -> None:
        if not text.isascii():
            text = _SOFT.sub("", text)
        if text:
            self._words.append(text if keep_space else _WHITE_SPACE.sub(" ", text))

    def take(self) -> str:
        """Return the text gathered so far and begin anew."""
        text = "".join(self._words)
        self._words.clear()
        return text

    def start(self, element: etree._Element, name: str) -> None:
        """Begin an element within the line."""
        before, after = self._marks(element, name)
        self.add(before)
        if after:
            self._closing.append((element, after))

    def end(self, element: etree._Element) -> None:
        if self._closing and self._closing[-1][0] is element:
            self.add(self._closing.pop()[1])

    def replaced(self, element: etree._Element, name: str) -> None:
        """Add the visible text of an element of `REPLACED`."""
        match name:
            case "img":
                self.add(element.get("alt") or "")
            case "ruby":
                self.add(_ruby_text(element))
            case "input":
                self.add(f" {self._input_text(element)} ")
            case "select":
                self.add(f" {_chosen(element)} ")
            case "textarea":
                self.add(f" {inner_text(element).strip()} ")
            case "math":
                self.add(f" {math_text(element).strip()} ")
            case "svg":
                texts = [inner_text(text) for text in element.iter("{*}text")][:_MAX_SVG_TEXTS]
                self.add(f" {' '.join(texts)} " if texts else "")

    def _marks(self, element: etree._Element, name: str) -> tuple[str, str]:
        """The marks before and after an element's text."""
        marks = _MARKS.get(name, ("", ""))
        if name in ("sup", "sub"):
            if name == "sup" and _is_note_mark(element):
                return "[", "]"
            before = self._words[-1] if self._words else ""
            marks = script_mark(name, before, inner_text(element), element.tail or ""), ""
        elif name == "a":
            marks = self._link_marks(element)
        elif name == "label" and (box := self._references.box_of(element)) is not None:
            marks = f" {box_mark(box)}", " "
        elif name in ("abbr", "dfn"):
            marks = "", self._expansion(element)
        return marks

    def _link_marks(self, element: etree._Element) -> tuple[str, str]:
        kind = f"{_attribute(element, 'type')} {element.get('role') or ''}"
        if "noteref" in kind and _NOTE_MARK.match(inner_text(element)):
            return ("", "") if local_name(element.getparent()) == "sup" else ("[", "]")
        if not self._addresses:
            return "", ""
        return "", address_after(inner_text(element), element.get("href") or "")

    def _expansion(self, element: etree._Element) -> str:
        title = " ".join((element.get("title") or "").split())
        if not title or self._expanded is None or title.casefold() in self._expanded:
            return ""
        self._expanded.add(title.casefold())
        return "" if title.casefold() == inner_text(element).strip().casefold() else f" ({title})"

    def _input_text(self, element: etree._Element) -> str:
        kind = (element.get("type") or "text").strip().lower()
        if kind in _UNSEEN_INPUTS:
            return ""
        if kind in BOXES:
            return "" if self._references.has_label(element) else box_mark(element)
        return element.get("alt" if kind == "image" else "value") or ""


def box_mark(box: etree._Element) -> str:
    return "[x] " if box.get("checked") is not None else "[ ] "


def _chosen(select: etree._Element) -> str:
    """The chosen options of a list; without any, the first option, which a closed list shows."""
    options = list(select.iter("{*}option"))
    chosen = [option for option in options if option.get("selected") is not None]
    is_open = select.get("multiple") is not None or (select.get("size") or "1").strip() not in ("", "0", "1")
    if not chosen and not is_open:
        chosen = options[:1]
    return ", ".join(" ".join((option.get("label") or inner_text(option)).split()) for option in chosen)


def _ruby_text(ruby: etree._Element) -> str:
    """The base text and its pronunciation in brackets, so that whole words can be found."""
    texts: dict[str, list[str]] = {"base": [], "rt": [], "rp": []}
    mode = "base"
    for step, element, text in walk(ruby, lambda _: False):
        name = local_name(element)
        if name in ("rt", "rtc", "rp") and step == "start":
            mode = "rp" if name == "rp" else "rt"
            if mode == "rt" and texts["rt"]:
                texts["rt"].append(" ")
        elif step == "end" and name in ("rt", "rtc", "rp"):
            mode = "base"
        texts[mode].append(text)
    base, reading = ("".join(texts[kind]) for kind in ("base", "rt"))
    base, reading = _unspaced(base), _unspaced(reading)
    return f"{base}({reading})" if reading else base


def _unspaced(text: str) -> str:
    """Remove white space between characters of scripts that do not separate words."""
    return re.sub(r"(?<![\x00-\u02ff]) (?![\x00-\u02ff])", "", " ".join(text.split()))


def _is_note_mark(sup: etree._Element) -> bool:
    link = next(iter(sup), None)
    return (
        len(sup) == 1
        and local_name(link) == "a"
        and link is not None
        and "#" in (link.get("href") or "")
        and _NOTE_MARK.match(inner_text(sup)) is not None
    )


def _attribute(element: etree._Element, name: str) -> str:
    """The attribute `epub:<name>` in both of the forms that parsers give."""
    return next(
        (
            str(value)
            for key, value in element.attrib.items()
            if str(key).endswith((f"}}{name}", f"epub:{name}"))
        ),
        "",
    )
