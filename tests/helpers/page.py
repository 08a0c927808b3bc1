"""The real page: served by the command in a process of its own, opened in a real browser."""

import itertools
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import httpx
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Request, ViewportSize, expect

from ingestion.storage.lock import read_holder
from rag_app.config.folders import TEMPORARY_FOLDER
from rag_app.config.ports import free_port
from rag_app.server.security.page_keys import page_address
from tests.helpers.paths import ROOT
from tests.helpers.processes import ForkedProcess, fork_server

OUTPUT = ROOT / "tests" / "output"
PATIENCE = 120_000  # ms: two slow cores that load a model
expect.set_options(timeout=60_000)  # ms: Playwright's own five seconds are few on a busy machine
DESKTOP: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
LAB = ("Compare", "Evaluate", "Inspect")


def files_below(folder: Path) -> list[Path]:
    """Return the files in a folder and below it that another process may be taking away."""
    return [Path(place) / name for place, _, names in os.walk(folder) for name in names]


@dataclass
class Server:
    """A page server: its URL, what it printed, and where it keeps what."""

    url: str
    process: ForkedProcess
    data: Path
    temporary: Path
    lines: list[str] = field(default_factory=list)
    kept: dict[tuple[int, str], list[BrowserContext]] = field(default_factory=dict)  # for the next to open it

    def states(self, conversation: str) -> list[str]:
        """Return how the questions of a conversation ended, as the API says."""
        holder = read_holder(self.data)
        assert holder
        answer = httpx.get(
            f"{self.url}/api/v1/conversations/{conversation}",
            headers={"Authorization": f"Bearer {holder.token}"}, timeout=PATIENCE / 1000, trust_env=False,
        )  # fmt: skip
        assert answer.status_code == 200, answer.text
        return [turn["state"] for turn in answer.json()["turns"]]

    def address(self) -> str:
        """Return an address that opens the page in one browser."""
        holder = read_holder(self.data)
        assert holder
        assert holder.token
        return page_address(self.url, holder.token)

    def received(self) -> list[Path]:
        """Return the uploaded files that still lie in temporary folders."""
        return files_below(self.temporary) + files_below(self.data / TEMPORARY_FOLDER)

    def staged(self) -> list[Path]:
        """Return the uploaded files that the job queue keeps."""
        return files_below(self.data / "uploads")


# Not of the ports that the system gives to connections: one of these may take a port before a server does.
_ports = itertools.count(20_000 + os.getpid() * 37 % 9_000)


def own_port() -> int:
    """Return a port that is free, and stays so until this process serves on it."""
    return free_port("127.0.0.1", next(_ports))


