"""One source, looked at closely: the page with the cited words marked, or why the passage was found."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rag_app.service.page_views import RenderedPage
from ui.components.text import escape, marked

Tab = Literal["page", "why"]
TABS: dict[Tab, str] = {"page": "Page", "why": "Why it was found"}


@dataclass(frozen=True, slots=True)
class Place:
    """What a viewer is opened at: a page of a document, and the passage (chunk) of a turn that led there."""

    turn: int
    chunk: str
    document: str
    page: int


def render_viewer(place: Place, name: str, pages: int, tab: Tab, content: str) -> str:
    """Return the viewer: its bar, its two tabs and the content of the chosen one, which is HTML."""
    tabs = "".join(
        f'<button type="button" role="tab" aria-selected="{str(key == tab).lower()}" '
        f"{_opens(place, key, place.page)}>{escape(label)}</button>"
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


def render_page(view: RenderedPage, place: Place) -> str:
    """Return a page: its picture with the boxes of the spans on it, or its text with the spans marked.

    Where a password is missing, a form asks for it.
    """
    picture = view.picture
    if picture is None:
        reason = f'<p class="note">{escape(view.reason or "")}</p>' if view.reason else ""
        if view.is_locked:
            reason += _password_form(place, view.document.label)
        return f'{reason}<div class="sheet text" tabindex="0" dir="auto">{_text(view)}</div>'
    boxes = "".join(
        f'<rect x="{box.left:.2f}" y="{box.top:.2f}" width="{box.right - box.left:.2f}" '
        f'height="{box.bottom - box.top:.2f}" rx="1"/>'
        for boxes in picture.boxes
        for box in boxes
    )
    encoded = base64.b64encode(picture.image).decode("ascii")
    name = escape(f"Page {view.page.number} of {view.document.label}")
    lost = any(not boxes for boxes in picture.boxes)
    note = '<p class="note">Where some of the words stand on the page is not known.</p>' if lost else ""
    return (
        f'{note}<div class="sheet" tabindex="0" aria-label="{name}" role="region"><div class="paper" '
        f'style="aspect-ratio: {picture.width:.2f} / {picture.height:.2f}">'
        f'<img alt="{name}" src="data:{picture.media_type};base64,{encoded}">'
        f'<svg viewBox="0 0 {picture.width:.2f} {picture.height:.2f}" aria-hidden="true">{boxes}</svg>'
        "</div></div>"
    )


def _password_form(place: Place, name: str) -> str:
    return (
        f'<form class="unlock" data-unlock {opens(place, "page")}><input type="password" autocomplete="off" '
        f'maxlength="1000" placeholder="Password" aria-label="Password of {escape(name)}">'
        "<button>Show the page</button></form>"
    )


def _text(view: RenderedPage) -> str:
    return marked(view.page.text, view.spans)


def _turn(place: Place, page: int, pages: int, label: str, sign: str) -> str:
    off = "" if 1 <= page <= pages else " disabled"
    return (
        f'<button type="button" aria-label="{label}" title="{label}"{off} '
        f"{_opens(place, 'page', page)}>{sign}</button>"
    )


def _opens(place: Place, tab: Tab, page: int) -> str:
    return opens(Place(place.turn, place.chunk, place.document, page), tab)


def opens(place: Place, tab: Tab) -> str:
    """Return the attributes of an element that opens the viewer at a place."""
    return (
        f'data-open="{tab}" data-turn="{place.turn}" data-chunk="{escape(place.chunk)}" '
        f'data-document="{escape(place.document)}" data-page="{place.page}"'
    )


def place_of(data: dict[str, object]) -> tuple[Place, Tab]:
    """Return what such an element's data says. Raises ValueError for what none of ours says."""
    tab = str(data.get("open"))
    for key in TABS:
        if key == tab:
            return (
                Place(
                    int(str(data.get("turn"))), str(data.get("chunk")), str(data.get("document")),
                    int(str(data.get("page"))),
                ),
                key,
            )  # fmt: skip
    raise ValueError(f"there is no view {tab!r}")


def spans_on(spans: Sequence[tuple[int, int]], start: int, end: int) -> list[tuple[int, int]]:
    """Return the spans that lie within a chunk, or the chunk itself where there is none."""
    return [span for span in spans if start <= span[0] and span[1] <= end] or [(start, end)]
