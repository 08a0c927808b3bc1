"""The queue of the page Documents: a row a file, with what can be done about it."""

from collections.abc import Sequence

from ui.components.text import escape, plural
from ui.components.uploads import FileRow, Mood

# Rows shown of each kind; the rest is a number.
_SHOWN = 20
_SHOWN_FAILED = 100
_MORE = {
    Mood.WORKING: "in work",
    Mood.WAITING: "waiting",
    Mood.FAILED: "that failed",
    Mood.NOTE: "already there, done in part or with a warning, or cancelled",
    Mood.DONE: "done",
}


def render_queue(rows: Sequence[FileRow]) -> str:
    """Return the rows as a list, what failed within reach; nothing for none."""
    if not rows:
        return ""
    parts: list[str] = []
    for mood, words in _MORE.items():
        kind = [row for row in rows if row.mood is mood]
        shown = _SHOWN_FAILED if mood is Mood.FAILED else _SHOWN
        # What waits comes next first; of what has ended the newest says most.
        kept = kind[:shown] if mood in (Mood.WORKING, Mood.WAITING) else kind[-shown:]
        parts += map(_row, kept)
        if left := len(kind) - len(kept):
            parts.append(f'<li class="more">and {left:,} more {words}</li>')
    listed = f'<ul class="queue" tabindex="0" aria-label="Files">{"".join(parts)}</ul>'
    return f'<p role="status" class="summary">{_summary(rows)}</p>{listed}'


def _summary(rows: Sequence[FileRow]) -> str:
    going = sum(row.mood in (Mood.WORKING, Mood.WAITING) for row in rows)
    failed = sum(row.mood is Mood.FAILED for row in rows)
    ended = f"{len(rows) - going:,} of {plural(len(rows), 'file')} finished"
    return f"{ended}, {failed:,} failed" if failed else ended


def _row(row: FileRow) -> str:
    name, key = escape(row.name), f"{row.job}-{row.file}"
    place = f'data-job="{row.job}" data-file="{row.file}"'
    bar = action = form = ""
    if row.mood is Mood.WORKING:
        value = "" if row.share is None else f' value="{row.share:.3f}"'
        bar = f'<progress max="1"{value} aria-label="{name}"></progress>'
    if row.mood in (Mood.WORKING, Mood.WAITING):
        action = _button("cancel", "Cancel", f"Cancel {name}", place, key)
    elif row.can_retry:
        action = _button("retry", "Try again", f"Try {name} again", place, key)
    if row.wants_password:
        form = (
            f'<form data-act="unlock" {place}><label>Password '
            f'<input type="password" data-key="password-{key}" autocomplete="off" maxlength="1000" '
            f'aria-label="Password of {name}"></label>'
            f'<button data-key="unlock-{key}">Open</button></form>'
        )
    return (
        f'<li class="{row.mood}"><bdi class="name">{name}</bdi>'
        f'<span class="into">{escape(row.collection)}</span>{action}'
        f'<span class="words">{escape(row.words)}</span>{bar}{form}</li>'
    )


def _button(act: str, words: str, label: str, place: str, key: str) -> str:
    return (
        f'<button type="button" data-act="{act}" {place} data-key="{act}-{key}" '
        f'aria-label="{label}">{words}</button>'
    )
