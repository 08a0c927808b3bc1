"""An OpenDocument file: its parts, its properties, and what its styles say of text."""

import re
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from lxml import etree

from ingestion.documents import FileProperties, Status
from ingestion.parsing.frames import RefusalError
from ingestion.parsing.limits import ParseLimits
from ingestion.parsing.shared.properties import cleaned_properties
from ingestion.parsing.shared.xml import child, local_attribute, local_name
from ingestion.parsing.shared.zip_archive import Archive

_MANIFEST = "META-INF/manifest.xml"
_UNITS = {"cm": 1.0, "mm": 0.1, "in": 2.54, "pt": 2.54 / 72, "pc": 2.54 / 6, "px": 2.54 / 96}
_LENGTH = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)(cm|mm|in|pt|pc|px)\Z")


@dataclass
class OdfStyles:
    """The names of styles by what they do."""

    hidden: set[str] = field(default_factory=set)  # text, slides and sheets that are not shown
    breaks: set[str] = field(default_factory=set)  # paragraphs that begin a page
    numbered: set[tuple[str, int]] = field(default_factory=set)  # lists, and the level


class OdfPackage:
    """An archive with `content.xml`.

    Raises:
        RefusalError: The file is no archive, of another kind, or needs a password.
    """

    def __init__(self, path: Path, limits: ParseLimits) -> None:
        self.archive = Archive(path, limits)
        self._refuse_encrypted(path.name)
        self.styles = OdfStyles()
        self._styles_root = self.archive.xml("styles.xml") if "styles.xml" in self.archive else None
        self.root = self.archive.xml("content.xml")
        for root in (self._styles_root, self.root):
            self._read_styles(root)

    def body(self, kind: str) -> etree._Element:
        """The element that holds a "text", a "spreadsheet" or a "presentation".

        Raises:
            RefusalError: The file has another kind.
        """
        body = child(self.root, "body")
        found = child(body, kind)
        if found is None:
            held = (
                next((local_name(inner) for inner in body if local_name(inner)), "")
                if body is not None
                else ""
            )
            raise self.archive.corrupt(f"it holds {held or 'nothing'!r}, not {kind!r}")
        return found

    def margins(self) -> list[tuple[str, etree._Element]]:
        """The page headers and footers, each with its name."""
        if self._styles_root is None:
            return []
        return [
            (name, element)
            for tag, name in (("header", "Page header"), ("footer", "Page footer"))
            for element in self._styles_root.iter(f"{{*}}{tag}")
            if local_attribute(element, "display") != "false"
        ]

    def title(self) -> str | None:
        return self._said("title")

    def properties(self) -> FileProperties:
        """What the file says of its author and its subject. A broken part says nothing."""
        author = self._said("initial-creator") or self._said("creator")
        return cleaned_properties(author=author, subject=self._said("subject"))

    def object_part(self, frame_object: etree._Element) -> etree._Element | None:
        """The content of an embedded object; None if the file does not hold it as XML."""
        folder = (local_attribute(frame_object, "href") or "").removeprefix("./").strip("/")
        name = f"{folder}/content.xml"
        if not folder or name not in self.archive:
            return None
        with suppress(RefusalError):
            return self.archive.xml(name)
        return None

    def _said(self, name: str) -> str | None:
        if "meta.xml" not in self.archive:
            return None
        with suppress(RefusalError):
            root = self.archive.xml("meta.xml")
            return next((one.text for one in root.iter(f"{{*}}{name}") if one.text), None)
        return None

    def _refuse_encrypted(self, name: str) -> None:
        if _MANIFEST not in self.archive:
            return
        if any(True for _ in self.archive.xml(_MANIFEST).iter("{*}encryption-data")):
            raise RefusalError(
                Status.NEEDS_PASSWORD,
                f"{name!r} is protected by a password, which cannot be used here; save it without one",
            )

    def _read_styles(self, root: etree._Element | None) -> None:
        if root is None:
            return
        for style in root.iter("{*}style"):
            name = local_attribute(style, "name") or ""
            for properties in style:
                if _is_hidden(properties):
                    self.styles.hidden.add(name)
                if local_attribute(properties, "break-before") == "page":
                    self.styles.breaks.add(name)
        for style in root.iter("{*}list-style"):
            name = local_attribute(style, "name") or ""
            for level in style.iter("{*}list-level-style-number"):
                number = local_attribute(level, "level") or ""
                if local_attribute(level, "num-format") and number.isdecimal():
                    self.styles.numbered.add((name, int(number[:3])))


def _is_hidden(properties: etree._Element) -> bool:
    """Whether a style's properties hide text ("none"), a sheet ("false") or a slide ("hidden")."""
    shown = local_attribute(properties, "display")
    if local_name(properties) == "text-properties":
        return shown == "none"
    if local_name(properties) == "table-properties":
        return shown == "false"
    return (
        local_name(properties) == "drawing-page-properties"
        and local_attribute(properties, "visibility") == "hidden"
    )


def area(frame: etree._Element) -> float:
    """The area of a frame in square centimetres; 0 where it is not told."""
    product = 1.0
    for name in ("width", "height"):
        found = _LENGTH.match(local_attribute(frame, name) or "")
        product *= float(found.group(1)) * _UNITS[found.group(2)] if found else 0.0
    return product
