"""The components of the Library page."""

from typing import Any

import gradio as gr

from ingestion.documents import Status
from ingestion.fields.values import DocumentType
from rag_app.service.document_browser import encodings
from ui.components.events import TICK
from ui.components.fields import upload_field
from ui.library.fields import LABELS
from ui.static import read_static

ALL = "all"
AUTOMATIC = ""
_STATUSES = [("All", ALL), ("Complete", Status.OK.value), ("Some pages failed", Status.PARTIAL.value)]
_TYPES = [("None", ""), *((kind.value.capitalize(), kind.value) for kind in DocumentType)]
_SMALL: dict[str, Any] = {"size": "sm", "min_width": 60}


class LibraryLayout:
    """Lays out the page, as a tab; its components are the attributes."""

    def __init__(self) -> None:
        with gr.Tab("Library", id="library") as self.tab:
            with gr.Column(elem_id="library"):
                with gr.Column(elem_id="library-in"):
                    self._lay_out_uploads()
                with gr.Column(elem_id="library-list"):
                    self._lay_out_list()
                with gr.Row(elem_id="library-more"):
                    with gr.Column(min_width=280):
                        self._lay_out_collections()
                    with gr.Column(min_width=280):
                        gr.HTML("<h2>Storage</h2>")
                        self.storage = gr.HTML("", elem_id="library-storage")
                # Lies over the page; static/document_overlay.js says what is behind it.
                with gr.Column(visible=False, elem_id="library-preview") as self.preview:
                    self._lay_out_preview()
                # Unseen: its value is the open document's id.
                script = read_static("document_overlay.js")
                self.opened = gr.HTML("", elem_id="library-opened", elem_classes="unseen", js_on_load=script)
            self.timer = gr.Timer(TICK, active=False)

    def _lay_out_uploads(self) -> None:
        gr.HTML("<h2>Add documents</h2>")
        with gr.Row(elem_id="library-add"):
            self.upload = upload_field(height=120, elem_id="library-upload")
            self.into = gr.Dropdown(
                [],
                label="Into collection",
                info="Choose one, or type the name of a new one.",
                allow_custom_value=True,
                elem_id="library-into",
                min_width=180,
            )
            self.encoding = gr.Dropdown(
                [("Automatic", AUTOMATIC), *((name, name) for name in encodings())],
                value=AUTOMATIC,
                label="Encoding",
                info="For text files whose letters come out wrong.",
                elem_id="library-encoding",
                min_width=180,
            )
        self.message = gr.HTML("", elem_id="library-message")
        self.queue = gr.HTML("", elem_id="library-queue", js_on_load=read_static("library.js"))
        with gr.Row(elem_id="library-jobs", elem_classes="buttons"):
            self.cancel = gr.Button("Cancel all", visible=False, **_SMALL)
            self.retry = gr.Button("Try all again", visible=False, **_SMALL)
            self.clear = gr.Button("Clear list", visible=False, **_SMALL)

    def _lay_out_collections(self) -> None:
        with gr.Accordion("Collections", open=False, elem_id="library-collections"):
            self.collections = gr.HTML("")
            self.collection = gr.Dropdown([], label="Collection", elem_id="library-collection")
            self.name = gr.Textbox(label="New name", max_lines=1, elem_id="library-name")
            with gr.Row(elem_classes="buttons"):
                self.create = gr.Button("Create", **_SMALL)
                self.rename = gr.Button("Rename", **_SMALL)
                self.remove = gr.Button("Delete …", **_SMALL)
            self.collected = gr.HTML("", elem_id="library-collected")
            with gr.Column(visible=False, elem_id="library-instructing") as self.instructing:
                self.instructions = gr.Textbox(
                    label="Instructions",
                    info="How a language model's answers from this collection should read: their language, "
                    "tone or form. The rules about sources stay. Quotations and summaries do not use them.",
                    placeholder="Answer in German, as a table.",
                    lines=3,
                    max_lines=12,
                    elem_id="library-instructions",
                )
                self.counted = gr.HTML("", elem_id="library-counted")
                self.instructed = gr.HTML("", elem_id="library-instructed")
                with gr.Row(elem_classes="buttons"):
                    self.instruct = gr.Button("Save instructions", **_SMALL)

    def _lay_out_list(self) -> None:
        with gr.Row(elem_id="library-filters"):
            self.text = gr.Textbox(
                label="Filter", placeholder="Words of a name or title", max_lines=1, min_width=140
            )
            self.within = gr.Dropdown([("All", ALL)], value=ALL, label="Collection", min_width=120)
            self.status = gr.Dropdown(_STATUSES, value=ALL, label="Status", min_width=120)
        with gr.Row(visible=False, elem_id="library-selection", elem_classes="buttons") as self.selection:
            self.selected = gr.HTML("")
            self.delete = gr.Button("Delete …", **_SMALL)
            self.deselect = gr.Button("Select none", **_SMALL)
        with gr.Column(visible=False, elem_id="library-confirmation") as self.confirmation:
            self.question = gr.HTML("")
            with gr.Row(elem_classes="buttons"):
                self.keep = gr.Button("Keep", **_SMALL)
                self.sure = gr.Button("Delete", variant="stop", **_SMALL)
        self.deleted = gr.HTML("", elem_id="library-deleted")
        self.table = gr.HTML("", elem_id="library-table", js_on_load=read_static("library.js"))

    def _lay_out_preview(self) -> None:
        self.close = gr.Button("Close", elem_id="library-close", **_SMALL)
        with gr.Row(elem_id="library-sides"):
            with gr.Column(elem_id="library-facts", min_width=260):
                self._lay_out_facts()
            with gr.Column(elem_id="library-reading", min_width=280):
                with gr.Row(elem_id="library-turn"):
                    self.previous = gr.Button("Previous page", **_SMALL)
                    self.number = gr.Number(
                        1,
                        label="Page",
                        precision=0,
                        step=1,
                        min_width=60,
                        elem_id="library-number",
                    )
                    self.next = gr.Button("Next page", **_SMALL)
                self.turned = gr.HTML("", elem_id="library-turned")
                self.shown = gr.HTML("", elem_id="library-page")

    def _lay_out_facts(self) -> None:
        self.about = gr.HTML("")
        with gr.Row(elem_classes="buttons"):
            self.replace = gr.UploadButton("Replace", **_SMALL)
            self.delete_one = gr.Button("Delete …", **_SMALL)
        self.replaced = gr.HTML("", elem_id="library-replaced")
        with gr.Accordion("Edit these fields", open=False, elem_id="library-fields"):
            self.title = gr.Textbox(label=LABELS["title"], max_lines=3)
            self.organisation = gr.Textbox(label=LABELS["organisation"], max_lines=1)
            with gr.Row(elem_id="library-period"):
                self.period = gr.Textbox(
                    label=LABELS["period"],
                    placeholder="2024, FY2024-Q2, 2024-05-31",
                    max_lines=1,
                    min_width=120,
                )
                self.kind = gr.Dropdown(_TYPES, label=LABELS["type"], min_width=120)
            self.told = gr.HTML("", elem_id="library-told")
            with gr.Row(elem_classes="buttons"):
                self.describe = gr.Button("Save", **_SMALL)
                self.restore = gr.Button("Use what was recognised", **_SMALL)
