"""Files that attack: each ends with a definite status within its limits, and this process is unharmed."""

import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from ingestion.documents import Heading, Page, ParsedDocument, Status
from ingestion.errors import Cancelled
from ingestion.parsing import ParseLimits, parse
from tests.helpers.paths import ROOT
from tests.helpers.pdfs import MEBIBYTE, bare, bomb, nested_forms, pdf, show, stream, text_pdf
from tests.helpers.processes import SOON, children, is_alive, linux_only

# Processes of their own, Chroma in most tests: minutes in all.
pytestmark = pytest.mark.slow


def saved(folder: Path, data: bytes) -> Path:
    path = folder / "file.pdf"
    path.write_bytes(data)
    return path


def endless(folder: Path) -> Path:
    """A PDF of 3 KB whose one page draws 10**9 forms."""
    return saved(folder, nested_forms(9, 10))


def failed(document: ParsedDocument, status: Status) -> str:
    assert (document.status, bare(document).pages) == (status, ())
    assert document.error is not None
    return document.error


@linux_only
@pytest.mark.parametrize("size", [1500, 4200], ids=["1.5 GiB", "4 GiB"])
def test_stream_bomb(tmp_path: Path, size: int) -> None:
    path = saved(tmp_path, pdf([bomb(size)]))
    assert path.stat().st_size < 20_000
    error = failed(parse(path, limits=ParseLimits(memory_bytes=400 * MEBIBYTE)), Status.FAILED)
    assert "the 400 MiB of memory that a file may take" in error


