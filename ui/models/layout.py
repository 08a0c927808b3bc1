"""The components of the Models page."""

import gradio as gr

from ui.static import read_static

# Seconds between two looks at the work, while a task is under way.
_TICK = 0.5


class ModelsLayout:
    """Lays out the page, as a tab; its components are the attributes."""

    def __init__(self) -> None:
        with gr.Tab("Models", id="models") as self.tab, gr.Column(elem_id="models-page"):
            self.network = gr.HTML("", elem_id="models-network")
            # It stays in view: the button that it answers may be far down the list.
            with gr.Column(elem_id="models-notice"):
                self._lay_out_notice()
            with gr.Column(elem_id="models-all"):
                with gr.Row(elem_id="models-head"):
                    self.total = gr.HTML("")
                    self.verify = gr.Button("Verify all", size="sm", elem_id="models-verify", min_width=80)
                with gr.Accordion("Add a model file", open=False, elem_id="models-add"):
                    self._lay_out_form()
                self.listing = gr.HTML("", elem_id="models-list", js_on_load=read_static("models.js"))
            self.timer = gr.Timer(_TICK, active=False)

    def _lay_out_notice(self) -> None:
        self.message = gr.HTML("", elem_id="models-message")
        with gr.Row(elem_id="models-work"):
            self.progress = gr.HTML("", elem_id="models-progress")
            self.cancel = gr.Button(
                "Cancel", size="sm", variant="stop", elem_id="models-cancel", min_width=80, visible=False
            )
        with gr.Column(visible=False, elem_id="models-confirmation") as self.confirmation:
            self.question = gr.HTML("")
            with gr.Row():
                self.keep = gr.Button("Keep", size="sm", elem_id="models-keep", min_width=60)
                self.remove = gr.Button(
                    "Remove", variant="stop", size="sm", elem_id="models-remove", min_width=60
                )

    def _lay_out_form(self) -> None:
        self.path = gr.Textbox(
            label="Path",
            info="A GGUF file or the folder of a sentence-transformers model, which stays where it is; or a "
            "bundle (.tar) from another machine, whose models keep their names.",
            placeholder="/home/me/models/my-model.gguf",
            elem_id="models-path",
        )
        with gr.Row():
            self.name = gr.Textbox(
                label="Name", info="Left empty: the name of the file or folder.", elem_id="models-name"
            )
            self.role = gr.Radio(
                [
                    ("Language model", "llm"),
                    ("Reranker", "reranker"),
                    ("Embedder", "embedder"),
                    ("ColBERT", "colbert"),
                ],
                value="llm",
                label="Kind of model",
                elem_id="models-role",
            )
        self.added = gr.HTML("", elem_id="models-added")
        self.add = gr.Button("Add", size="sm", elem_id="models-add-button", min_width=80)
