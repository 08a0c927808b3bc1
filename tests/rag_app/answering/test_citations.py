"""An LLM's answer, sentence by sentence, aligned with its evidence by the real encoder."""

import re
from dataclasses import replace

import pytest

from ingestion.encoders import Encoder
from rag_app.answering.answers import Citation, CitedAnswer, Verdict
from rag_app.answering.citations import SUPPORTED, citation_of, cite_text
from tests.helpers.evidence import evidence

ORCHARD = "The Bramley apple tree stands by the north wall. It was planted in 1921 by Ada Finch."
HARBOUR = "High water at the pier was 4.2 metres. The ferry sailed at noon."
SOURCES = (
    evidence(1, ORCHARD, document="orchard.md", page=2, start=100),
    evidence(2, HARBOUR, document="harbour.pdf", page=5, start=30),
)
PLANTED = Citation(1, "orchard.md", "d1", 2, 149, 185, "It was planted in 1921 by Ada Finch.")
FERRY = Citation(2, "harbour.pdf", "d2", 5, 69, 94, "The ferry sailed at noon.")


def cite(text: str, encoder: Encoder) -> CitedAnswer:
    return cite_text(text, SOURCES, encoder)


@pytest.mark.parametrize(
    ("text", "rewritten"),
    [
        ("The tree was planted in 1921 [1].", "The tree was planted in 1921 [1]."),
        ("The tree was planted in 1921. [1]", "The tree was planted in 1921 [1]."),
        ("The tree was planted in 1921.[1]", "The tree was planted in 1921[1]."),
        ("The tree was planted in 1921 [1]", "The tree was planted in 1921 [1]"),
        ("[1] The tree was planted in 1921.", "[1] The tree was planted in 1921."),
        ("The tree was planted in 1921 [1][1].", "The tree was planted in 1921 [1][1]."),
    ],
)
def test_a_marker_is_found_wherever_models_put_it(encoder: Encoder, text: str, rewritten: str) -> None:
    cited = cite(text, encoder)
    (sentence,) = cited.sentences
    assert sentence.text.rstrip(".") == "The tree was planted in 1921"
    assert (sentence.verdict, sentence.markers) == (Verdict.SUPPORTED, (1,))
    assert SUPPORTED <= sentence.score <= 1.001
    assert cited.citations[0] == PLANTED
    assert cited.text == rewritten


@pytest.mark.parametrize(
    "markers", ["[1][2]", "[1] [2]", "[1, 2]", "[1; 2]", "[1-2]", "【1, 2】", "[Sources 1–2]"]
)
def test_one_sentence_may_rest_on_several_sources(encoder: Encoder, markers: str) -> None:
    text = f"The tree was planted in 1921 and the ferry sailed at noon {markers}."
    cited = cite(text, encoder)
    (sentence,) = cited.sentences
    assert sentence.text == "The tree was planted in 1921 and the ferry sailed at noon."
    assert set(sentence.markers) == {1, 2}
    assert sentence.verdict is Verdict.SUPPORTED
    assert {PLANTED, FERRY} <= set(cited.citations)
    if "][" in markers or "] [" in markers:
        assert cited.text == text
    else:  # the page links these
        assert re.fullmatch(r".* sailed at noon \[(1\] \[2|2\] \[1)\]\.", cited.text)


def test_markers_stay_with_their_own_sentence(encoder: Encoder) -> None:
    cited = cite("The ferry sailed at noon. [2] It was planted in 1921 by Ada Finch. [1]", encoder)
    assert [(s.text, s.markers, s.verdict) for s in cited.sentences] == [
        ("The ferry sailed at noon.", (2,), Verdict.SUPPORTED),
        ("It was planted in 1921 by Ada Finch.", (1,), Verdict.SUPPORTED),
    ]
    assert cited.citations == (FERRY, PLANTED)


def test_a_quotation_is_exactly_what_stands_on_the_page(encoder: Encoder) -> None:
    broken = "The Bramley apple tree\nstands by the   north wall. It was planted in 1921."
    page = "#" * 40 + broken
    cited = cite_text("The tree stands by the north wall [1].", [evidence(1, broken, start=40)], encoder)
    (citation,) = cited.citations
    assert citation.quote == "The Bramley apple tree\nstands by the   north wall."
    assert page[citation.start : citation.end] == citation.quote


