"""A source looked at closely, and why it was found, rendered without a browser."""

from dataclasses import replace

import pytest

from ingestion.documents import Page, Status
from ingestion.parsing import Box, PagePicture
from ingestion.storage.catalogue.records import Document
from rag_app.service.page_views import RenderedPage
from retrievers.explain import Explanation, TermReason, TokenReason
from tests.helpers.page_values import START, hit
from ui.chat.explanation import HitExplanation, by_word, render_why
from ui.chat.viewer import SourceLocation, opens, place_of, render_page, render_viewer

NAME = "<img src=x onerror=alert(1)>\u202e.pdf"
PLACE = SourceLocation(turn=2, chunk="c1", document="d1", page=3)
TEXT = "The boat sails on the <b>lake</b>."


def view(picture: PagePicture | None, reason: str | None = None) -> RenderedPage:
    document = Document(
        id="d1", collection="default", collection_id=1, name=NAME, path="/x.pdf", title=None, sha256="0" * 64,
        bytes=1, status=Status.OK, error=None, pages=5, pages_failed=0, chunks=1, version=1, chunker=1,
        language="en", added="2026-01-01T00:00:00+00:00",
    )  # fmt: skip
    return RenderedPage(document, Page(3, TEXT), ((4, 8),), picture, reason)


def test_a_page_is_a_picture_with_boxes_at_its_own_measure() -> None:
    picture = PagePicture(
        b"\x89PNG", "image/png", 612.0, 792.0, ((Box(10, 20, 50, 32), Box(10, 34, 30, 46)),)
    )
    shown = render_page(view(picture), PLACE)
    assert 'viewBox="0 0 612.00 792.00"' in shown
    assert '<rect class="mark" x="10.00" y="20.00" width="40.00" height="12.00" rx="1"/>' in shown
    assert shown.count("<rect") == 2
    assert 'src="data:image/png;base64,iVBORw=="' in shown
    assert "<img src=x" not in shown  # the document's name is text
    assert "\u202e" not in shown
    assert "is not known" not in shown
    assert "is not known" in render_page(view(replace(picture, boxes=((),))), PLACE)


def test_without_a_picture_the_text_is_shown_with_its_marks_and_the_reason() -> None:
    shown = render_page(view(None, "Only <PDFs> have pages."), PLACE)
    assert "The <mark>boat</mark> sails on the &lt;b&gt;lake&lt;/b&gt;." in shown
    assert "Only &lt;PDFs&gt; have pages." in shown
    assert "<form" not in shown


def test_a_locked_page_asks_for_its_password_beside_the_text() -> None:
    shown = render_page(replace(view(None, "the file is locked"), is_locked=True), PLACE)
    assert f'<form class="unlock" data-unlock {opens(PLACE, "page")}><input type="password"' in shown
    assert 'aria-label="Password of &lt;img' in shown
    assert "<mark>boat</mark>" in shown


def test_the_bar_turns_pages_within_the_document() -> None:
    first = render_viewer(replace(PLACE, page=1), NAME, 5, "page", "<p>x</p>")
    assert "page 1 of 5" in first
    assert 'aria-label="Previous page" title="Previous page" disabled' in first
    assert 'aria-label="Next page" title="Next page" data-open="page"' in first
    assert "&lt;img src=x onerror=alert(1)&gt;" in first
    why = render_viewer(PLACE, NAME, 5, "why", "<p>x</p>")
    assert 'role="tab" aria-selected="true" data-open="why"' in why
    assert "Next page" not in why


def test_what_opens_a_source_says_where() -> None:
    attributes = opens(PLACE, "why")
    assert attributes == 'data-open="why" data-turn="2" data-chunk="c1" data-document="d1" data-page="3"'
    data: dict[str, object] = {"open": "why", "turn": "2", "chunk": "c1", "document": "d1", "page": "3"}
    assert place_of(data) == (PLACE, "why")
    for wrong in ({**data, "open": "all"}, {**data, "page": "x"}, {}):
        with pytest.raises(ValueError, match=r"tab|invalid"):
            place_of(wrong)


def explanation() -> Explanation:
    """Of "boats lake now": "boats" is two tokens, "now" matches only what stands in front of the passage."""
    reasons = (
        TokenReason(0, 0, 0.9, ()),
        TokenReason(0, 4, 0.9, ((START + 4, START + 8),)),
        TokenReason(4, 5, 0.5, ((START + 9, START + 12),)),
        TokenReason(6, 10, 0.8, ((START + 25, START + 29),)),
        TokenReason(11, 14, 0.4, ()),
    )
    return Explanation(3.5, reasons)


def test_tokens_that_touch_are_one_word() -> None:
    words = by_word(explanation(), "boats lake now")
    assert [word.word for word in words] == ["boats", "lake", "now"]
    assert words[0].similarity == pytest.approx(0.7)
    assert words[0].matches == ((START + 4, START + 8), (START + 9, START + 12))


def test_late_interaction_shades_whole_words_by_similarity() -> None:
    found = replace(hit(TEXT), scores={"maxsim": 3.5})
    shown = render_why(HitExplanation("boats lake now", found, "colbert", explanation(), ()))
    assert '>boat</span> <span class="hot"' in shown
    assert ">sails</span>" in shown  # a token of it matched: the word is shaded as a whole
    assert 'data-words=" 1 " title="cosine 0.80">lake</span>' in shown
    assert "&lt;b&gt;" in shown
    assert "(title or heading)" in shown
    assert "<b>3.50</b> over 5 tokens" in shown
    assert "One vector" not in shown
    assert "did not look at" not in shown


def test_words_are_marked_and_those_that_lack_are_named() -> None:
    found = replace(hit(TEXT), scores={"bm25": 4.25})
    terms = (TermReason(0, 5, ((START + 4, START + 8),)), TermReason(11, 14, ()))
    shown = render_why(HitExplanation("boats lake now", found, "bm25", None, terms))
    assert "1 of 2 words" in shown
    assert '<li class="has">boats <small>× 1</small></li><li class="lacks">now</li>' in shown
    assert "The <mark>boat</mark> sails" in shown
    assert "4.25" in shown


def test_a_passage_that_was_lifted_to_its_turn_says_so() -> None:
    found = replace(hit(TEXT), scores={"fused": 3.25, "share": 1.5})
    shown = render_why(HitExplanation("boats lake now", found, "documents-first", None, ()))
    assert "Share: 1.500" in shown
    assert "take turns in the first places" in shown
    plain = render_why(HitExplanation("boats lake now", hit(TEXT), "documents-first", None, ()))
    assert "Share" not in plain


def test_a_single_vector_and_a_cross_encoder_tell_only_a_number() -> None:
    found = replace(hit(TEXT), scores={"mean": 0.471, "cross_encoder": 7.5})
    shown = render_why(HitExplanation("boats lake now", found, "mean", explanation(), ()))
    assert "One vector (mean): 0.471" in shown
    assert "A single vector cannot tell" in shown
    assert "Cross-encoder: 7.500" in shown
    before, _, after = shown.partition("What this strategy did not look at")
    assert "MaxSim" not in before
    assert "MaxSim" in after
