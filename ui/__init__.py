"""The Gradio pages."""

from ui.gradio_stubs import skip_stubs

skip_stubs()
