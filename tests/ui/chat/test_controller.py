"""What becomes of a question: answered, failed, stopped; the application's answers are scripted."""

import re
import time
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import gradio as gr
import pytest

from ingestion.errors import InvalidInput, ModelError, RagError
from ingestion.library import Library
from rag_app.answering.answers import AnswerEvent, AskOptions, Delta
from rag_app.config.settings import Settings
from rag_app.evaluation.judgements import Judgements
from rag_app.history.conversations import Conversations
from rag_app.history.database import STATE_FILE, StateDatabase
from rag_app.history.serialization import RestoredTurn
from rag_app.history.turns import TurnState
from rag_app.llm.choice import Llm
from rag_app.service.composition import Assistant
from rag_app.service.running_answers import RunningAnswers
from retrievers.availability import StrategyState
from retrievers.search import SearchResult
from retrievers.strategies import strategy_named
from tests.helpers.built_page import built_page
from tests.helpers.page_values import answer, found, hit, turn
from ui.background import BackgroundJob, Workers
from ui.chat.answer_events import shown_answer
from ui.chat.controller import ChatController, QueryOptions
from ui.chat.pane_events import heading
from ui.chat.variants import shown_variant
from ui.components.answering import follow
from ui.components.text import INTERNAL_ERROR
from ui.components.turns import ChatTurn, asked_again

PASSAGE = hit("words")
HOW = QueryOptions(strategy="colbert", reranker="big")


@dataclass
class Script:
    """Stands in for the assistant: streams these events, or raises."""

    folder: Path
    events: Iterable[AnswerEvent | Exception]
    closed: bool = False
    settings: Settings = field(default_factory=Settings)
    asked: list[AskOptions] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.answers = RunningAnswers(self.conversations, self.stream)

    def restore(self, conversation: str) -> list[RestoredTurn]:
        """Return the turns as this history has them, whose records a script never writes."""
        return [RestoredTurn(turn, AskOptions()) for turn in self.conversations.turns(conversation)]

    def restore_variants(self, conversation: str, number: int) -> list[RestoredTurn]:
        return [RestoredTurn(one, AskOptions()) for one in self.conversations.variants(conversation, number)]

    @property
    def conversations(self) -> Conversations:
        return Conversations(StateDatabase(self.folder / STATE_FILE))

    @property
    def judgements(self) -> Judgements:
        return Judgements(StateDatabase(self.folder / STATE_FILE))

    def search(self, question: str, options: AskOptions) -> SearchResult:
        return found(PASSAGE).result

    def options(self) -> AskOptions:
        return AskOptions(strategy="cascade", reranker="big", llm="auto", collections=("papers",))

    def llm(self, name: str) -> Llm:
        return Llm()

    def stream(self, question: str, options: AskOptions) -> Generator[AnswerEvent]:
        self.asked.append(options)
        try:
            for event in self.events:
                if isinstance(event, Exception):
                    raise event
                yield event
        finally:
            self.closed = True


def chat(script: Script) -> ChatController:
    return ChatController(cast("Assistant", script), Workers())


def asked(script: Script) -> tuple[tuple[ChatTurn, ...], BackgroundJob]:
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
    asked_for = replace(script.options(), strategy="colbert", conversation=conversation.id, turn=1)
    assert script.asked == [asked_for]


