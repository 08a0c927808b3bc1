"""The figures for Prometheus: what is counted, and that nothing of documents or questions is among them."""

from contextlib import closing
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ingestion.errors import UnknownName
from ingestion.library import Library
from rag_app.answering.answers import AskOptions
from rag_app.config.settings import load_settings
from rag_app.metrics import Metrics
from rag_app.service.composition import Assistant
from tests.helpers.figures import figures

APPLE = "When was the Bramley apple tree planted?"


def test_questions_are_counted_by_how_they_end(own: Path) -> None:
    with Assistant.open(load_settings(data_dir=own)) as assistant:
        assistant.ask(APPLE, AskOptions(strategy="bm25"))
        assistant.ask("hello", AskOptions())
        with closing(assistant.stream(APPLE, AskOptions(strategy="bm25"))) as events:
            next(events)
            assert figures(assistant.metrics.text())["rag_app_queue_length", ("questions",)] == 1
        with pytest.raises(UnknownName):
            assistant.ask(APPLE, AskOptions(strategy="secret words"))
        text = assistant.metrics.text()
    found = figures(text)
    questions = {labels: n for (name, labels), n in found.items() if name == "rag_app_questions_total"}
    assert questions == {
        ("answered", "bm25"): 1,
        ("answered", "reply"): 1,
        ("stopped", ""): 1,
        ("failed", ""): 1,
    }
    assert found["rag_app_queue_length", ("questions",)] == 0
    # Two answers that were finished, of which one had stages.
    assert found["rag_app_answer_seconds_count", ()] == 2
    assert found["rag_app_stage_seconds_count", ("answer",)] >= 1
    assert found["rag_app_stage_seconds_sum", ("answer",)] > 0
    assert b"secret" not in text
    assert b"Bramley" not in text


def test_files_are_counted_by_status(library: Library, files: Path, tmp_path: Path) -> None:
    (tmp_path / "private-name.pdf").write_bytes(b"no PDF")
    assistant = Assistant(load_settings(data_dir=library.folder), library)
    for paths in ([files], [files], [tmp_path / "private-name.pdf"]):
        job = assistant.jobs.submit(paths, collection="default")
        assert figures(assistant.metrics.text())["rag_app_queue_length", ("files",)] == len(job.files)
        assert list(assistant.jobs.run(job.id))
    text = assistant.metrics.text()
    found = figures(text)
    counted = {labels: n for (name, labels), n in found.items() if name == "rag_app_documents_ingested_total"}
    assert counted == {("ok",): 2, ("unchanged",): 2, ("corrupt",): 1}
    assert found["rag_app_queue_length", ("files",)] == 0
    assert b"private-name" not in text


def test_each_family_says_what_it_is() -> None:
    families = {one.name: one for one in text_string_to_metric_families(Metrics().text().decode())}
    ours = {
        name: one for name, one in families.items() if name.startswith("rag_app") and "_created" not in name
    }
    assert {name: one.type for name, one in ours.items()} == {
        "rag_app_questions": "counter",
        "rag_app_answer_seconds": "histogram",
        "rag_app_stage_seconds": "histogram",
        "rag_app_documents_ingested": "counter",
        "rag_app_errors": "counter",
        "rag_app_queue_length": "gauge",
        "rag_app_build_info": "gauge",
    }
    assert all(one.documentation for one in ours.values())
    assert {"process_resident_memory_bytes", "process_cpu_seconds"} <= families.keys()


def test_two_applications_in_a_process_have_figures_of_their_own() -> None:
    first, second = Metrics(), Metrics()
    first.failed("ModelError")
    assert ("rag_app_errors_total", ("ModelError",)) in figures(first.text())
    assert ("rag_app_errors_total", ("ModelError",)) not in figures(second.text())
