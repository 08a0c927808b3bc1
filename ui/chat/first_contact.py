"""What an empty conversation shows: how to begin, and three questions that the documents answer."""

from typing import Any

import gradio as gr

from ingestion.errors import InvalidInput
from ui.background import BackgroundJob
from ui.chat.answer_events import TabStates, Update, begin_outputs, begun_values, connect_answer
from ui.chat.changes import FirstContact, first_contact
from ui.chat.controller import ChatController, QueryOptions
from ui.chat.layout import ChatLayout
from ui.components.events import QUICK, noticed
from ui.components.text import escape, plural
from ui.components.turns import Turns


def render_first_contact(shown: FirstContact) -> str:
    """Return, as HTML, how to begin."""
    if not shown.documents:
        return (
            "<h2>Ask your documents</h2><p>Drop your files anywhere on this page, or choose them under "
            "Library. Then ask; every answer links to the exact page.</p>"
        )
    told = f"{plural(shown.documents, 'document')} {'is' if shown.documents == 1 else 'are'} here."
    if shown.samples:
        told += f" {_samples(shown)}: drop your own files anywhere on this page."
    if not shown.questions:
        return f"<h2>Ask your documents</h2><p>{told} Every answer links to the exact page.</p>"
    links = "".join(
        f'<a class="first" href="#do-ask-{place}" dir="auto">{escape(question)}</a>'
        for place, question in enumerate(shown.questions, start=1)
    )
    these = "one of these questions" if len(shown.questions) > 1 else "this question"
    return (
        f"<h2>Ask your documents</h2><p>{told} Begin with {these}, or ask your own below.</p>"
        f'<div class="firsts">{links}</div>'
    )


def _samples(shown: FirstContact) -> str:
    if shown.samples < shown.documents:
        return f"{plural(shown.samples, 'sample')} among them"
    return "It is a sample" if shown.samples == 1 else "They are samples"


def connect_first_contact(
    chat: ChatController, page: ChatLayout, states: TabStates, blocks: gr.Blocks
) -> None:
    """Wire what an empty conversation shows, and a click on one of its questions."""
    shown: gr.State = gr.State(None)
    selectors = page.composer.selectors

    def look(before: FirstContact | None, turns: Turns, collection: str | None) -> tuple[Any, Any]:
        if turns:
            return gr.skip(), gr.skip()
        now = first_contact(chat.assistant, collection)
        if now == before:
            return gr.skip(), gr.skip()
        return now, gr.Chatbot(placeholder=render_first_contact(now))

    def ask(
        event: gr.EventData,
        before: FirstContact | None,
        turns: Turns,
        job: BackgroundJob | None,
        current: str | None,
        *chosen: Any,
    ) -> Update:
        place = int(event._data.get("turn", 0)) - 1
        questions = before.questions if before else ()
        if not 0 <= place < len(questions):
            raise InvalidInput("this question is not there any more; reload the page")
        how = QueryOptions(*chosen)
        asked = chat.begin(questions[place], turns, job, current, how)
        return begun_values(chat, *asked, how, place=-1, question=gr.skip())

    seen = [shown, states.turns, selectors.collection]
    blocks.load(look, seen, [shown, page.chatbot], **QUICK)
    # Not preprocessed: a collection that has gone meanwhile is an empty one.
    gr.on(
        [page.changes.input, selectors.collection.change, page.title.new.click],
        look,
        seen,
        [shown, page.chatbot],
        preprocess=False,
        trigger_mode="once",
        **QUICK,
    )
    ask_told, outputs = noticed(ask, begin_outputs(page, states), page.composer.notice)
    inputs = [shown, states.turns, states.job, states.current, *selectors.all]
    connect_answer(chat, page, states, page.actions.ask(ask_told, inputs, outputs, **QUICK).success)
