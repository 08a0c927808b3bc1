"""A conversation as Markdown: what people and documents wrote stays text."""

from markdown_it import MarkdownIt

from rag_app.contract.answers import AnswerFields, CitationFields
from rag_app.contract.conversations import ConversationResponse, TurnFields
from rag_app.contract.markdown_export import as_markdown, escaped

HOSTILE = "<script>alert(1)</script> ![x](http://example.org/a.png) [y](z) # no\n- list\n1. one\n> quote"


def test_what_documents_say_stays_text() -> None:
    shown = escaped(HOSTILE)
    assert "\\<script\\>" in shown
    assert "\\!\\[x\\]\\(" in shown
    assert all(not line.startswith(("-", "#", ">", "1.")) for line in shown.splitlines())
    citation = CitationFields(
        marker=1, document="a*b.md", document_id="d", page=2, start=0, end=9, quote=HOSTILE
    )
    answer = AnswerFields(
        question=HOSTILE,
        answer=HOSTILE,
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
    conversation = ConversationResponse(
        conversation_id="c", title=HOSTILE, created="", updated="", turns=(turn,)
    )
    html = MarkdownIt("commonmark").render(as_markdown(conversation))
    for tag in ("<script", "<img", "<a ", "<blockquote", "<ol"):
        assert tag not in html
    assert "alert(1)" in html
