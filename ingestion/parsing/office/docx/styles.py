"""Styles and lists of Word paragraphs: heading levels, bullets, numbers."""

import re

from lxml import etree

from ingestion.parsing.shared.xml import child, local_attribute, local_name, whole_number

MAX_STYLE_CHAIN = 20  # styles inherit from each other, in broken files in a circle
MAX_LEVEL = 9

# Built-in styles are stored by their English names, whatever the language of the program.
_HEADING_NAME = re.compile(r"heading ([1-9])$", re.IGNORECASE)
_CONTENTS_NAME = re.compile(r"toc [1-9]$", re.IGNORECASE)
_PLACE = re.compile(r"%([1-9])")


class Styles:
    """Paragraph styles by their ids."""

    def __init__(self, root: etree._Element | None) -> None:
        self._styles: dict[str, etree._Element] = {}
        self.default: str | None = None  # of paragraphs that name no style
        self.defaults = child(root, "docdefaults", "rprdefault", "rpr")
        for style in root if root is not None else ():
            identifier = local_attribute(style, "styleId")
            if local_name(style) == "style" and identifier:
                self._styles[identifier] = style
                if local_attribute(style, "type") == "paragraph" and (
                    local_attribute(style, "default") in ("1", "true", "on")
                ):
                    self.default = identifier
        self._hidden: dict[str, bool] = {}

    def heading_level(self, properties: etree._Element | None) -> int | None:
        """The level, from 1, of a paragraph with these properties; None for text."""
        if (own := value_of(child(properties, "outlinelvl"))) is not None:
            return _outline_level(own)
        for style in self.chain(properties):
            name = value_of(child(style, "name")) or ""
            if found := _HEADING_NAME.match(name):
                return int(found.group(1))
            if name.lower() == "title":
                return 1
            if (level := value_of(child(style, "ppr", "outlinelvl"))) is not None:
                return _outline_level(level)
        return None

    def is_contents(self, properties: etree._Element | None) -> bool:
        """Whether this is a line of a table of contents."""
        names = (value_of(child(style, "name")) or "" for style in self.chain(properties))
        return any(_CONTENTS_NAME.match(name) for name in names)

    def list_of(self, properties: etree._Element | None) -> tuple[str, int] | None:
        """The list that a paragraph belongs to, and its level from 0; None outside lists."""
        level = value_of(child(properties, "numpr", "ilvl"))
        identifier = value_of(child(properties, "numpr", "numid"))
        for style in self.chain(properties):
            if identifier is None:
                identifier = value_of(child(style, "ppr", "numpr", "numid"))
            if level is None:
                level = value_of(child(style, "ppr", "numpr", "ilvl"))
        if identifier is None or identifier == "0":  # 0: the list of the style is taken back
            return None
        return identifier, int(level) if level and level in "012345678" else 0

    def chain(self, properties: etree._Element | None) -> list[etree._Element]:
        """A paragraph's style and the styles that it inherits from, nearest first."""
        return self.chain_of(value_of(child(properties, "pstyle")))

    def is_hidden(self, identifier: str) -> bool:
        """Whether a style hides its text."""
        if identifier not in self._hidden:
            marks = (child(style, "rpr", "vanish") for style in self.chain_of(identifier))
            self._hidden[identifier] = is_on(next((mark for mark in marks if mark is not None), None))
        return self._hidden[identifier]

    def chain_of(self, identifier: str | None) -> list[etree._Element]:
        """A style and those that it inherits from, nearest first."""
        chain: list[etree._Element] = []
        while identifier in self._styles and len(chain) < MAX_STYLE_CHAIN:
            chain.append(self._styles[identifier])
            identifier = value_of(child(chain[-1], "basedon"))
        return chain


class Numbering:
    """Counts the items of numbered lists, because files do not store their numbers."""

    def __init__(self, root: etree._Element | None) -> None:
        self._levels: dict[str, dict[int, etree._Element]] = {}
        self._abstract: dict[str, str] = {}
        self._counts: dict[str, list[int | None]] = {}
        for element in root if root is not None else ():
            if local_name(element) == "abstractnum":
                levels = [level for level in element if local_name(level) == "lvl"]
                self._levels[local_attribute(element, "abstractNumId") or ""] = {
                    int(number): level
                    for level in levels
                    if (number := local_attribute(level, "ilvl")) and number in "012345678"
                }
            elif local_name(element) == "num":
                abstract = value_of(child(element, "abstractnumid"))
                self._abstract[local_attribute(element, "numId") or ""] = abstract or ""

    def label(self, properties: etree._Element | None, styles: Styles) -> str:
        """The label of the next paragraph with these properties: "- ", "2.1 ", or ""."""
        if (place := styles.list_of(properties)) is None:
            return ""
        identifier, level = place
        abstract = self._abstract.get(identifier, "")
        definitions = self._levels.get(abstract, {})
        indent = "  " * level
        if level not in definitions:
            return indent + "- "
        kind = value_of(child(definitions[level], "numfmt")) or "decimal"
        if kind == "none":
            return ""
        if kind == "bullet":
            return indent + "- "
        counts = self._counts.setdefault(abstract, [None] * MAX_LEVEL)
        current = counts[level]
        counts[level] = _start(definitions[level]) if current is None else current + 1
        counts[level + 1 :] = [None] * (MAX_LEVEL - level - 1)
        text = value_of(child(definitions[level], "lvltext")) or f"%{level + 1}."
        return _PLACE.sub(lambda match: _formatted(int(match.group(1)) - 1, counts, definitions), text) + " "


def value_of(element: etree._Element | None) -> str | None:
    """The attribute `w:val`."""
    return None if element is None else local_attribute(element, "val")


def is_on(switch: etree._Element | None) -> bool:
    """Whether a switch is present and not set to off."""
    return switch is not None and local_attribute(switch, "val") not in ("0", "false", "off")


def _outline_level(value: str) -> int | None:
    return int(value) + 1 if value in "012345678" and value else None  # 9 is text


def _start(level: etree._Element) -> int:
    return whole_number(value_of(child(level, "start")), 1)


def _formatted(level: int, counts: list[int | None], definitions: dict[int, etree._Element]) -> str:
    definition = definitions.get(level)
    if definition is None:
        return ""
    count = counts[level]
    number = _start(definition) if count is None else count
    kind = value_of(child(definition, "numfmt")) or "decimal"
    if kind in ("lowerLetter", "upperLetter") and number > 0:
        letters = chr(ord("a") + (number - 1) % 26) * min((number - 1) // 26 + 1, 10)
        return letters if kind == "lowerLetter" else letters.upper()
    if kind in ("lowerRoman", "upperRoman") and 0 < number < 4000:
        return _roman(number) if kind == "lowerRoman" else _roman(number).upper()
    return str(number)


def _roman(number: int) -> str:
    digits = []
    for value, sign in (
        (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"),
        (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
    ):  # fmt: skip
        digits.append(sign * (number // value))
        number %= value
    return "".join(digits)