def test_a_retry_is_another_answer_in_the_same_place(tmp_path: Path) -> None:
    script = Script(tmp_path, [found(PASSAGE), Delta("One"), answer("One", PASSAGE)])
    turns, job = asked(script)
    *_, turns = chat(script).answer(turns, job)
    (conversation,) = script.conversations.list()
    turns, job, _ = chat(script).begin("and?", turns, None, conversation.id, HOW)
    *_, turns = chat(script).answer(turns, job)
    other = QueryOptions(strategy="bm25", llm="extractive")
    begun, job, current = chat(script).retry(turns[0], turns, None, conversation.id, other)
    assert current == conversation.id
    assert [(one.question, one.pending) for one in begun] == [("why?", True), ("and?", False)]
    assert (begun[0].variant, begun[0].variants) == (2, 2)
    with pytest.raises(InvalidInput, match="wait for the answer"):
        chat(script).retry(turns[0], turns, job, conversation.id, other)
    *_, done = chat(script).answer(begun, job)
    assert [one.text for one in done] == ["One", "One"]
    assert done[1] is turns[1]
    asked_for = script.asked[-1]
    assert (asked_for.turn, asked_for.variant, asked_for.strategy) == (1, 2, "bm25")
    assert asked_for.standalone == "why?"  # it was understood: it stays as it is
    for number, variant in ((1, 1), (1, 2), (2, 1)):  # as the recorder does
        script.conversations.end_turn(conversation.id, number, TurnState.STOPPED, variant=variant)
    assert not chat(script).conversations.has_changed(conversation.id, done)
    assert chat(script).conversations.has_changed(conversation.id, turns)
    shown = shown_variant(cast("Assistant", script), conversation.id, done, done[0], 1)
    assert [(one.variant, one.variants) for one in shown] == [(1, 2), (1, 1)]
    assert chat(script).conversations.has_changed(conversation.id, done)
    # A search has no place in the history: asked again, it is a new question.
    search = replace(turns[1], search_only=True, number=3)
    again, job, _ = chat(script).retry(search, (*shown, search), None, conversation.id, other)
    assert [one.question for one in again] == ["why?", "and?", "and?", "and?"]
    *_, _ = chat(script).answer(again, job)


def test_an_error_of_the_application_is_shown_as_it_is(tmp_path: Path) -> None:
    script = Script(tmp_path, [found(PASSAGE), ModelError("the model is broken; choose another")])
    *_, ((turn,)) = chat(script).answer(*asked(script))
    assert turn.error == "the model is broken; choose another"


def test_any_other_error_is_logged_and_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    script = Script(tmp_path, [ValueError("a secret")])
    *_, (turn,) = chat(script).answer(*asked(script))
    assert re.fullmatch(re.escape(INTERNAL_ERROR) + r" \(request [0-9a-f]{12}\)", str(turn.error))
    assert {record.getMessage() for record in caplog.records} == {"unexpected error"}
    assert {record.exc_info and record.exc_info[0] for record in caplog.records} == {ValueError}


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
    while not next(shown)[0].text:
        pass
    job.stop()
    *_, ((turn,)) = shown
    assert turn.stopped
    assert turn.text
    script.answers.close()
    assert script.closed


def test_a_tab_that_is_closed_stops_no_answer(tmp_path: Path) -> None:
    script = Script(tmp_path, endless())
    talk = chat(script)
    turns, job, current = talk.begin("why?", (), None, None, HOW)
    shown = shown_answer(talk, turns, job)
    next(shown)
    shown.close()
    assert not job.running
    assert current is not None
    answer = script.answers.of(current)
    assert answer is not None
    assert not answer.state().is_over
    script.answers.close()


def test_every_tab_follows_an_answer_and_stops_it(tmp_path: Path) -> None:
    script = Script(tmp_path, endless())
    talk = chat(script)
    _, _, current = talk.begin("why?", (), None, None, HOW)
    assert current is not None
    tabs = [talk.conversations.turns(current) for _ in range(2)]
    streams = []
    for turns, job in tabs:
        assert job is not None
        assert [(one.question, one.pending) for one in turns] == [("why?", True)]
        assert turns[0].options.strategy == "colbert"
        streams.append(talk.answer(turns, job))
    for stream in streams:
        text = next(stream)[0].text
        assert len(next(state for state in stream if len(state[0].text) > len(text))[0].text) > len(text)
    with pytest.raises(RagError, match="another question of this conversation is being answered"):
        talk.begin("and?", tabs[0][0], None, current, HOW)
    assert tabs[1][1] is not None
    tabs[1][1].stop()
    for stream in streams:
        *_, (turn,) = stream
        assert turn.stopped


