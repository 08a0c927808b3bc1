"""The instructions of collections as HTML, and how many characters they have while a person types."""

from ingestion.collections import MOST_INSTRUCTIONS, CollectionInfo
from ui.components.text import escape

# Returns in the browser what `render_counted` returns; characters count as in Python.
COUNT_TYPED = (
    "(text) => { const size = [...(text || '')].length; "
    f"const over = size > {MOST_INSTRUCTIONS} ? ' over' : ''; "
    "return `<p class=\"counted${over}\">${size.toLocaleString('en')} "
    f"of {MOST_INSTRUCTIONS:,} characters</p>`; }}"
)


def render_instructions(info: CollectionInfo) -> str:
    """Return a collection's instructions; nothing where it has none."""
    if not info.instructions:
        return ""
    return f'<p class="instructions" dir="auto" title="Instructions">{escape(info.instructions)}</p>'


def render_counted(text: str) -> str:
    """Return how many characters instructions have, and may have."""
    over = " over" if len(text) > MOST_INSTRUCTIONS else ""
    return f'<p class="counted{over}">{len(text):,} of {MOST_INSTRUCTIONS:,} characters</p>'
