"""The metadata of GGUF files, of whole ones and of damaged ones."""

import os
import struct
from collections.abc import Callable
from pathlib import Path

import gguf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag_app.llm.gguf_head import GgufHead, PromptForm, read_head
from rag_app.llm.llama import LlamaCpp
from tests.helpers.tiny_gguf import write_tiny_adapter

Write = Callable[..., Path]

CHAT_HEAD = GgufHead("model", "llama", "", has_template=True, has_chatml=True, stated_context=2048)


@pytest.mark.parametrize(
    ("options", "form"),
    [
        ({}, PromptForm.CHAT),
        ({"has_chatml": False}, PromptForm.CHAT),
        ({"chat_template": None}, PromptForm.CHAT),
        ({"chat_template": None, "has_chatml": False}, PromptForm.COMPLETION),
        ({"chat_template": "", "has_chatml": False}, PromptForm.COMPLETION),
    ],
)
def test_the_form_is_what_the_loaded_model_gets(
    write_model: Write, options: dict[str, object], form: PromptForm
) -> None:
    path = write_model(**options)
    head = read_head(path)
    assert head is not None
    assert head.form is form
    with LlamaCpp(model_path=path, threads=1) as model:
        assert model.completes is (form is PromptForm.COMPLETION)


@pytest.mark.parametrize("stated", [100_000, 0])
def test_the_window_is_what_the_loaded_model_has(write_model: Write, stated: int) -> None:
    path = write_model(context=stated)
    head = read_head(path)
    assert head is not None
    assert head.stated_context == stated
    with LlamaCpp(model_path=path, threads=1) as model:
        assert model.context_window == head.context_window


def test_an_adapter_is_no_language_model(tmp_path: Path) -> None:
    head = read_head(write_tiny_adapter(tmp_path / "adapter.gguf"))
    assert head is not None
    assert (head.kind, head.adapter, head.architecture, head.form) == ("adapter", "lora", "llama", None)


def test_values_of_every_type_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "typed.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_uint8("a", 1)
    writer.add_int16("b", -1)
    writer.add_float64("c", 0.5)
    writer.add_bool("d", True)
    writer.add_array("e", [1.5, 2.5])
    writer.add_array("f", ["x", "y"])
    writer.add_uint64("llama.context_length", 2**40)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    head = read_head(path)
    assert head is not None
    assert (head.architecture, head.stated_context) == ("llama", 2**40)


def test_a_file_that_changes_is_read_again(write_model: Write, tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(write_model().read_bytes())
    assert read_head(path) == CHAT_HEAD
    path.write_bytes(write_model(chat_template=None, has_chatml=False).read_bytes())
    os.utime(path, ns=(1, 1))
    head = read_head(path)
    assert head is not None
    assert head.form is PromptForm.COMPLETION


def test_what_is_no_gguf_file_has_no_head(tmp_path: Path) -> None:
    (tmp_path / "page.gguf").write_bytes(b"%PDF-1.7 and more")
    (tmp_path / "empty.gguf").write_bytes(b"")
    os.mkfifo(tmp_path / "pipe.gguf")
    for name in ("none.gguf", "page.gguf", "empty.gguf", "pipe.gguf", "."):
        assert read_head(tmp_path / name) is None


def _pair(key: str, kind: int, value: bytes) -> bytes:
    return struct.pack("<Q", len(key)) + key.encode() + struct.pack("<I", kind) + value


@pytest.mark.parametrize(
    ("version", "pairs"),
    [
        (1, b""),
        (3, _pair("a", 8, struct.pack("<Q", 2**62))),  # a string longer than any file
        (3, _pair("a", 9, struct.pack("<IQ", 8, 2**62))),  # so many strings
        (3, _pair("a", 9, struct.pack("<IQ", 4, 2**62))),  # so many numbers
        (3, _pair("a", 9, struct.pack("<IQ", 9, 1))),  # an array of arrays
        (3, _pair("a", 77, b"")),  # a type that the format lacks
    ],
)
def test_a_hostile_head_is_given_up(tmp_path: Path, version: int, pairs: bytes) -> None:
    path = tmp_path / "hostile.gguf"
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", version, 0, 2**63) + pairs + bytes(64))
    assert read_head(path) is None


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(damage=st.data())
def test_any_damage_gives_a_head_or_none(damage: st.DataObject, tiny_path: Path, tmp_path: Path) -> None:
    content = bytearray(tiny_path.read_bytes()[:12_000])
    for _ in range(damage.draw(st.integers(1, 4))):
        content[damage.draw(st.integers(0, 1000))] = damage.draw(st.integers(0, 255))
    path = tmp_path / "damaged.gguf"
    path.unlink(missing_ok=True)
    path.write_bytes(content[: damage.draw(st.integers(0, len(content)))])
    assert isinstance(read_head(path), GgufHead | None)