def test_a_tab_looks_again_when_another_one_has_asked(tmp_path: Path) -> None:
    script = Script(tmp_path, [answer("Words", PASSAGE)])
    talk = chat(script)
    turns, job, current = talk.begin("why?", (), None, None, HOW)
    assert current is not None
    *_, turns = talk.answer(turns, job)
    script.conversations.end_turn(current, 1, TurnState.STOPPED)
    assert not talk.conversations.has_changed(current, turns)
    searched = ChatTurn(2, "and?", AskOptions(), search_only=True)  # it is in this tab alone
    assert not talk.conversations.has_changed(current, (*turns, searched))
    script.conversations.begin_turn(current, "so?")
    assert talk.conversations.has_changed(current, turns)


def test_a_search_is_its_tab_s_alone(tmp_path: Path) -> None:
    script = Script(tmp_path, [])
    talk = chat(script)
    turns, job, _ = talk.begin("why?", (), None, None, replace(HOW, search_only=True))
    *_, ((turn,)) = talk.answer(turns, job)
    assert turn.found is not None
    assert turn.found.result.hits == (PASSAGE,)
    assert not job.running


def test_nothing_of_an_abandoned_answer_is_shown(tmp_path: Path) -> None:
    script = Script(tmp_path, endless())
    talk = chat(script)
    turns, job = asked(script)
    shown = shown_answer(talk, turns, job)
    state, conversation, _ = next(shown)
    assert [one.question for one in state] == ["why?"]
    assert len(conversation) == 2
    job.abandon()
    talk.begin("and?", (), job, None, HOW)  # nobody waits for the answer any more
    assert list(shown) == [(gr.skip(), gr.skip(), gr.skip())]
    script.answers.close()
    assert script.closed


def test_a_stopped_answer_s_sources_say_so(tmp_path: Path) -> None:
    def silent() -> Generator[AnswerEvent]:
        while True:
            time.sleep(0.01)
            yield Delta("")

    script = Script(tmp_path, silent())
    talk = chat(script)
    turns, job = asked(script)
    shown = shown_answer(talk, turns, job)
    assert "Searching" in next(shown)[2]
    job.stop()
    told = [one for one in shown if one != (gr.skip(), gr.skip(), gr.skip())]
    state, _, sources = told[-1]
    assert state[0].stopped
    assert "stopped before passages were found" in sources
    script.answers.close()


@pytest.mark.parametrize("question", ["", "  ", "?!"])
def test_an_empty_question_begins_no_conversation(tmp_path: Path, question: str) -> None:
    script = Script(tmp_path, [])
    with pytest.raises(RagError, match="the question is empty"):
        chat(script).begin(question, (), None, None, HOW)
    assert script.conversations.list() == []


def test_a_conversation_without_a_title_can_be_deleted(tmp_path: Path) -> None:
    script = Script(tmp_path, [])
    kept = chat(script).conversations
    untitled, named = script.conversations.create().id, script.conversations.create("<Trees>").id
    for conversation, title, visible in (
        (untitled, "Untitled", True),
        (named, "&lt;Trees&gt;", True),
        (None, "New conversation", False),
        ("gone", "New conversation", False),
    ):
        shown, *buttons = heading(kept, conversation)[:4]
        assert shown == f"<h2><bdi>{title}</bdi></h2>"
        assert [button.visible for button in buttons] == [visible] * 3


def test_what_was_not_understood_yet_is_asked_again_as_a_follow_up() -> None:
    asked = turn("and why?")
    assert asked_again(replace(asked, error="no")) == ("and why?", False)
    assert asked_again(replace(asked, understood="Why is it so?")) == ("Why is it so?", True)
    assert asked_again(turn("why?", found(PASSAGE))) == ("why?", True)
    edited = replace(asked, options=replace(asked.options, standalone="and why?"))
    assert asked_again(edited) == ("and why?", True)


