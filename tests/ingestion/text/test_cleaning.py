"""Raw text to stored text, titles, and where a heading begins."""

import time

import pytest

from ingestion.text.cleaning import HeadingFinder, clean, control_share, sensible_title


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("inter\ufffenational", "inter-national"),
        ("inter\x02\r\nnational", "inter-\nnational"),
        ("inter\x02national", "inter-national"),
        ("inter\x02", "inter-"),
        ("a \x02 b", "a  b"),
        ("a\r\nb\rc\x0bd\x85e", "a\nb\nc\nd\ne"),
        ("a\0b\x1bc\x9fd\tf", "abcd\tf"),
        ("a \t\n  b\u00a0\n", "a\n  b\n"),
        ("a\x01 \x01\n", "a\n"),
        ("\ud83d and \U0001f600", "\ufffd and \U0001f600"),
        ("ﬁne ½ ㎏", "ﬁne ½ ㎏"),
        ("\uffff\ufdd0x", "x"),
    ],
)
def test_clean(raw: str, expected: str) -> None:
    assert clean(raw) == expected
    assert clean(expected) == expected


@pytest.mark.parametrize("raw", [" " * 300_000 + "x", "\x02 " * 150_000 + "x", "\r" * 300_000])
def test_cleaning_takes_linear_time(raw: str) -> None:
    began = time.monotonic()
    clean(raw)
    assert time.monotonic() - began < 60  # quadratic would be many minutes


@pytest.mark.parametrize(
    ("raw", "share"),
    [("", 0.0), ("abcd", 0.0), ("ab\x01\x03", 0.5), ("a\ufffeb\x02c\td\r\n", 0.0), (" \x02 \x02", 0.5)],
)
def test_control_share(raw: str, share: float) -> None:
    assert control_share(raw) == share


@pytest.mark.parametrize(
    ("raw", "title"),
    [
        ("On the  Origin\nof Species", "On the Origin of Species"),
        ("C", None),
        ("", None),
        (None, None),
        ("0001018724-18-000005", None),
        ("Microsoft Word - letter.doc", None),
        ("report_final.PDF", None),
        ("untitled", None),
        ("Document 1", None),
        ("Untitled Love Songs", "Untitled Love Songs"),
        ("x" * 300, "x" * 300),
        ("x" * 301, None),
    ],
)
def test_sensible_title(raw: str | None, title: str | None) -> None:
    assert sensible_title(raw) == title


def test_heading_is_found_across_white_space_and_case() -> None:
    text = "top\nRISK  FAC\nTORS and more"
    assert HeadingFinder(text).start("Risk Factors") == 4


def test_heading_after_letters_that_grow_when_folded() -> None:
    assert HeadingFinder("Straße İ Ende").start("ende") == 9


def test_headings_of_one_name_are_found_in_turn() -> None:
    finder = HeadingFinder("Summary a Summary b")
    assert [finder.start("Summary"), finder.start("summary"), finder.start("Summary")] == [0, 10, 0]


@pytest.mark.parametrize("title", ["absent", "", "  "])
def test_heading_that_is_not_there_begins_at_the_top(title: str) -> None:
    assert HeadingFinder("some text").start(title) == 0
