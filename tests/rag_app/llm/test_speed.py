"""How fast a model reads is measured, kept, and decides how much it gets to read."""

import json
from pathlib import Path

import pytest

from rag_app.llm.llama import LlamaCpp
from rag_app.llm.speed import PrefillSpeed, PrefillSpeeds, ReadingSetup, evidence_budget


@pytest.fixture
def reader(tmp_path: Path) -> ReadingSetup:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF")
    return ReadingSetup(path, threads=2)


@pytest.mark.parametrize(
    ("tokens_per_s", "tokens"), [(0.5, 300), (30, 300), (47.7, 477), (150, 1500), (600, 6000), (9000, 6000)]
)
def test_what_is_read_in_ten_seconds_within_bounds(tokens_per_s: float, tokens: int) -> None:
    assert evidence_budget(tokens_per_s) == tokens


def test_a_speed_is_kept_for_this_file_and_these_threads(tmp_path: Path, reader: ReadingSetup) -> None:
    file = tmp_path / "models" / "speeds.json"
    PrefillSpeeds(file).note(reader, 64, 0.5)
    assert [path.name for path in file.parent.iterdir()] == ["speeds.json"]
    assert PrefillSpeeds(file).get(reader) == PrefillSpeed(128.0, 64)
    assert PrefillSpeeds(file).get(ReadingSetup(reader.path, threads=4)) is None
    reader.path.write_bytes(b"GGUF of another kind")
    assert PrefillSpeeds(file).get(reader) is None
    reader.path.unlink()
    assert PrefillSpeeds(file).get(reader) is None
    PrefillSpeeds(file).note(reader, 64, 0.5)


def test_a_real_prompt_says_more_than_the_warm_up_and_small_changes_say_nothing(
    tmp_path: Path, reader: ReadingSetup
) -> None:
    speeds = PrefillSpeeds(tmp_path / "speeds.json")

    def after(tokens: int, seconds: float) -> float:
        speeds.note(reader, tokens, seconds)
        known = speeds.get(reader)
        assert known
        return known.tokens_per_s

    assert after(64, 1.0) == 64  # the warm-up
    assert after(100, 1.0) == 64  # too short to be better
    assert after(1000, 10.0) == 100  # a real prompt
    assert after(1000, 9.0) == after(1000, 14.0) == 100
    assert after(1000, 20.0) == 50
    assert after(1000, 0.0) == 50


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"a": 1}', '{"a": {"fast": true}}'])
def test_a_broken_file_is_as_none(tmp_path: Path, reader: ReadingSetup, content: str) -> None:
    file = tmp_path / "speeds.json"
    file.write_text(content)
    speeds = PrefillSpeeds(file)
    assert speeds.get(reader) is None
    speeds.note(reader, 64, 1.0)
    assert PrefillSpeeds(file).get(reader) == PrefillSpeed(64.0, 64)


def test_a_folder_that_cannot_be_written_to_does_no_harm(tmp_path: Path, reader: ReadingSetup) -> None:
    (tmp_path / "in the way").touch()
    speeds = PrefillSpeeds(tmp_path / "in the way" / "speeds.json")
    speeds.note(reader, 64, 1.0)
    assert speeds.get(reader) == PrefillSpeed(64.0, 64)


def test_a_model_is_measured_once_and_by_what_it_reads(tmp_path: Path, tiny_path: Path) -> None:
    file = tmp_path / "speeds.json"

    def measured_on() -> int:
        (entry,) = json.loads(file.read_text()).values()
        return int(entry["measured_on"])

    with LlamaCpp(model_path=tiny_path, threads=1, max_tokens=3, speed_file=file) as model:
        assert 300 <= model.evidence_tokens() <= model.context_window // 2
        assert measured_on() == 64
        model.invoke("long " * 60)
        assert measured_on() > 256
    with LlamaCpp(model_path=tiny_path, threads=1, max_tokens=3, speed_file=file) as model:
        assert model.evidence_tokens() >= 300
    with LlamaCpp(model_path=tiny_path, threads=1, context_tokens=400) as model:
        assert model.evidence_tokens() == 200  # half of the window
