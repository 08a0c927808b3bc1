"""Models that think before they answer, as their chat templates have it."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableConfig

from ingestion.encoders import Encoder
from ingestion.errors import ModelError
from rag_app.answering.answers import PromptContext, ReasoningDelta
from rag_app.answering.chat_answerer import ChatAnswerer
from rag_app.llm.llama import LlamaCpp
from rag_app.llm.stream_chunks import reasoning_of
from tests.helpers.evidence import evidence
from tests.helpers.tiny_gguf import CHATML

BEGUN = CHATML.replace("assistant\\n' }}{% endif %}", "assistant\\n<think>\\n' }}{% endif %}")
EMPTY = "{% if enable_thinking is false %}{{ '<think>\\n\\n</think>\\n\\n' }}{% endif %}"
SWITCHED = CHATML.replace("assistant\\n' }}{% endif %}", f"assistant\\n' }}}}{EMPTY}{{% endif %}}")
QUESTION = "where is the king?"


def collect(events: Iterable[object], told: list[object]) -> None:
    for event in events:
        told.append(event)  # what came before an error stays


def test_a_thought_that_the_template_opens_is_no_answer(
    write_model: Callable[..., Path], encoder: Encoder
) -> None:
    assert BEGUN != CHATML
    with LlamaCpp(model_path=write_model(chat_template=BEGUN), threads=1, max_tokens=30) as model:
        chunks = list(model.stream(QUESTION))
        thought = "".join(reasoning_of(chunk) for chunk in chunks)
        assert len(thought) > 10
        assert "".join(chunk.text for chunk in chunks) == ""
        answer = model.invoke(QUESTION)
        assert (answer.text, answer.additional_kwargs) == ("", {"reasoning_content": thought})

        packed = PromptContext((evidence(1, "He is in."),), 0.9)
        told: list[object] = []
        writing = ChatAnswerer(model, encoder).write(QUESTION, packed, RunnableConfig())
        with pytest.raises(ModelError, match="wrote no answer within 30 tokens; raise llm_max_tokens"):
            collect(writing, told)
        assert any(isinstance(event, ReasoningDelta) for event in told)
        assert not any(event for event in told if isinstance(event, str))


def test_a_template_is_told_whether_to_think(write_model: Callable[..., Path]) -> None:
    path = write_model(chat_template=SWITCHED)
    with (
        LlamaCpp(model_path=path, threads=1, max_tokens=20) as brief,
        LlamaCpp(model_path=path, threads=1, max_tokens=20, thinking=True) as thorough,
    ):
        prompt = [HumanMessage(QUESTION)]
        assert brief.count_prompt_tokens(prompt) > thorough.count_prompt_tokens(prompt)
        assert brief.invoke(QUESTION).text == thorough.invoke(QUESTION, thinking=False).text
        assert brief.invoke(QUESTION).text  # the thought is closed: all of it is the answer


def test_sampling_is_what_the_model_is_asked_with(tiny: LlamaCpp) -> None:
    def answer(**options: Any) -> str:
        return tiny.invoke(QUESTION, **{"temperature": 2.0, "seed": 3, **options}).text

    greedy = tiny.invoke(QUESTION).text
    assert answer() != greedy
    assert answer(top_k=1) == answer(top_p=0.0) == answer(min_p=1.0) == greedy
    assert tiny.invoke(QUESTION, repeat_penalty=3.0).text != greedy
    assert tiny.sampling.top_k == 40
