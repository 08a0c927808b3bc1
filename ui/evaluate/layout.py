"""The components of the Evaluate page."""

from typing import Any

import gradio as gr

from ui.components.events import TICK
from ui.evaluate.controller import FOLDER, JUDGED, LIST
from ui.evaluate.render import EMPTY, FORMATS

DOWNLOADS = ("strategies.csv", "questions.csv", "queries.tsv", "qrels.tsv", "qrels.trec")


class EvaluateLayout:
    """Lays out the page, as a tab; its components are the attributes."""

    def __init__(self) -> None:
        with gr.Tab("Evaluate", id="evaluate") as self.tab, gr.Row(elem_id="evaluate", equal_height=False):
            with gr.Column(elem_id="evaluate-form", min_width=280):
                self._lay_out_sources()
                self._lay_out_choices()
            with gr.Column(elem_id="evaluate-result", min_width=300):
                self.progress = gr.HTML("", elem_id="evaluate-progress")
                self.summary = gr.HTML(EMPTY, elem_id="evaluate-said")
                with gr.Row(elem_id="evaluate-downloads", visible=False) as self.downloads:
                    self.files = [
                        gr.DownloadButton(name, size="sm", min_width=60, elem_classes="download")
                        for name in DOWNLOADS
                    ]
                self.result = gr.HTML("", elem_id="evaluate-tables")
                self.timer = gr.Timer(TICK, active=False)  # in the tab: gr.Tabs takes its children for tabs

    def _lay_out_sources(self) -> None:
        gr.HTML("<h2>Which strategy finds more in your documents?</h2>")
        self.source = gr.Radio(
            [("My judgements", JUDGED), ("Question list", LIST), ("BEIR folder", FOLDER)],
            value=JUDGED,
            label="Questions",
            elem_id="evaluate-source",
        )
        with gr.Column(elem_classes="source") as self.judged_group:
            self.judged = gr.HTML("", elem_id="evaluate-judged")
        with gr.Column(visible=False, elem_classes="source") as self.list_group:
            gr.HTML(FORMATS, elem_classes="formats")
            self.text = gr.Textbox(
                label="Question list",
                lines=7,
                max_lines=10,
                placeholder="When was it lit? | harbour.pdf | 3\nWho broke the cable? | Ada Finch",
                elem_id="evaluate-list",
            )
            with gr.Row(elem_classes="tools"):
                self.upload = gr.UploadButton(
                    "Upload a list",
                    file_count="multiple",
                    size="sm",
                    min_width=100,
                    elem_id="evaluate-upload",
                )
                self.check = gr.Button("Check", size="sm", min_width=80, elem_id="evaluate-check")
            self.checked = gr.HTML("", elem_id="evaluate-checked")
        with gr.Column(visible=False, elem_classes="source") as self.folder_group:
            self.folder = gr.Textbox(
                label="Folder on the machine that serves this page",
                info="With corpus.jsonl, queries.jsonl and qrels/, or documents/ and questions.jsonl.",
                placeholder="/home/me/beir/scifact",
                elem_id="evaluate-folder",
            )
            self.folder_told = gr.HTML("", elem_id="evaluate-folder-told")

    def _lay_out_choices(self) -> None:
        self.collections = gr.Dropdown(
            [],
            multiselect=True,
            label="Collections",
            info="The collections to search.",
            elem_id="evaluate-collections",
        )
        self.strategies = gr.CheckboxGroup([], label="Strategies", elem_id="evaluate-strategies")
        self.rerankers = gr.Dropdown(
            [],
            multiselect=True,
            label="Rerankers",
            info="Each strategy is also measured with each of these.",
            elem_id="evaluate-rerankers",
        )
        self.message = gr.HTML("", elem_id="evaluate-message")
        with gr.Row(elem_classes="tools", elem_id="evaluate-go"):
            self.run = gr.Button("Run", variant="primary", elem_id="evaluate-run", min_width=100)
            self.cancel = gr.Button(
                "Cancel", variant="stop", elem_id="evaluate-cancel", min_width=100, visible=False
            )

    @property
    def form(self) -> list[Any]:
        """The components of the form, in the order of `EvaluationForm`."""
        return [self.source, self.text, self.folder, self.collections, self.strategies, self.rerankers]
