"""The log: what its lines say, where they go, and what they never hold."""

import errno
import logging
import re
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ingestion.library import Library
from rag_app.config.logging import LOG_FILE, log_to_file, log_to_standard_error, report_unexpected, request
from rag_app.config.settings import Settings
from rag_app.service.composition import Assistant
from tests.helpers.commands import Command
from tests.helpers.served_library import serving_copy

# None of these may stand in a line, in any form.
TEXT, NAME, QUESTION, PASSWORD = "Zanzibarquartz", "Marmaladeledger", "Quokkafjord", "hunterxylophone"
TOKEN = "tangerinesubmarinetoken"
MARKERS = re.compile("|".join((TEXT, NAME, QUESTION, PASSWORD, TOKEN)), re.IGNORECASE)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    """The log file of a data folder, with lines of every level."""
    log_to_file(tmp_path, "DEBUG")
    yield tmp_path / LOG_FILE
    for package in ("ingestion", "retrievers", "rag_app", "ui"):
        logger = logging.getLogger(package)
        for handler in [one for one in logger.handlers if one.name]:
            logger.removeHandler(handler)
            handler.close()
        logger.setLevel(logging.NOTSET)


def write_pdf(path: Path, text: str, password: str | None = None) -> Path:
    from fpdf import FPDF

    pdf = FPDF()
    pdf.set_font("Helvetica", size=12)
    pdf.add_page()
    pdf.multi_cell(0, 8, text)
    if password:
        pdf.set_encryption(owner_password="owner", user_password=password)
    pdf.output(str(path))
    return path


def test_no_line_holds_what_people_wrote(library: Library, log: Path, tmp_path: Path) -> None:
    folder = tmp_path / NAME
    folder.mkdir()
    (folder / f"{NAME}.md").write_text(f"# {TEXT}\n\nThe {TEXT} harbour opened in 1921.\n", "utf-8")
    (folder / f"{NAME}.docx").write_bytes(TEXT.encode() * 40)  # no Word file
    locked = write_pdf(folder / f"{NAME}.pdf", f"A {TEXT} secret.", password=PASSWORD)
    assistant = Assistant(Settings(data_dir=library.folder, llm="extractive"), library)
    words = {str(locked): PASSWORD + "wrong"}
    job = assistant.jobs.submit([folder], collection="default", passwords=words)
    assert {one.status for one in assistant.jobs.run(job.id)} == {"ok", "corrupt", "needs_password"}
    answer = assistant.ask(f"When did the {TEXT} {QUESTION} harbour open?", assistant.options())
    assert answer.text

    def fails(_: object) -> dict[str, object]:
        raise ValueError(f"{TEXT} {QUESTION}")

    assistant.tasks.wait(assistant.tasks.start("verify", fails).id)
    lines = log.read_text("utf-8")
    assert not MARKERS.search(lines)
    assert re.search(r"ingestion\.pipeline\.job_work \[-\] job 1, file \d \(\.md\): ok, 1 pages, ", lines)
    assert re.search(r"file \d \(\.pdf\): needs_password", lines)
    assert "job 1 is finished" in lines
    assert re.search(
        r"rag_app\.history\.recorder \[-\] answered by documents-first; milliseconds: .*total \d", lines
    )
    assert re.search(r"ERROR rag_app\.config\.logging \[\w{12}\] unexpected error\n", lines)
    assert re.search(r"in fails\n.*\nValueError\n", lines)


def test_an_unexpected_error_is_found_by_its_request(log: Path) -> None:
    cause = KeyError(QUESTION)
    with pytest.raises(ValueError, match=TEXT) as raised, request() as identity:
        raise ValueError(TEXT) from cause
    assert report_unexpected(raised.value) == identity
    other = report_unexpected(ValueError(TEXT))
    lines = log.read_text("utf-8")
    assert f"[{identity}] unexpected error" in lines
    assert f"[{other}] unexpected error" in lines
    assert other != identity
    assert "ValueError\ncaused by:\nKeyError" in lines
    assert not MARKERS.search(lines)


def test_the_file_is_private_and_bounded(log: Path) -> None:
    logger = logging.getLogger("rag_app.test")
    for _ in range(70):
        logger.info("x" * 100_000)
    files = sorted(log.parent.iterdir())
    assert [file.name for file in files] == ["rag-app.log", *(f"rag-app.log.{n}" for n in (1, 2, 3))]
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in files)
    assert sum(file.stat().st_size for file in files) <= 8_000_000


def test_a_folder_that_cannot_be_written_is_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], log: Path
) -> None:
    (tmp_path / "file").touch()
    log_to_standard_error("WARNING")
    log_to_file(tmp_path / "file", None)
    assert "no log file is written" in capsys.readouterr().err
    assert "no log file is written" in log.read_text("utf-8")


def test_a_line_that_finds_no_room_takes_nothing_along(
    log: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("rag_app.config.logging._PrivateFileHandler.shouldRollover", full)
        logging.getLogger("rag_app.test").warning("lost")
    logging.getLogger("rag_app.test").warning("kept")
    assert "Traceback" not in capsys.readouterr().err
    assert "kept" in log.read_text("utf-8")


def test_commands_log_to_standard_error_where_they_are_told_to(
    data: Path, run: Command, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = ("--data-dir", data, "verify")
    assert run(*ask).err == ""
    assert re.search(
        r"INFO rag_app\.tasks \[-\] task \w+ \(verify\) is done after", run("--verbose", *ask).err
    )
    monkeypatch.setenv("RAG_APP_LOG_LEVEL", "ERROR")
    assert run("--verbose", *ask).err == ""
    monkeypatch.setenv("RAG_APP_LOG_LEVEL", "loud")
    assert "log_level" in run(*ask).err


@pytest.mark.slow
def test_serve_logs_to_a_file_and_responses_name_their_request(
    stock_template: Path, tmp_path: Path, eventually: Callable[[Callable[[], bool]], bool]
) -> None:
    with serving_copy(stock_template, tmp_path, RAG_APP_API_TOKEN=TOKEN) as served, served.client() as client:
        client.headers["Authorization"] = f"Bearer {TOKEN}"
        asked = client.post("/api/v1/ask", json={"question": f"When did the {QUESTION} open?"})
        assert asked.status_code == 200
        ids = {asked.headers["x-request-id"], client.get("/").headers["x-request-id"]}
        assert len(ids) == 2
        sent = client.post(
            "/api/v1/documents", data={"password": PASSWORD}, files={"files": (f"{NAME}.pdf", TEXT.encode())}
        )
        assert sent.status_code < 300, sent.text
        task = client.post("/api/v1/tasks", json={"kind": "verify"})
        file = served.data / LOG_FILE
        assert eventually(lambda: "job 1 is finished" in file.read_text("utf-8"))
        assert eventually(lambda: "(verify) is done" in file.read_text("utf-8"))
    lines = (served.data / LOG_FILE).read_text("utf-8")
    assert re.search(
        r"INFO rag_app\.cli\.server \[-\] rag-app [\d.]+ serves; settings given: .*api_token", lines
    )
    assert f"INFO rag_app.tasks [{task.headers['x-request-id']}] task" in lines
    assert "(.pdf): corrupt" in lines
    assert lines.rstrip().endswith("stopped")
    assert not MARKERS.search(lines)
