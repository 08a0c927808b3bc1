"""References between the elements of an HTML page: labels, controls, tabs."""

import re
from collections.abc import Iterator
from functools import cached_property
from itertools import islice

from lxml import etree

from ingestion.parsing.shared.xml import inner_text, keyword, local_name

_CONTROLLED = ("aria-controls", "aria-owns", "aria-details", "popovertarget", "commandfor")
_TARGETS = ("data-target", "data-bs-target", "href")
_QUOTED_ID = re.compile(r"""["']#?([\w.:-]+)["']""")
PARTS = ("div", "section", "article")  # elements that a tab may show
_TAB_TOGGLES = ("tab", "pill")
MAX_LABEL_CHARACTERS = 200  # longer ones are texts that contain a control


class References:
    """The references of one page, each kind read on first use: most pages need none."""

    def __init__(self, root: etree._Element) -> None:
        self._root = root
        self._by_place: dict[etree._Element, str] = {}

    @cached_property
    def _ids(self) -> dict[str, etree._Element]:
        found: dict[str, etree._Element] = {}
        for element in self._root.iter("{*}*"):
            if identifier := element.get("id"):
                found.setdefault(identifier, element)
        return found

    @cached_property
    def controlled_ids(self) -> frozenset[str]:
        """The ids of elements that a control shows."""
        return frozenset(
            name for element in self._root.iter("{*}*") if element.attrib for name in targets(element)
        )

    def target_of(self, control: etree._Element) -> etree._Element | None:
        """The element that a control shows; None if it names none."""
        return next((self._ids[name] for name in targets(control) if name in self._ids), None)

    @cached_property
    def _boxes(self) -> dict[str, etree._Element]:
        names = {label.get("for") for label in self._root.iter("{*}label")}
        boxes: dict[str, etree._Element] = {}
        for box in self._root.iter("{*}input"):
            kind = keyword(box, "type")
            identifier = box.get("id") or ""
            if kind not in ("checkbox", "radio") or identifier not in names:
                continue
            if not any(local_name(parent) == "label" for parent in islice(box.iterancestors(), 5)):
                boxes[identifier] = box
        return boxes

    def box_of(self, label: etree._Element) -> etree._Element | None:
        """The checkbox or radio button, elsewhere on the page, of a label."""
        name = label.get("for")
        return self._boxes.get(name) if name else None

    def has_label(self, box: etree._Element) -> bool:
        return self._boxes.get(box.get("id") or "") is box

    @cached_property
    def _tabs(self) -> dict[str, str]:
        """The labels of tabs, by the id of the tab and of the element that it shows."""
        labels: dict[str, str] = {}
        for element in self._root.iter("{*}*"):
            if _is_tab(element) and (label := short_label(element)):
                for name in targets(element):
                    labels.setdefault(name, label)
                labels.setdefault(element.get("id") or "", label)
        return labels

    def note_tabs(self, tab_list: etree._Element) -> None:
        """Match tabs that name no parts with the parts that follow the list, if their numbers are equal."""
        tabs = [element for element in tab_list.iter("{*}*") if _is_tab(element)] or [
            element for element in tab_list if local_name(element)
        ]
        parts = [
            part for part in tab_list.itersiblings() if local_name(part) in ("div", "section", "article")
        ]
        if len(parts) == 1 and len(tabs) > 1:
            parts = [part for part in parts[0] if local_name(part)]
        if len(tabs) == len(parts) > 1 and not any(target for tab in tabs for target in targets(tab)):
            for tab, part in zip(tabs, parts, strict=True):
                self._by_place[part] = short_label(tab)

    def tab_label(self, part: etree._Element) -> str:
        """The label of a part's tab; "" without a tab."""
        if part in self._by_place:
            return self._by_place[part]
        words = (part.get("class") or "").lower()
        if keyword(part, "role") != "tabpanel" and "tab" not in words:
            return ""
        names = (part.get("id"), part.get("aria-labelledby"))
        return next((self._tabs[name] for name in names if name and name in self._tabs), "")


def targets(control: etree._Element) -> Iterator[str]:
    """The ids that a control names."""
    for attribute in _CONTROLLED:
        yield from (control.get(attribute) or "").split()
    for attribute in _TARGETS:
        value = (control.get(attribute) or "").strip()
        if value.startswith("#") and len(value) > 1:
            yield value[1:]
    if pressed := control.get("onclick"):
        yield from _QUOTED_ID.findall(pressed[:1000])


def short_label(element: etree._Element) -> str:
    """The text of an element in one line; "" if it is longer than a label is."""
    text = " ".join(inner_text(element).split())
    return text if len(text) <= MAX_LABEL_CHARACTERS else ""


def _is_tab(element: etree._Element) -> bool:
    return (
        keyword(element, "role") == "tab"
        or element.get("data-toggle") in _TAB_TOGGLES
        or element.get("data-bs-toggle") in _TAB_TOGGLES
    )
