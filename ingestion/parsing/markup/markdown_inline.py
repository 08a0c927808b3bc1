"""Inline content of Markdown: words, notes, addresses of links."""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from markdown_it.token import Token

from ingestion.parsing.markup.addresses import address_after
from ingestion.parsing.shared.formulas import script_mark

_BREAK_TAG = re.compile(r"<br\s*/?>", re.IGNORECASE)
# Inline tags with visible content: a picture's description, a link's address, raised and lowered text.
_TAG = re.compile(r"<(/?)(a|img|sup|sub)\b([^>]*)>", re.IGNORECASE)
_TAG_VALUE = re.compile(r"""\b(href|alt)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)


class MarkdownInlineText:
    """Gathers the text of one paragraph: words, code, addresses of links."""

    def __init__(self, environment: Mapping[str, Any]) -> None:
        self._notes = environment.get("footnotes", {}).get("list", {})
        self._words: list[str] = []
        self._links: list[tuple[int, str]] = []  # where open links begin, and their addresses
        self._in_heading = False
        self.addresses: list[str] = []  # of a heading's links, to stand under it
        self.used: set[str] = set()
        self.pictures: list[str] = []
        self.notes: list[str] = []

    def text(self, tokens: Sequence[Token], *, in_heading: bool = False) -> str:
        self._in_heading = in_heading
        for token in tokens:
            self._add(token)
        return "".join(self._words)

    def _add(self, token: Token) -> None:
        match token.type:
            case "softbreak" | "hardbreak":
                self._words.append("\n")
            case "link_open":
                self._links.append((len(self._words), str(token.attrs.get("href", ""))))
            case "link_close":
                self._close_link()
            case "image":
                self._add_picture(token)
            case "footnote_ref":
                self._add_note(token)
            case "html_inline":
                self._add_tag(token.content)
            case _:
                self._words.append(token.content)

    def _close_link(self) -> None:
        if not self._links:
            return
        start, href = self._links.pop()
        self.used.add(href)
        address = address_after("".join(self._words[start:]), unquote(href))
        if self._in_heading and address:
            self.addresses.append(address.strip(" ()"))
        else:
            self._words.append(address)

    def _add_picture(self, token: Token) -> None:
        before = len(self._words)
        for part in token.children or ():
            self._add(part)
        source = str(token.attrs.get("src", ""))
        self.used.add(source)
        if not "".join(self._words[before:]).strip():
            self.pictures.append(unquote(source)[:60])

    def _add_note(self, token: Token) -> None:
        label = token.meta.get("label")
        if label is None:  # ^[a note in the line]
            self._words.append(f" [{self._notes.get(token.meta.get('id'), {}).get('content', '')}]")
            return
        self._words.append(f"[{label}]")
        self.notes.append(str(label))

    def _add_tag(self, tag: str) -> None:
        if _BREAK_TAG.match(tag):
            self._words.append("\n")
        if (found := _TAG.match(tag)) is None:
            return
        is_end, name, attributes = bool(found.group(1)), found.group(2).lower(), found.group(3)
        values = {key.lower(): "".join(value) for key, *value in _TAG_VALUE.findall(attributes)}
        if name == "img":
            self._words.append(values.get("alt", ""))
        elif name == "a" and is_end:
            self._close_link()
        elif name == "a":
            self._links.append((len(self._words), values.get("href", "")))
        elif not is_end:  # raised or lowered: 10<sup>3</sup> is not 103
            self._words.append(script_mark(name, self._words[-1] if self._words else "", "0", ""))