@pytest.fixture
def assistant(library: Library, tmp_path: Path) -> Assistant:
    return Assistant(Settings(data_dir=tmp_path / "library"), library)


@pytest.fixture
def handlers(assistant: Assistant) -> dict[str, Callable[..., Any]]:
    """The page's handlers by name, of those whose name none other has."""
    page = built_page(assistant)
    return {one.name: one.fn for one in page.fns.values() if one.name and one.fn}


def test_another_conversation_abandons_the_answer_and_forgets_the_edit(
    handlers: dict[str, Callable[..., Any]],
) -> None:
    job = BackgroundJob()
    as_is = handlers["begin_anew"](job, "cascade", "default", "")[-5]
    assert job.abandoned
    assert as_is is False
    running = BackgroundJob()
    event = SimpleNamespace(_data={"id": "c1"})
    chosen = handlers["choose"]("c1", running, "cascade", "default", "", event)
    assert set(map(str, chosen)) == {str(gr.skip())}  # the one that is shown: its answer goes on
    assert not running.abandoned
    handlers["choose"]("c2", running, "cascade", "default", "", event)
    assert running.abandoned


def test_an_edit_is_forgotten_when_its_text_is(handlers: dict[str, Callable[..., Any]]) -> None:
    forget = handlers["forget_edit"]
    assert [forget(text) for text in ("", " ", "W")] == [False] * 3
    assert forget("Why is the tree old?") == gr.skip()


def test_settling_leaves_the_stop_of_the_next_question(handlers: dict[str, Callable[..., Any]]) -> None:
    job = BackgroundJob()
    assert [button.visible for button in handlers["settle"](None, job, "")[:2]] == [False, True]
    job.end()
    assert [button.visible for button in handlers["settle"](None, job, "")[:2]] == [True, False]


def test_an_address_may_name_a_strategy_that_came_after_the_start(
    handlers: dict[str, Callable[..., Any]], assistant: Assistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    added = StrategyState(strategy_named("mean@small"), True)
    offered = [*assistant.strategies(), added]
    monkeypatch.setattr(assistant, "strategies", lambda: offered)
    restored = handlers["restore"](SimpleNamespace(query_params={"strategy": "mean@small"}))
    (radio,) = [one for one in restored if isinstance(one, gr.Radio)]
    assert radio.value == "mean@small"
    assert "mean@small" in [value for _, value in radio.choices]


def test_one_question_at_a_time(tmp_path: Path) -> None:
    script = Script(tmp_path, [])
    turns, job = asked(script)
    with pytest.raises(RagError, match="wait for the answer"):
        chat(script).begin("and?", turns, job, None, HOW)
    job.end()
    assert len(chat(script).begin("and?", turns, job, None, HOW)[0]) == 2


def test_a_conversation_goes_on_unless_it_was_deleted(tmp_path: Path) -> None:
    script = Script(tmp_path, [])
    talk = chat(script)
    turns, job, first = talk.begin("why?", (), None, None, HOW)
    list(talk.answer(turns, job))
    turns, job, second = talk.begin("and?", turns, job, first, HOW)
    assert (second, len(turns)) == (first, 2)
    list(talk.answer(turns, job))
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
    chosen = talk.options(QueryOptions("bm25", "none", "extractive"))
    assert chosen == AskOptions(strategy="bm25", reranker=None, llm="extractive", collections=("papers",))
    assert talk.options(QueryOptions("mean", " other ", None)).reranker == "other"
    assert talk.options(QueryOptions("mean", None, "")).llm == "auto"
    narrowed = talk.options(QueryOptions(collection="notes", only=["d1", "d2"]))
    assert (narrowed.collections, narrowed.filters.documents) == (("notes",), ("d1", "d2"))
    assert narrowed.strategy == "cascade"
