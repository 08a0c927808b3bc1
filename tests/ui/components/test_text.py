"""Text of documents as HTML."""

import pytest

from ui.components.text import escape


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("seller\u00a0fees\u00a0charged to\u00a0restaurants", "seller fees charged to restaurants"),
        ("1\u00a0001\u202f425\u00a0thousand", "1\u00a0001\u202f425 thousand"),
        ("page\u00a012", "page 12"),
    ],
)
def test_lines_break_between_words_and_not_within_numbers(text: str, shown: str) -> None:
    assert escape(text) == shown


def test_hidden_characters_are_shown() -> None:
    assert escape("<b>\u202egnp.exe</b>") == "&lt;b&gt;\ufffdgnp.exe&lt;/b&gt;"
