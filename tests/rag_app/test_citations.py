"""An LLM's answer, sentence by sentence, aligned with its evidence by the real encoder."""

import pytest

from ingestion.encoders import Encoder
from rag_app.answers import AnswerSentence, Citation
from rag_app.citations import cite_text
from tests.rag_app.evidence import evidence

ORCHARD = "The Bramley apple tree stands by the north wall. It was planted in 1921 by Ada Finch."
HARBOUR = "High water at the pier was 4.2 metres. The ferry sailed at noon."
SOURCES = (
    evidence(1, ORCHARD, document="orchard.md", page=2, start=100),
    evidence(2, HARBOUR, document="harbour.pdf", page=5, start=30),
)
PLANTED = Citation(1, "orchard.md", "d1", 2, 149, 185, "It was planted in 1921 by Ada Finch.")
FERRY = Citation(2, "harbour.pdf", "d2", 5, 69, 94, "The ferry sailed at noon.")


@pytest.mark.parametrize(
    "text",
    [
        "The tree was planted in 1921 [1].",
        "The tree was planted in 1921. [1]",
        "The tree was planted in 1921.[1]",
        "The tree was planted in 1921 [1]",
        "[1] The tree was planted in 1921.",
        "The tree was planted in 1921 [1][1].",
    ],
)
def test_a_marker_is_found_wherever_models_put_it(encoder: Encoder, text: str) -> None:
    (sentence,), citations = cite_text(text, SOURCES, encoder)
    assert sentence.text.rstrip(".") == "The tree was planted in 1921"
    assert (sentence.verdict, sentence.markers) == (None, (1,))
    assert sentence.score is not None
    assert 0.5 < sentence.score <= 1.001
    assert citations == (PLANTED,)


@pytest.mark.parametrize("markers", ["[1][2]", "[1] [2]", "[1, 2]", "[1,2]", "[1; 2]"])
def test_one_sentence_may_rest_on_several_sources(encoder: Encoder, markers: str) -> None:
    (sentence,), citations = cite_text(
        f"Planted in 1921, the ferry sailed at noon {markers}.", SOURCES, encoder
    )
    assert sentence.text == "Planted in 1921, the ferry sailed at noon."
    assert sentence.markers == (1, 2)
    assert citations == (PLANTED, FERRY)


def test_markers_stay_with_their_own_sentence(encoder: Encoder) -> None:
    text = "The ferry sailed at noon. [2] It was planted in 1921 by Ada Finch. [1]"
    sentences, citations = cite_text(text, SOURCES, encoder)
    assert [(s.text, s.markers) for s in sentences] == [
        ("The ferry sailed at noon.", (2,)),
        ("It was planted in 1921 by Ada Finch.", (1,)),
    ]
    assert citations == (FERRY, PLANTED)


def test_a_quotation_is_exactly_what_stands_on_the_page(encoder: Encoder) -> None:
    broken = "The Bramley apple tree\nstands by the   north wall. It was planted in 1921."
    page = "#" * 40 + broken
    _, (citation,) = cite_text(
        "The tree stands by the north wall [1].", [evidence(1, broken, start=40)], encoder
    )
    assert citation.quote == "The Bramley apple tree\nstands by the   north wall."
    assert page[citation.start : citation.end] == citation.quote


def test_a_marker_of_no_source_is_dropped(encoder: Encoder) -> None:
    (known, unknown), citations = cite_text(
        "It was planted in 1921 by Ada Finch [1][7]. Penguins have never liked jazz music [9].",
        SOURCES,
        encoder,
    )
    assert (known.text, known.markers) == ("It was planted in 1921 by Ada Finch.", (1,))
    assert unknown == AnswerSentence("Penguins have never liked jazz music.", None, None, ())
    assert citations == (PLANTED,)


def test_a_sentence_without_a_marker_is_aligned_with_what_it_says(encoder: Encoder) -> None:
    (ferry, other), citations = cite_text(
        "At noon the ferry sailed. Penguins have never liked jazz music.", SOURCES, encoder
    )
    assert ferry.markers == (2,)
    assert citations == (FERRY,)
    assert (other.markers, other.score) == ((), None)


def test_one_quotation_is_cited_once(encoder: Encoder) -> None:
    sentences, citations = cite_text("The ferry sailed at noon [2]. At noon it sailed [2].", SOURCES, encoder)
    assert [sentence.markers for sentence in sentences] == [(2,), (2,)]
    assert citations == (FERRY,)


def test_nothing_to_cite(encoder: Encoder) -> None:
    assert cite_text("", SOURCES, encoder) == ((), ())
    assert cite_text(" [1] . ", SOURCES, encoder) == ((), ())
    assert cite_text("It sailed [1].", [], encoder) == ((AnswerSentence("It sailed.", None, None, ()),), ())
