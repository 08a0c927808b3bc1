"""A child that has been taken over, played by a script: the parent believes nothing and keeps its bounds."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ingestion.documents import Page, ParsedDocument, Status
from ingestion.parsing import ParseLimits, isolation, parse

Play = Callable[..., ParsedDocument]

PRELUDE = """
import json, sys, time
sys.stdin.readline()
def send(*frame):
    body = json.dumps(frame).encode()
    sys.stdout.buffer.write(len(body).to_bytes(4, "big") + body)
    sys.stdout.buffer.flush()
"""


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Play:
    """Parses a file with a child that runs the given script."""
    path = tmp_path / "a.txt"
    path.write_text("words")

    def run(script: str, limits: ParseLimits | None = None) -> ParsedDocument:
        monkeypatch.setattr(isolation, "_BOOT", PRELUDE + script)
        return parse(path, limits=limits or ParseLimits())

    return run


def test_the_play_can_succeed(play: Play) -> None:
    document = play("send('count', 1); send('page', 1, 'words', None); send('done')")
    assert document == ParsedDocument(Status.OK, page_count=1, pages=(Page(1, "words"),))


@pytest.mark.parametrize(
    "script",
    [
        "sys.stdout.buffer.write(bytes([255] * 8)); sys.stdout.buffer.flush(); time.sleep(60)",
        "sys.stdout.buffer.write(b'\\0\\0\\0\\2{]'); sys.stdout.buffer.flush(); time.sleep(60)",
        "sys.stdout.buffer.write(b'\\0\\0\\x20\\0' + b'[' * 8192); sys.stdout.buffer.flush(); time.sleep(60)",
        "send('count', 10**9)",
        "send('count', 0)",
        "send('count', True)",
        "send('count', 1); send('count', 1)",
        "send('page', 1, 'before the count', None)",
        "send('count', 1); send('page', 2, '', None)",
        "send('count', 2); send('page', 1, '', None); send('page', 1, '', None)",
        "send('count', 1); send('page', 1, 'x' * 101, None)",
        "send('count', 1); send('fault', 1, 'reason', 'no such status')",
        "send('shell', 'rm')",
        "send('done', 1)",
    ],
)
def test_frames_that_cannot_be(play: Play, script: str) -> None:
    document = play(script, ParseLimits(max_page_characters=100, wall_seconds=20))
    assert (document.status, document.pages) == (Status.FAILED, ())
    assert document.error is not None
    assert "do not trust this file" in document.error


def test_bad_frame_after_the_text_costs_no_page(play: Play) -> None:
    document = play(
        "send('count', 1); send('page', 1, 'words', None); send('done'); send('heading', 'x', 1, 1, 99)"
    )
    assert (document.status, document.headings) == (Status.OK, ())


def test_endless_pages_end_at_the_total(play: Play) -> None:
    script = "send('count', 9999)\nfor n in range(1, 10000): send('page', n, 'x' * 1000, None)"
    document = play(script, ParseLimits(max_characters=10_500))
    assert (document.status, len(document.pages)) == (Status.PARTIAL, 10)


def test_slow_outline_costs_no_page(play: Play) -> None:
    began = time.monotonic()
    script = (
        "send('count', 1); send('page', 1, 'words', None); send('done'); send('title', 'T'); time.sleep(60)"
    )
    document = play(script, ParseLimits(outline_seconds=0.3))
    assert (document.status, document.title, document.error) == (Status.OK, "T", None)
    assert time.monotonic() - began < 10


def test_crash_after_the_text_costs_no_page(play: Play) -> None:
    document = play("send('count', 1); send('page', 1, 'words', None); send('done'); sys.exit(3)")
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
        "send('count', 2); send('page', 1, 'words', None); sys.stdout.buffer.write(b'\\0\\0\\1\\0[')"
    )
    assert (document.status, document.pages) == (Status.PARTIAL, (Page(1, "words"),))
    assert [failure.number for failure in document.failures] == [2]


def test_child_that_closes_its_output_and_stays(play: Play) -> None:
    began = time.monotonic()
    document = play("import os; os.close(1); os.close(2); time.sleep(60)")
    assert document.status is Status.FAILED
    assert time.monotonic() - began < 20
