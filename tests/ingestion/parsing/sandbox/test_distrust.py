"""A child that has been taken over, played by a script: the parent believes nothing and keeps its bounds."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ingestion.documents import Page, PageLayout, ParsedDocument, Status
from ingestion.parsing import ParseLimits, parse
from ingestion.parsing.sandbox import child_process
from tests.helpers.processes import SOON, linux_only

Play = Callable[..., ParsedDocument]

PRELUDE = """
import json, sys, time
sys.stdin.readline()
def send(*frame):
    body = json.dumps(frame).encode()
    sys.stdout.buffer.write(len(body).to_bytes(4, "big") + body)
    sys.stdout.buffer.flush()
def work(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass
"""


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Play:
    """Parses a file with a child that runs the given script."""
    path = tmp_path / "a.txt"
    path.write_text("words")

    def run(script: str, limits: ParseLimits | None = None) -> ParsedDocument:
        monkeypatch.setattr(child_process, "_BOOT", PRELUDE + script)
        return parse(path, limits=limits or ParseLimits())

    return run


def test_the_play_can_succeed(play: Play) -> None:
    document = play("send('count', 1); send('page', 1, 'words', None, None); send('done')")
    assert document == ParsedDocument(Status.OK, page_count=1, pages=(Page(1, "words"),))


def test_layout_arrives(play: Play) -> None:
    """Integers where JSON leaves the point out become floats; a frame ends where the page does."""
    document = play(
        "send('count', 2); "
        "send('page', 1, 'words', None, [612, 792.5, [[0, 3], [4, 9]], [], [[0, -1, 0, 2, 0, 0, 3]]]); "
        "send('page', 2, 'a b', None, [9, 9, [], [[0, 1, 0, 1, 2.5, 3], [2, 3, 4, 4, 9, 10.5]], []]); "
        "send('done')"
    )
    first = PageLayout(612.0, 792.5, ((0, 3), (4, 9)), (), ((0, -1, 0, 2, 0, 0, 3),))
    second = PageLayout(9.0, 9.0, (), ((0, 1, 0.0, 1.0, 2.5, 3.0), (2, 3, 4.0, 4.0, 9.0, 10.5)))
    assert [page.layout for page in document.pages] == [first, second]


@pytest.mark.slow
def test_a_page_that_is_begun_again_and_again_gains_no_time(play: Play) -> None:
    began = time.monotonic()
    script = "send('count', 1)\nwhile True: send('begun', 1, False); time.sleep(0.1)"
    document = play(script, ParseLimits(page_seconds=0.5, wall_seconds=1.5))
    assert (document.status, document.pages) == (Status.TIMED_OUT, ())
    assert time.monotonic() - began < SOON


@linux_only
@pytest.mark.slow
@pytest.mark.usefixtures("clock_of_children")
def test_recognition_stops_the_clock_of_the_file(play: Play) -> None:
    script = (
        "send('count', 3)\nfor n in (1, 2, 3): send('begun', n, True); work(0.5); "
        "send('page', n, 'seen', None, None)\nsend('done')"
    )
    assert play(script, ParseLimits(wall_seconds=1.0)).status is Status.OK
    assert play(script.replace("True", "False"), ParseLimits(wall_seconds=1.0)).status is Status.PARTIAL


@pytest.mark.slow
def test_recognition_has_a_clock_of_its_own(play: Play) -> None:
    script = "send('count', 1); send('begun', 1, True); time.sleep(99)"
    began = time.monotonic()
    document = play(script, ParseLimits(page_seconds=0.5, ocr_seconds=0.5))
    assert document.status is Status.TIMED_OUT
    assert document.failures[0].reason == "reading it took more than the limit of 1 s a page"
    assert time.monotonic() - began < SOON


@pytest.mark.parametrize(
    "script",
    [
        "sys.stdout.buffer.write(bytes([255] * 8)); sys.stdout.buffer.flush(); time.sleep(99)",
        "sys.stdout.buffer.write(b'\\0\\0\\0\\2{]'); sys.stdout.buffer.flush(); time.sleep(99)",
        "sys.stdout.buffer.write(b'\\0\\0\\x20\\0' + b'[' * 8192); sys.stdout.buffer.flush(); time.sleep(99)",
        "send('count', 10**9)",
        "send('count', 0)",
        "send('count', True)",
        "send('count', 1); send('count', 1)",
        "send('page', 1, 'before the count', None, None)",
        "send('count', 1); send('page', 2, '', None, None)",
        "send('count', 2); send('page', 1, '', None, None); send('page', 1, '', None, None)",
        "send('count', 1); send('page', 1, 'x' * 101, None, None)",
        "send('count', 1); send('page', 1, 'words', None)",
        "send('count', 1); send('begun', 2, False)",
        "send('count', 1); send('begun', 1, 0)",
        "send('count', 1); send('begun', 1, True); send('begun', 1, True); send('begun', 1, True)",
        "send('count', 1); send('hint', 'a'); send('hint', 'b')",
        *(
            f"send('count', 1); send('page', 1, 'words', None, {layout})"
            for layout in (
                "[]",
                "{}",
                "[0, 9, [], [], []]",
                "[9, float('nan'), [], [], []]",
                "[9, 10**400, [], [], []]",
                "[9, True, [], [], []]",
                "[9, 9, [[0, 0, 0]], [], []]",
                "[9, 9, [[1, 0]], [], []]",
                "[9, 9, [[0, 0], [0, 1]], [], []]",
                "[9, 9, [[0, 0], [5, 1]], [], []]",
                "[9, 9, [[0, -2]], [], []]",
                "[9, 9, [[0, 101]], [], []]",
                "[9, 9, [[0, 1.0]], [], []]",
                "[9, 9, [], [[0, 6, 0, 0, 1, 1]], []]",
                "[9, 9, [], [[1, 1, 0, 0, 1, 1]], []]",
                "[9, 9, [], [[0, 1, 0, 0, 12, 1]], []]",
                "[9, 9, [], [[0, 1, 2, 0, 1, 1]], []]",
                "[9, 9, [], [[3, 4, 0, 0, 1, 1], [0, 1, 0, 0, 1, 1]], []]",
                "[9, 9, [], [[0, 1, 0, 0, 1, 1]] * 20001, []]",
                "[9, 9, [], []]",
                "[9, 9, [], [], [[0, 0, 0, 1, 0, 0]]]",
                "[9, 9, [], [], [[0, 0, 0, 1, 0, 0, 6]]]",
                "[9, 9, [], [], [[0, 0, 0, 1, 0, 3, 3]]]",
                "[9, 9, [], [], [[0, 0, 0, 0, 0, 0, 1]]]",
                "[9, 9, [], [], [[0, 0, -1, 1, 0, 0, 1]]]",
                "[9, 9, [], [], [[0, 0, 0, 1, 0, 0, 1.0]]]",
            )
        ),
        "send('count', 1); send('fault', 1, 'reason', 'no such status')",
        "send('shell', 'rm')",
        "send('done', 1)",
    ],
)
def test_frames_that_cannot_be(play: Play, script: str) -> None:
    document = play(script, ParseLimits(max_page_characters=100, wall_seconds=20, ocr_pages=2))
    assert (document.status, document.pages) == (Status.FAILED, ())
    assert document.error is not None
    assert "do not trust this file" in document.error


def test_bad_frame_after_the_text_costs_no_page(play: Play) -> None:
    document = play(
        "send('count', 1); send('page', 1, 'words', None, None); send('done'); send('heading', 'x', 1, 1, 99)"
    )
    assert (document.status, document.headings) == (Status.OK, ())


def test_endless_pages_end_at_the_total(play: Play) -> None:
    script = "send('count', 9999)\nfor n in range(1, 10000): send('page', n, 'x' * 1000, None, None)"
    document = play(script, ParseLimits(max_characters=10_500))
    assert (document.status, len(document.pages)) == (Status.PARTIAL, 10)


@linux_only
@pytest.mark.usefixtures("clock_of_children")
def test_slow_outline_costs_no_page(play: Play) -> None:
    script = (
        "send('count', 1); send('page', 1, 'words', None, None); send('done'); send('title', 'T'); work(600)"
    )
    document = play(script, ParseLimits(outline_seconds=0.3))
    assert (document.status, document.title, document.error) == (Status.OK, "T", None)


def test_crash_after_the_text_costs_no_page(play: Play) -> None:
    document = play("send('count', 1); send('page', 1, 'words', None, None); send('done'); sys.exit(3)")
    assert document.status is Status.OK


def test_flood_of_messages_is_cut(play: Play) -> None:
    document = play("for n in range(400): sys.stderr.write('noise ' * 10000 + '\\n')\nsys.exit(3)")
    assert document.status is Status.FAILED
    assert document.error is not None
    assert document.error.startswith("the parser ended with code 3 while reading 'a.txt': ")
    assert "noise noise" in document.error
    assert len(document.error) < 400


def test_end_within_a_frame(play: Play) -> None:
    document = play(
        "send('count', 2); send('page', 1, 'words', None, None); sys.stdout.buffer.write(b'\\0\\0\\1\\0[')"
    )
    assert (document.status, document.pages) == (Status.PARTIAL, (Page(1, "words"),))
    assert [failure.number for failure in document.failures] == [2]


@pytest.mark.slow
def test_child_that_closes_its_output_and_stays(play: Play) -> None:
    began = time.monotonic()
    document = play("import os; os.close(1); os.close(2); time.sleep(99)")
    assert document.status is Status.FAILED
    assert time.monotonic() - began < SOON
