"""What becomes of a question: answered, failed, stopped; the application's answers are scripted."""

import time
from collections.abc import Generator, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import gradio as gr
import pytest

from ingestion.errors import ModelError
from rag_app.answers import AnswerEvent, AskOptions, Delta
from rag_app.assistant import Assistant
from rag_app.conversations import Conversations
from rag_app.settings import Settings
from rag_app.state import STATE_FILE, State
from tests.ui.values import answer, found, hit
from ui.background import Job, Workers
from ui.chat.talk import INTERNAL_ERROR, Chat, How, follow
from ui.components.conversation import Turn

PASSAGE = hit("words")
HOW = How(strategy="colbert", reranker="big")


@dataclass
class Script:
    """Stands in for the assistant: streams these events, or raises."""

    folder: Path
    events: Iterable[AnswerEvent | Exception]
    closed: bool = False
    settings: Settings = field(default_factory=Settings)
    asked: list[AskOptions] = field(default_factory=list)

    @property
    def conversations(self) -> Conversations:
        return Conversations(State(self.folder / STATE_FILE))

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
    turns, job, conversation = chat(script).begin("  why? ", (), None, None, HOW)
    assert [one.id for one in script.conversations.list()] == [conversation]
    return turns, job


def test_an_answered_question(tmp_path: Path) -> None:
    made = answer("Words [1]", PASSAGE)
    script = Script(tmp_path, [found(PASSAGE), Delta("Words "), Delta("[1]"), made])
    turns, job = asked(script)
    assert turns[0].question == "why?"
    *_, ((turn,)) = chat(script).answer(turns, job)
    assert turn.answer == made
    assert turn.text == "Words [1]"
    assert not job.running
    (conversation,) = script.conversations.list()
    assert script.asked == [replace(script.options(), strategy="colbert", conversation=conversation.id)]


def test_an_error_of_the_application_is_shown_as_it_is(tmp_path: Path) -> None:
    script = Script(tmp_path, [found(PASSAGE), ModelError("the model is broken; choose another")])
    *_, ((turn,)) = chat(script).answer(*asked(script))
    assert turn.error == "the model is broken; choose another"


def test_any_other_error_is_logged_and_raised(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = Script(tmp_path, [ValueError("a secret")])
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


def test_stop_keeps_what_was_written_and_closes_the_stream(tmp_path: Path) -> None:
    script = Script(tmp_path, endless())
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


def test_one_question_at_a_time(tmp_path: Path) -> None:
    script = Script(tmp_path, [])
    turns, job = asked(script)
    with pytest.raises(gr.Error, match="Wait for the answer"):
        chat(script).begin("and?", turns, job, None, HOW)
    job.end()
    assert len(chat(script).begin("and?", turns, job, None, HOW)[0]) == 2


def test_a_conversation_goes_on_unless_it_was_deleted(tmp_path: Path) -> None:
    script = Script(tmp_path, [])
    talk = chat(script)
    turns, job, first = talk.begin("why?", (), None, None, HOW)
    job.end()
    turns, job, second = talk.begin("and?", turns, job, first, HOW)
    assert (second, len(turns)) == (first, 2)
    job.end()
    assert first is not None
    script.conversations.delete(first)
    _, _, third = talk.begin("so?", turns, job, first, HOW)
    assert third not in (None, first)


def test_a_search_alone_begins_no_conversation(tmp_path: Path) -> None:
    script = Script(tmp_path, [])
    turns, _, conversation = chat(script).begin("why?", (), None, None, replace(HOW, search_only=True))
    assert (conversation, script.conversations.list()) == (None, [])
    assert turns[0].search_only
    assert turns[0].pending
    assert not follow(turns[0], [found(PASSAGE)]).pending


def test_an_edited_question_says_all(tmp_path: Path) -> None:
    turns, _, _ = chat(Script(tmp_path, [])).begin(" Why is it so? ", (), None, None, HOW, as_is=True)
    assert turns[0].options.standalone == "Why is it so?"


def test_selectors_become_options(tmp_path: Path) -> None:
    talk = chat(Script(tmp_path, []))
    chosen = talk.options(How("bm25", "none", "extractive"))
    assert chosen == AskOptions(strategy="bm25", reranker=None, llm="extractive", collections=("papers",))
    assert talk.options(How("mean", " other ", None)).reranker == "other"
    assert talk.options(How("mean", None, "")).llm == "auto"
    narrowed = talk.options(How(collection="notes", only=["d1", "d2"]))
    assert (narrowed.collections, narrowed.filters.documents) == (("notes",), ("d1", "d2"))
    assert narrowed.strategy == "cascade"
