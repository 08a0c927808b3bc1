"""Markdown, inside the child process: what a person reads, without the marks."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from ingestion.documents import Status
from ingestion.parsing.cleaning import sensible_title
from ingestion.parsing.frames import Frame, RefusalError
from ingestion.parsing.limits import ParseLimits
from ingestion.parsing.pages import LINE, PARAGRAPH, PageWriter
from ingestion.parsing.tables import table_line
from ingestion.parsing.text import decode

# Metadata of Jekyll, Obsidian (YAML) and Hugo (TOML): Markdown would take its last line for a heading.
_FRONT_MATTER = re.compile(
    r"\A(---|\+\+\+)[ \t]*\n(.*?)^(?:\1|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE
)
_FRONT_TITLE = re.compile(r"""^title\s*[:=]\s*(["']?)(.+?)\1\s*$""", re.MULTILINE)

# Of lists and quotations in each other (a list counts twice); what is deeper markdown-it would leave out.
MAX_NESTING = 100

_BREAK_TAG = re.compile(r"<br\s*/?>", re.IGNORECASE)


def read_markdown(path: Path, limits: ParseLimits) -> Iterator[Frame]:
    """The frames of a Markdown file: CommonMark with tables. A form feed begins a new page.

    Raises:
        RefusalError: The file is binary or broken, or larger than the limits.
    """
    # markdown-it counts lines by "\n" alone.
    source = decode(path).replace("\r\n", "\n").replace("\r", "\n")
    title = None
    if front := _FRONT_MATTER.match(source):
        source = source[front.end() :]
        if named := _FRONT_TITLE.search(front.group(2)):
            title = sensible_title(named.group(2))
    parser = MarkdownIt("commonmark", {"maxNesting": MAX_NESTING}).enable(["table", "strikethrough"])
    writer = PageWriter(path.name, limits)
    for page in source.split("\f"):
        tokens = parser.parse(page)
        if any(token.level >= MAX_NESTING - 1 for token in tokens):
            raise RefusalError(
                Status.FAILED, f"{path.name!r} is nested too deeply to be read; rename it to end in .txt"
            )
        _Shown(writer, path.name).write(tokens)
        writer.end_page()
    yield from writer.frames(title)


class _Shown:
    """Writes the tokens of one page; knows the list, the table and the heading that it is in."""

    def __init__(self, writer: PageWriter, name: str) -> None:
        self._writer = writer
        self._name = name
        self._lists: list[int | None] = []  # the next item's number; None with bullets
        self._bullet = ""
        self._level = 0
        self._row: list[str] | None = None
        self._gap = PARAGRAPH

    def write(self, tokens: Sequence[Token]) -> None:
        for token in tokens:
            if token.type.endswith("_open"):
                self._open(token)
            elif token.type.endswith("_close"):
                self._close(token)
            elif token.type == "inline":
                self._write_inline(inline_text(token))
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

    def _write_inline(self, text: str) -> None:
        if self._row is not None:
            self._row.append(text)
        elif self._level and not self._lists:
            self._writer.heading(text, self._level)
            self._gap = PARAGRAPH
        else:
            self._block(text)

    def _block(self, text: str) -> None:
        indent = "  " * (len(self._lists) - 1) if self._lists else ""
        self._writer.block(indent + (self._bullet + text).rstrip(), self._gap)
        self._bullet = ""
        self._gap = LINE if self._lists else PARAGRAPH

    def _write_html(self, source: str) -> None:
        from ingestion.parsing.html import parse_html, write_element  # lxml only for those that need it

        root = parse_html(source, self._name)
        if root is not None:
            write_element(root, self._writer)


def inline_text(token: Token) -> str:
    """What is read of the marks within a paragraph: a link's and a picture's words, code, no addresses."""
    words = []
    for part in token.children or ():
        if part.type in ("softbreak", "hardbreak") or (
            part.type == "html_inline" and _BREAK_TAG.match(part.content)
        ):
            words.append("\n")
        elif part.type == "image":
            words.append(inline_text(part))
        elif part.type != "html_inline":
            words.append(part.content)
    return "".join(words)
