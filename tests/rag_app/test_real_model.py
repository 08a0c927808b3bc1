"""A model with trained weights through chain, command line and API: people get text that they can read.

Nothing here depends on what exactly it writes, but for facts that stand word for word in a short source.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingestion.errors import Cancelled
from ingestion.library import Library
from rag_app.answering.answers import AskOptions, Delta, Exchange, QuestionRewritten
from rag_app.config.settings import load_settings
from rag_app.service.composition import Assistant
from tests.helpers.commands import Command
from tests.helpers.real_model import NAME, pulled_model
from tests.helpers.served_library import serving

pytestmark = pytest.mark.slow

APPLE = "When was the Bramley apple tree planted?"
QUESTIONS = (
    APPLE,
    pytest.param("Who planted the Bramley apple tree?", marks=pytest.mark.soak),
    pytest.param("Where does the tree stand?", marks=pytest.mark.soak),
)
# Of prompts and of other programs' prompts.
PROMPT_TEXT = re.compile(r"</?\w+[^>]*>|<\||\|>|^\s*(?:Source \d|Question:|Answer:)|\[INST\]", re.MULTILINE)


@pytest.fixture(scope="module")
def model(data: Path) -> Path:
    return pulled_model(data)


@pytest.fixture(scope="module")
def assistant(stored: Library, data: Path, model: Path) -> Iterator[Assistant]:
    assistant = Assistant(load_settings(data_dir=data, llm=NAME), stored)
    yield assistant
    assistant.model_pool.close()


@pytest.mark.parametrize("question", QUESTIONS)
def test_an_answer_is_short_plain_text_with_citations(assistant: Assistant, question: str) -> None:
    answer = assistant.ask(question, assistant.options())
    assert answer.llm == model_file(assistant).name
    assert not answer.abstained
    assert 1 <= len(answer.text.split()) <= 80
    assert not PROMPT_TEXT.search(answer.text)
    assert {citation.marker for citation in answer.citations} <= set(range(1, 9))
    assert assistant.ask(question, assistant.options()).text == answer.text


def test_a_fact_is_right(assistant: Assistant) -> None:
    answer = assistant.ask(APPLE, assistant.options())
    assert "1921" in answer.text
    assert answer.citations


def test_a_question_about_something_else_never_reaches_it(assistant: Assistant) -> None:
    assert assistant.ask("Is the kernel scheduler preemptive?", assistant.options()).abstained


def test_a_follow_up_question_is_understood(assistant: Assistant) -> None:
    options = AskOptions(llm=NAME, history=(Exchange(APPLE, "In 1921 [1]."),))
    events = list(assistant.stream("Who planted it?", options))
    rewritten = [event.question for event in events if isinstance(event, QuestionRewritten)]
    assert rewritten == ["Who planted the Bramley apple tree?"]


def test_it_can_be_stopped_and_asked_again(assistant: Assistant) -> None:
    events = assistant.stream(APPLE, assistant.options())
    next(event for event in events if isinstance(event, Delta))
    events.close()
    (answerer,) = assistant.model_pool.chat_answerers()
    stream = assistant.stream(APPLE, assistant.options())
    next(event for event in stream if isinstance(event, Delta))
    answerer.model.cancel()  # type: ignore[attr-defined]
    with pytest.raises(Cancelled):
        list(stream)
    assert "1921" in assistant.ask(APPLE, assistant.options()).text


def test_the_command_line_prints_it(run: Command, own: Path, model: Path) -> None:
    answered = run("--data-dir", own, "ask", APPLE, "--llm", model, "--json").json
    assert "1921" in answered["answer"]
    assert answered["llm"] == model.name


def test_a_chat_program_gets_it_as_a_stream(own: Path, model: Path) -> None:
    asked = {"model": "rag-app", "stream": True, "messages": [{"role": "user", "content": APPLE}]}
    with serving(own, RAG_APP_LLM=str(model)) as served:
        status, body = served.ask("POST", "/v1/chat/completions", asked)
    assert status == 200, body
    lines = [line.removeprefix("data: ") for line in body.splitlines() if line.startswith("data: {")]
    choices = [choice for line in lines for choice in json.loads(line)["choices"]]
    text = "".join(choice["delta"].get("content") or "" for choice in choices)
    assert "1921" in text
    assert not PROMPT_TEXT.search(text)


def model_file(assistant: Assistant) -> Path:
    file = assistant.model_pool.resolve(NAME).file
    assert file is not None
    return file
