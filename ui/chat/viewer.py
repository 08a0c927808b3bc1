"""The viewer of one source: its page with the cited words marked, or why the passage was found."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from rag_app.service.page_views import RenderedPage
from ui.components.text import Span, escape, marked

Tab = Literal["page", "why"]
TABS: dict[Tab, str] = {"page": "Page", "why": "Why it was found"}


@dataclass(frozen=True, slots=True)
class SourceLocation:
    """A page of a document to open, and the passage (chunk) of a turn that led to it."""

    turn: int
    chunk: str
    document: str
    page: int


def render_viewer(place: SourceLocation, name: str, pages: int, tab: Tab, content: str) -> str:
    """Return the viewer: its bar, its two tabs and the content of the chosen one, which is HTML."""
    tabs = "".join(
        f'<button type="button" role="tab" aria-selected="{str(key == tab).lower()}" '
        f"{opens(place, key)}>{escape(label)}</button>"
        for key, label in TABS.items()
    )
    turning = zooming = ""
    if tab == "page":
        turning = (
            f"{_turn(place, place.page - 1, pages, 'Previous page', '‹')}"
            f'<span class="page">page {place.page:,} of {pages:,}</span>'
            f"{_turn(place, place.page + 1, pages, 'Next page', '›')}"
        )
        zooming = (
            '<button type="button" data-zoom="-1" aria-label="Smaller" title="Smaller">−</button>'
            '<button type="button" data-zoom="1" aria-label="Larger" title="Larger">+</button>'
        )
    return (
        f'<section class="viewer" aria-label="Source"><div class="bar">'
        f'<bdi class="document">{escape(name)}</bdi>'
        '<button type="button" class="close" data-close aria-label="Close the source" title="Close">'
        '×</button></div><div class="bar"><div role="tablist" aria-label="What to show of it">'
        f'{tabs}</div><span class="tools">{turning}{zooming}</span></div>{content}</section>'
    )


def render_page(view: RenderedPage, place: SourceLocation) -> str:
    """Return a page: its picture with boxes around the spans and cells, or its text with the spans marked.

    A locked page comes with a form for the password.
    """
    picture = view.picture
    if picture is None:
        reason = f'<p class="note">{escape(view.reason or "")}</p>' if view.reason else ""
        if view.is_locked:
            reason += _password_form(place, view.document.label)
        text = marked(view.page.text, view.spans)
        return f'{reason}<div class="sheet text" tabindex="0" dir="auto">{text}</div>'
    boxes = "".join(
        f'<rect class="{"mark" if place < len(view.spans) else "cell"}" x="{box.left:.2f}" y="{box.top:.2f}" '
        f'width="{box.right - box.left:.2f}" height="{box.bottom - box.top:.2f}" rx="1"/>'
        for place, boxes in enumerate(picture.boxes)
        for box in boxes
    )
    encoded = base64.b64encode(picture.image).decode("ascii")
    name = escape(f"Page {view.page.number} of {view.document.label}")
    lost = any(not boxes for boxes in picture.boxes)
    note = '<p class="note">The place of some words on the page is not known.</p>' if lost else ""
    return (
        f'{note}<div class="sheet" tabindex="0" aria-label="{name}" role="region"><div class="paper" '
        f'style="aspect-ratio: {picture.width:.2f} / {picture.height:.2f}">'
        f'<img alt="{name}" src="data:{picture.media_type};base64,{encoded}">'
        f'<svg viewBox="0 0 {picture.width:.2f} {picture.height:.2f}" aria-hidden="true">{boxes}</svg>'
        "</div></div>"
    )


def _password_form(place: SourceLocation, name: str) -> str:
    return (
        f'<form class="unlock" data-unlock {opens(place, "page")}><input type="password" autocomplete="off" '
        f'maxlength="1000" placeholder="Password" aria-label="Password of {escape(name)}">'
        "<button>Show the page</button></form>"
    )


def _turn(place: SourceLocation, page: int, pages: int, label: str, sign: str) -> str:
    off = "" if 1 <= page <= pages else " disabled"
    return (
        f'<button type="button" aria-label="{label}" title="{label}"{off} '
        f"{opens(replace(place, page=page), 'page')}>{sign}</button>"
    )


def opens(place: SourceLocation, tab: Tab) -> str:
    """Return the attributes of an element that opens the viewer at a place."""
    return (
        f'data-open="{tab}" data-turn="{place.turn}" data-chunk="{escape(place.chunk)}" '
        f'data-document="{escape(place.document)}" data-page="{place.page}"'
    )


def place_of(data: dict[str, object]) -> tuple[SourceLocation, Tab]:
    """Return the place and tab in such an element's data. Raises ValueError for data of no such element."""
    tab = str(data.get("open"))
    for key in TABS:
        if key == tab:
            turn, page = int(str(data.get("turn"))), int(str(data.get("page")))
            return SourceLocation(turn, str(data.get("chunk")), str(data.get("document")), page), key
    raise ValueError(f"there is no tab {tab!r}; choose one of: {', '.join(TABS)}")


def spans_on(spans: Sequence[Span], start: int, end: int) -> list[Span]:
    """Return the spans within a chunk, or the chunk itself where there are none."""
    return [span for span in spans if start <= span[0] and span[1] <= end] or [(start, end)]
