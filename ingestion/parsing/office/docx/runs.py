"""The text of one Word paragraph: runs, fields, formulas, and what is anchored in it."""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from lxml import etree

from ingestion.parsing.office.docx.fields import FieldWords, control_text
from ingestion.parsing.office.docx.styles import value_of
from ingestion.parsing.office.docx.visibility import RunVisibility
from ingestion.parsing.office.graphics import alternative_text
from ingestion.parsing.office.omml import omml_text
from ingestion.parsing.office.symbol_fonts import UNKNOWN, has_symbols, symbol, with_symbols
from ingestion.parsing.shared.formulas import script_mark
from ingestion.parsing.shared.missing_content import MissingContent
from ingestion.parsing.shared.xml import child, local_attribute, local_name, whole_number

DELETED = "deleted in a tracked change"

# Deleted or moved text, properties, and what stands again elsewhere.
_UNREAD = frozenset({"del", "movefrom", "deltext", "ppr", "rpr", "sectpr", "fallback", "sdtpr", "object"})
_CHARACTERS = {"tab": "\t", "br": "\n", "cr": "\n", "nobreakhyphen": "-", "ptab": "\t"}
_SCRIPTS = {"superscript": "sup", "subscript": "sub"}
_LARGE_EMU = 4_000_000_000_000  # a picture of 6 by 5 cm; English Metric Units, 360 000 a cm
_LARGE_POINTS = 24_000  # the same in points
_POINTS = re.compile(r"(?:^|;)\s*(width|height)\s*:\s*([\d.]{1,9})(pt|in)")
MAX_ANCHOR_CHARACTERS = 120  # of the words that a comment stands on


@dataclass(slots=True)
class ParagraphContent:
    """The content of a paragraph.

    Attributes:
        text: The visible text; "\\f" where a page ends.
        notes: Number and text of the notes that it refers to.
        boxes: The text boxes anchored in it.
        comments: Comments that end in it, as sentences.
        blocks: Lines of its charts and diagrams.
    """

    text: str = ""
    notes: list[tuple[str, str]] = field(default_factory=list)
    boxes: list[etree._Element] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    blocks: list[list[str]] = field(default_factory=list)

    def below(self) -> Iterator[str]:
        """Notes and comments as lines to stand under the paragraph."""
        yield from (f"[{number}] {note}" for number, note in self.notes)
        yield from self.comments


class Comments:
    """The comments of a document, with their authors and the words that they refer to."""

    def __init__(self, elements: Mapping[str, etree._Element]) -> None:
        self._elements = dict(elements)
        self._anchors: dict[str, str] = {}  # of comments that began in a paragraph above
        self._starts: dict[str, int] = {}

    def start(self, identifier: str, words: list[str]) -> None:
        if identifier in self._elements:
            self._starts[identifier] = len(words)

    def stop(self, identifier: str, words: list[str]) -> None:
        if (start := self._starts.pop(identifier, None)) is not None:
            anchor = self._anchors.get(identifier, "") + "".join(words[start:])
            self._anchors[identifier] = anchor[: MAX_ANCHOR_CHARACTERS + 1]

    def pause(self, words: list[str]) -> None:
        """End a paragraph; open comments continue in the next."""
        for identifier in list(self._starts):
            self.stop(identifier, [*words, " "])
            self._starts[identifier] = 0

    def sentence(self, identifier: str, text_of: Callable[[etree._Element], str]) -> str:
        """The comment with its author and its words; "" if there is none, or it was returned before."""
        element = self._elements.pop(identifier, None)
        text = "" if element is None else text_of(element)
        if element is None or not text:
            return ""
        author = " ".join((local_attribute(element, "author") or "").split())
        anchor = " ".join(self._anchors.pop(identifier, "").split())
        if len(anchor) > MAX_ANCHOR_CHARACTERS:
            anchor = anchor[:MAX_ANCHOR_CHARACTERS].rstrip() + "…"
        return f"Comment{f' by {author}' if author else ''}{f' on “{anchor}”' if anchor else ''}: {text}"

    def rest(self, text_of: Callable[[etree._Element], str]) -> Iterator[str]:
        """The comments that nothing in the text refers to."""
        for identifier in list(self._elements):
            if sentence := self.sentence(identifier, text_of):
                yield sentence


