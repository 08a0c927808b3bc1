"""The page, and the server that serves it."""

import secrets
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import gradio as gr
from starlette.middleware import Middleware

from ingestion.storage.lock import announce, withdraw
from rag_app.config.logins import Logins
from rag_app.config.ports import url_of
from rag_app.server.api import create_api
from rag_app.server.security.guard import Guard
from rag_app.service.composition import Assistant
from ui.background import Workers
from ui.chat.conversations import build_list
from ui.chat.evidence import Desk, build_evidence, connect_evidence
from ui.chat.pane import build_chat
from ui.chat.talk import Chat
from ui.chat.wiring import connect_chat
from ui.choices import where_to
from ui.compare import Compare, build_compare
from ui.documents import Documents, build_documents, connect_documents
from ui.evaluate import Evaluate, build_evaluate, connect_evaluate
from ui.inspect import Inspect, build_inspect, connect_inspect
from ui.library.care import Library
from ui.library.pane import build_library
from ui.library.wiring import connect_library
from ui.login import LOGOUT, LoginFirst
from ui.models import Models, build_models, connect_models
from ui.security import ApiBeside, OwnFilesOnly
from ui.server import PageServer, Stop

_DAY = 86_400


def build(assistant: Assistant) -> gr.Blocks:
    """Return the page, not yet served."""
    return _build(assistant, Workers(), Path(tempfile.gettempdir()))


def serve(assistant: Assistant, *, host: str, port: int, on_ready: Callable[[str], None]) -> None:
    """Serve the page and the API until SIGINT or SIGTERM; `on_ready` gets its address once it answers.

    Other commands find the API by the note beside the library's lock. Work that is under way is stopped
    before this returns.
    """
    workers = Workers()
    token = secrets.token_urlsafe(32)
    layers = [
        Middleware(OwnFilesOnly),
        Middleware(
            Guard, host=host, port=port, token=token, api_token=assistant.settings.secret("api_token")
        ),
        Middleware(ApiBeside, api=create_api(assistant)),
    ]
    logins = assistant.settings.logins
    if logins:
        layers.append(Middleware(LoginFirst))
    with _terminated() as terminated, tempfile.TemporaryDirectory(prefix="rag-app-uploads-") as folder:
        page = _build(assistant, workers, Path(folder))
        largest = assistant.settings.max_file_mb * 10**6
        fits = Logins(logins).fits if logins else None
        server = PageServer(page, host, port, layers, largest_upload=largest, auth=fits)
        try:
            if server.start(terminated):
                announce(assistant.library.folder, url=url_of(host, port), token=token)
                on_ready(url_of(host, port))
                terminated.wait()
        except KeyboardInterrupt:
            pass
        finally:
            withdraw(assistant.library.folder)
            workers.close()
            server.stop()


def _build(assistant: Assistant, workers: Workers, uploads: Path) -> gr.Blocks:
    page = gr.Blocks(
        title="rag-app",
        analytics_enabled=False,
        fill_width=True,
        # Uploads are deleted once they are ingested; this is for those that never arrived.
        delete_cache=(_DAY, _DAY),
    )
    with page:
        gr.HTML(
            f"<h1>rag-app</h1><p>Answers from your own documents. {where_to(assistant)}</p>"
            f"{LOGOUT if assistant.settings.logins else ''}",
            elem_id="header",
        )
        # Tabs, not pages of their own: an answer goes on being written while a person looks elsewhere.
        with gr.Tabs(elem_id="pages", selected="chat", overflow_behavior="wrap"):
            with gr.Tab("Chat", id="chat") as chat_tab, gr.Row(elem_id="panes"):
                with gr.Column(elem_id="documents-pane", elem_classes="pane", min_width=220):
                    conversations = build_list()
                    documents_pane = build_documents()
                with gr.Column(elem_id="chat-pane", elem_classes="pane", min_width=320):
                    chat_pane = build_chat(assistant, conversations)
                with gr.Column(elem_id="sources-pane", elem_classes="pane", min_width=280):
                    evidence_pane = build_evidence()
            with gr.Tab("Compare", id="compare") as compare_tab:
                build_compare(Compare(assistant, workers, Desk(assistant)), page, compare_tab)
            with gr.Tab("Documents", id="documents") as library_tab:
                library_page = build_library()
            inspect_pane = build_inspect(assistant)
            evaluate_pane = build_evaluate()
            models_pane = build_models()
        documents = Documents(assistant, workers, uploads)
        connect_documents(documents, documents_pane, page, chat_tab, chat_pane.selectors.collection)
        connect_library(Library(documents), library_page, library_tab)
        connect_inspect(Inspect(assistant), inspect_pane)
        connect_evaluate(Evaluate(assistant, uploads), evaluate_pane, page)
        connect_models(Models(assistant), models_pane, chat_pane, page)
        chat = Chat(assistant, workers)
        turns = connect_chat(chat, chat_pane, evidence_pane, page)
        connect_evidence(chat.desk, evidence_pane, turns)
    return page


@contextmanager
def _terminated() -> Iterator[Stop]:
    """A stop that SIGTERM sets, where signals can be caught (in the main thread)."""
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def handle(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        stop.set()

    before = signal.signal(signal.SIGTERM, handle)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGTERM, before)
