"""The page behind middleware, without a server, and the places that it answers at."""

import asyncio
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from gradio.routes import App
from starlette.middleware import Middleware
from starlette.routing import Mount

from rag_app.service.composition import Assistant
from ui.app import build
from ui.server import mounted


def mounted_page(
    assistant: Assistant, layer: Middleware, auth: Callable[[str, str], bool] | None = None
) -> App:
    """Return the page's application behind a layer of middleware."""

    async def made() -> App:
        app = mounted(build(assistant), [layer], largest_upload=None, auth=auth)
        (served,) = (route.app for route in app.routes if isinstance(route, Mount))
        assert isinstance(served, App)
        return served

    with ThreadPoolExecutor(1) as thread:  # Playwright's loop may run here
        return thread.submit(asyncio.run, made()).result()


def places(routes: Any) -> Iterator[tuple[str, str]]:
    """Yield method and path of all routes, those of routers within included."""
    for route in routes:
        path = getattr(route, "path", None)
        if path is None:
            yield from places(route.original_router.routes)
        else:
            for method in route.methods:
                yield method, re.sub(r"\{[^}]*\}", "x", path)
