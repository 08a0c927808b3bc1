"""What the pages' events have in common."""

import json
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import gradio as gr
from gradio.events import Dependency

from ui.components.text import render_notice
from ui.static import read_static

# Arguments of an event that answers at once.
QUICK: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "queue": False}
# Seconds between two looks at work that is under way.
TICK = 0.7


def noticed(
    handler: Callable[..., Any], outputs: Sequence[Any], notice: gr.HTML
) -> tuple[Callable[..., Any], list[Any]]:
    """Return a handler, and its outputs, whose error stands in `notice`; then nothing else changes.

    An error that left the handler would be shown nowhere, for Gradio shows none of an event that is not
    queued, and would cover its outputs with the word "Error".

    Args:
        handler: Returns a value for each of `outputs`: a tuple, or one value, or None for no outputs.
        outputs: The components that change.
        notice: Stands beside the field that the event is about. It is emptied where all goes well.
    """

    @wraps(handler)
    def told(*values: Any) -> tuple[Any, ...]:
        try:
            result = handler(*values)
        except Exception as error:  # noqa: BLE001 (logged, and said on the page)
            return (*(gr.skip() for _ in outputs), render_notice(error))
        if not outputs:
            return ("",)
        return (*(result if isinstance(result, tuple) else (result,)), "")

    return told, [*outputs, notice]


def scroll_to_question(asked: Dependency, confirmation: str) -> None:
    """After an event that asks for confirmation, scroll to the element with that id and focus `Keep`."""
    js = f"() => ({read_static('confirm.js')})({json.dumps(confirmation)})"
    asked.then(None, js=js, api_visibility="private")
