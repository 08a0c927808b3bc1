"""The page as it is built, without a server."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import gradio as gr

from rag_app.service.composition import Assistant
from ui.app import build


def built_page(assistant: Assistant) -> gr.Blocks:
    """Build the page. Without a running loop Gradio makes some and leaves them open; a thread, because
    Playwright's runs here."""

    async def work() -> gr.Blocks:
        return build(assistant)

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work()).result()
