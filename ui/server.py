"""The server of the page and the API: uvicorn in a thread.

Gradio's own start gives up if the server is not up after five seconds, or if a request to itself, sent
through the configured proxy, takes some seconds more. On a busy machine both happen.
"""

import asyncio
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import cast

import gradio as gr
import uvicorn
from fastapi import FastAPI
from gradio.routes import App
from starlette.middleware import Middleware
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from ingestion.errors import RagError
from ui.login import MESSAGE, with_head
from ui.static import early_script, page_script, style_sheet
from ui.theme import theme

_POLL_SECONDS = 0.05
# For requests under way when the server ends, as Gradio has it; then they are broken off.
_GRACE_SECONDS = 15.0


class Stop:
    """An Event that a signal's handler may set.

    The thread that a handler interrupts may hold the lock of a threading.Event, and would wait for itself.
    """

    def __init__(self) -> None:
        self._said: SimpleQueue[None] = SimpleQueue()

    def set(self) -> None:
        self._said.put(None)

    def wait(self, timeout: float | None = None) -> bool:
        """Return whether it is set within the timeout, in seconds."""
        try:
            self._said.get(timeout=timeout)
        except Empty:
            return False
        self._said.put(None)
        return True


class PageServer:
    """A page on an address. `stop` ends it; `start` may be called once.

    Args:
        page: The page.
        host: The address to listen on.
        port: The port to listen on.
        layers: What stands before the page, outermost first.
        largest_upload: Bytes of an upload.
        auth: Whether name and password belong together; None without logins.
        results: The folder of the files that the page offers for download.
        trusted_proxies: Addresses and networks of proxies whose X-Forwarded-For counts. The client is then
            the last address of it that is no such proxy.
    """

    def __init__(
        self,
        page: gr.Blocks,
        host: str,
        port: int,
        layers: Sequence[Middleware],
        *,
        largest_upload: int,
        auth: Callable[[str, str], bool] | None,
        protocol: type[asyncio.Protocol] | None = None,
        results: Path | None = None,
        trusted_proxies: Sequence[str] = (),
    ) -> None:
        self.page = page
        self._place = f"{host}, port {port}"
        app = mounted(page, layers, largest_upload=largest_upload, auth=auth, results=results)
        (self._served,) = (cast(App, route.app) for route in app.routes if isinstance(route, Mount))
        config = uvicorn.Config(
            app,
            host=host,
            port=port,
            log_level="warning",
            http=protocol or "h11",
            ws="none",
            # By default uvicorn believes what anybody on this machine says of the client's address.
            proxy_headers=bool(trusted_proxies),
            forwarded_allow_ips=list(trusted_proxies),
        )
        self._server = uvicorn.Server(config)
        # A daemon: a request that does not end must not keep the process.
        self._thread = threading.Thread(target=self._run, name="server", daemon=True)

    def _run(self) -> None:
        try:
            self._server.run()
        except SystemExit:  # uvicorn raises it when it cannot listen, and has printed why
            return

    def start(self, stopped: "Stop | threading.Event") -> bool:
        """Serve; return True once the address answers, or False if `stopped` is set first.

        It waits as long as a slow machine needs. Raises RagError where it cannot listen.
        """
        self._thread.start()
        while not self._server.started:
            if not self._thread.is_alive():
                raise RagError(
                    f"the page cannot be served on {self._place}; another program may use the port: choose "
                    "another with --port"
                )
            if stopped.wait(_POLL_SECONDS):
                return False
        return True

    def stop(self) -> None:
        """End streams to open pages, then the server."""
        self.page.close(verbose=False)
        self._served.stop_event.set()
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(_GRACE_SECONDS)
            self._server.force_exit = True
            self._thread.join(_GRACE_SECONDS)


class ScriptFirst:
    """ASGI middleware that puts a script before those of Gradio's page."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._script = f"<script>{early_script()}</script>".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_page = scope["type"] == "http" and scope["path"] == "/"
        await self.app(scope, receive, with_head(send, self._script) if is_page else send)


def mounted(
    page: gr.Blocks,
    layers: Sequence[Middleware],
    *,
    largest_upload: int | None,
    auth: Callable[[str, str], bool] | None,
    results: Path | None = None,
) -> FastAPI:
    """Return the application that serves a page at every path, behind `layers` of middleware."""
    app: FastAPI = gr.mount_gradio_app(
        FastAPI(docs_url=None, redoc_url=None, openapi_url=None),
        page,
        path="/",
        ssr_mode=False,
        mcp_server=False,
        enable_monitoring=False,
        run_history=False,
        footer_links=[],
        show_error=False,
        max_file_size=largest_upload,
        auth=auth,
        auth_message=MESSAGE if auth else None,
        allowed_paths=[str(results)] if results else None,
        theme=theme(),
        css=style_sheet(),
        js=page_script(),
        app_kwargs={"middleware": [*layers, Middleware(ScriptFirst)]},
    )
    # Gradio checks that handlers read only uploads once a page has launched; mounting does not set it.
    page.has_launched = True
    return app
