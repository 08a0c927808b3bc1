"""A language model's Markdown as HTML: paragraphs, lists, tables, code, emphasis, and nothing else.

Links, pictures and HTML stay text: nothing in an answer leads away from this machine or runs. Sentences that
the sources do not fully support are marked, and markers of sources are linked, except in code.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

from rag_app.answering.answers import AnswerSentence, Verdict
from ui.components.text import escape

MARKER = re.compile(r"\[(\d{1,3})\]")
# Rules that would make links, pictures or HTML, or change what is written.
_OFF = ["link", "image", "autolink", "html_inline", "html_block", "reference", "entity", "escape", "code",
        "lheading"]  # fmt: skip
_MOST_NESTED = 30
_SIGN_OF_ITEM = re.compile(r"^[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]+|^[ \t]*(?:```|~~~).*$", re.MULTILINE)
_VERDICTS = {
    Verdict.WEAK: "Weakly supported by the sources",
    Verdict.UNSUPPORTED: "Not supported by the sources",
}

# Returns the link of a marker as HTML; None: it stays text.
LinkOf = Callable[[re.Match[str]], str | None]
_Spans = list[tuple[int, int, AnswerSentence]]


def render_markdown(text: str, sentences: Sequence[AnswerSentence], link_of: LinkOf) -> str:
    """Return an answer's Markdown as HTML, with its doubtful sentences marked and its markers linked."""
    tokens = _parser().parse(text)
    texts = list(_texts(tokens))
    spans = located([token.content for token in texts], sentences)
    marks = {id(token): one for token, one in zip(texts, spans, strict=True)}
    return _html(tokens, marks, link_of).strip()


def located(texts: Sequence[str], sentences: Sequence[AnswerSentence]) -> list[_Spans]:
    """Return for each text where in it sentences stand, in order, whatever markers, signs and white space."""
    places: list[tuple[int, int]] = []
    for number, text in enumerate(texts):
        skipped = {at for match in MARKER.finditer(text) for at in range(match.start(), match.end())}
        places += [(number, at) for at, one in enumerate(text) if one.isalnum() and at not in skipped]
    letters = "".join(texts[number][at] for number, at in places)
    found: list[_Spans] = [[] for _ in texts]
    position = 0
    for sentence in sentences:
        wanted = "".join(filter(str.isalnum, MARKER.sub("", _SIGN_OF_ITEM.sub("", sentence.text))))
        begin = letters.find(wanted, position) if wanted else -1
        if begin < 0:
            continue
        position = begin + len(wanted)
        covered: dict[int, list[int]] = {}
        for number, at in places[begin:position]:
            covered.setdefault(number, []).append(at)
        for number, ats in covered.items():
            found[number].append((ats[0], _with_stop(texts[number], ats[-1] + 1), sentence))
    return found


def _with_stop(text: str, end: int) -> int:
    """Return the end of a sentence with its full stop, its closing quotes and the markers before these."""
    match = re.compile(r"(?:\s*\[\d{1,3}\])*[.!?…)\"'”’»]*").match(text, end)
    return match.end() if match else end


def _texts(tokens: Sequence[Token]) -> Iterator[Token]:
    for token in tokens:
        if token.children is not None:
            yield from (one for one in token.children if one.type in ("text", "code_inline"))
        elif token.type == "fence":
            yield token


@cache
def _parser() -> MarkdownIt:
    options = {"html": False, "linkify": False, "typographer": False, "maxNesting": _MOST_NESTED}
    return MarkdownIt("commonmark", options).disable(_OFF).enable("table")


def _html(tokens: Sequence[Token], marks: Mapping[int, _Spans], link_of: LinkOf) -> str:
    """Return tokens as elements without attributes, and text escaped."""
    parts = []
    for token in tokens:
        match token.type:
            case "inline":
                parts.append(_html(token.children or (), marks, link_of))
            case "text":
                parts += _marked(token.content, marks[id(token)], link_of)
            case "code_inline":
                parts.append(f"<code>{escape(token.content)}</code>")
            case "fence":
                parts.append(f"<pre><code>{escape(token.content)}</code></pre>\n")
            case "softbreak" | "hardbreak":
                parts.append("<br>\n")
            case _ if not token.hidden:
                parts.append(_element(token))
    return "".join(parts)


def _element(token: Token) -> str:
    """Return the tag of an element; a heading of an answer is none of the page."""
    is_end = token.nesting < 0
    match token.type:
        case "heading_open":
            return '<p class="heading">'
        case "heading_close":
            return "</p>\n"
        case "table_open":
            return '<div class="table"><table>'
        case "table_close":
            return "</table></div>\n"
        case "ordered_list_open":
            return f'<ol start="{int(token.attrGet("start") or 1)}">'
    return f"</{token.tag}>" + ("\n" if token.block else "") if is_end else f"<{token.tag}>"


@dataclass(frozen=True, slots=True)
class _Linked:
    """A text whose markers are links."""

    text: str
    link_of: LinkOf

    def part(self, start: int, end: int) -> str:
        parts: list[str] = []
        position = start
        for match in MARKER.finditer(self.text, start, end):
            if link := self.link_of(match):
                parts += [escape(self.text[position : match.start()]), link]
                position = match.end()
        return "".join([*parts, escape(self.text[position:end])])


def _marked(text: str, spans: _Spans, link_of: LinkOf) -> Iterator[str]:
    linked = _Linked(text, link_of)
    position = 0
    for start, end, sentence in spans:
        yield linked.part(position, start)
        inner = linked.part(start, end)
        if sentence.verdict is Verdict.SUPPORTED:
            yield inner
        else:
            why = escape(f"{_VERDICTS[sentence.verdict]}: {sentence.reason or ''}")
            yield f'<span class="{sentence.verdict}" title="{why}">{inner}</span>'
        position = end
    yield linked.part(position, len(text))
