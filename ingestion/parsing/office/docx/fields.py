"""Fields and form controls of Word: their results are text, their codes are not."""

import re
from dataclasses import dataclass

from lxml import etree

from ingestion.parsing.office.docx.styles import is_on, value_of
from ingestion.parsing.shared.formulas import fraction
from ingestion.parsing.shared.xml import child, local_attribute, local_name, whole_number

MARKS = {True: "[x]", False: "[ ]"}
_EQ_FRACTION = re.compile(r"\bEQ\b[^(]*?\\f\s*\(([^(),;]{1,200})[,;]([^(),;]{1,200})\)", re.IGNORECASE)


@dataclass(slots=True)
class _Field:
    start: int  # in the list of words held back
    is_code: bool = True
    drops_result: bool = False
    code: str = ""
    has_result: bool = False


class FieldWords:
    """The words of a paragraph, without the codes of fields."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self._held: list[str] = []
        self._open: list[_Field] = []

    def add(self, text: str) -> None:
        if self._open and any(field.is_code or field.drops_result for field in self._open):
            self._held.append(text)
        elif text:
            self.words.append(text)
            for field in self._open:
                field.has_result = True

    def last(self) -> str:
        return self.words[-1] if self.words else ""

    def instruction(self, code: str) -> None:
        if self._open and len(self._open[-1].code) < 1000:
            self._open[-1].code += code

    def mark(self, element: etree._Element) -> None:
        """A `w:fldChar`: where a field begins, its result begins, and it ends."""
        kind = (local_attribute(element, "fldCharType") or "").lower()
        if kind == "begin":
            value = _form_value(child(element, "ffdata"))
            self.add(value or "")
            self._open.append(_Field(len(self._held), drops_result=value is not None))
        elif kind == "separate" and self._open:
            field = self._open[-1]
            field.is_code = False
            del self._held[field.start :]
        elif kind == "end" and self._open:
            field = self._open.pop()
            del self._held[field.start :]
            if not field.has_result and (found := _EQ_FRACTION.search(field.code)):
                self.add(fraction(*(part.strip() for part in found.groups())))

    def finish(self) -> list[str]:
        """All words, including those that a field without an end held back."""
        if self._held and self._open and self._open[0].is_code:
            self.words.extend(self._held)
        return self.words


def _form_value(data: etree._Element | None) -> str | None:
    """The visible value of a legacy form field whose result lacks it (checkbox, list); None for others."""
    if data is None:
        return None
    box, choices = child(data, "checkbox"), child(data, "ddlist")
    if box is not None:
        checked = child(box, "checked")
        return MARKS[is_on(checked if checked is not None else child(box, "default"))]
    if choices is None:
        return None  # a field to type in: its result is text
    entries = [value_of(entry) or "" for entry in choices if local_name(entry) == "listentry"]
    chosen = value_of(child(choices, "result")) or value_of(child(choices, "default"))
    place = whole_number(chosen, digits=5)
    return entries[place] if place < len(entries) else ""


def control_text(control: etree._Element) -> str | None:
    """The visible value of a content control whose content lacks it; None if its content has it."""
    properties = child(control, "sdtpr")
    box = child(properties, "checkbox")
    if box is not None:
        return MARKS[is_on(child(box, "checked"))]
    content = child(control, "sdtcontent")
    if content is not None and any((text.text or "").strip() for text in content.iter("{*}t")):
        return None
    if (date := child(properties, "date")) is not None:
        return (local_attribute(date, "fullDate") or "")[:10]
    choices = child(properties, "dropdownlist")
    choices = choices if choices is not None else child(properties, "combobox")
    if choices is None:
        return None
    last = local_attribute(choices, "lastValue")
    for item in choices:
        if last is not None and local_attribute(item, "value") == last:
            return local_attribute(item, "displayText") or last
    return last or ""
