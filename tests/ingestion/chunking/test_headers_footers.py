"""Running headers and footers: found where they are, and nothing else taken for one."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from ingestion.chunking.headers_footers import MIN_WORDED_PAGES, header_footer_lines
from ingestion.documents import Page
from ingestion.parsing import parse

BODIES = ["Apples ripen late.", "Pears keep well.", "Plums do not.", "Quinces must be cooked.", "Figs."]


def book(*texts: str) -> list[Page]:
    return [Page(number, text) for number, text in enumerate(texts, start=1)]


def body(number: int) -> str:
    """Two lines that no two pages share."""
    return f"{BODIES[number % 5]} So it says of tree {'x' * number}\nand so on, {'y' * number}."


def found(pages: Sequence[Page]) -> dict[int, list[str]]:
    lines = header_footer_lines(pages)
    return {page.number: [page.text[a:b] for a, b in lines.get(page.number, ())] for page in pages}


def test_header_and_page_number_go_and_the_first_header_stays() -> None:
    pages = book(*(f"Orchard Notes\n{body(n)}\n {n + 10} \n" for n in range(1, 6)))
    assert found(pages) == {1: ["11"]} | {n: ["Orchard Notes", str(n + 10)] for n in range(2, 6)}


def test_spans_rise_and_do_not_touch_the_rest() -> None:
    pages = book(*(f"\n  Orchard Notes\n\n{body(n)}\n- {n} -" for n in range(1, 7)))
    length = len(pages[3].text)
    assert header_footer_lines(pages)[4] == ((3, 16), (length - 5, length))


def test_a_short_document_has_none() -> None:
    assert header_footer_lines(book(*(f"Orchard Notes\n{body(n)}\n{n}" for n in range(1, 4)))) == {}
    assert header_footer_lines([]) == {}


def test_lines_are_peeled_from_the_outside() -> None:
    """Part and item stand under the link, and change with the sections; the text below them is the page's."""
    pages = book(
        *(f"Table of Contents\nPART II\nItem {7 + n // 12}\n{body(n)}\nA Company | {n}" for n in range(1, 25))
    )
    lines = found(pages)
    assert lines[1] == ["A Company | 1"]
    assert lines[2] == ["Table of Contents", "PART II", "Item 7", "A Company | 2"]
    assert lines[12] == ["Table of Contents", "PART II", "A Company | 12"]  # the first of item 8
    assert lines[20] == ["Table of Contents", "PART II", "Item 8", "A Company | 20"]


def test_left_and_right_pages_differ() -> None:
    pages = book(
        *(f"{n} The Orchard\n{body(n)}" if n % 2 else f"Ada Finch\n{body(n)}\n{n}" for n in range(1, 25))
    )
    lines = found(pages)
    assert lines[11] == ["11 The Orchard"]
    assert lines[12] == ["Ada Finch", "12"]


@pytest.mark.parametrize(
    "form", ["Page {}", "F-{}", "– {} –", "{} of 12", "Orchard Notes 2023 | {}", "p. {}"]
)
def test_numbers_that_count(form: str) -> None:
    pages = book(*(f"{body(n)}\n{form.format(n + 2)}" for n in range(1, 8)))
    assert found(pages)[4] == [form.format(6)]


def test_roman_page_numbers() -> None:
    numerals = ["iii", "iv", "v", "vi", "vii"]
    pages = book(*(f"{body(n)}\n{numeral}" for n, numeral in enumerate(numerals, start=1)))
    assert [lines[0] for lines in found(pages).values()] == numerals


@pytest.mark.parametrize(
    "line",
    [
        "(In millions) 2022 2021 2020",
        "Year Ended December 31,",
        "2022 2021",
        "Name Amount in $",
        "(1)",
        "—",
        "So it was said " * 20,
    ],
)
def test_heads_of_tables_and_marks_stay(line: str) -> None:
    assert not any(found(book(*(f"{line}\n{body(n)}" for n in range(1, 20)))).values())


def test_a_title_on_every_page_stays() -> None:
    """One word and the page's number: every page is a chapter."""
    assert not any(found(book(*(f"Chapter {n}\n{body(n)}" for n in range(1, 20)))).values())


def test_figures_at_the_bottom_are_no_page_numbers() -> None:
    pages = book(
        *(f"{body(n)}\n{number}" for n, number in enumerate([7, 30, 12, 13, 90, 45, 2, 61], start=1))
    )
    assert not any(found(pages).values())


def test_a_line_on_some_pages_of_a_long_document_stays() -> None:
    """The heads of a table of eight pages in a document of forty."""
    pages = book(*(f"{'Name of Subsidiary' if 5 < n < 14 else 'z' * n}\n{body(n)}" for n in range(1, 41)))
    assert not any(found(pages).values())
    assert MIN_WORDED_PAGES == 10


def test_pages_that_are_nothing_else() -> None:
    assert found(book(*(str(n) for n in range(1, 6)))) == {n: [str(n)] for n in range(1, 6)}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("BESTBUY_2024Q2_10Q.pdf", {"table of contents": 24, "#": 25}),
        pytest.param(
            "ADOBE_2016_10K.pdf",
            {
                "table of contents": 109,
                "adobe systems incorporated": 40,
                "notes to consolidated financial statements (continued)": 34,
                "#": 110,
            },
            marks=pytest.mark.soak,
        ),
    ],
    ids=["a quarter", "a year"],
)
def test_real_filings(eval_data: Path, name: str, expected: dict[str, int]) -> None:
    """What is found in a filing, all of it: only links, names of sections and page numbers."""
    folder = eval_data / "financebench-dev" / "documents"
    pages = {page.number: page.text for page in parse(folder / name).pages}
    lines = header_footer_lines([Page(number, text) for number, text in pages.items()])
    counts = Counter(
        re.sub(r"\d+", "#", pages[number][a:b].casefold())
        for number, spans in lines.items()
        for a, b in spans
    )
    assert counts == expected
