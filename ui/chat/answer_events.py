"""The events that show an answer as it is written, on the tab that asked and on every other one."""

import json
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import gradio as gr

from ingestion.errors import InvalidInput
from ui.background import BackgroundJob
from ui.chat.controller import ChatController, QueryOptions
from ui.chat.layout import ChatLayout
from ui.chat.pane_events import heading
from ui.components.conversation import ChatbotMessage, messages
from ui.components.events import QUICK
from ui.components.text import escape
from ui.components.turns import ChatTurn, Turns, place_of_pending, turn_of

# Tabs that follow an answer or search at the same time. Each takes one of Gradio's forty threads.
_TABS = 24

Update = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class TabStates:
    """What the application knows of one tab.

    Attributes:
        job: The search, or the following of an answer, that the tab shows.
        current: The conversation's id.
        as_is: The question in the box was edited and can be understood alone.
        search: The words that the list of conversations is searched for.
    """

    turns: gr.State
    job: gr.State
    current: gr.State
    as_is: gr.State
    search: gr.State


def connect_answer(chat: ChatController, page: ChatLayout, states: TabStates, begun: Any) -> None:
    """Connect the answer, then the list and the title, to an event after which the tab has a job."""

    def answer(turns: Turns, job: BackgroundJob | None) -> Generator[Update]:
        yield from shown_answer(chat, turns, job)

    def settle(current: str | None, job: BackgroundJob | None, search: str) -> Update:
        # Another question may be asked already in another conversation: its Stop stays.
        listed = chat.conversations.listed(current, search)
        return *buttons(job), listed, *heading(chat.conversations, current)

    begun(
        answer,
        [states.turns, states.job],
        [states.turns, page.chatbot, page.sources],
        api_visibility="private",
        show_progress="hidden",
        trigger_mode="multiple",  # the tab may still be leaving the answer before
        concurrency_id="ask",
        concurrency_limit=_TABS,
    ).then(
        settle,
        [states.current, states.job, states.search],
        [page.composer.send, page.composer.stop, page.listing, *page.title.heading],
        **QUICK,
    )


def buttons(job: BackgroundJob | None) -> tuple[gr.Button, gr.Button]:
    """Return the buttons Ask and Stop, of which one is seen."""
    running = job is not None and job.running
    return gr.Button(visible=not running), gr.Button(visible=running)


def shown_answer(chat: ChatController, turns: Turns, job: BackgroundJob | None) -> Generator[Update]:
    """Yield the turns, the conversation and the sources as a question is answered.

    Once the job is abandoned the page shows another conversation, and nothing of this one is yielded.
    """
    if job is not None and job.take():  # a question that was refused leaves the job of the one before
        place = place_of_pending(turns)
        last: Turns | None = None
        before: object = None
        shown: list[ChatbotMessage] = []
        with closing(chat.answer(turns, job)) as states:
            for state in states:
                turn = state[place]
                seen = (turn.found, turn.answer, turn.partial, turn.error, turn.stopped)
                sources = gr.skip() if seen == before else chat.evidence.sources(turn)
                if state is not last:
                    shown = messages(state)
                before, last = seen, state
                if not job.abandoned:
                    # Also where nothing has changed, so that Gradio can close this when the tab is closed.
                    yield state, shown, sources
    # Gradio sends the last output again when the generator ends, and by then another may be shown.
    yield gr.skip(), gr.skip(), gr.skip()


def address_of(current: str | None, strategy: str | None, collection: str | None) -> str:
    """Return the parameters of the page's address, as static/address.js takes them."""
    return escape(json.dumps({"conversation": current, "strategy": strategy, "collection": collection}))


def begin_outputs(page: ChatLayout, states: TabStates) -> list[Any]:
    """Return the components that change when a question begins."""
    return [
        states.turns,
        page.chatbot,
        page.sources,
        page.viewer,
        states.job,
        states.current,
        states.as_is,
        page.composer.question,
        page.composer.send,
        page.composer.stop,
        page.address,
    ]


def begun_values(
    chat: ChatController,
    asked: Turns,
    job: BackgroundJob,
    conversation: str | None,
    chosen: QueryOptions,
    *,
    place: int,
    question: Any,
) -> Update:
    """Return the values of `begin_outputs` for a conversation with a question that begins to be answered.

    Args:
        place: The index of its turn.
        question: The value of the field of the question.
    """
    sources = chat.evidence.sources(asked[place])
    address = address_of(conversation, chosen.strategy, chosen.collection)
    buttons = gr.Button(visible=False), gr.Button(visible=True)
    return asked, messages(asked), sources, "", job, conversation, False, question, *buttons, address


def acted_on(turns: Turns, event: gr.EventData) -> ChatTurn:
    """Return the turn that an action of the conversation names. Raises InvalidInput where it is gone."""
    turn = turn_of(turns, event._data.get("turn"))
    if turn is None:
        raise InvalidInput("this answer is not there any more; reload the page")
    return turn
