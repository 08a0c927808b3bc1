"""What each token of a question found in a passage, against vectors encoded afresh."""

from dataclasses import replace

import numpy as np
import pytest

from ingestion.encoders import Encoder
from ingestion.errors import UnknownName
from ingestion.library import Library
from ingestion.maintenance.reindex import reindex
from retrievers.explain import Explanation, explain, matched_terms
from retrievers.hits import Hit, Query
from retrievers.search import search
from retrievers.strategies import strategy_named

QUESTION = "Who planted the Bramley apple tree?"


def first_hit(library: Library, strategy: str = "colbert") -> Hit:
    return search(library, QUESTION, strategy_named(strategy), library.catalogue.scope()).hits[0]


def explained(library: Library, hit: Hit) -> Explanation:
    found = explain(library, Query(QUESTION, library.encoder), hit.chunk)
    assert found is not None
    return found


def test_each_token_names_its_best_match_on_the_page(stocked: Library, encoder: Encoder) -> None:
    hit = first_hit(stocked)
    found = explained(stocked, hit)
    page = stocked.catalogue.page(hit.chunk.document_id, hit.chunk.page)
    assert page is not None
    query = encoder.encode_query(QUESTION)
    passage = encoder.encode([hit.chunk.text], [hit.chunk.context])
    similarities = query.tokens @ passage.tokens.T
    assert len(found.reasons) == len(query.tokens)
    words = {}
    for reason, row, (start, end) in zip(found.reasons, similarities, query.spans.tolist(), strict=True):
        assert (reason.start, reason.end) == (start, end)
        assert reason.similarity == pytest.approx(row.max(), abs=0.02)
        best = passage.spans[row.argmax()] + hit.chunk.start
        if row.max() - np.partition(row, -2)[-2] > 0.03:  # not a near tie, which rounding may turn
            assert reason.places in ((tuple(best.tolist()),), ())
        words[QUESTION[start:end]] = [page.text[a:b] for a, b in reason.places]
    assert words["planted"] == ["planted"]
    assert words["apple"] == ["apple"]
    assert words["tree"] == ["tree"]


def test_the_similarities_add_up_to_the_score(stocked: Library) -> None:
    hit = first_hit(stocked)
    found = explained(stocked, hit)
    assert found.maxsim == pytest.approx(sum(reason.similarity for reason in found.reasons))
    assert found.maxsim == pytest.approx(hit.score, rel=0.005)
    assert explained(stocked, first_hit(stocked, "bm25")).maxsim > 0  # whatever found it


def test_what_only_the_context_line_has_stands_nowhere_on_the_page(stocked: Library) -> None:
    """The title stands in front of the passage, and is no part of it."""
    hit = first_hit(stocked)
    assert "Orchard" in hit.chunk.context
    found = explain(stocked, Query("Orchard", stocked.encoder), hit.chunk)
    assert found is not None
    (reason,) = found.reasons
    assert (reason.places, reason.similarity > 0.5) == ((), True)


def test_pooled_tokens_name_all_that_they_stand_for(stocked: Library) -> None:
    before = explained(stocked, first_hit(stocked))
    reindex(stocked, codec="int8-pool3")
    after = explained(stocked, first_hit(stocked))
    assert max(len(reason.places) for reason in before.reasons) == 1
    assert max(len(reason.places) for reason in after.reasons) >= 2
    assert after.maxsim == pytest.approx(before.maxsim, rel=0.15)


def test_a_passage_that_is_gone_is_not_explained(stocked: Library) -> None:
    hit = first_hit(stocked)
    gone = replace(hit.chunk, id="gone:1:0")
    assert explain(stocked, Query(QUESTION, stocked.encoder), gone) is None
    stocked.delete(*stocked.catalogue.documents())
    assert explain(stocked, Query(QUESTION, stocked.encoder), hit.chunk) is None


def test_an_unknown_representation_is_named(stocked: Library) -> None:
    with pytest.raises(UnknownName, match="'other'"):
        explain(stocked, Query(QUESTION, stocked.encoder), first_hit(stocked).chunk, "other")


def test_words_are_found_in_whatever_form_and_function_words_are_none(stocked: Library) -> None:
    hit = first_hit(stocked, "bm25")
    question = "When do the planting trees stand, and where is a kiwi?"
    found = {question[one.start : one.end]: one.places for one in matched_terms(question, hit.chunk, "en")}
    page = stocked.catalogue.page(hit.chunk.document_id, hit.chunk.page)
    assert page is not None
    assert {word: [page.text[slice(*place)] for place in places] for word, places in found.items()} == {
        "planting": ["planted"], "trees": ["tree"], "stand": ["stands"], "kiwi": [],
    }  # fmt: skip
    (only,) = matched_terms("the", hit.chunk, "en")  # nothing else was asked
    assert only.places
