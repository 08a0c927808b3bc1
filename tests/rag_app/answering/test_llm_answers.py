"""A language model that llama.cpp really loads, through the chain.

Its weights are random, so it writes nonsense; all else is as with one that does not.
"""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from ingestion.errors import ModelError
from ingestion.library import Library
from rag_app.answering.answers import Answer, AnswerEvent, AnswerProgress, AskOptions, Delta, PassagesFound
from rag_app.answering.written.texts import NOT_RELIABLE
from rag_app.config.settings import Settings, load_settings
from rag_app.llm.llama import LlamaCpp
from rag_app.service.composition import Assistant
from tests.helpers.tiny_gguf import WORDY, as_written, write_tiny_gguf

APPLE = "When was the Bramley apple tree planted?"
OFF_TOPIC = "Is the kernel scheduler preemptive?"


@pytest.fixture(scope="module")
def slow_gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that takes milliseconds a token, so that there is time to stop it."""
    return write_tiny_gguf(tmp_path_factory.mktemp("slow") / "slow.gguf", WORDY)


def configured(data: Path, gguf: Path, **values: object) -> Settings:
    # A fixed budget: by default it follows the measured reading speed, and with it the prompt.
    fixed = {"data_dir": data, "llm": str(gguf), "llm_max_tokens": 48, "evidence_tokens": 1000}
    return load_settings(**{**fixed, **values})


@pytest.fixture
def close_models() -> Iterator[list[Assistant]]:
    """Assistants whose models end with the test; the library is the module's."""
    made: list[Assistant] = []
    yield made
    for assistant in made:
        for answerer in assistant.model_pool.chat_answerers():
            answerer.model.close()


def words(events: Iterator[AnswerEvent]) -> Iterator[str]:
    return (event.text for event in events if isinstance(event, Delta))


@pytest.mark.slow
def test_the_answer_streams_from_the_model(
    stored: Library, data: Path, gguf: Path, close_models: list[Assistant]
) -> None:
    assistant = Assistant(configured(data, gguf), stored)
    close_models.append(assistant)
    found, *rest, answer = list(assistant.stream(APPLE, assistant.options()))
    assert isinstance(found, PassagesFound)
    deltas = [event for event in rest if isinstance(event, Delta)]
    waited = [event for event in rest if isinstance(event, AnswerProgress)]
    assert len(deltas) > 1
    assert [*waited, *deltas] == rest  # all waiting comes before the first word
    read = [event for event in waited if event.stage == "prefill"]
    assert read[0].done < read[-1].done == read[-1].total
    assert isinstance(answer, Answer)
    # Nonsense that is recognised gives way to quotations, which stream behind it.
    streamed = as_written("".join(delta.text for delta in deltas)).strip()
    assert streamed.endswith(as_written(answer.text))
    assert (answer.model_text is not None) == answer.text.startswith(NOT_RELIABLE["en"])
    assert (answer.llm, answer.abstained) == ("tiny.gguf", False)
    assert assistant.ask(APPLE, assistant.options()).text == answer.text

    # What the documents do not answer never reaches the model.
    assert assistant.ask(OFF_TOPIC, assistant.options()).abstained
    # Another answerer may be chosen for one question.
    assert assistant.ask(APPLE, AskOptions(llm="extractive")).llm == "extractive"


@pytest.mark.slow
def test_closing_the_stream_stops_the_model_and_leaves_it_ready(
    stored: Library, data: Path, slow_gguf: Path, close_models: list[Assistant]
) -> None:
    assistant = Assistant(configured(data, slow_gguf, llm_max_tokens=1200, llm_temperature=2.0), stored)
    close_models.append(assistant)
    options = assistant.options()
    events = assistant.stream(APPLE, options)
    assert isinstance(next(events), PassagesFound)
    assert len(list(islice(words(events), 3))) == 3
    (answerer,) = assistant.model_pool.chat_answerers()
    model = answerer.model
    assert isinstance(model, LlamaCpp)
    child = model.pid
    events.close()

    # It waits for nothing, and in the same process: the model is not loaded again.
    again = assistant.stream(APPLE, options)
    assert isinstance(next(again), PassagesFound)
    assert next(filter(None, words(again)))
    assert model.pid == child is not None
    assert model.cancel() is True
    again.close()
    assert model.cancel() is False


@pytest.mark.slow
def test_the_prompt_fits_a_small_window(
    stored: Library, data: Path, gguf: Path, close_models: list[Assistant]
) -> None:
    small = Assistant(configured(data, gguf, llm_context_tokens=640), stored)
    large = Assistant(configured(data, gguf), stored)
    close_models.extend([small, large])
    kept = small.ask(APPLE, small.options())
    whole = large.ask(APPLE, large.options())
    assert kept.text
    assert 0 < sum(len(e.text) for e in kept.evidence) < sum(len(e.text) for e in whole.evidence)


def test_a_window_too_small_for_any_evidence_is_refused(
    stored: Library, data: Path, gguf: Path, close_models: list[Assistant]
) -> None:
    assistant = Assistant(configured(data, gguf, llm_context_tokens=256), stored)
    close_models.append(assistant)
    with pytest.raises(ModelError, match=r"context window 256.*larger context"):
        assistant.ask(APPLE, assistant.options())
