"""Words at one typing error from another."""

import pytest

from ingestion.text.spelling import ENGLISH_LETTERS, can_be_misspelt, neighbours


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("strateigc", "strategic"),  # exchanged
        ("objectves", "objectives"),  # missing
        ("revennue", "revenue"),  # too many
        ("dividens", "dividend"),  # wrong
        ("ividend", "dividend"),
        ("dividendx", "dividend"),
        ("schlussel", "schlüssel"),
    ],
)
def test_one_error(written: str, meant: str) -> None:
    assert meant in set(neighbours(written))
    assert written in set(neighbours(meant))


def test_what_two_errors_need_and_the_word_itself() -> None:
    near = set(neighbours("strategic"))
    assert "stratigec" not in near
    assert all(abs(len(one) - len("strategic")) <= 1 for one in near)
    assert "strategical" not in near


def test_letters_that_may_be_put_in() -> None:
    assert "schlüssel" not in set(neighbours("schlussel", ENGLISH_LETTERS))
    assert set(neighbours("ab", "x")) >= {"xab", "axb", "abx", "xb", "ax", "b", "a", "ba"}


@pytest.mark.parametrize(
    ("word", "expected"),
    [("fuse", False), ("fuses", True), ("e0102", False), ("x" * 26, False), ("schlüssel", True), ("", False)],
)
def test_which_words_can_be_misspelt(word: str, expected: bool) -> None:
    assert can_be_misspelt(word) is expected
