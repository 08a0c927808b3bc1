"""What becomes of a question: answered, failed, stopped; the application's answers are scripted."""

import time
from collections.abc import Generator, Iterable
from dataclasses import dataclass, field, replace
from typing import cast

import gradio as gr
import pytest

from ingestion.errors import ModelError
from rag_app.answers import AnswerEvent, AskOptions, Delta
from rag_app.assistant import Assistant
from tests.ui.values import answer, found, hit
from ui.background import Job, Workers
from ui.chat import INTERNAL_ERROR, Chat
from ui.components.conversation import Turn

PASSAGE = hit("words")


@dataclass
class Script:
    """Stands in for the assistant: streams these events, or raises."""

    events: Iterable[AnswerEvent | Exception]
    closed: bool = False
    asked: list[AskOptions] = field(default_factory=list)

    def options(self) -> AskOptions:
        return AskOptions(strategy="cascade", reranker="big", llm="auto", collections=("papers",))

    def stream(self, question: str, options: AskOptions) -> Generator[AnswerEvent]:
        self.asked.append(options)
        try:
            for event in self.events:
                if isinstance(event, Exception):
                    raise event
                yield event
        finally:
            self.closed = True


def chat(script: Script) -> Chat:
    return Chat(cast("Assistant", script), Workers())


def asked(script: Script) -> tuple[tuple[Turn, ...], Job]:
    return chat(script).begin("  why? ", (), None, script.options())


def test_an_answered_question() -> None:
    made = answer("Words [1]", PASSAGE)
    script = Script([found(PASSAGE), Delta("Words "), Delta("[1]"), made])
    turns, job = asked(script)
    assert turns[0].question == "why?"
    *_, ((turn,)) = chat(script).answer(turns, job)
    assert turn.answer == made
    assert turn.text == "Words [1]"
    assert not job.running
    assert script.asked == [replace(script.options(), conversation="new")]


def test_an_error_of_the_application_is_shown_as_it_is() -> None:
    script = Script([found(PASSAGE), ModelError("the model is broken; choose another")])
    *_, ((turn,)) = chat(script).answer(*asked(script))
    assert turn.error == "the model is broken; choose another"


def test_any_other_error_is_logged_and_raised(capsys: pytest.CaptureFixture[str]) -> None:
    script = Script([ValueError("a secret")])
    seen = []
    with pytest.raises(ValueError, match="a secret"):
        seen.extend(chat(script).answer(*asked(script)))
    assert seen[-1][0].error == INTERNAL_ERROR
    assert "a secret" in capsys.readouterr().err


def endless() -> Generator[AnswerEvent]:
    yield found(PASSAGE)
    while True:
        time.sleep(0.001)
        yield Delta("x")


def test_stop_keeps_what_was_written_and_closes_the_stream() -> None:
    script = Script(endless())
    talk = chat(script)
    turns, job = asked(script)
    shown = talk.answer(turns, job)
    next(shown)
    job.stop()
    *_, ((turn,)) = shown
    assert turn.stopped
    assert turn.text
    talk.workers.close()
    assert script.closed


def test_one_question_at_a_time() -> None:
    script = Script([])
    turns, job = asked(script)
    with pytest.raises(gr.Error, match="Wait for the answer"):
        chat(script).begin("and?", turns, job, script.options())
    job.end()
    assert len(chat(script).begin("and?", turns, job, script.options())[0]) == 2


def test_selectors_become_options() -> None:
    talk = chat(Script([]))
    chosen = talk.options("bm25", "none", "extractive")
    assert chosen == AskOptions(strategy="bm25", reranker=None, llm="extractive", collections=("papers",))
    assert talk.options("mean", " other ", None).reranker == "other"
    assert talk.options("mean", None, "").llm == "auto"