def test_a_wrong_marker_is_corrected_and_one_of_no_source_dropped(encoder: Encoder) -> None:
    cited = cite(
        "It was planted in 1921 by Ada Finch [2]. The ferry sailed at noon [2][7]. "
        "Penguins have never liked jazz music [9].",
        encoder,
    )
    planted, ferry, penguins = cited.sentences
    assert (planted.markers, ferry.markers, penguins.markers) == ((1,), (2,), ())
    assert penguins.verdict is Verdict.UNSUPPORTED
    assert penguins.reason == "no source says this"
    assert cited.citations == (PLANTED, FERRY)
    assert cited.text == (
        "It was planted in 1921 by Ada Finch [1]. The ferry sailed at noon [2]. "
        "Penguins have never liked jazz music."
    )


def test_a_sentence_without_a_marker_gets_that_of_what_it_says(encoder: Encoder) -> None:
    cited = cite("At noon the ferry sailed. Penguins have never liked jazz music.", encoder)
    assert [sentence.markers for sentence in cited.sentences] == [(2,), ()]
    assert cited.citations == (FERRY,)
    assert cited.text == "At noon the ferry sailed [2]. Penguins have never liked jazz music."


@pytest.mark.parametrize(
    ("planted", "reason"),
    [
        ("It was planted in 1912 by Ada Finch [1].", "1912 is not in the source"),
        ("It was not planted in 1921 by Ada Finch [1].", "the source does not say “not”"),
        ("High water at the pier was 2.4 metres [2].", "2.4 is not in the source"),
        ("The captain paid for the bells [2].", "no source says this"),
    ],
)
def test_what_no_source_holds_is_unsupported(encoder: Encoder, planted: str, reason: str) -> None:
    cited = cite(f"The ferry sailed at noon [2]. {planted}", encoder)
    assert [sentence.verdict for sentence in cited.sentences] == [Verdict.SUPPORTED, Verdict.UNSUPPORTED]
    assert cited.sentences[1].reason == reason


def test_a_wrong_name_in_a_true_sentence_is_not_supported(encoder: Encoder) -> None:
    cited = cite("It was planted in 1921 by Winston Churchill [1].", encoder)
    assert cited.sentences[0].verdict is not Verdict.SUPPORTED


def test_one_quotation_is_cited_once(encoder: Encoder) -> None:
    cited = cite("The ferry sailed at noon [2]. At noon it sailed [2].", encoder)
    assert [sentence.markers for sentence in cited.sentences] == [(2,), (2,)]
    assert cited.citations == (FERRY,)


def test_lines_and_lists_of_an_answer_stay_as_they_are(encoder: Encoder) -> None:
    text = "Two things happened:\n\n- The ferry sailed at noon [2].\n- The tree was planted in 1921 [1]."
    assert cite(text, encoder).text == text


def test_nothing_to_cite(encoder: Encoder) -> None:
    assert cite("", encoder) == CitedAnswer("", (), ())
    assert cite(" [1] . ", encoder).sentences == ()
    without = cite_text("It sailed [1].", [], encoder)
    assert (without.text, without.citations) == ("It sailed.", ())
    assert [(s.verdict, s.markers) for s in without.sentences] == [(Verdict.UNSUPPORTED, ())]


@pytest.mark.parametrize(
    "text",
    [
        "The tree was planted in 1921, so set `year[1]` and x[2] = 3 [1].",
        "The tree was planted in 1921 [1].\n\n```\nfirst[1] = rows[2]\n```",
        "The interval [1, 2] of the tree planted in 1921 [1].",
        "The tree was planted in 1921 = [2] + [3] [1].",
    ],
)
def test_brackets_of_code_and_maths_are_no_markers(encoder: Encoder, text: str) -> None:
    cited = cite(text, encoder)
    assert cited.text.replace(" [1].", ".") == text.replace(" [1].", ".")
    assert {number for sentence in cited.sentences for number in sentence.markers} <= {1}


@pytest.mark.parametrize(
    "text", ["It was planted in 1931 by Ada Finch [1].", "Penguins have never liked jazz music [2]."]
)
def test_a_sentence_that_no_source_supports_stays_without_its_markers(encoder: Encoder, text: str) -> None:
    cited = cite(text, encoder)
    (sentence,) = cited.sentences
    assert (sentence.verdict, sentence.markers, cited.citations) == (Verdict.UNSUPPORTED, (), ())
    assert sentence.reason
    assert cited.text == re.sub(r" \[\d\]", "", text)


def test_a_citation_of_source_code_names_its_lines() -> None:
    code = evidence(1, "# Fields.\n\ndef area(width):\n    return width", document="field.py", start=100)
    chunk = replace(code.hit.chunk, heading="lines 40–43")
    code = replace(code, hit=replace(code.hit, chunk=chunk))
    assert [citation_of(code, sentence).lines for sentence in code.sentences] == ["line 40", "lines 42–43"]
    assert citation_of(SOURCES[0], SOURCES[0].sentences[0]).lines is None
