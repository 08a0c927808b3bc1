"""Which parts of an HTML page are read: those that a browser shows, at once or after a click."""

import re
from itertools import islice

from lxml import etree

from ingestion.parsing.markup.html_concealment import Concealment
from ingestion.parsing.markup.html_references import MAX_LABEL_CHARACTERS, References, targets
from ingestion.parsing.shared.xml import inner_text, keyword, local_name

# Elements without text of the page, or with navigation, by the HTML standard. The head is entered, because in
# a page without a body libxml2 puts a button after a script into it.
_UNREAD = frozenset(
    re.findall(
        r"\w+",
        "title script style template noscript nav canvas audio video object embed iframe map datalist",
    )
)
_UNREAD_ROLES = frozenset({"navigation", "search", "menu", "menubar", "toolbar"})
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)

# Classes and ids of hidden parts that are not content of the page, even if something shows them.
_JUNK = re.compile(
    r"cookie|consent|gdpr|menu|nav|search|loading|loader|spinner|cart|login|signin|newsletter|subscri|share"
)
_FOLDED = re.compile(
    r"accordion|collaps|\btab|panel|answer|faq|toggle|expand|disclos|spoiler|fold|more|details"
)
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6", "dt")
_CONTROLS = ("button", "summary", "select")
_NEAR = 3  # elements between a hidden part and the control that shows it
_LOOKED_AT = 20  # elements within a neighbour
MIN_WORDS = 3  # a hidden part with fewer is an icon's name or a label
MAX_SHORT_WORDS = 20  # a shorter hidden part is a message or an icon, and not missed


class Visibility:
    """Decides which elements of one page are read."""

    def __init__(self, root: etree._Element, references: References) -> None:
        self._root = root
        self._references = references
        self._has_script: bool | None = None
        self._concealment = Concealment(root)
        self._told: set[etree._Element] = set()

    def is_unread(self, element: etree._Element) -> bool:
        return (
            local_name(element) in _UNREAD
            or keyword(element, "role") in _UNREAD_ROLES
            or (_is_hidden(element) and not self._is_shown_by_a_press(element))
            or self._concealment.kind(element) != ""
        )

    def hidden_kind(self, element: etree._Element) -> str:
        """Why nobody sees an unread element; "" for one with few words, and when asked again."""
        if local_name(element) in _UNREAD or element in self._told or self.hides_text(element):
            return ""
        kind = self._concealment.kind(element) or ("hidden on the page" if _is_hidden(element) else "")
        if not kind or _JUNK.search(_names(element)) or len(inner_text(element).split()) < MIN_WORDS:
            return ""
        self._told.add(element)
        return kind

    def hides_text(self, element: etree._Element) -> bool:
        """Whether an unread element is a longer hidden text that a script may show."""
        return (
            local_name(element) not in _UNREAD
            and _is_hidden(element)
            and not _JUNK.search(_names(element))
            and len(inner_text(element).split()) >= MAX_SHORT_WORDS
            and self._scripted()
        )

    def is_title_of_fold(self, element: etree._Element, name: str) -> bool:
        """Whether a click on this element unfolds a part of the page, of which it is then the heading."""
        if name == "summary":
            return len(inner_text(element)) <= MAX_LABEL_CHARACTERS
        role = keyword(element, "role")
        is_button = name == "button" or role == "button"
        if role == "tab" or not (is_button or (name == "a" and element.get("aria-expanded"))):
            return False
        part = self._references.target_of(element)
        if part is None:
            part = _following(element)
        if part is None or _JUNK.search(_names(part)) or local_name(part) in (*_UNREAD, *_HEADINGS, "body"):
            return False
        is_fold = (
            element.get("aria-expanded") is not None
            or next(targets(element), None) is not None
            or _FOLDED.search(_names(element)) is not None
            or _is_hidden(part)
        )
        return is_fold and _holds_text(part) and 0 < len(inner_text(element).strip()) <= MAX_LABEL_CHARACTERS

    def _is_shown_by_a_press(self, element: etree._Element) -> bool:
        names = _names(element)
        if keyword(element, "role") == "tabpanel":
            return True
        if _JUNK.search(names):
            return False
        if element.get("id") in self._references.controlled_ids:
            return True
        if _FOLDED.search(names) and (self._scripted() or self._has_controls()):
            return True
        parent = element.getparent()
        places = [element] if parent is None or local_name(parent) in ("body", "html") else [element, parent]
        return any(self._stands_by_a_control(place) for place in places)

    def _stands_by_a_control(self, element: etree._Element) -> bool:
        before = list(islice(element.itersiblings(preceding=True), 50))
        near = [*before[:_NEAR], *islice(element.itersiblings(), 1)]
        if any(_is_control(inner) for one in near for inner in islice(one.iter("{*}*"), _LOOKED_AT)):
            return True
        if any(inner.get("role") in ("tab", "tablist") for one in before for inner in islice(one.iter(), 3)):
            return True
        return bool(before) and local_name(before[0]) in _HEADINGS and self._scripted()

    def _scripted(self) -> bool:
        if self._has_script is None:
            self._has_script = next(self._root.iter("{*}script"), None) is not None
        return self._has_script

    def _has_controls(self) -> bool:
        return next(self._root.iter("{*}button"), None) is not None


def _is_hidden(element: etree._Element) -> bool:
    hidden = element.get("hidden")
    return (
        (hidden is not None and hidden.strip().lower() != "until-found")  # which the browser's search shows
        or _HIDDEN.search(element.get("style") or "") is not None
        or (local_name(element) == "dialog" and element.get("open") is None)
        or element.get("popover") is not None
    )


def _is_control(element: etree._Element) -> bool:
    href = (element.get("href") or "x").strip().lower()
    return (
        local_name(element) in _CONTROLS
        or keyword(element, "role") in ("button", "tab", "tablist")
        or element.get("onclick") is not None
        or element.get("aria-expanded") is not None
        or keyword(element, "type") in ("checkbox", "radio")
        or href == "#"
        or href.startswith("javascript:")
    )


def _following(element: etree._Element) -> etree._Element | None:
    """The element after this one, or after its parent."""
    for place in (element, element.getparent()):
        if place is not None and (after := next(place.itersiblings("{*}*"), None)) is not None:
            return after if local_name(after) not in ("button", "a", "input", "span") else None
    return None


def _holds_text(element: etree._Element) -> bool:
    return any(not str(text).isspace() for text in islice(element.itertext(), 100))


def _names(element: etree._Element) -> str:
    return f"{element.get('class') or ''} {element.get('id') or ''}".lower()
