"""Whether another tab or a program has changed what the chat shows.

A tab asks every few seconds. An event of Gradio costs browser and server a good part of a second of
a processor, so the tab asks through a function of a component, and an event follows only on a change.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import gradio as gr

from ingestion.errors import UnknownName
from rag_app.service.composition import Assistant
from ui.components.samples import is_sample
from ui.static import read_static


@dataclass(frozen=True, slots=True)
class FirstContact:
    """What an empty conversation shows, of one collection."""

    documents: int = 0
    samples: int = 0
    questions: tuple[str, ...] = ()


def first_contact(assistant: Assistant, collection: str | None) -> FirstContact:
    """Return what is known of a collection; its questions come when they have been tried."""
    name = collection or assistant.settings.collection
    try:
        documents = assistant.documents([name])
    except UnknownName:  # it is still empty, or was deleted
        documents = []
    if not documents:
        return FirstContact()
    return FirstContact(len(documents), sum(map(is_sample, documents)), assistant.first_questions.of(name))


def fingerprint(assistant: Assistant) -> Callable[[Mapping[str, object]], tuple[str, bool]]:
    """Return the function that the script of `change_watch` calls."""

    def state_of(address: Mapping[str, object]) -> tuple[str, bool]:
        """Return what changes with what a tab shows, and whether an answer is being written in it.

        Args:
            address: The conversation and the collection that the tab's address names, where it does.
        """
        conversation, collection = address.get("conversation"), address.get("collection")
        if isinstance(conversation, str) and conversation:
            answers, answering = assistant.conversations.progress(conversation)
            return repr((conversation, answers, answering)), answering > 0
        return repr(first_contact(assistant, collection if isinstance(collection, str) else None)), False

    return state_of


def change_watch(assistant: Assistant) -> gr.HTML:
    """Return the unseen component whose event `input` says that something may have changed."""
    return gr.HTML(
        "",
        elem_id="changes",
        elem_classes="unseen",
        js_on_load=read_static("changes.js"),
        server_functions=[fingerprint(assistant)],
    )
