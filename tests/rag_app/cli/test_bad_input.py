"""Whatever is wrong with what the command line is given: one helpful line, and a library that still works."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ingestion.encoders import Encoder
from ingestion.library import Library
from rag_app.config.settings import Settings
from rag_app.service.composition import Assistant
from tests.helpers.commands import Command, Run

pytestmark = pytest.mark.slow

FAILED, WRONG_USE, SOME_FILES_FAILED, STOPPED = 1, 2, 3, 130

APPLE = "When was the Bramley apple tree planted?"


def refused(done: Run, code: int) -> str:
    """Assert that a command failed as the contract says, and return its one line."""
    assert (done.code, done.out) == (code, "")
    assert done.err.startswith("rag-app: ")
    assert done.err.count("\n") == 1
    assert "Traceback" not in done.err
    return done.err.rstrip("\n")


@pytest.fixture
def fails(run: Command, data: Path) -> Callable[..., str]:
    """Run a command with --json on the shared library; it must fail with this code. Returns its message."""

    def command(code: int, *arguments: object) -> str:
        return refused(run("--data-dir", data, *arguments, "--json"), code)

    return command


@pytest.fixture(autouse=True)
def usable_afterwards(data: Path, encoder: Encoder) -> Iterator[None]:
    """Whatever a test did, the library opens and its documents are all there."""
    yield
    with Library.open(data, encoder) as library:
        names = [document.name for document in library.catalogue.documents()]
    assert names == ["harbour.pdf", "orchard.md", "harbour.pdf"]


# Files


def encrypted_pdf(folder: Path, stock: Path) -> Path:
    from pypdf import PdfReader, PdfWriter

    path = folder / "secret.pdf"
    writer = PdfWriter(clone_from=PdfReader(stock / "harbour.pdf"))
    writer.encrypt("open sesame", algorithm="AES-256")
    writer.write(path)
    writer.close()
    return path


def pdf_without_text(folder: Path, _stock: Path) -> Path:
    from pypdf import PdfWriter

    path = folder / "blank.pdf"
    writer = PdfWriter()
    writer.add_blank_page(300, 300)
    writer.write(path)
    writer.close()
    return path


def link_to_itself(folder: Path, _stock: Path) -> Path:
    """A file that even root cannot read."""
    (folder / "loop.pdf").symlink_to(folder / "loop.pdf")
    return folder / "loop.pdf"


def written(name: str, content: bytes) -> Callable[[Path, Path], Path]:
    def make(folder: Path, _stock: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return make


@pytest.mark.parametrize(
    ("make", "status", "said"),
    [
        (written("empty.txt", b""), "no_text", "empty"),
        (written("empty.pdf", b""), "corrupt", "empty"),
        (written("letter.pdf", b"Dear reader, this is no PDF."), "corrupt", "PDF"),
        (encrypted_pdf, "needs_password", "password"),
        (pdf_without_text, "no_text", "text"),
        (written("table.xlsx", b"PK\x03\x04"), "corrupt", "xlsx"),
        (written("song.mp3", b"ID3"), "unsupported", ".pdf"),
        (lambda folder, _: folder / "missing.pdf", "failed", "No such file"),
        (link_to_itself, "failed", "Symlink loop"),
    ],
    ids=[
        "empty-text",
        "empty-pdf",
        "text-as-pdf",
        "encrypted",
        "blank",
        "xlsx",
        "unsupported",
        "missing",
        "loop",
    ],
)
def test_a_bad_file_is_named_with_its_fault_and_stops_no_other(
    run: Command,
    data: Path,
    stock: Path,
    tmp_path: Path,
    make: Callable[[Path, Path], Path],
    status: str,
    said: str,
) -> None:
    bad = make(tmp_path, stock)
    done = run("--data-dir", data, "ingest", bad, stock / "orchard.md", "--json")
    assert (done.code, done.err) == (SOME_FILES_FAILED, "")
    first, second = done.json["documents"]
    assert (first["name"], first["status"], first["document_id"]) == (bad.name, status, None)
    assert bad.name in first["error"]
    assert said in first["error"]
    assert second["status"] == "unchanged"

    shown = run("--data-dir", data, "ingest", bad)
    assert (shown.code, shown.err, shown.out.count("\n")) == (SOME_FILES_FAILED, "", 2)
    assert shown.out.startswith(f"✗ {bad.name} {status}: ")
    assert "1 file of 1 failed; rag-app jobs retry " in shown.out


def test_a_bad_new_version_leaves_the_old_one_searchable(run: Command, tmp_path: Path) -> None:
    note = tmp_path / "note.txt"
    note.write_text("The gate opens at seven in the morning.")
    library = ("--data-dir", tmp_path / "data")
    run(*library, "ingest", note)
    note.write_text("")
    done = run(*library, "ingest", note, "--json")
    assert (done.code, done.json["documents"][0]["status"]) == (SOME_FILES_FAILED, "no_text")
    assert "stays searchable" in done.json["documents"][0]["error"]
    assert len(run(*library, "search", "gate", "--json").json["hits"]) == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_read_permission(run: Command, data: Path, tmp_path: Path) -> None:
    locked = tmp_path / "locked.txt"
    locked.write_text("secret")
    locked.chmod(0)
    done = run("--data-dir", data, "ingest", locked, "--json")
    assert (done.code, done.json["documents"][0]["status"]) == (SOME_FILES_FAILED, "failed")
    assert "rights" in done.json["documents"][0]["error"]


def test_a_folder_without_documents(fails: Callable[..., str], tmp_path: Path) -> None:
    folder = tmp_path / "pictures of nothing"
    folder.mkdir()
    (folder / "tune.mp3").write_bytes(b"ID3")
    message = fails(WRONG_USE, "ingest", folder)
    assert str(folder) in message
    assert ".pdf" in message


# Names and numbers


@pytest.mark.parametrize("question", ["", "   ", "?!", "\n"])
@pytest.mark.parametrize("command", ["search", "ask"])
def test_an_empty_question(fails: Callable[..., str], command: str, question: str) -> None:
    assert "question is empty" in fails(WRONG_USE, command, question)


@pytest.mark.parametrize(
    ("arguments", "value", "remedy"),
    [
        (("--strategy", "cosine"), "'cosine'", "colbert, documents-first, fusion, hybrid, mean"),
        (("--strategy", ""), "''", "colbert, documents-first, fusion, hybrid, mean"),
        (("--collection", "taxes"), "'taxes'", "default, harbour"),
        (("--document", "tax.pdf"), "'tax.pdf'", "harbour.pdf, orchard.md"),
        (("--top-k", "0"), "0", "from 1 to 1000"),
        (("--top-k", "-1"), "-1", "from 1 to 1000"),
        (("--top-k", "100000"), "100000", "from 1 to 1000"),
        (("--top-k", "many"), "--top-k", "integer"),
        (("--rerank", "some-model", "--no-rerank"), "--no-rerank", "one of them"),
        (("--frobnicate",), "--frobnicate", "--help"),
    ],
)
@pytest.mark.parametrize("command", ["search", "ask"])
def test_wrong_use_names_the_value_and_what_would_do(
    fails: Callable[..., str], command: str, arguments: tuple[str, ...], value: str, remedy: str
) -> None:
    message = fails(WRONG_USE, command, APPLE, *arguments)
    assert value in message
    assert remedy in message


def test_names_that_other_commands_do_not_know(fails: Callable[..., str], stock: Path) -> None:
    assert "'tax.pdf'; there are: harbour.pdf, orchard.md" in fails(WRONG_USE, "delete", "tax.pdf")
    assert "'taxes'; there are: default, harbour" in fails(WRONG_USE, "documents", "--collection", "taxes")
    assert "'a/b'" in fails(WRONG_USE, "ingest", stock, "--collection", "a/b")
    assert "'frobnicate'" in fails(WRONG_USE, "frobnicate")
    assert "--help" in fails(WRONG_USE, "ask")


# Models


@pytest.fixture
def reranker_folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder that holds no cross-encoder, of the kind that the parameter names."""
    if request.param == "empty":
        (tmp_path / "empty").mkdir()
    elif request.param == "nonsense":
        (tmp_path / "nonsense").mkdir()
        (tmp_path / "nonsense" / "config.json").write_text('{"model_type": "nonsense"}')
    elif request.param == "torn":
        (tmp_path / "torn").mkdir()
        (tmp_path / "torn" / "config.json").write_text('{"model_type": ')
    else:
        (tmp_path / "file").write_text("no folder")
    return tmp_path / str(request.param)


