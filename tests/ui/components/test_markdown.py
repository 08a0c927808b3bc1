"""A model's Markdown as HTML that does nothing but show it."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_app.answering.answers import AnswerSentence, Verdict
from ui.components.markdown import render_markdown

ELEMENTS = {
    "p", "br", "ul", "ol", "li", "strong", "em", "code", "pre", "blockquote", "hr", "div", "table", "thead",
    "tbody", "tr", "th", "td", "span", "a",
}  # fmt: skip
LINK = '<a class="marker" href="#source-1-{0}">[{0}]</a>'


def link_of(match: re.Match[str]) -> str | None:
    return LINK.format(match[1]) if int(match[1]) < 9 else None


def rendered(text: str, *sentences: AnswerSentence) -> str:
    return render_markdown(text, sentences, link_of)


class _Parser(HTMLParser):
    """Keeps elements and attributes, and checks that elements are closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.attributes: dict[str, set[str | None]] = {}
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        for name, value in attrs:
            self.attributes.setdefault(name, set()).add(value)
        if tag not in ("br", "hr"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def parsed(html: str) -> _Parser:
    parser = _Parser()
    parser.feed(html)
    parser.close()
    assert parser.open == []
    return parser


def test_lists_tables_code_and_emphasis_are_elements() -> None:
    html = rendered(
        "# Head\n\nOne **bold** and *slanted* a_b_c.pdf [1].\nNext\n\n- first [2]\n- second\n\n3. third\n\n"
        '| a | b |\n|---|:-:|\n| 1 | 2 [1] |\n\n```python\nx[1] = "<b>"\n```\n\n> said `x[2]`'
    )
    for part in (
        '<p class="heading">Head</p>', "<strong>bold</strong>", "<em>slanted</em>", "a_b_c.pdf", "<br>",
        f"<ul><li>first {LINK.format(2)}</li>", '<ol start="3"><li>third</li>', "<th>a</th>",
        f"<td>2 {LINK.format(1)}</td>", "<pre><code>x[1] = &quot;&lt;b&gt;&quot;\n</code></pre>",
        "<blockquote><p>said <code>x[2]</code></p>",
    ):  # fmt: skip
        assert part in html
    assert parsed(html).elements <= ELEMENTS


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1))",
    "[click][1]\n\n[1]: javascript:alert(1)",
    "![picture](http://evil.example/x.png)",
    "![picture][x]\n\n[x]: http://evil.example/x.png",
    "<http://evil.example>",
    "<a href='javascript:alert(1)'>x</a>",
    "<iframe src=//evil.example></iframe>\n\n<style>*{display:none}</style>",
    '```"><script>alert(1)</script>\nx\n```',
    "`<svg onload=alert(1)>`",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "| <script> | [x](javascript:1) |\n|---|---|\n| <img src=x> | ![a](//b) |",
    "# <script>\n- <script>\n> <script>",
    '**[1](javascript:alert(1))** [1]" onmouseover="alert(1)',
    "\u202egnp.exe\x00",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_markdown_stays_text(text: str) -> None:
    found = parsed(rendered(text))
    assert found.elements <= ELEMENTS
    assert found.attributes.keys() <= {"class", "start", "href"}
    assert all(value and value.startswith("#source-1-") for value in found.attributes.get("href", ()))
    assert "\u202e" not in rendered(text)


SCRAPS = st.sampled_from([
    "- ", "1. ", "# ", "> ", "**", "*", "_", "`", "```", "\n", "\n\n", "| a | b |\n", "|---|---|\n", "[1]",
    "[x](y)", "<b>", "word ", "42 ", "It is so. ", "    ", "![", "](", "\\", "&amp;", "<script>",
])  # fmt: skip


@given(st.lists(SCRAPS, max_size=25))
def test_any_markdown_gives_closed_elements(scraps: list[str]) -> None:
    sentence = AnswerSentence("It is so. word 42", Verdict.WEAK, 0.6, (1,), '"close"')
    found = parsed(rendered("".join(scraps), sentence, sentence))
    assert found.elements <= ELEMENTS


def test_doubtful_sentences_are_marked_within_their_elements() -> None:
    sentences = (
        AnswerSentence("1. **It** is 42 kg.", Verdict.UNSUPPORTED, 0.4, (), "no source says this"),
        AnswerSentence("It is `red`.", Verdict.WEAK, 0.6, (1,), "close"),
        AnswerSentence("True.", Verdict.SUPPORTED, 0.9, ()),
    )
    html = rendered("1. **It** is 42 kg.\n2. It is `red` [1]. True.", *sentences)
    wrong = '<span class="unsupported" title="Not supported by the sources: no source says this">'
    assert f"<li><strong>{wrong}It</span></strong> {wrong}is 42 kg.</span></li>" in html
    assert f'close">It is</span> <code>red</code> {LINK.format(1)}. True.' in html
    parsed(html)
