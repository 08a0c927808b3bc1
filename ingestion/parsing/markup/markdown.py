"""Markdown as people read it, without the marks."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.footnote import footnote_plugin

from ingestion.documents import FileProperties, Status
from ingestion.parsing.encodings.decoding import decode
from ingestion.parsing.frames import Frame, RefusalError
from ingestion.parsing.limits import ParseLimits
from ingestion.parsing.markup.markdown_inline import MarkdownInlineText
from ingestion.parsing.shared.page_writer import LINE, PARAGRAPH, PageWriter
from ingestion.parsing.shared.properties import cleaned_properties
from ingestion.parsing.shared.tables import table_line
from ingestion.text.cleaning import sensible_title

# Metadata of Jekyll, Obsidian (YAML) and Hugo (TOML), whose last line would be a heading in Markdown.
_FRONT_MATTER = re.compile(
    r"\A(---|\+\+\+)[ \t]*\n(.*?)^(?:\1|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE
)
_FRONT_FIELD = re.compile(
    r"""^(title|author|organi[sz]ation|publisher|date)\s*[:=]\s*(["']?)(.+?)\2\s*$""", re.MULTILINE
)

# Of nested lists and quotations (a list counts twice); markdown-it leaves out what is deeper.
MAX_NESTING = 100

_NOTE_ENDS = ("footnote_reference_open", "footnote_reference_close")
_MAX_PICTURES_NAMED = 5


def read_markdown(path: Path, limits: ParseLimits, *, encoding: str | None = None) -> Iterator[Frame]:
    """Read a Markdown file: CommonMark with tables and footnotes. A form feed begins a new page.

    Front matter is text, so that it can be found. A link's address follows its words in brackets.

    Raises:
        RefusalError: The file is binary or broken, or larger than the limits.
    """
    decoded = decode(path, told=encoding)
    yield from decoded.warnings
    # markdown-it counts lines by "\n" alone.
    source = decoded.text.replace("\r\n", "\n").replace("\r", "\n")
    said: dict[str, str] = {}
    writer = PageWriter(path.name, limits)
    if front := _FRONT_MATTER.match(source):
        source = source[front.end() :]
        writer.block(front.group(2))
        for name, _, value in _FRONT_FIELD.findall(front.group(2)):
            said.setdefault(name, value)
    pictures: list[str] = []
    for page in source.split("\f"):
        pictures += write_markdown(page, writer, path.name)
        writer.end_page()
    if pictures:
        named_pictures = ", ".join(pictures[:_MAX_PICTURES_NAMED])
        writer.warn(
            f"{len(pictures)} pictures without a description are not read ({named_pictures}); "
            "text that they show cannot be found."
        )
    yield from writer.frames(sensible_title(said.get("title")), _properties(said))


def write_markdown(source: str, writer: PageWriter, name: str) -> list[str]:
    """Write a text in Markdown, whose lines end with "\\n", to the page that is being written.

    Args:
        source: The text.
        writer: Takes its paragraphs and headings.
        name: Of the file, for an error.

    Returns:
        The addresses of pictures without a description.

    Raises:
        RefusalError: The text is nested too deeply, or larger than the limits.
    """
    environment: dict[str, Any] = {}
    tokens = _parser().parse(source, environment)
    if any(token.level >= MAX_NESTING - 1 for token in tokens):
        raise RefusalError(
            Status.FAILED, f"{name!r} is nested too deeply to be read; rename it to end in .txt"
        )
    shown = _TokenWriter(writer, name, environment)
    shown.write(tokens)
    shown.write_unused_addresses()
    return shown.pictures


def _properties(said: Mapping[str, str]) -> FileProperties:
    organisation = said.get("organisation") or said.get("organization") or said.get("publisher")
    return cleaned_properties(author=said.get("author"), organisation=organisation, date=said.get("date"))


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"maxNesting": MAX_NESTING}).enable(["table", "strikethrough"])
    parser.use(footnote_plugin)
    parser.core.ruler.disable("footnote_tail")  # notes stay where they are defined, also unused ones
    return parser


