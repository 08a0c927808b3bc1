"""A model's reasoning is no part of its answer."""

import pytest

from rag_app.llm.chat import without_reasoning


@pytest.mark.parametrize(
    ("pieces", "text"),
    [
        (["It is", " so [1]."], "It is so [1]."),
        (["<th", "ink>Let me", " see.</thi", "nk>\n\nIt is", " so."], "It is so."),
        (["\n<think></think>", "Yes."], "Yes."),
        (["<think>never", " ends"], ""),
        (["<thi"], "<thi"),
        (["A <think> in the middle stays."], "A <think> in the middle stays."),
        ([], ""),
    ],
)
def test_a_leading_think_block_is_left_out(pieces: list[str], text: str) -> None:
    assert "".join(without_reasoning(pieces)) == text


def test_text_is_passed_on_as_it_comes() -> None:
    passed = without_reasoning(iter(["<think>a</think>b", "c", "d"]))
    assert [next(passed), next(passed), next(passed)] == ["b", "c", "d"]