@pytest.mark.parametrize("reranker_folder", ["empty", "nonsense", "torn", "file"], indirect=True)
def test_a_folder_that_is_no_reranker(fails: Callable[..., str], reranker_folder: Path) -> None:
    message = fails(FAILED, "search", APPLE, "--rerank", reranker_folder)
    assert str(reranker_folder) in message
    assert "--no-rerank" in message


@pytest.mark.parametrize("name", ["no-such-model", "nobody/no-such-model"])
def test_a_reranker_that_is_not_on_this_machine(fails: Callable[..., str], name: str) -> None:
    message = fails(FAILED, "search", APPLE, "--rerank", name)
    assert name in message
    assert "folder" in message.lower()


@pytest.mark.parametrize("flag", [True, False], ids=["flag", "variable"])
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("missing.gguf", "path on this machine"),
        ("text.gguf", "is not a GGUF file"),
        ("torn.gguf", "download it again"),
        ("folder", "GGUF"),
    ],
)
def test_a_language_model_that_cannot_be_loaded(
    fails: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    gguf: Path,
    tmp_path: Path,
    name: str,
    said: str,
    flag: bool,
) -> None:
    (tmp_path / "text.gguf").write_text("once upon a time")
    (tmp_path / "torn.gguf").write_bytes(gguf.read_bytes()[:-5000])
    (tmp_path / "folder").mkdir()
    path = tmp_path / name
    monkeypatch.setenv("RAG_APP_LLM", "extractive" if flag else str(path))
    message = fails(FAILED, "ask", APPLE, *(("--llm", path) if flag else ()))
    assert str(path) in message
    assert said in message


