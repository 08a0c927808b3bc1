"""A model's reasoning is no part of its answer."""

import pytest

from rag_app.llm.reasoning import Reasoning, TextKind, opens_thought


def split(pieces: list[str], *, begun: bool = False) -> tuple[str, str]:
    """Thought and answer of a whole text."""
    reasoning = Reasoning(begun=begun)
    parts = [part for piece in pieces for part in reasoning.feed(piece)] + list(reasoning.finish())
    assert all(text for _, text in parts)
    thought, answer = (
        "".join(text for part, text in parts if part is kind) for kind in (TextKind.THOUGHT, TextKind.ANSWER)
    )
    return thought, answer


@pytest.mark.parametrize(
    ("pieces", "thought", "answer"),
    [
        (["It is", " so [1]."], "", "It is so [1]."),
        (["<th", "ink>Let me", " see.</thi", "nk>\n\nIt is", " so."], "Let me see.", "It is so."),
        (["\n<think></think>", "Yes."], "", "Yes."),
        (["<think>never", " ends"], "never ends", ""),
        (["<think>ends in </thi"], "ends in </thi", ""),
        (["<thi"], "", "<thi"),
        (["A <think> in the middle stays."], "", "A <think> in the middle stays."),
        (["  indented"], "", "  indented"),
        (list("<think>a</think>b"), "a", "b"),
        ([], "", ""),
    ],
)
def test_a_leading_thought_is_told_apart(pieces: list[str], thought: str, answer: str) -> None:
    assert split(pieces) == (thought, answer)


@pytest.mark.parametrize(
    ("pieces", "thought", "answer"),
    [
        (["\nLet me see.", "</think>", "\n\nSo."], "Let me see.", "So."),
        (["</think>So."], "", "So."),
        (["still thinking"], "still thinking", ""),
    ],
)
def test_a_thought_that_the_prompt_has_opened(pieces: list[str], thought: str, answer: str) -> None:
    assert split(pieces, begun=True) == (thought, answer)


def test_text_is_passed_on_as_it_comes() -> None:
    reasoning = Reasoning()
    passed = [list(reasoning.feed(piece)) for piece in ("<think>a", "b</think>", " c", "d")]
    assert passed == [
        [(TextKind.THOUGHT, "a")],
        [(TextKind.THOUGHT, "b")],
        [(TextKind.ANSWER, "c")],
        [(TextKind.ANSWER, "d")],
    ]


def test_what_a_template_ends_with_says_where_the_model_begins() -> None:
    assert opens_thought("<|im_start|>assistant\n<think>\n")
    assert not opens_thought("<|im_start|>assistant\n<think>\n\n</think>\n\n")
    assert not opens_thought("<|im_start|>assistant\n")
