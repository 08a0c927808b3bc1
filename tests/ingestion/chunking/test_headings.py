"""Headings seen in the text: those of a report, a contract and a paper, and no sentence, list or contents."""

import pytest

from ingestion.chunking.headings import find_headings
from ingestion.documents import Heading, Page

PROSE = "The trees stand in rows, and each of them was planted by hand in the year of the flood.\n" * 5


def titles(*texts: str) -> list[tuple[int, str]]:
    headings = find_headings([Page(number, text) for number, text in enumerate(texts, start=1)])
    return [(heading.page, heading.title) for heading in headings]


def test_parts_items_and_notes_with_their_levels_and_places() -> None:
    text = f"PART II\n Item 7.  Management’s  Discussion\n{PROSE}NOTE 4 – LEASES (Continued)\n{PROSE}"
    assert find_headings([Page(3, text)]) == [
        Heading("PART II", 1, 3, 0),
        Heading("Item 7. Management’s Discussion", 2, 3, text.index("Item")),
        Heading("NOTE 4 – LEASES", 3, 3, text.index("NOTE")),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "Item 7A. Risk",
        "ITEM 7.MANAGEMENT’S DISCUSSION",
        "Item 5.07. Submission of Matters to a Vote of Security Holders.",
        "Note 1—DESCRIPTION OF BUSINESS",
        "Part I - Financial Information",
        "Chapter 12: The Orchard",
        "Appendix B",
        "Section 5.10. Use of Names",
    ],
)
def test_what_is_a_heading(line: str) -> None:
    assert titles(f"{PROSE}{line}\n{PROSE}") == [(1, line)]


@pytest.mark.parametrize(
    "line",
    [
        "Item 8 of Part II, and more",
        "Part III of this report is incorporated by reference",
        "Note 8, “Fair Value Measurements,” and Note 9",
        "Section 13(a) of the Act",
        "Item 7. Management’s Discussion 35",
        "Item 1A, Risk Factors",
        "Note 4: " + "a very long line " * 10,
        "Item 7",
        "item 7. lower case",
        "Chapter and verse",
    ],
)
def test_what_is_none(line: str) -> None:
    assert titles(f"{PROSE}{line}\n{PROSE}") == []


def test_a_reference_at_a_line_end_is_none() -> None:
    assert titles(f"{PROSE}as is described in\nItem 1A. Risk Factors.\n{PROSE}") == []
    assert titles(f"{PROSE}Item 1A. Risk Factors.\n{PROSE}") == [(1, "Item 1A. Risk Factors.")]


def test_a_heading_that_runs_into_its_text_is_its_first_sentence() -> None:
    assert titles(f"Section 5.10. Use of Names. After the closing date\n{PROSE}") == [
        (1, "Section 5.10. Use of Names")
    ]


def test_a_table_of_contents_is_left_out() -> None:
    lines = [f"Item {n}. A Matter of Importance" for n in range(1, 8)]
    assert titles("\n".join(lines)) == [(1, lines[0])]
    assert titles("\n".join(f"{line} {n}" for n, line in enumerate(lines))) == []
    assert titles(*(f"{line}\n{PROSE}" for line in lines)) == list(enumerate(lines, start=1))


def test_a_heading_repeated_on_the_next_page_counts_once() -> None:
    assert titles(f"PART I\nItem 1. Business\n{PROSE}", f"PART I\nItem 1. Business (Cont’d)\n{PROSE}") == [
        (1, "PART I"),
        (1, "Item 1. Business"),
    ]
    assert titles(f"NOTE 2 - DEBT\n{PROSE}", f"NOTE 2 - DEBT (Continued)\n{PROSE}") == [(1, "NOTE 2 - DEBT")]


def test_numbered_headings_follow_each_other_from_one() -> None:
    names = ["1. Introduction", "2. Methods", "3. Results"]
    assert titles("".join(f"{name}\n{PROSE}" for name in names)) == [(1, name) for name in names]
    assert titles("".join(f"{name}\n{PROSE}" for name in names[:2])) == []  # may be anything
    assert titles("".join(f"{name}\n{PROSE}" for name in names[1:])) == []
    assert titles(PROSE + "\n".join(names) + "\n" + PROSE) == []  # a list
    long = "were all weighed on the day on which they had been picked from the tree, and"
    assert titles("".join(f"{name} {long}\n{PROSE}" for name in names)) == []  # paragraphs with numbers


def test_numbered_lines_that_end_a_sentence_are_none() -> None:
    assert titles("".join(f"{n}. He has read this report.\n{PROSE}" for n in range(1, 6))) == []