class _TokenWriter:
    """Writes the tokens of one page; tracks the list, the table and the heading around them."""

    def __init__(self, writer: PageWriter, name: str, environment: Mapping[str, Any]) -> None:
        self._writer = writer
        self._name = name
        self._environment = environment
        self._used: set[str] = set()  # addresses of links
        self._notes: dict[str, str] = {}
        self._below: list[str] = []  # notes that stand under this paragraph
        self.pictures: list[str] = []  # addresses of pictures without words
        self._lists: list[int | None] = []  # the next item's number; None with bullets
        self._bullet = ""
        self._level = 0
        self._row: list[str] | None = None
        self._gap = PARAGRAPH

    def write(self, tokens: Sequence[Token]) -> None:
        text, self._notes = _without_notes(tokens)
        self._write(text)
        self._write_notes(self._notes)  # those that nothing refers to

    def write_unused_addresses(self) -> None:
        """Write link definitions that no link uses, because they are text of the file."""
        for label, reference in self._environment.get("references", {}).items():
            if reference.get("href") not in self._used:
                words = " ".join(f"{reference.get('href')} {reference.get('title') or ''}".split())
                self._writer.block(f"[{label.lower()}]: {words}")

    def _write(self, tokens: Sequence[Token]) -> None:
        for token in tokens:
            if token.type.endswith("_open"):
                self._open(token)
            elif token.type.endswith("_close"):
                self._close(token)
            elif token.type == "inline":
                self._write_inline(token)
            elif token.type in ("fence", "code_block"):
                self._block(token.content)
            elif token.type == "html_block":
                self._write_html(token.content)

    def _open(self, token: Token) -> None:
        match token.type:
            case "heading_open":
                self._level = int(token.tag[1])
            case "bullet_list_open":
                self._lists.append(None)
            case "ordered_list_open":
                self._lists.append(int(token.attrs.get("start", 1)))
            case "list_item_open":
                self._open_item()
            case "tr_open":
                self._row = []

    def _close(self, token: Token) -> None:
        match token.type:
            case "heading_close":
                self._level = 0
            case "bullet_list_close" | "ordered_list_close":
                self._lists.pop()
                self._gap = LINE if self._lists else PARAGRAPH
            case "list_item_close":
                if self._bullet.rstrip(" -"):  # "1984." alone in its line is a number, not an empty item
                    self._block("")
                self._bullet = ""
            case "tr_close":
                self._close_row()
            case "table_close":
                self._gap = PARAGRAPH
                self._flush_notes()

    def _open_item(self) -> None:
        number = self._lists[-1]
        self._bullet = "- " if number is None else f"{number}. "
        if number is not None:
            self._lists[-1] = number + 1

    def _close_row(self) -> None:
        if self._row is not None:
            self._writer.block(table_line(self._row), self._gap)
            self._gap = LINE
        self._row = None

    def _write_inline(self, token: Token) -> None:
        line = MarkdownInlineText(self._environment)
        text = line.text(token.children or (), in_heading=bool(self._level))
        self._used |= line.used
        self.pictures += line.pictures
        self._below += line.notes
        if self._row is not None:
            self._row.append(text)
            return
        if self._level and not self._lists:
            self._writer.heading(text, self._level)
            self._gap = PARAGRAPH
        else:
            self._block(text)
        for address in line.addresses:
            self._writer.block(address, LINE)
        self._flush_notes()

    def _flush_notes(self) -> None:
        below, self._below = self._below, []
        for label in below:
            if label in self._notes:
                self._write_notes({label: self._notes.pop(label)})

    def _write_notes(self, notes: Mapping[str, str]) -> None:
        for label, note in notes.items():
            self._writer.block(f"[{label}] {note}")

    def _block(self, text: str) -> None:
        indent = "  " * (len(self._lists) - 1) if self._lists else ""
        self._writer.block(indent + (self._bullet + text).rstrip(), self._gap)
        self._bullet = ""
        self._gap = LINE if self._lists else PARAGRAPH

    def _write_html(self, source: str) -> None:
        from ingestion.parsing.markup.html import parse_html  # lxml only for those that need it
        from ingestion.parsing.markup.html_writer import write_element

        root = parse_html(source, self._name)
        if root is not None:
            write_element(root, self._writer, addresses=True)


def _without_notes(tokens: Sequence[Token]) -> tuple[list[Token], dict[str, str]]:
    """The tokens without footnotes, and the text of each footnote by its label."""
    text: list[Token] = []
    notes: dict[str, list[str]] = {}
    label: str | None = None
    for token in tokens:
        if token.type in _NOTE_ENDS:
            label = str(token.meta.get("label")) if token.type == _NOTE_ENDS[0] else None
            if label is not None:
                notes.setdefault(label, [])
        elif label is None:
            text.append(token)
        elif token.type == "inline":
            notes[label].append(MarkdownInlineText({}).text(token.children or ()))
        elif token.content:
            notes[label].append(token.content)
    return text, {label: "\n".join(parts) for label, parts in notes.items()}
