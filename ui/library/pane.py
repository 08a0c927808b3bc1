"""The components of the page, as they are laid out."""

from dataclasses import dataclass

import gradio as gr

from ingestion.documents import Status
from ingestion.parsing import SUPPORTED_SUFFIXES, known_names
from ui.documents import upload_field
from ui.static import read_static

# Seconds between two looks at the queue, while it works.
_TICK = 0.7
ALL = "all"
FOUND_OUT = ""  # an encoding that nobody has said
_STATUSES = [("All", ALL), ("Complete", Status.OK.value), ("Some pages failed", Status.PARTIAL.value)]


@dataclass(frozen=True, slots=True)
class LibraryPage:
    """The components of the page."""

    into: gr.Dropdown
    encoding: gr.Dropdown
    upload: gr.File
    message: gr.HTML
    queue: gr.HTML
    cancel: gr.Button
    retry: gr.Button
    clear: gr.Button
    timer: gr.Timer
    collections: gr.HTML
    collection: gr.Dropdown
    name: gr.Textbox
    create: gr.Button
    rename: gr.Button
    remove: gr.Button
    storage: gr.HTML
    text: gr.Textbox
    within: gr.Dropdown
    status: gr.Dropdown
    selection: gr.Row
    selected: gr.HTML
    delete: gr.Button
    deselect: gr.Button
    confirmation: gr.Column
    question: gr.HTML
    keep: gr.Button
    sure: gr.Button
    table: gr.HTML
    preview: gr.Column
    about: gr.HTML
    previous: gr.Button
    number: gr.Number
    next: gr.Button
    shown: gr.HTML
    replace: gr.UploadButton
    delete_one: gr.Button
    close: gr.Button


def _upload_choices() -> tuple[gr.Dropdown, gr.Dropdown]:
    """Lay out what is said of files before they are handed over: their collection and their encoding."""
    into = gr.Dropdown(
        [],
        label="Into collection",
        info="Choose one, or type the name of a new one.",
        allow_custom_value=True,
        elem_id="library-into",
    )
    encoding = gr.Dropdown(
        [("Automatic", FOUND_OUT), *((name, name) for name in known_names().split(", "))],
        value=FOUND_OUT,
        label="Encoding",
        info="For text, CSV and web files whose letters come out wrong.",
        elem_id="library-encoding",
    )
    return into, encoding


def build_library() -> LibraryPage:
    """Lay out the page."""
    script = read_static("library.js")
    with gr.Row(elem_id="library"):
        with gr.Column(elem_id="library-in", min_width=240):
            gr.HTML("<h2>Add documents</h2>")
            into, encoding = _upload_choices()
            upload = upload_field(height=120, elem_id="library-upload")
            message = gr.HTML("", elem_id="library-message")
            queue = gr.HTML("", elem_id="library-queue", js_on_load=script)
            with gr.Row(elem_id="library-jobs", elem_classes="buttons"):
                cancel = gr.Button("Cancel all", size="sm", min_width=60, visible=False)
                retry = gr.Button("Try all again", size="sm", min_width=60, visible=False)
                clear = gr.Button("Clear list", size="sm", min_width=60, visible=False)
            with gr.Accordion("Collections", open=False, elem_id="library-collections"):
                collections = gr.HTML("")
                collection = gr.Dropdown([], label="Collection", elem_id="library-collection")
                name = gr.Textbox(label="New name", max_lines=1, elem_id="library-name")
                with gr.Row(elem_classes="buttons"):
                    create = gr.Button("Create", size="sm", min_width=60)
                    rename = gr.Button("Rename", size="sm", min_width=60)
                    remove = gr.Button("Delete …", size="sm", min_width=60)
            gr.HTML("<h2>Storage</h2>")
            storage = gr.HTML("", elem_id="library-storage")
        with gr.Column(elem_id="library-list", min_width=320):
            with gr.Row(elem_id="library-filters"):
                text = gr.Textbox(
                    label="Filter", placeholder="Words of a name or title", max_lines=1, min_width=140
                )
                within = gr.Dropdown([("All", ALL)], value=ALL, label="Collection", min_width=120)
                status = gr.Dropdown(_STATUSES, value=ALL, label="Status", min_width=120)
            with gr.Row(visible=False, elem_id="library-selection", elem_classes="buttons") as selection:
                selected = gr.HTML("")
                delete = gr.Button("Delete …", size="sm", min_width=60)
                deselect = gr.Button("Select none", size="sm", min_width=60)
            with gr.Column(visible=False, elem_id="library-confirmation") as confirmation:
                question = gr.HTML("")
                with gr.Row(elem_classes="buttons"):
                    keep = gr.Button("Keep", size="sm", min_width=60)
                    sure = gr.Button("Delete", variant="stop", size="sm", min_width=60)
            table = gr.HTML("", elem_id="library-table", js_on_load=script)
        with gr.Column(visible=False, elem_id="library-preview", min_width=320) as preview:
            about = gr.HTML("")
            with gr.Row(elem_classes="buttons"):
                replacing = gr.UploadButton(
                    "Replace", size="sm", min_width=60, file_types=sorted(SUPPORTED_SUFFIXES)
                )
                delete_one = gr.Button("Delete …", size="sm", min_width=60)
                close = gr.Button("Close", size="sm", min_width=60)
            with gr.Row(elem_id="library-turn"):
                previous = gr.Button("Previous page", size="sm", min_width=60)
                number = gr.Number(
                    1, label="Page", precision=0, minimum=1, step=1, min_width=60, elem_id="library-number"
                )
                following = gr.Button("Next page", size="sm", min_width=60)
            shown = gr.HTML("", elem_id="library-page")
    timer = gr.Timer(_TICK, active=False)
    return LibraryPage(
        into, encoding, upload, message, queue, cancel, retry, clear, timer, collections, collection, name,
        create, rename, remove, storage, text, within, status, selection, selected, delete, deselect,
        confirmation, question, keep, sure, table, preview, about, previous, number, following, shown,
        replacing, delete_one, close,
    )  # fmt: skip
