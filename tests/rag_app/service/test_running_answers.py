"""Answers that the application writes by itself: followed, stopped, refused, closed, and what is kept."""

import os
import signal
import threading
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ingestion.errors import DiskFull, ModelError, RagError, UnknownName
from ingestion.library import Library
from rag_app.answering.answers import AnswerEvent, AnswerProgress, AskOptions, Delta
from rag_app.config.settings import Settings
from rag_app.history.conversations import Conversations
from rag_app.history.database import STATE_FILE, StateDatabase
from rag_app.history.turns import TurnState
from rag_app.llm.llama import LlamaCpp
from rag_app.service.composition import Assistant
from rag_app.service.running_answers import AT_ONCE, MOST, RunningAnswers, StillAnswering, TooManyAnswers
from tests.helpers.dictated_model import Dictation, dictated
from tests.helpers.tiny_gguf import WORDY, write_tiny_gguf

WAIT_S = 60.0  # for what takes milliseconds: only a failing test waits so long
APPLE = "When was the Bramley apple tree planted?"


class Script:
    """Streams the events that a test puts, each when it says so."""

    def __init__(self, *events: AnswerEvent | Exception) -> None:
        self.events = events
        self.asked: list[tuple[str, AskOptions]] = []
        self.go_on = threading.Event()
        self.closed = threading.Event()

    def stream(self, question: str, options: AskOptions) -> Generator[AnswerEvent]:
        self.asked.append((question, options))
        try:
            for event in self.events:
                if isinstance(event, Exception):
                    raise event
                yield event
            while not self.go_on.wait(0.005):
                yield Delta("")  # a sign of life
        finally:
            self.closed.set()


@pytest.fixture
def conversations(tmp_path: Path) -> Conversations:
    return Conversations(StateDatabase(tmp_path / STATE_FILE))


def options_of(conversations: Conversations) -> AskOptions:
    return AskOptions(conversation=conversations.create().id)


def text_of(events: tuple[AnswerEvent, ...]) -> str:
    return "".join(event.text for event in events if isinstance(event, Delta))


def test_an_answer_is_written_though_nobody_follows_it(conversations: Conversations) -> None:
    script = Script(Delta("One "), Delta(""), Delta("two"))
    answers = RunningAnswers(conversations, script.stream)
    options = options_of(conversations)
    answer = answers.start("why?", options)
    assert answers.of(str(options.conversation)) is answer
    seen = 0
    while text_of(answer.state().events) != "One two":
        answer.wait(seen, WAIT_S)
        seen = answer.state().version
    assert not answer.state().is_over
    # Two that follow it see the same, in as few events as say it.
    assert answer.state() == answer.state()
    assert answer.state().events == (Delta("One two"),)
    (turn,) = conversations.turns(str(options.conversation))
    assert (turn.number, turn.state) == (answer.number, TurnState.ASKED)
    assert script.asked == [("why?", replace(options, turn=turn.number))]
    script.go_on.set()
    assert answer.wait_for_end(WAIT_S)
    assert answers.of(str(options.conversation)) is None


def test_one_question_of_a_conversation_at_a_time(conversations: Conversations) -> None:
    script = Script()
    answers = RunningAnswers(conversations, script.stream)
    options = options_of(conversations)
    answer = answers.start("why?", options)
    with pytest.raises(StillAnswering, match="wait for the answer, or stop it"):
        answers.start("and?", options)
    assert len(conversations.turns(str(options.conversation))) == 1
    answers.start("why?", options_of(conversations))  # of another one
    answers.stop(str(options.conversation))
    assert answer.state().is_stopped
    answers.start("and?", options)  # it has not to wait for the end of the one that was stopped
    answers.close()


def test_stop_ends_what_writes(conversations: Conversations) -> None:
    script = Script(Delta("One"))
    answers = RunningAnswers(conversations, script.stream)
    answer = answers.start("why?", options_of(conversations))
    while not text_of(answer.state().events):
        answer.wait(answer.state().version, 0.01)
    answer.stop()
    assert answer.state().is_over
    assert answer.wait_for_end(WAIT_S)
    assert script.closed.is_set()
    assert text_of(answer.state().events) == "One"


def test_an_error_is_the_answer_s(conversations: Conversations, caplog: pytest.LogCaptureFixture) -> None:
    for error in (ModelError("the model is broken; choose another"), ValueError("a secret")):
        answer = RunningAnswers(conversations, Script(Delta("One"), error).stream).start(
            "why?", options_of(conversations)
        )
        assert answer.wait_for_end(WAIT_S)
        assert answer.state().error is error
        assert text_of(answer.state().events) == "One"
    assert [record.getMessage() for record in caplog.records] == ["unexpected error"]


