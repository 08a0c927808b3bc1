"""The bar above every page: the pages, whether anything leaves this machine, and the pages of the Lab."""

from typing import NamedTuple

import gradio as gr

from ingestion.errors import RagError
from rag_app.llm.choice import AUTO
from rag_app.service.composition import Assistant
from ui.components.choices import check_offered
from ui.components.events import QUICK
from ui.components.text import escape
from ui.login import LOGOUT

_ABOUT = "Answers from your own documents."


class _LabPage(NamedTuple):
    id: str
    name: str
    purpose: str


_PAGES = (("chat", "Chat"), ("library", "Library"), ("lab", "Lab"), ("models", "Models"))
_LAB = (
    _LabPage("compare", "Compare", "Ask two strategies the same question, side by side."),
    _LabPage("evaluate", "Evaluate", "Measure strategies on your own documents."),
    _LabPage("inspect", "Inspect", "See how passages match, and what is stored."),
)


class Header:
    """Lays out the bar. Its links open pages by static/navigation.js, which also marks the open one."""

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant
        self.bar = gr.HTML(render_header(assistant), elem_id="header")

    def follow(self, llm: gr.Dropdown) -> None:
        """Say where questions go whenever another language model is chosen."""
        llm.change(lambda name: render_header(self._assistant, name or AUTO), [llm], [self.bar], **QUICK)


def render_header(assistant: Assistant, llm: str = AUTO) -> str:
    """Return the bar as HTML.

    Args:
        llm: The language model that questions go to, as the selector of the chat names it.
    """
    pages = "".join(_link(page, name) for page, name in _PAGES)
    lab = "".join(_link(one.id, f"<b>{one.name}</b> <span>{one.purpose}</span>") for one in _LAB)
    return (
        f'<h1>rag-app</h1><nav class="pages" aria-label="Pages">{pages}</nav>{_sign(assistant, llm)}'
        f"{LOGOUT if assistant.settings.logins else ''}"
        f'<nav class="lab" aria-label="Lab" hidden>{lab}</nav>'
    )


def where_to(assistant: Assistant, llm: str = AUTO) -> str:
    """Return, in words, where a language model receives questions."""
    host = _remote_host(assistant, llm)
    if host is not None:
        return f"Questions and passages leave this machine for {host}."
    return "Nothing leaves this machine." if assistant.settings.is_private else "Nothing leaves the server."


def _sign(assistant: Assistant, llm: str) -> str:
    """Return the sign at the end of the bar: what leaves the machine in full, what stays in a word."""
    told = escape(where_to(assistant, llm))
    if _remote_host(assistant, llm) is not None:
        choose = "Choose Quotes only as the model below the question, and nothing leaves."
        return f'<details class="sign far"><summary>{told}</summary><p>{_ABOUT} {choose}</p></details>'
    short = "local" if assistant.settings.is_private else "on this server"
    return f'<details class="sign"><summary>{short}</summary><p>{_ABOUT} {told}</p></details>'


def _remote_host(assistant: Assistant, llm: str) -> str | None:
    """Return the remote host that receives questions, None where they stay."""
    try:
        check_offered(assistant, llm=llm)
        return assistant.llm(llm).leaves_machine
    except (RagError, OSError):  # no question is answered by it: asking says what is wrong
        return None


def _link(page: str, label: str) -> str:
    return f'<a href="?tab={page}" data-tab="{page}">{label}</a>'
