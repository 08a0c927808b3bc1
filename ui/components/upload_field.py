"""The field that takes files, and the files that it has received."""

from pathlib import Path
from typing import Any

import gradio as gr

from rag_app.service.document_browser import supported_suffixes


def upload_field(*, height: int, elem_id: str) -> gr.File:
    """Lay out a field for documents."""
    return gr.File(
        label="Add PDF, Office, web, text …",
        file_count="multiple",
        file_types=supported_suffixes(),
        height=height,
        elem_id=elem_id,
    )


def received(upload: gr.File | gr.UploadButton, items: Any) -> list[tuple[Path, str]]:
    """Return the files of an upload that was not preprocessed, with the names that they had.

    Leaves out files outside Gradio's own folder, whatever a request says: the caller moves or deletes them.
    """
    cache = Path(upload.GRADIO_CACHE).resolve()
    items = items if isinstance(items, list) else [items] if items else []
    named = [(Path(item["path"]).resolve(), item.get("orig_name") or "") for item in items]
    return [(path, name) for path, name in named if path.is_relative_to(cache)]
