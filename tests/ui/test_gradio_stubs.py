"""Gradio is imported without writing stub files beside its components."""

import sys
from importlib.util import module_from_spec

import gradio

import ui.app
from ui.gradio_stubs import StubsSkipped, skip_stubs


def test_the_module_of_components_writes_no_stub_files() -> None:
    spec = StubsSkipped().find_spec("gradio.component_meta", list(gradio.__path__))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.create_or_modify_pyi.__module__ == "ui.gradio_stubs"
    assert StubsSkipped().find_spec("gradio.events", list(gradio.__path__)) is None


def test_nothing_is_left_behind_the_import() -> None:
    assert ui.app.__name__ in sys.modules
    skip_stubs()
    assert not any(isinstance(finder, StubsSkipped) for finder in sys.meta_path)