# The data folder and the settings


@pytest.mark.parametrize("command", [("documents",), ("search", APPLE), ("ingest", "x.pdf"), ("strategies",)])
@pytest.mark.parametrize("below", ["", "below"])
def test_a_file_in_place_of_the_data_folder(
    run: Command, tmp_path: Path, command: tuple[str, ...], below: str
) -> None:
    (tmp_path / "file").write_text("mine")
    message = refused(run("--data-dir", tmp_path / "file" / below, *command, "--json"), FAILED)
    assert str(tmp_path / "file") in message
    assert "--data-dir" in message
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_data_folder_without_write_permission(run: Command, tmp_path: Path) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    message = refused(run("--data-dir", tmp_path / "locked", "documents", "--json"), FAILED)
    assert str(tmp_path / "locked") in message


def test_doctor_says_that_the_data_folder_is_unusable(run: Command, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    done = run("--data-dir", tmp_path / "file", "doctor", "--json")
    assert (done.code, done.err) == (FAILED, "")
    found = {check["name"]: check for check in done.json["checks"]}
    assert found["library"]["state"] == "error"
    assert str(tmp_path / "file") in found["library"]["detail"]
    assert "--data-dir" in found["library"]["mend"]


def test_a_second_process_is_told_who_has_the_library(run_process: Command, data: Path) -> None:
    with Assistant.open(Settings(data_dir=data)) as assistant:
        message = refused(run_process("--data-dir", data, "documents", "--json"), FAILED)
        assert str(data) in message
        assert f"process {os.getpid()}" in message
        assert len(assistant.documents(assistant.collections())) == 3
    assert run_process("--data-dir", data, "documents", "--json").code == 0


def test_doctor_looks_at_a_library_in_use_from_outside(run: Command, data: Path) -> None:
    with Assistant.open(Settings(data_dir=data)):
        done = run("--data-dir", data, "doctor", "--json")
    assert (done.code, done.err) == (0, "")
    found = {check["name"]: check for check in done.json["checks"]}
    assert found["library"]["state"] == "warning"


@pytest.mark.parametrize(
    ("toml", "named", "remedy"),
    [
        ("top_k = = 3", "settings.toml", "correct or remove it"),
        ("\x00", "settings.toml", "correct or remove it"),
        ("topk = 3", "'topk'", "top_k"),
        ('top_k = "abc"', "top_k cannot be 'abc'", "RAG_APP_TOP_K"),
        ("top_k = 0", "top_k cannot be 0", "RAG_APP_TOP_K"),
        ("llm_seed = -1", "llm_seed cannot be -1", "RAG_APP_LLM_SEED"),
        ("[data_dir]\nx = 1", "data_dir", "RAG_APP_DATA_DIR"),
    ],
)
@pytest.mark.parametrize("command", [("ask", APPLE), ("doctor",)])
def test_settings_that_cannot_be_used(
    run: Command, tmp_path: Path, command: tuple[str, ...], toml: str, named: str, remedy: str
) -> None:
    (tmp_path / "settings.toml").write_text(toml)
    message = refused(run(*command, "--json"), WRONG_USE)
    assert named in message
    assert remedy in message
    assert str(tmp_path / "settings.toml") in message


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TOP_K", "abc"),
        ("TOP_K", "0"),
        ("PORT", "99999"),
        ("ANSWER_THRESHOLD", "2"),
        ("LLM_CONTEXT_TOKENS", "9"),
    ],
)
def test_a_variable_that_cannot_be_used(
    fails: Callable[..., str], monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"RAG_APP_{name}", value)
    message = fails(WRONG_USE, "documents")
    assert repr(value) in message
    assert f"RAG_APP_{name}" in message


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [("STRATEGY", "cosine", "there are: bm25"), ("COLLECTION", "taxes", "there are: default")],
)
def test_a_variable_that_names_what_is_not_there(
    fails: Callable[..., str], monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(f"RAG_APP_{name}", value)
    message = fails(WRONG_USE, "search", APPLE)
    assert repr(value) in message
    assert said in message


@pytest.mark.parametrize("host", ["no such host", "203.0.113.7", "x" * 300])
def test_serve_on_a_host_that_is_not_this_machine(fails: Callable[..., str], run: Command, host: str) -> None:
    message = refused(run("serve", "--host", host), WRONG_USE)
    assert host in message
    assert "127.0.0.1" in message


# What nobody foresaw


def test_an_unforeseen_error_is_one_line_unless_debugging(
    run: Command, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Assistant) -> None:
        raise ZeroDivisionError("a fault of ours")

    monkeypatch.setattr(Assistant, "strategies", broken)
    message = refused(run("--data-dir", data, "strategies", "--json"), FAILED)
    assert "ZeroDivisionError: a fault of ours" in message
    assert "--debug" in message
    with pytest.raises(ZeroDivisionError):
        run("--debug", "--data-dir", data, "strategies")


def test_stopping_with_ctrl_c_says_that_nothing_is_lost(
    run: Command, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: Assistant) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Assistant, "strategies", interrupted)
    assert "is kept" in refused(run("--data-dir", data, "strategies", "--json"), STOPPED)


def test_debug_shows_where_an_error_came_from(run_process: Command, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    done = run_process("--debug", "--data-dir", tmp_path / "file", "documents")
    assert done.code == FAILED
    assert "Traceback" in done.err
    assert "LibraryError" in done.err


@pytest.mark.soak
def test_what_is_no_text_can_be_given_and_printed(run_process: Command, tmp_path: Path) -> None:
    name = os.fsdecode(b"bad\xff.pdf")  # a missing file with half a character in its name
    data = tmp_path / "data"
    done = run_process("--data-dir", data, "ingest", tmp_path / name, "--json")
    assert (done.code, done.err) == (SOME_FILES_FAILED, "")
    (document,) = done.json["documents"]
    assert document["name"].startswith("bad")
    assert document["name"].encode("utf-8")  # half a character cannot be
    assert run_process("--data-dir", data, "ingest", tmp_path / name).code == SOME_FILES_FAILED
    assert refused(run_process("--data-dir", data, "delete", name), WRONG_USE)
    assert run_process("--data-dir", data, "search", name, "--strategy", "bm25", "--json").code == 0
