"""What the pages' events have in common."""

import json
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import gradio as gr
from gradio.events import Dependency

from ingestion.errors import RagError
from ui.static import read_static

# Arguments of an event that answers at once.
QUICK: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "queue": False}
# Seconds between two looks at work that is under way.
TICK = 0.7


@contextmanager
def failure_named(title: str) -> Generator[None]:
    """Show an error of the application as a notice under a title."""
    try:
        yield
    except RagError as error:
        raise gr.Error(str(error), title=title, print_exception=False) from error


def scroll_to_question(asked: Dependency, confirmation: str) -> None:
    """After an event that asks for confirmation, scroll to the element with that id and focus `Keep`."""
    js = f"() => ({read_static('confirm.js')})({json.dumps(confirmation)})"
    asked.then(None, js=js, api_visibility="private")
