"""Summaries of real filings: short, in reading order, of sentences that people would quote."""

import re
from pathlib import Path

import pytest

from ingestion.encoders import Encoder
from ingestion.library import Library
from ingestion.pipeline.ingest import ingest
from ingestion.storage.catalogue.filters import Filters, resolve
from rag_app.answering.answers import Answer
from rag_app.answering.extractive_answerer import ExtractiveAnswerer
from rag_app.summarizing.summary import summarise

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1200)]

FILES = ("FOOTLOCKER_2022_8K_dated-2022-05-20.pdf", "AMCOR_2023Q4_EARNINGS.pdf", "BESTBUY_2024Q2_10Q.pdf")
# Words that the subject of each has, whatever sentences are chosen.
SUBJECTS = {FILES[0]: "annual meeting", FILES[1]: "packaging", FILES[2]: "fiscal 2024"}
UNWANTED = re.compile(
    r"accompanying notes|check mark|forward-looking|table of contents|\. ?\. ?\. ?\.|\||I\.R\.S|^\(|Exhibit",
    re.IGNORECASE,
)


def test_filings_are_quoted_without_what_every_filing_says(
    eval_data: Path, tmp_path: Path, encoder: Encoder
) -> None:
    documents = eval_data / "financebench-dev" / "documents"
    with Library.open(tmp_path / "library", encoder) as library:
        found = ingest(library, [documents / name for name in FILES])
        assert [result.status for result in found] == ["ok"] * len(FILES)
        for name in FILES:
            scope = resolve(library.catalogue, (), Filters(documents=(name,)))
            *_, answer = summarise(library, scope, ExtractiveAnswerer(encoder))
            assert isinstance(answer, Answer)
            quotes = [citation.quote for citation in answer.citations]
            assert 3 <= len(quotes) <= 8
            assert not any(UNWANTED.search(quote) for quote in quotes)
            assert SUBJECTS[name] in answer.text
            places = [(citation.page, citation.start) for citation in answer.citations]
            assert places == sorted(places)
