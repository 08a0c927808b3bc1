"""The conversations that were kept, the one that was used last first."""

from collections.abc import Sequence
from datetime import UTC, datetime

from rag_app.history.conversations import Conversation
from ui.components.text import escape, plural

EMPTY = '<div class="empty">Conversations are kept here, on this machine.</div>'
_SHOWN = 100


def render_conversations(conversations: Sequence[Conversation], current: str | None, now: datetime) -> str:
    """Return the list, with the current one marked; the latest hundred."""
    if not conversations:
        return EMPTY
    rows = "".join(_row(one, current=one.id == current, now=now) for one in conversations[:_SHOWN])
    left = len(conversations) - _SHOWN
    more = f'<p class="more">and {left:,} older; rag-app conversations list has all</p>' if left > 0 else ""
    return f'<ul class="conversations">{rows}</ul>{more}'


def _row(one: Conversation, *, current: bool, now: datetime) -> str:
    mark = ' aria-current="true"' if current else ""
    title = escape(one.title or "Untitled")
    return (
        f'<li><button type="button" data-conversation="{escape(one.id)}"{mark}>'
        f'<bdi class="name">{title}</bdi>'
        f'<span class="size">{ago(one.updated, now)} · {plural(one.turns, "question")}</span></button></li>'
    )


def ago(moment: str, now: datetime) -> str:
    """Return when something was, as people say it; `moment` is UTC in ISO 8601."""
    then = datetime.fromisoformat(moment)
    then = then if then.tzinfo else then.replace(tzinfo=UTC)
    minutes = int((now - then).total_seconds() // 60)
    if minutes < 1:
        return "just now"
    if minutes < 60:
        return f"{minutes} min ago"
    if minutes < 24 * 60:
        return f"{minutes // 60} h ago"
    days = minutes // (24 * 60)
    return f"{plural(days, 'day')} ago" if days < 14 else then.date().isoformat()
