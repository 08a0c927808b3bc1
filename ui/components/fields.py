"""Form fields of several pages: questions, choices, files."""

from pathlib import Path
from typing import Any

import gradio as gr

from ingestion.errors import InvalidInput
from ui.components.choices import Choices


def question_field(label: str, elem_id: str, *, max_lines: int, autofocus: bool = False) -> gr.Textbox:
    """Lay out the field in which a person asks; only a screen reader reads its label."""
    return gr.Textbox(
        label=label,
        show_label=False,
        container=False,
        placeholder="Ask your documents…",
        elem_id=elem_id,
        autofocus=autofocus,
        lines=1,
        max_lines=max_lines,
        scale=8,
        html_attributes=gr.InputHTMLAttributes(autocomplete="off"),
    )


def selector(
    label: str, elem_id: str | None, choices: Choices, value: str | list[str], **options: Any
) -> gr.Dropdown:
    """Lay out a dropdown with a chosen value; `options` are those of gr.Dropdown."""
    return gr.Dropdown(choices, value=value, label=label, elem_id=elem_id, **options)


def upload_field(*, height: int, elem_id: str) -> gr.File:
    """Lay out a field for documents.

    It takes files of every type: Gradio would say in a notice that goes away which types it refuses, and take
    none of the others. The queue says it in the file's row.
    """
    return gr.File(
        label="Add PDF, Office, web, text …",
        file_count="multiple",
        height=height,
        elem_id=elem_id,
    )


def whole_number(value: float | None, last: int, what: str) -> int:
    """Return a number that a person entered.

    Raises:
        InvalidInput: It is not one of 1 to `last`, of which `what` says what they are.
    """
    if value is not None and 1 <= value <= last:
        return int(value)
    given = "no number is entered" if value is None else f"there is no {what} {int(value):,}"
    raise InvalidInput(f"{given}; enter {'1' if last == 1 else f'a number from 1 to {last:,}'}")


def received(upload: gr.File | gr.UploadButton, items: Any) -> list[tuple[Path, str]]:
    """Return the files of an upload that was not preprocessed, with the names that they had.

    Leaves out files outside Gradio's own folder, whatever a request says: the caller moves or deletes them.
    """
    cache = Path(upload.GRADIO_CACHE).resolve()
    items = items if isinstance(items, list) else [items] if items else []
    named = [(Path(item["path"]).resolve(), item.get("orig_name") or "") for item in items]
    return [(path, name) for path, name in named if path.is_relative_to(cache)]
