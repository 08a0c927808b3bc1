"""The page, and the server that serves it."""

import os
import secrets
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import gradio as gr
from starlette.middleware import Middleware

from ingestion.lock import announce, withdraw
from rag_app.api import create_api
from rag_app.assistant import Assistant
from rag_app.guard import Guard
from rag_app.logins import Logins
from rag_app.ports import url_of
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
from ui.login import LOGOUT, MESSAGE, LoginFirst
from ui.models import Models, build_models, connect_models
from ui.security import ApiBeside, OwnFilesOnly
from ui.static import read_static, style_sheet
from ui.theme import theme

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
        try:
            largest = assistant.settings.max_file_mb * 10**6
            fits = Logins(logins).fits if logins else None
            url = _launch(page, host, port, layers, largest_upload=largest, auth=fits)
            announce(assistant.library.folder, url=url_of(host, port), token=token)
            on_ready(url)
            terminated.wait()
        except KeyboardInterrupt:
            pass
        finally:
            withdraw(assistant.library.folder)
            workers.close()
            page.close(verbose=False)


def _launch(
    page: gr.Blocks,
    host: str,
    port: int,
    layers: Sequence[Middleware],
    *,
    largest_upload: int,
    auth: Callable[[str, str], bool] | None,
) -> str:
    """Start serving in a thread; return the address."""
    with _no_proxy(host):
        _, url, _ = page.launch(
            server_name=host,
            server_port=port,
            prevent_thread_lock=True,
            quiet=True,
            inbrowser=False,
            share=False,
            ssr_mode=False,
            mcp_server=False,
            enable_monitoring=False,
            run_history=False,
            footer_links=[],
            show_error=False,
            max_file_size=largest_upload,
            auth=auth,
            auth_message=MESSAGE if auth else None,
            theme=theme(),
            css=style_sheet(),
            js=read_static("page.js"),
            app_kwargs={"middleware": list(layers)},
        )
    return url.rstrip("/")


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
def _no_proxy(host: str) -> Iterator[None]:
    """While it starts, Gradio asks itself whether it answers: not through the proxy of the surroundings."""
    names = ("no_proxy", "NO_PROXY")
    before = {name: os.environ.get(name) for name in names}
    direct = ",".join(filter(None, [*before.values(), host, "localhost", "127.0.0.1"]))
    os.environ.update(dict.fromkeys(names, direct))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _terminated() -> Iterator[threading.Event]:
    """An event that SIGTERM sets, where signals can be caught (in the main thread)."""
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield event
        return

    def handle(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        event.set()

    before = signal.signal(signal.SIGTERM, handle)
    try:
        yield event
    finally:
        signal.signal(signal.SIGTERM, before)
