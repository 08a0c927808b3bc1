"""The pages and the API, on one port."""

# ruff: noqa: E402 (before anything else imports Gradio)
from ui.gradio_stubs import skip_stubs

skip_stubs()

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

from rag_app.config.folders import TEMPORARY_FOLDER
from rag_app.config.logins import Logins
from rag_app.config.ports import url_of
from rag_app.server.api import create_api
from rag_app.server.request_ids import RequestIds
from rag_app.server.security.connections import ConnectionLimits, limited_protocol
from rag_app.server.security.guard import Guard
from rag_app.server.security.page_guard import PageGuard
from rag_app.server.security.page_keys import page_address
from rag_app.service.composition import Assistant
from ui.background import Workers
from ui.chat.controller import ChatController
from ui.chat.events import connect_chat
from ui.chat.layout import ChatLayout
from ui.chat.pane_events import connect_documents
from ui.compare.controller import CompareController
from ui.compare.events import connect_compare
from ui.compare.layout import CompareLayout
from ui.components.ingest_queue import IngestQueueController
from ui.evaluate.controller import EvaluateController
from ui.evaluate.events import connect_evaluate
from ui.evaluate.layout import EvaluateLayout
from ui.header import Header
from ui.inspect.controller import InspectController
from ui.inspect.events import connect_inspect
from ui.inspect.layout import InspectLayout
from ui.library.controller import LibraryController
from ui.library.events import connect_library
from ui.library.layout import LibraryLayout
from ui.login import LoginFirst
from ui.models.controller import ModelsController
from ui.models.events import connect_models
from ui.models.layout import ModelsLayout
from ui.security import ApiBeside, OwnFilesOnly
from ui.server import PageServer, Stop

_DAY = 86_400


def build(assistant: Assistant) -> gr.Blocks:
    """Return the page, not yet served."""
    folder = Path(tempfile.gettempdir())
    return _build(assistant, Workers(), uploads=folder, results=folder)


def serve(assistant: Assistant, *, host: str, port: int, on_ready: Callable[[str], None]) -> None:
    """Serve the page and the API until SIGINT or SIGTERM, then stop the work that is under way.

    Other commands find the API by the note beside the library's lock. Uploads and results lie in the folder
    that `private_temporary_folder` has made.

    Args:
        on_ready: Gets the page's address, with a key unless there are logins, once the server answers.
    """
    workers = Workers()
    token = secrets.token_urlsafe(32)
    settings = assistant.settings
    uploads, results = (settings.data_dir / TEMPORARY_FOLDER / name for name in ("uploads", "results"))
    for folder in (uploads, results):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    api_token, url = settings.secret("api_token"), url_of(host, port)
    layers = [
        Middleware(RequestIds),
        Middleware(OwnFilesOnly),
        Middleware(
            Guard, host=host, port=port, token=token, api_token=api_token, public_url=settings.public_url
        ),
        Middleware(ApiBeside, api=create_api(assistant)),
        Middleware(LoginFirst)
        if settings.logins
        else Middleware(PageGuard, port=port, token=token, api_token=api_token),
    ]
    with _terminated() as terminated:
        server = PageServer(
            _build(assistant, workers, uploads=uploads, results=results),
            host,
            port,
            layers,
            largest_upload=settings.max_file_mb * 10**6,
            auth=Logins(settings.logins).fits if settings.logins else None,
            protocol=limited_protocol(
                ConnectionLimits(
                    total=settings.total_connections,
                    per_address=settings.max_connections_per_address,
                    head_seconds=settings.head_seconds,
                    stall_seconds=settings.stall_seconds,
                )
            ),
            results=results,
            trusted_proxies=settings.trusted_proxies,
        )
        try:
            if server.start(terminated):
                assistant.announce(url, token)
                on_ready(url if settings.logins else page_address(url, token))
                terminated.wait()
        except KeyboardInterrupt:
            pass
        finally:
            assistant.withdraw()
            assistant.answers.close()
            workers.close()
            server.stop()


def _build(assistant: Assistant, workers: Workers, *, uploads: Path, results: Path) -> gr.Blocks:
    blocks = gr.Blocks(
        title="rag-app",
        analytics_enabled=False,
        fill_width=True,
        # Ingested uploads are deleted at once; this deletes uploads that never reached the queue.
        delete_cache=(_DAY, _DAY),
    )
    with blocks:
        header = Header(assistant)
        # Tabs, not pages of their own: an answer goes on being written while another page is open. The Lab's
        # pages are not nested: of an inner tab Gradio says that it was selected, not that it is seen again.
        with gr.Tabs(elem_id="pages", selected="chat", overflow_behavior="wrap"):
            chat, library = ChatLayout(assistant), LibraryLayout()
            compare, evaluate = CompareLayout(assistant), EvaluateLayout()
            inspect, models = InspectLayout(assistant), ModelsLayout()
        queue = IngestQueueController(assistant, uploads)
        connect_compare(CompareController(assistant, workers), compare, blocks)
        connect_documents(queue, chat, blocks)
        connect_library(LibraryController(queue), library)
        connect_inspect(InspectController(assistant), inspect)
        connect_evaluate(EvaluateController(assistant, results), evaluate, blocks)
        selectors = [chat.composer.selectors.reranker, chat.composer.selectors.llm]
        connect_models(ModelsController(assistant), models, selectors, blocks)
        connect_chat(ChatController(assistant, workers), chat, blocks)
        header.follow(chat.composer.selectors.llm)
    return blocks


@contextmanager
def _terminated() -> Iterator[Stop]:
    """Yield a stop that SIGTERM sets, if this is the main thread, where signals can be caught."""
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