class ParagraphReader:
    """Reads paragraphs, one after the other.

    Args:
        visibility: Says which runs nobody sees.
        notes: Elements of notes by id, for each name of element that refers to them.
        comments: The document's comments.
        graphic: The lines of a chart or diagram for the relationship id in a drawing; None if it has none.
        missing: Counts visible content that cannot be read.
        leave_out: Called with the kind of each hidden passage.
    """

    def __init__(
        self,
        visibility: RunVisibility,
        notes: Mapping[str, Mapping[str, etree._Element]],
        comments: Comments,
        graphic: Callable[[etree._Element], list[str] | None],
        missing: MissingContent,
        leave_out: Callable[[str], None],
    ) -> None:
        self._visibility = visibility
        self._notes = notes
        self._comments = comments
        self._graphic = graphic
        self._missing = missing
        self._leave_out = leave_out

    def read(self, paragraph: etree._Element) -> ParagraphContent:
        """The paragraph without hidden and deleted text, with its fields' results."""
        reading = ParagraphContent()
        fields = FieldWords()
        left_out = ""  # why the run before is left out
        stack: list[tuple[Iterator[etree._Element], etree._Element | None]] = [(iter(paragraph), None)]
        while stack:
            element = next(stack[-1][0], None)
            if element is None:
                stack.pop()
                continue
            name = local_name(element)
            if name == "r":
                properties = child(element, "rpr")
                kind = self._visibility.hidden_kind(paragraph, properties)
                words = self._words(element) if kind else ""
                if any(map(str.isalnum, words)) and kind != left_out:
                    self._leave_out(kind)
                left_out = kind if words or not kind else left_out
                if kind:
                    for mark in (inner for inner in element if local_name(inner) == "fldchar"):
                        fields.mark(mark)
                    continue
                self._raise(element, properties, fields)
                stack.append((iter(element), properties))
            elif self._enters(element, name, stack[-1][1], fields, reading):
                stack.append((iter(element), stack[-1][1]))
        parts = fields.finish()
        self._comments.pause(parts)
        reading.text = "".join(parts)
        return reading

    def _enters(
        self,
        element: etree._Element,
        name: str,
        run: etree._Element | None,
        fields: FieldWords,
        reading: ParagraphContent,
    ) -> bool:
        """Add one element; True if its children are to be read."""
        if name == "t":
            text = element.text or ""
            fields.add(with_symbols(text, _font(run)) if has_symbols(text) else text)
        elif name == "br" and local_attribute(element, "type") == "page":
            fields.add("\f")
        elif name in _CHARACTERS:
            fields.add(_CHARACTERS[name])
        elif name == "fldchar":
            fields.mark(element)
        elif name == "del":
            if any(map(str.isalnum, "".join(text.text or "" for text in element.iter("{*}delText")))):
                self._leave_out(DELETED)
        elif name == "instrtext":
            fields.instruction(element.text or "")
        elif name in self._notes:
            self._refer(element, name, fields, reading)
        elif name == "txbxcontent":
            reading.boxes.append(element)
        elif name in ("commentrangestart", "commentrangeend", "commentreference"):
            self._comment(local_attribute(element, "id") or "", name, fields, reading)
        elif name in ("omath", "sym", "ruby", "sdt", "drawing", "pict", "textpath"):
            return self._special(element, name, fields, reading)
        elif name == "object":
            self._missing.note("embedded objects", _program(element))
        return bool(name) and name not in _UNREAD and name not in _TAKEN

    def _special(
        self, element: etree._Element, name: str, fields: FieldWords, reading: ParagraphContent
    ) -> bool:
        if name == "omath":
            fields.add(f" {omml_text(element).strip()} ")
        elif name == "sym":
            font, code = local_attribute(element, "font") or "", local_attribute(element, "char") or ""
            sign = symbol(font, int(code, 16)) if re.fullmatch("[0-9A-Fa-f]{1,6}", code) else UNKNOWN
            if sign == UNKNOWN:
                self._missing.note("signs of symbol fonts", font)
            fields.add(sign)
        elif name == "ruby":
            base, above = (self._words(child(element, part)) for part in ("rubybase", "rt"))
            fields.add(f"{base}({above})" if above else base)
        elif name == "textpath":
            fields.add(f" {local_attribute(element, 'string') or ''} ")
        elif name == "sdt":
            text = control_text(element)
            fields.add(text or "")
            return text is None
        else:
            return self._draw(element, fields, reading)
        return False

    def _words(self, element: etree._Element | None) -> str:
        return "" if element is None else "".join(text.text or "" for text in element.iter("{*}t"))

    def _raise(self, run: etree._Element, properties: etree._Element | None, fields: FieldWords) -> None:
        if properties is None:
            return
        script = _SCRIPTS.get(value_of(child(properties, "vertalign")) or "")
        if script is not None:
            following = run.getnext()
            after = self._words(following) if following is not None else ""
            fields.add(script_mark(script, fields.last(), self._words(run), after))

    def _refer(
        self, element: etree._Element, name: str, fields: FieldWords, reading: ParagraphContent
    ) -> None:
        identifier = local_attribute(element, "id") or ""
        note = self._notes[name].get(identifier)
        if note is not None and (text := self.text_of(note)):
            number = identifier if name == "footnotereference" else f"e{identifier}"
            reading.notes.append((number, text))
            fields.add(f"[{number}]")

    def _comment(self, identifier: str, name: str, fields: FieldWords, reading: ParagraphContent) -> None:
        if name == "commentrangestart":
            self._comments.start(identifier, fields.words)
            return
        self._comments.stop(identifier, fields.words)
        if name == "commentreference" and (sentence := self._comments.sentence(identifier, self.text_of)):
            reading.comments.append(sentence)

    def text_of(self, container: etree._Element) -> str:
        """All paragraphs of a note or comment in one line."""
        notes, comments = self._notes, self._comments
        self._notes, self._comments = {}, Comments({})  # none within notes: they could refer to themselves
        try:
            texts = [self.read(paragraph).text for paragraph in container.iter("{*}p")]
        finally:
            self._notes, self._comments = notes, comments
        return " ".join(" ".join(texts).split())

    def _draw(self, element: etree._Element, fields: FieldWords, reading: ParagraphContent) -> bool:
        """Add a picture's description or a chart's rows; True if the drawing may have text boxes."""
        properties = next(element.iter("{*}docPr"), None)
        if properties is not None and properties.get("hidden") in ("1", "true"):
            return False
        if (lines := self._graphic(element)) is not None:
            reading.blocks.append(lines)
        elif next(element.iter("{*}blip", "{*}imagedata"), None) is not None:
            if properties is not None and (text := alternative_text(properties.get("descr"))):
                fields.add(f" {text} ")
            if _is_large(element):
                self._missing.note("large pictures")
        return True


_TAKEN = frozenset(
    {"t", "fldchar", "instrtext", "txbxcontent", "commentreference", *_CHARACTERS}
    | {"footnotereference", "endnotereference"}
)


def _font(run: etree._Element | None) -> str:
    fonts = child(run, "rfonts")
    return "" if fonts is None else (local_attribute(fonts, "ascii") or local_attribute(fonts, "hAnsi") or "")


def _program(element: etree._Element) -> str:
    embedded = next(element.iter("{*}OLEObject"), None)
    return "" if embedded is None else (embedded.get("ProgID") or "")


def _is_large(element: etree._Element) -> bool:
    for extent in element.iter("{*}extent"):
        sides = [whole_number(extent.get(side), -1, digits=14) for side in ("cx", "cy")]
        if min(sides) >= 0:
            return math.prod(sides) >= _LARGE_EMU
    for shape in element.iter("{*}shape"):
        points = {
            side: float(size) * (72 if unit == "in" else 1)
            for side, size, unit in _POINTS.findall(shape.get("style") or "")
            if size.replace(".", "", 1).isdecimal()
        }
        if points.get("width", 0) * points.get("height", 0) >= _LARGE_POINTS:
            return True
    return False
