"""Rich Text Format (.rtf): what a word processor shows.

The format is a stream of groups in braces. A group inherits the formats of the group around it; some groups
are destinations: fonts, pictures, footnotes.
"""

import re
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path

from ingestion.documents import FileProperties, Status
from ingestion.parsing.frames import Frame, RefusalError
from ingestion.parsing.limits import ParseLimits
from ingestion.parsing.office.rtf.tokens import Token, encoding_of_font, encoding_of_page, tokens
from ingestion.parsing.shared.missing_content import MissingContent
from ingestion.parsing.shared.page_writer import LINE, PARAGRAPH, PageWriter
from ingestion.parsing.shared.properties import cleaned_properties
from ingestion.parsing.shared.tables import table_line
from ingestion.text.cleaning import sensible_title

_BEGINNING = b"{\\rtf"
_SIGNS = {
    "emdash": "—", "endash": "–", "bullet": "•", "lquote": "‘", "rquote": "’", "ldblquote": "“",
    "rdblquote": "”", "emspace": " ", "enspace": " ", "qmspace": " ", "tab": "\t", "line": "\n",
    "nestcell": " ", "nestrow": "\n", "lbr": "\n",
}  # fmt: skip
_SYMBOLS = {"~": "\xa0", "_": "\u2011", "\\": "\\", "{": "{", "}": "}", "\t": "\t"}

# Groups that are text of their own, and the name in front of it.
_APART = {
    "footnote": "",
    "annotation": "Comment",
    "header": "Page header",
    "headerl": "Page header",
    "headerr": "Page header",
    "headerf": "Page header",
    "footer": "Page footer",
    "footerl": "Page footer",
    "footerr": "Page footer",
    "footerf": "Page footer",
    "shptxt": "In a box",
    "dptxbxtext": "In a box",
}
_SAID = ("title", "author", "subject", "company")
_HIDDEN = {"v": "of hidden text", "deleted": "deleted in a tracked change"}
_BULLETS = ("·", "•", "o", "§", "-", "–")  # also as letters of symbol fonts
# Groups with an asterisk in front that hold visible text, or groups with it.
_SHOWN = frozenset(("annotation", "shppict", "shpinst", "do", "objresult", "result"))
_UNSEEN = frozenset(
    re.findall(
        r"\S+",
        "fonttbl colortbl stylesheet info pict nonshppict objdata filetbl sp xe tc txe rxe fldinst private",
    )
)
_HEADING = re.compile(r"(?:heading|überschrift|titre|título|titolo) ?(\d)\Z", re.IGNORECASE)


@dataclass
class _State:
    """The formats of a group."""

    destination: str = ""
    is_starred: bool = False
    is_seen: bool = True
    hidden: str = ""
    font: int = 0
    skip: int = 1  # plain characters behind a Unicode one, for old programs
    level: int = 0
    style: int = 0
    in_table: bool = False
    is_label: bool = False  # of a list's item


@dataclass
class _Tables:
    """What the tables of the file's header say."""

    encoding: str = "cp1252"
    encodings: dict[int, str] = field(default_factory=dict)
    levels: dict[int, int] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)


def read_rtf(path: Path, limits: ParseLimits) -> Iterator[Frame]:
    """Read a text; pages end at the author's page breaks. Notes and comments follow their paragraph.

    Raises:
        RefusalError: The file is no RTF, or larger than the limits.
    """
    data = path.read_bytes()
    if not data.lstrip(b"\xef\xbb\xbf\r\n\t ").startswith(_BEGINNING):
        raise RefusalError(
            Status.CORRUPT,
            f"{path.name!r} is no RTF by its content; get a new copy, or rename it after what it is",
        )
    writer = PageWriter(path.name, limits)
    reader = _RtfReader(writer)
    for token in tokens(data):
        reader.take(token)
        if reader.is_done:
            break
    reader.finish()
    said = reader.tables.said
    yield from writer.frames(sensible_title(said.get("title")), _properties(said))


def _properties(said: dict[str, str]) -> FileProperties:
    return cleaned_properties(
        author=said.get("author"), organisation=said.get("company"), subject=said.get("subject")
    )


