"""What a prompt has in common with the one before is read once, and no answer is different for it."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage

from ingestion.errors import ModelError
from rag_app.llm.llama import LlamaCpp
from rag_app.llm.process.engine import BLOCK
from tests.helpers.streams import generator

pytestmark = pytest.mark.slow

EVIDENCE = "the king of 日本 in the land of the naïve. " * 20
FIRST, SECOND = "where is he?", "and when was he there?"
OPTIONS: dict[str, Any] = {"temperature": 2.0, "seed": 5}


@pytest.fixture
def model(tiny_path: Path) -> Iterator[LlamaCpp]:
    with LlamaCpp(model_path=tiny_path, threads=1, max_tokens=60) as model:
        yield model


def prompt(question: str, evidence: str = EVIDENCE) -> list[BaseMessage]:
    return [SystemMessage("Be brief."), HumanMessage(f"{evidence}\n\nQuestion: {question}")]


def ask(model: LlamaCpp, question: str, evidence: str = EVIDENCE) -> tuple[str, int]:
    """Answer, and how many tokens of the prompt were known."""
    answer = model.invoke(prompt(question, evidence), **OPTIONS)
    assert answer.usage_metadata is not None
    return answer.text, answer.usage_metadata["input_token_details"]["cache_read"]


def anew(path: Path, question: str, evidence: str = EVIDENCE) -> str:
    """The answer of a process that knows nothing."""
    with LlamaCpp(model_path=path, threads=1, max_tokens=60) as model:
        return ask(model, question, evidence)[0]


def test_a_follow_up_reads_only_what_is_new_and_answers_the_same(model: LlamaCpp, tiny_path: Path) -> None:
    total = model.count_prompt_tokens(prompt(SECOND))
    assert ask(model, FIRST)[1] == 0
    text, known = ask(model, SECOND)
    assert known == total // BLOCK * BLOCK > 300
    assert text == anew(tiny_path, SECOND)
    # The same again, then something else, then the first one's beginning.
    assert ask(model, SECOND) == (text, known)
    assert ask(model, FIRST, "other evidence " * 30)[1] == 0
    assert ask(model, SECOND) == (text, 0)


def test_the_beginning_alone_may_be_shared(model: LlamaCpp, tiny_path: Path) -> None:
    ask(model, FIRST, EVIDENCE + "and one thing more " * 20)
    text, known = ask(model, FIRST)
    assert 0 < known < model.count_prompt_tokens(prompt(FIRST))
    assert text == anew(tiny_path, FIRST)


def test_a_stream_that_was_left_takes_nothing_away(slow_path: Path) -> None:
    with LlamaCpp(model_path=slow_path, threads=1, max_tokens=60) as model:
        whole = ask(model, SECOND)[0]
        for _ in range(2):
            stream = generator(model.stream(prompt(FIRST), **OPTIONS))
            next(stream)
            stream.close()
            text, known = ask(model, SECOND)
            assert text == whole
            assert known > 300


def test_a_reading_that_was_left_keeps_what_was_read(slow_path: Path) -> None:
    with LlamaCpp(model_path=slow_path, threads=1, max_tokens=5) as model:
        ask(model, FIRST, "something else")
        stream = generator(model.stream(prompt(FIRST), progress=True))
        while (next(stream).additional_kwargs.get("progress") or [{"done": 0}])[-1]["done"] < 2 * BLOCK:
            pass
        stream.close()
        assert ask(model, FIRST)[1] >= 2 * BLOCK
        assert ask(model, FIRST)[0] == ask(model, FIRST)[0]


def test_a_new_process_knows_nothing(model: LlamaCpp) -> None:
    text, _ = ask(model, FIRST)
    assert model.pid
    os.kill(model.pid, signal.SIGKILL)
    try:
        again = ask(model, FIRST)
    except ModelError:  # the death came to light in the question
        again = ask(model, FIRST)
    assert again == (text, 0)
