"""A document's title, organisation, period and type as HTML, and the marks beside their form."""

from collections.abc import Mapping

from ingestion.fields.values import DocumentFields
from ui.components.text import escape

# The fields in their order, as the page names them.
LABELS: Mapping[str, str] = {
    "title": "Title",
    "organisation": "Organisation",
    "period": "Period",
    "type": "Type",
}


def render_fields(fields: DocumentFields) -> str:
    """Return a document's fields, and what was recognised where a person wrote something else."""
    rows = "".join(f"<dt>{words}</dt><dd>{_value(fields, name)}</dd>" for name, words in LABELS.items())
    return f'<dl class="fields">{rows}</dl>'


def _value(fields: DocumentFields, name: str) -> str:
    value, recognised = getattr(fields.values, name), getattr(fields.recognised, name)
    shown = f"<bdi>{escape(value)}</bdi>" if value else '<span class="none">none</span>'
    if value == recognised or not recognised:
        return shown
    return f'{shown}<span class="recognised">recognised: <bdi>{escape(recognised)}</bdi></span>'


def render_line(fields: DocumentFields | None, name: str) -> str:
    """Return title, organisation and period in one line, for below a document's name; nothing without any."""
    if fields is None:
        return ""
    values = fields.values
    told = [one for one in (values.title, values.organisation, values.period) if one and one != name]
    return f'<bdi class="title">{escape(" · ".join(told))}</bdi>' if told else ""