class _RtfReader:
    """Takes the tokens of a file one by one."""

    def __init__(self, writer: PageWriter) -> None:
        self._writer = writer
        self._missing = MissingContent(writer)
        self._state = _State()
        self._stack: list[_State] = []
        self._texts: list[list[str]] = [[]]  # of the body, and of the groups apart that are open
        self._bytes = bytearray()
        self._to_skip = 0
        self._below: list[str] = []
        self._margins: dict[str, None] = {}
        self._notes = 0
        self._cells: list[str] = []
        self._gap = PARAGRAPH
        self._is_item = False
        self.tables = _Tables()
        self.is_done = False

    def take(self, token: Token) -> None:
        if token.text:
            self._take_text(token.text)
        elif token.brace == "{":
            self._flush()
            self._stack.append(copy(self._state))
            self._state.is_starred = False
        elif token.brace == "}":
            self._close()
        elif token.symbol:
            self._take_symbol(token.symbol)
        elif token.word:
            self._take_word(token.word, token.number)

    def finish(self) -> None:
        """Write what is left, and warn of what is missing."""
        self._flush()
        if not self.is_done:
            self._writer.warn(
                "The file is damaged or cut off: what it holds behind its last line is not read."
            )
        while len(self._texts) > 1:
            self._end_apart("footnote")
        if self._cells:
            self._end_row()
        self._end_paragraph()
        for line in self._margins:
            self._writer.block(line)
        self._missing.warn()

    def _close(self) -> None:
        self._flush()
        self._to_skip = 0
        if not self._stack:
            return
        ended, self._state = self._state, self._stack.pop()
        if ended.destination in _APART and ended.destination != self._state.destination:
            self._end_apart(ended.destination)
        if ended.destination == "style":
            self._end_style(ended.style)
        self.is_done = not self._stack

    def _take_symbol(self, symbol: str) -> None:
        if self._to_skip:
            self._to_skip -= 1
        elif symbol == "*":
            self._state.is_starred = True
        elif symbol in "\r\n":
            self._take_word("par", None)
        else:
            self._flush()
            self._add(_SYMBOLS.get(symbol, ""))

    def _take_word(self, word: str, number: int | None) -> None:
        self._to_skip = 0
        state = self._state
        if word == "u":
            self._flush()
            self._add(chr((number or 0) & 0xFFFF))
            self._to_skip = state.skip
            return
        self._flush()
        if state.is_starred and word not in _APART and word not in _SHOWN:
            state.is_starred, state.is_seen = False, False
        state.is_starred = False
        if word in _UNSEEN or word in _SAID or word in _APART:
            self._begin(word)
        elif encoding := encoding_of_page(word, number):
            self.tables.encoding = encoding
        elif word in _SIGNS:
            self._add(_SIGNS[word])
        elif not self._take_format(word, number):
            self._take_structure(word)

    def _begin(self, word: str) -> None:
        """Begin a destination."""
        state = self._state
        if word in _SAID:
            if state.destination == "info":
                state.destination = word
            return
        if word == "pict" and state.is_seen and state.destination != "nonshppict":
            self._missing.note("pictures")
        elif word in _APART:
            state.is_seen = state.is_seen or word in ("shptxt", "dptxbxtext")
            if state.is_seen:
                self._texts.append([])
                state.hidden, state.level = "", 0
                state.destination = word
            return
        state.destination, state.is_seen = word, False

    def _take_format(self, word: str, number: int | None) -> bool:
        """Take a word that sets a format; False for another word."""
        state = self._state
        match word:
            case "f" | "deff":
                state.font = number or 0
            case "fcharset":
                if encoding := encoding_of_font(number or 0):
                    self.tables.encodings[state.font] = encoding
            case "uc":
                state.skip = min(number if number is not None else 1, 16)
            case "v" | "deleted":
                state.hidden = _HIDDEN[word] if number != 0 else ""
            case "plain":
                state.hidden = ""
            case "pard":
                state.level, state.in_table = 0, False
            case "intbl":
                state.in_table = True
            case "listtext" | "pntext":
                state.is_label = True
            case "s" | "outlinelevel":
                self._take_level(word, number or 0)
            case _:
                return False
        return True

    def _take_level(self, word: str, number: int) -> None:
        """Take a paragraph's style or its level; in the list of styles, define one."""
        state = self._state
        if word == "outlinelevel":
            state.level = number + 1 if 0 <= number < 9 else 0
            if state.destination == "style" and state.level:
                self.tables.levels[state.style] = state.level
        elif state.destination in ("stylesheet", "style"):
            state.destination, state.style = "style", number
        else:
            state.level = self.tables.levels.get(number, 0)

    def _take_structure(self, word: str) -> None:
        """Take a word that ends a paragraph, a cell, a row or a page."""
        if not self._state.is_seen:
            return
        if word == "object":
            self._missing.note("embedded objects")
        elif len(self._texts) > 1 or (self._state.in_table and word in ("par", "sect")):
            if word in ("par", "sect", "page", "row"):
                self._texts[-1].append("\n")
            elif word == "cell":
                self._texts[-1].append(" ")
            return
        if word in ("par", "sect"):
            self._end_paragraph()
        elif word == "page":
            self._end_paragraph()
            self._writer.end_page()
        elif word == "cell":
            self._cells.append(" ".join(self._taken().split()))
        elif word == "row":
            self._end_row()

    def _take_text(self, data: bytes) -> None:
        if self._to_skip:
            skipped = min(self._to_skip, len(data))
            self._to_skip -= skipped
            data = data[skipped:]
        self._bytes += data

    def _flush(self) -> None:
        """Decode the bytes since the last format: letters of some alphabets have two."""
        if not self._bytes:
            return
        data, encoding = bytes(self._bytes), self.tables.encodings.get(self._state.font, self.tables.encoding)
        self._bytes.clear()
        self._add(data.decode(encoding, "replace"))

    def _add(self, text: str) -> None:
        state = self._state
        if state.destination in (*_SAID, "style"):
            known = self.tables.said.get(state.destination, "")
            self.tables.said[state.destination] = (known + text)[:1000]
        elif not state.is_seen or not text:
            return
        elif state.hidden:
            if text.strip():
                self._writer.leave_out(state.hidden)
        elif state.is_label:
            self._is_item = True
            self._texts[-1].append("-" if text.strip() in _BULLETS else text.replace("\t", " "))
        else:
            self._texts[-1].append(text)

    def _end_style(self, style: int) -> None:
        name = self.tables.said.pop("style", "").strip().rstrip(";")
        if found := _HEADING.match(name):
            self.tables.levels.setdefault(style, int(found.group(1)))

    def _end_apart(self, word: str) -> None:
        text = " ".join(self._taken().split())
        self._texts.pop()
        name = _APART[word]
        if word == "footnote":
            self._notes += 1
            self._texts[-1].append(f"[{self._notes}]")
            self._below.append(f"[{self._notes}] {text}")
        elif name.startswith("Page"):
            if any(map(str.isalpha, text)):
                self._margins[f"{name}: {text}"] = None
        elif text:
            self._below.append(f"Comment: {text}" if name == "Comment" else text)

    def _end_paragraph(self) -> None:
        text = self._taken()
        if self._state.level and text.strip():
            self._writer.heading(text, self._state.level)
            self._gap = PARAGRAPH
        elif text.strip():
            is_next_item = self._is_item and self._gap == LINE
            self._writer.block(text, LINE if is_next_item else PARAGRAPH)
            self._gap = LINE if self._is_item else PARAGRAPH
        self._is_item = False
        self._write_below()

    def _end_row(self) -> None:
        if rest := " ".join(self._taken().split()):
            self._cells.append(rest)
        if line := table_line(self._cells):
            self._writer.block(line, self._gap)
            self._gap = LINE
        self._cells = []
        self._write_below()

    def _write_below(self) -> None:
        for line in self._below:
            self._writer.block(line)
            self._gap = PARAGRAPH
        self._below = []

    def _taken(self) -> str:
        """The text of the paragraph or cell that ends; pairs of halves become one character."""
        text = "".join(self._texts[-1])
        self._texts[-1] = []
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
