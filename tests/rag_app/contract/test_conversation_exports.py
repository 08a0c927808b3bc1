"""A conversation as Markdown and as HTML: what people and documents wrote stays text."""

import re
from html.parser import HTMLParser

from markdown_it import MarkdownIt

from rag_app.contract.answers import AnswerFields, CitationFields
from rag_app.contract.conversations import ConversationResponse, TurnFields
from rag_app.contract.html_export import as_html
from rag_app.contract.markdown_export import as_markdown, escaped

HOSTILE = "<script>alert(1)</script> ![x](http://example.org/a.png) [y](z) # no\n- list\n1. one\n> quote"


def hostile() -> ConversationResponse:
    """Return a conversation whose every text would like to be more than text."""
    citation = CitationFields(
        marker=1, document="a*b.md", document_id="d", page=2, start=0, end=9, quote=HOSTILE
    )
    answer = AnswerFields(
        question=HOSTILE,
        answer=f"{HOSTILE} **bold** [1] [2]",
        abstained=False,
        outcome="answered",
        strategy="fusion",
        reranker=None,
        llm="extractive",
        citations=(citation,),
        sentences=(),
        nearest=(),
        flags=(),
        standalone_question=None,
        conversation_id=None,
        receipt_id=None,
        timings_ms={},
    )
    turn = TurnFields(
        number=1,
        question=HOSTILE,
        standalone_question=HOSTILE,
        state="answered",
        asked="",
        answer=answer,
        error=None,
        receipt_id=None,
    )
    return ConversationResponse(conversation_id="c", title=HOSTILE, created="", updated="", turns=(turn,))


def test_what_documents_say_stays_text() -> None:
    shown = escaped(HOSTILE)
    assert "\\<script\\>" in shown
    assert "\\!\\[x\\]\\(" in shown
    assert all(not line.startswith(("-", "#", ">", "1.")) for line in shown.splitlines())
    html = MarkdownIt("commonmark").render(as_markdown(hostile()))
    for tag in ("<script", "<img", "<a ", "<blockquote", "<ol"):
        assert tag not in html
    assert "alert(1)" in html


class _Elements(HTMLParser):
    """Notes the elements of a page with their attributes, and what stands in them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: dict[str, set[str | None]] = {}
        self.texts = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            self.attributes.setdefault(name, set()).add(value)

    def handle_data(self, data: str) -> None:
        self.texts += data


def test_a_page_of_html_loads_nothing_and_names_its_sources() -> None:
    page = as_html(hostile())
    found = _Elements(page)
    structure = {"html", "head", "meta", "title", "style", "body", "section"}
    assert found.tags <= structure | {
        "h1",
        "h2",
        "h3",
        "p",
        "div",
        "strong",
        "a",
        "ol",
        "li",
        "bdi",
        "blockquote",
    }
    assert found.attributes["href"] == {"#source-1-1-1"}  # none for [2], which is no source
    assert found.attributes["id"] == {"source-1-1-1"}
    assert not found.attributes.keys() & {"src", "srcset", "style", "onerror", "action"}
    assert not re.search(r"url\(|@import|http-equiv=\W?refresh", page)
    assert "default-src &#x27;none&#x27;" in page
    assert (
        found.texts.count("<script>alert(1)</script>") == 5
    )  # title, heading, question, answer and quotation
    assert "[1] a*b.md, page 2" in found.texts
    assert "<strong>bold</strong>" in page
    assert "prefers-color-scheme: dark" in page
    assert "@media print" in page


def test_a_refusal_has_its_passages_in_its_text() -> None:
    conversation = hostile()
    (turn,) = conversation.turns
    assert turn.answer
    answer = turn.answer.model_copy(update={"abstained": True})
    refused = conversation.model_copy(update={"turns": (turn.model_copy(update={"answer": answer}),)})
    assert "href" not in _Elements(as_html(refused)).attributes
