"""One question from page, HTTP and command line: no call goes up, and each way meets the same rooms."""

import pytest

SHARED = {
    "rag_app.service",
    "rag_app.history",
    "rag_app.answering",
    "retrievers",
    "ingestion.encoders",
    "ingestion.storage",
}


@pytest.mark.slow
def test_no_call_of_a_question_goes_up() -> None:
    from question_path import QUESTION, paths

    found = paths(QUESTION)
    assert set(found) == {"page", "HTTP", "command line"}
    for trace in found.values():
        assert trace.upward == {}
        assert set(trace.rooms()) >= SHARED
        assert len(trace.files) == len(set(trace.files)) > 50