def test_so_many_are_written_at_once_and_the_others_wait_in_order(conversations: Conversations) -> None:
    script = Script()
    answers = RunningAnswers(conversations, script.stream)
    started = [answers.start(str(n), options_of(conversations)) for n in range(AT_ONCE + 2)]
    assert started[-1].state().events == (AnswerProgress("queue", 2),)
    started[-2].stop()  # one that waits: it is never asked
    assert started[-2].wait_for_end(WAIT_S)
    assert started[-1].state().events == (AnswerProgress("queue", 1),)
    (turn,) = conversations.turns(str(started[-2].conversation))
    assert turn.state is TurnState.STOPPED
    started[0].stop()
    while len(script.asked) < AT_ONCE + 1:
        started[-1].wait_for_end(0.01)
    assert script.asked[-1][0] == str(AT_ONCE + 1)
    answers.close()
    assert all(one.wait_for_end(WAIT_S) for one in started)


def test_more_than_can_wait_are_refused_and_none_begins_after_the_end(conversations: Conversations) -> None:
    script = Script()
    answers = RunningAnswers(conversations, script.stream)
    for _ in range(MOST):
        answers.start("why?", options_of(conversations))
    with pytest.raises(TooManyAnswers, match=f"{MOST} questions"):
        answers.start("why?", options_of(conversations))
    answers.close()
    with pytest.raises(RagError, match="the application is ending"):
        answers.start("why?", options_of(conversations))


def test_a_conversation_has_to_be_there_and_a_full_disk_takes_no_answer_away(
    conversations: Conversations, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = Script(Delta("One"))
    script.go_on.set()
    answers = RunningAnswers(conversations, script.stream)
    with pytest.raises(UnknownName, match="conversation"):
        answers.start("why?", AskOptions(conversation="gone"))
    options = options_of(conversations)

    def full(*_: object) -> int:
        raise DiskFull("No space left on the disk of /data")

    monkeypatch.setattr(Conversations, "begin_turn", full)
    answer = answers.start("why?", options)
    assert answer.wait_for_end(WAIT_S)
    assert answer.number is None
    assert script.asked == [("why?", options)]  # the stream tries again, and says that it is not kept


# With the real chain, history and a model that writes what it is told


@pytest.fixture
def model() -> Iterator[Dictation]:
    with dictated() as started:
        yield started


@pytest.fixture
def assistant(stocked: Library, model: Dictation) -> Iterator[Assistant]:
    settings = Settings(data_dir=stocked.folder, llm=model.llm, answer_threshold=0.0)
    opened = Assistant(settings, stocked)
    yield opened
    model.end()
    opened.close()


def asked(assistant: Assistant) -> AskOptions:
    return replace(assistant.options(), conversation=assistant.conversations.create().id)


def test_what_was_written_before_stop_is_kept_with_evidence_and_citations(
    assistant: Assistant, model: Dictation
) -> None:
    options = asked(assistant)
    answer = assistant.answers.start(APPLE, options)
    model.write("The Bramley apple tree was planted in 1921. ")
    model.write("Nobody knows who ate the apples.")  # the last words may begin a repetition, and are held
    while "Nobody knows" not in text_of(answer.state().events):
        answer.wait(answer.state().version, 0.01)
    answer.stop()
    model.write(" Birds did.")
    assert answer.wait_for_end(WAIT_S)
    (restored,) = assistant.restore(str(options.conversation))
    assert restored.turn.state is TurnState.STOPPED
    assert restored.answer is None
    partial = restored.partial
    assert partial is not None
    assert partial.text.startswith("The Bramley apple tree was planted in 1921 [1]. Nobody knows")
    assert partial.llm.startswith("dictated")
    assert partial.strategy == options.strategy
    assert "orchard.md" in {one.document for one in partial.citations}
    assert partial.evidence
    assert restored.found is not None
    assert restored.found.packed.evidence == partial.evidence
    # A follow-up question is read with it, and the export says that it is not whole.
    (exchange,) = assistant.conversations.history(str(options.conversation))
    assert exchange.answer == partial.text
    markdown = assistant.conversation_markdown(str(options.conversation))
    assert "Nobody knows" in markdown
    assert markdown.rstrip().endswith("*stopped*")
    assert assistant.receipts.list() == []


def test_a_crash_of_llama_cpp_is_told_and_keeps_what_was_written(stocked: Library, tmp_path: Path) -> None:
    gguf = write_tiny_gguf(tmp_path / "tiny.gguf", WORDY)
    settings = Settings(data_dir=stocked.folder, llm=str(gguf), llm_max_tokens=3000, answer_threshold=0.0)
    assistant = Assistant(settings, stocked)
    options = asked(assistant)
    answer = assistant.answers.start(APPLE, options)
    while len(text_of(answer.state().events)) < 50 and not answer.state().is_over:
        answer.wait(answer.state().version, 0.01)
    (writer,) = assistant.model_pool.chat_answerers()
    assert isinstance(writer.model, LlamaCpp)
    assert writer.model.pid is not None
    os.kill(writer.model.pid, signal.SIGKILL)
    assert answer.wait_for_end(WAIT_S)
    error = answer.state().error
    assert isinstance(error, ModelError)
    (restored,) = assistant.restore(str(options.conversation))
    assert (restored.turn.state, restored.turn.error) == (TurnState.FAILED, str(error))
    assert restored.partial is not None
    assert restored.partial.text.startswith(" ".join(text_of(answer.state().events).split()[:5]))
    assert restored.partial.usage is not None
    assert restored.partial.usage.completion_tokens > 0
    assistant.model_pool.close()