@linux_only
def test_crash_costs_its_page_alone(tmp_path: Path) -> None:
    pages = [stream(show(word)) for word in ("one", "two", "four", "five")]
    path = saved(tmp_path, pdf([*pages[:2], bomb(1500), *pages[2:]]))
    seen: list[tuple[int, int]] = []
    document = parse(
        path, limits=ParseLimits(memory_bytes=400 * MEBIBYTE), on_page=lambda *done: seen.append(done)
    )
    assert (document.status, document.page_count) == (Status.PARTIAL, 5)
    assert bare(document).pages == (Page(1, "one"), Page(2, "two"), Page(4, "four"), Page(5, "five"))
    assert [failure.number for failure in document.failures] == [3]
    assert "crashed (SIG" in document.failures[0].reason
    assert seen == [(1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]


@linux_only
def test_restarts_are_counted(tmp_path: Path) -> None:
    path = saved(
        tmp_path, pdf([bomb(1500), bomb(1500), stream(show("three")), bomb(1500), stream(show("five"))])
    )
    limits = ParseLimits(memory_bytes=400 * MEBIBYTE, restarts=2)
    document = parse(path, limits=limits)
    assert bare(document).pages == (Page(3, "three"),)
    assert [failure.number for failure in document.failures] == [1, 2, 4, 5]
    assert "reading was given up after page 4" in document.failures[3].reason
    assert bare(parse(path, limits=replace(limits, restarts=3))).pages == (Page(3, "three"), Page(5, "five"))


@linux_only
def test_headings_of_pages_read_before_a_crash_are_found(tmp_path: Path) -> None:
    data = pdf(
        [stream(show("see First part")), bomb(1500), stream(show("and Last part"))],
        catalog=b"/Outlines 4 0 R",
        extra=[
            b"<< /Type /Outlines /First 5 0 R /Last 6 0 R /Count 2 >>",
            b"<< /Title (First part) /Parent 4 0 R /Dest [7 0 R /Fit] /Next 6 0 R >>",
            b"<< /Title (Last part) /Parent 4 0 R /Dest [11 0 R /Fit] /Prev 5 0 R >>",
        ],
    )
    document = parse(saved(tmp_path, data), limits=ParseLimits(memory_bytes=400 * MEBIBYTE))
    assert document.headings == (Heading("First part", 1, 1, 4), Heading("Last part", 1, 3, 4))


def endless_page_among(before: list[str], after: list[str]) -> bytes:
    """Pages of one line each, and between them one that draws 10**9 forms."""
    resources = b"/Resources << /Font << /F1 3 0 R >> /XObject << %s >> >>"
    entries = b"/Type /XObject /Subtype /Form /BBox [0 0 612 792] "
    forms = [
        stream(show("deep") if level == 8 else b"/X Do " * 10, entries + resources % inner)
        for level in range(9)
        for inner in [b"" if level == 8 else b"/X %d 0 R" % (4 + level + 1)]
    ]
    pages = [*map(show, before), b"/X Do " * 10, *map(show, after)]
    return pdf([stream(page) for page in pages], resources=b"/XObject << /X 4 0 R >>", extra=forms)


@linux_only
@pytest.mark.usefixtures("clock_of_children")
def test_endless_page_costs_itself_alone(tmp_path: Path) -> None:
    path = saved(tmp_path, endless_page_among(["one"], ["three"]))
    document = parse(path, limits=ParseLimits(page_seconds=1.0))
    assert bare(document).pages == (Page(1, "one"), Page(3, "three"))
    assert [failure.number for failure in document.failures] == [2]
    assert document.failures[0].reason == "reading it took more than the limit of 1 s a page"


@linux_only
@pytest.mark.usefixtures("clock_of_children")
def test_restarted_children_share_the_processor_time(tmp_path: Path) -> None:
    data = endless_page_among(["one"], ["three"])
    (endless_page,) = re.findall(rb"/Contents (\d+) 0 R", data)[1:2]
    path = saved(tmp_path, re.sub(rb"(?<=/Contents )\d+(?= 0 R)", endless_page, data))  # on all three pages
    # Two pages use some 3 s, with the starts of their children: 1 s is left, less than a page may take.
    document = parse(path, limits=ParseLimits(page_seconds=1.2, cpu_seconds=4))
    assert document.status is Status.TIMED_OUT
    first, _, last = [failure.reason for failure in document.failures]
    assert first == "reading it took more than the limit of 1.2 s a page"
    # No child has used 4 s: the last one had what its predecessors had left.
    assert "more than the limit of 4 s of processor time" in last


@pytest.mark.skipif(sys.platform == "win32", reason="no limit on processor time")
def test_processor_time_ends_the_file(tmp_path: Path) -> None:
    path = saved(tmp_path, endless_page_among(["one"], ["three"]))
    document = parse(path, limits=ParseLimits(page_seconds=SOON, cpu_seconds=2))
    assert bare(document).pages == (Page(1, "one"),)
    assert "2 s of processor time" in document.failures[0].reason


@pytest.mark.skipif(sys.platform == "win32", reason="no limit on processor time")
def test_nested_forms_use_up_the_processor_time(tmp_path: Path) -> None:
    error = failed(parse(endless(tmp_path), limits=ParseLimits(cpu_seconds=1)), Status.TIMED_OUT)
    assert "more than the limit of 1 s of processor time" in error


def test_nested_forms_use_up_the_wall_clock(tmp_path: Path) -> None:
    began = time.monotonic()
    error = failed(parse(endless(tmp_path), limits=ParseLimits(wall_seconds=0.7)), Status.TIMED_OUT)
    assert "more than the limit of 0.7 s;" in error
    assert time.monotonic() - began < SOON


def test_page_tree_that_lies(tmp_path: Path) -> None:
    path = saved(tmp_path, pdf([stream(show("one"))], count=999_999))
    error = failed(parse(path), Status.TOO_LARGE)
    assert "999999 pages, and the limit is 10000" in error


def test_page_tree_that_lies_beyond_belief_is_counted(tmp_path: Path) -> None:
    path = saved(tmp_path, pdf([stream(show("one"))], count=2_000_000_000))
    document = parse(path)
    assert (document.page_count, bare(document).pages) == (1, (Page(1, "one"),))


def test_page_tree_in_a_circle(tmp_path: Path) -> None:
    data = text_pdf("one").replace(b"/Kids [4 0 R]", b"/Kids [2 0 R]")
    assert parse(saved(tmp_path, data)).status in {Status.CORRUPT, Status.NO_TEXT}


def test_outline_in_a_circle_costs_no_page(tmp_path: Path) -> None:
    data = pdf(
        [stream(show("one"))],
        catalog=b"/Outlines 4 0 R",
        extra=[
            b"<< /Type /Outlines /First 5 0 R /Last 5 0 R /Count 1 >>",
            b"<< /Title (Round) /Parent 4 0 R /Next 5 0 R /First 5 0 R /Last 5 0 R /Dest [6 0 R /Fit] >>",
        ],
    )
    document = parse(saved(tmp_path, data))
    assert (document.status, bare(document).pages) == (Status.OK, (Page(1, "one"),))


@linux_only
def test_cancel_kills_the_child(tmp_path: Path) -> None:
    began = time.monotonic()
    with pytest.raises(Cancelled, match=r"reading 'file\.pdf' was cancelled"):
        parse(endless(tmp_path), cancelled=lambda: time.monotonic() - began > 0.5)
    assert time.monotonic() - began < SOON
    assert children(os.getpid()) == []


@linux_only
def test_fault_in_on_page_kills_the_child(tmp_path: Path) -> None:
    class OurFault(Exception):
        pass

    def fail(done: int, total: int) -> None:
        assert len(children(os.getpid())) == 1
        raise OurFault

    data = pdf([stream(show("one")), bomb(4200)])
    with pytest.raises(OurFault):
        parse(saved(tmp_path, data), on_page=fail)
    assert children(os.getpid()) == []


@linux_only
def test_password_is_not_on_the_command_line(tmp_path: Path) -> None:
    lines: list[bytes] = []

    def look(done: int, total: int) -> None:
        lines.extend(Path(f"/proc/{child}/cmdline").read_bytes() for child in children(os.getpid()))

    path = saved(tmp_path, pdf([stream(show("one")), bomb(4200)]))  # the bomb keeps the child busy
    with pytest.raises(Cancelled):
        parse(path, password="xyzzy", on_page=look, cancelled=lambda: bool(lines))
    assert b"ingestion.parsing.sandbox.worker" in lines[0]
    assert not any(b"xyzzy" in line for line in lines)


def wait_for_end(process: int) -> bool:
    deadline = time.monotonic() + SOON
    while is_alive(process) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not is_alive(process)


@linux_only
def test_parent_killed_leaves_no_child(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from ingestion.parsing import parse; parse(Path(sys.argv[1]))"
    )
    parent = subprocess.Popen([sys.executable, "-c", script, str(endless(tmp_path))], cwd=ROOT)
    try:
        deadline = time.monotonic() + SOON
        while not (found := children(parent.pid)) and time.monotonic() < deadline:
            time.sleep(0.02)
        (child,) = found
        time.sleep(0.5)  # let it come to the page that does not end
        assert is_alive(child)
    finally:
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    assert wait_for_end(child)


def test_closed_stdin_ends_the_worker(tmp_path: Path) -> None:
    """What makes the child follow its parent where there is no signal for that."""
    from ingestion.parsing.frames import ChildRequest

    request = ChildRequest(str(endless(tmp_path)), ".pdf", None, os.getpid(), ParseLimits())
    command = [sys.executable, "-m", "ingestion.parsing.sandbox.worker"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as worker:
        assert worker.stdin is not None
        assert worker.stdout is not None
        worker.stdin.write(request.encode())
        worker.stdin.flush()
        assert len(worker.stdout.read(4)) == 4  # it has opened the file, and will be busy for minutes
        worker.stdin.close()
        assert worker.wait(SOON) == 1


def test_importing_and_parsing_load_no_library_here(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from ingestion.parsing import parse; "
        "before = set(sys.modules); print(parse(Path(sys.argv[1])).status.value); "
        "print(sorted({'pypdf', 'pypdfium2', 'markdown_it', 'ctypes'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", script, str(saved(tmp_path, text_pdf("one")))]
    output = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert output == "ok\n[]\n"


def test_code_in_the_current_folder_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved(tmp_path, text_pdf("one"))
    for module in ("json", "pypdfium2", "ingestion"):
        (tmp_path / f"{module}.py").write_text("raise SystemExit(9)")
    monkeypatch.chdir(tmp_path)
    assert bare(parse(Path("file.pdf"))).pages == (Page(1, "one"),)
