"""Page headers and footers of Word documents, each text once."""

import re
from collections.abc import Callable, Iterator

from lxml import etree

from ingestion.parsing.office.docx.styles import is_on
from ingestion.parsing.shared.xml import child, local_attribute, local_name
from ingestion.parsing.shared.zip_archive import OfficePackage, relationship_id

_NAMES = {"headerreference": "Page header", "footerreference": "Page footer"}
# "Page 3 of 12", "- 3 -", "Seite 3": lines that differ on every page.
_PAGE_NUMBER = re.compile(r"\W*(?:\w{1,8}\W{0,3})?\d{0,5}\W*(?:\w{1,3}\W{0,3}\d{0,5}\W*)?\Z")
_COUNTERS = re.compile(r"\b(?:PAGE|NUMPAGES|SECTIONPAGES)\b")

Lines = Callable[[etree._Element], list[str]]


class HeadersFooters:
    """Gives the headers and footers of a section that no earlier section has.

    Args:
        package: The document.
        parts: What its main part is related to: id -> (kind, part).
        lines: Reads the blocks of a part.
    """

    def __init__(self, package: OfficePackage, parts: dict[str, tuple[str, str]], lines: Lines) -> None:
        self._package = package
        self._parts = parts
        self._lines = lines
        self._seen: set[str] = set()
        settings = next((part for kind, part in parts.values() if kind == "settings"), "")
        root = package.xml(settings) if settings in package else None
        self._has_even = is_on(child(root, "evenandoddheaders"))

    def of(self, section: etree._Element | None) -> Iterator[str]:
        """The lines for a section with these properties."""
        has_first = is_on(child(section, "titlepg"))
        for reference in section if section is not None else ():
            kind = local_attribute(reference, "type") or "default"
            name = _NAMES.get(local_name(reference))
            if name is None or (kind == "first" and not has_first) or (kind == "even" and not self._has_even):
                continue
            _, part = self._parts.get(relationship_id(reference) or "", ("", ""))
            if part in self._package and part not in self._seen:
                self._seen.add(part)
                text = "\n".join(self._read(part))
                if text and text not in self._seen:
                    self._seen.add(text)
                    yield f"{name}: {text}"

    def _read(self, part: str) -> list[str]:
        root = self._package.xml(part)
        codes = [code.text or "" for code in root.iter("{*}instrText")]
        codes += [local_attribute(field, "instr") or "" for field in root.iter("{*}fldSimple")]
        lines = [line for line in self._lines(root) if line.strip()]
        is_counted = any(_COUNTERS.search(code) for code in codes)
        return [line for line in lines if not (is_counted and _PAGE_NUMBER.match(line))]