@contextmanager
def serving(data: Path, temporary: Path, *options: object, **variables: str) -> Iterator[Server]:
    """Serve a library, on a free port unless the options name one, until the end of the block."""
    temporary.mkdir(parents=True, exist_ok=True)
    config = temporary.with_name("empty.toml")  # not the settings of the person who runs the tests
    config.touch()
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("RAG_APP_", "GRADIO_"))},
        "TMPDIR": str(temporary),
        # A proxy that is not there: whatever the server asks of another host fails.
        **dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), "http://127.0.0.1:9"),
        "RAG_APP_CONFIG": str(config),
        "RAG_APP_FIND_SERVERS": "none",
        **variables,
    }
    with fork_server().start(
        ["--data-dir", data, "serve", *(() if "--port" in options else ("--port", own_port())), *options],
        env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as process:  # fmt: skip
        server = Server("", process, data, temporary)
        ready = threading.Event()

        def read() -> None:
            assert process.stdout
            for line in process.stdout:
                server.lines.append(line)
                if line.startswith("serving http://"):
                    server.url = line.split()[1].partition("/?")[0]
                    ready.set()
            ready.set()

        reader = threading.Thread(target=read)
        reader.start()
        try:
            assert ready.wait(PATIENCE / 1000), "the server did not start in time"
            assert server.url, "".join(server.lines)
            yield server
            process.send_signal(signal.SIGTERM)
            code = process.wait(30)
        finally:
            process.kill()
            reader.join()
    assert code == 0, "".join(server.lines)
    assert not any("Traceback" in line for line in server.lines), "".join(server.lines)


@contextmanager
def opened(
    browser: Browser,
    server: Server,
    viewport: ViewportSize = DESKTOP,
    scheme: Literal["light", "dark"] = "light",
) -> Iterator[Page]:
    """Open the page in a session of its own; afterwards nothing may have left this machine.

    A session without cookies and stored values follows on another one in its context, whose cache has the
    scripts of the page: to load and compile them takes longer than all else that opens it.
    """
    kept = server.kept.setdefault((viewport["width"], scheme), [])
    context = (
        kept.pop()
        if kept
        else browser.new_context(viewport=viewport, color_scheme=scheme, reduced_motion="reduce")
    )
    requested: list[str] = []
    errors: list[str] = []

    def note(request: Request) -> None:
        requested.append(request.url)

    # Of the context, so that a window that a link opens is watched as well.
    context.on("request", note)
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("dialog", lambda dialog: errors.append(dialog.message))
    page.set_default_timeout(PATIENCE)
    page.goto(server.address())
    expect(page.locator("#question textarea")).to_be_visible(timeout=PATIENCE)
    try:
        yield page
        page.evaluate("localStorage.clear()")
        for each in context.pages:
            each.close()
        context.remove_listener("request", note)
        context.clear_cookies()
        kept.append(context)
    finally:
        hosts = {urlsplit(url).hostname for url in requested if urlsplit(url).scheme not in ("data", "blob")}
        if context not in kept:
            context.close()
    assert hosts == {urlsplit(server.url).hostname}
    assert not errors


def page_link(page: Page, name: str) -> Locator:
    """Return the link in the bar that opens a page; those of the Lab are seen once the Lab is open."""
    return page.locator(f'#header a[data-tab="{name.lower()}"]')


def open_page(page: Page, name: str) -> None:
    """Open a page by the bar: Chat, Library, Models, or Compare, Evaluate or Inspect of the Lab."""
    if name in LAB and not page_link(page, name).is_visible():
        page_link(page, "Lab").click()
    page_link(page, name).click()
    expect(page_link(page, name)).to_have_attribute("aria-current", "page")


def hand_over(page: Page, *files: Path) -> None:
    """Upload files, and wait until the page shows them."""
    page.set_input_files("#upload input[type=file]", [str(file) for file in files])
    for file in files:
        expect(row(page, file.name)).to_be_visible(timeout=PATIENCE)


def upload(page: Page, *files: Path) -> None:
    """Upload files and wait until the queue is done with all."""
    hand_over(page, *files)
    expect(page.locator("#progress li:is(.waiting, .working)")).to_have_count(0, timeout=PATIENCE)
    expect(page.locator("#cancel")).to_be_hidden()


def row(page: Page, name: str) -> Locator:
    """Return the row of a file that is or was ingested."""
    return page.locator("#progress li", has=page.get_by_text(name, exact=True))


def send(page: Page, question: str) -> int:
    """Ask with Enter; return how many questions were asked before."""
    before = page.locator("#conversation .question").count()
    page.fill("#question textarea", question)
    page.press("#question textarea", "Enter")
    expect(page.locator("#conversation .question")).to_have_count(before + 1, timeout=PATIENCE)
    return before


def ask(page: Page, question: str) -> str:
    """Ask, wait for the answer, and return what its bubble says."""
    before = send(page, question)
    expect(page.locator("#send")).to_be_visible(timeout=PATIENCE)
    bubble = page.locator("#conversation .bot.message").nth(before)
    expect(bubble.locator(".working")).to_have_count(0, timeout=PATIENCE)
    return bubble.inner_text()


def open_chip(page: Page, name: str) -> None:
    """Open the panel of a chip of the composer: strategy, reranker, llm, collection or only (documents)."""
    if not page.locator(f"#choose-{name}").is_visible():
        page.locator(f'#chips [data-choose="{name}"]').click()
    expect(page.locator(f"#choose-{name}")).to_be_visible()


def choose_strategy(page: Page, name: str) -> None:
    open_chip(page, "strategy")
    page.locator(f'#strategy label:has(input[value="{name}"])').click()
    page.keyboard.press("Escape")
    expect(page.locator("#help b").first).to_have_text(name, timeout=PATIENCE)


def screenshot(page: Page, name: str) -> None:
    OUTPUT.mkdir(exist_ok=True)
    page.screenshot(path=OUTPUT / f"{name}.png")


def accessibility(page: Page) -> list[str]:
    """Return what axe-core finds wrong with the page as it is, of what it calls serious or critical."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, options={"resultTypes": ["violations"]})
    return [
        f"{rule['impact']} {rule['id']}: {node['html'][:160]} {' '.join(map(str, node['target']))}"
        for rule in found.response["violations"]
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
    ]
