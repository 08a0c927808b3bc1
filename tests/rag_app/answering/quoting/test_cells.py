"""Rows of tables as lines of an answer: with the head, the period and the unit of the asked cell."""

from dataclasses import replace

import pytest

from ingestion.documents import Page
from ingestion.tables.reading import tables_of
from rag_app.answering.answers import Evidence, PassageWindow, PromptContext
from rag_app.answering.quoting.asked_rows import fits_time, has_years
from rag_app.answering.quoting.cells import asked_columns
from rag_app.answering.quoting.composition import compose
from rag_app.answering.quoting.statements import StatementKind, statements
from tests.helpers.evidence import evidence

# As parsers write a table: its cells are known, whatever the lines say of their columns.
PAGE = (
    "Consolidated balance sheets (in millions)\n"
    "| December 31, 2023 | December 31, 2022 | Change\n"
    "Current assets:\n"
    "Cash and deposits | $1,204 | $977 | 23%\n"
    "Total | 1,292 | 886 | 46%\n"
    "Weighted keepers on duty | 12 | 11 | 9%"
)
TEXT = PAGE.replace("\n| ", "\n | ", 1)


def asked(question: str, row: str) -> str:
    """Return the first line of the answer from evidence of one row, with the tables of its page."""
    start = TEXT.index(row)
    item = evidence(1, row, start=start)
    window = PassageWindow(TEXT, 0, tables=tables_of([Page(1, TEXT)]))
    first, *_ = compose(PromptContext((replace(item, window=window),), 1.0, question=question))
    return first.line


@pytest.mark.parametrize(
    ("question", "row", "line"),
    [
        (
            "How much cash and deposits were there at December 31, 2022?",
            "Cash and deposits | $1,204 | $977 | 23%",
            "Cash and deposits · December 31, 2022: **$977 million**",
        ),
        (
            "How much did cash and deposits change?",
            "Cash and deposits | $1,204 | $977 | 23%",
            "Cash and deposits · Change: **23%**",
        ),
        (
            "What was the total at the end of 2023?",
            "Total | 1,292 | 886 | 46%",
            "Current assets: Total · December 31, 2023: **$1,292 million**",
        ),
        (
            "How much cash and deposits were there?",
            "Cash and deposits | $1,204 | $977 | 23%",
            "Cash and deposits · December 31, 2023: $1,204 million; December 31, 2022: $977 million; "
            "Change: 23%",
        ),
    ],
)
def test_the_asked_cell_has_its_period_and_unit(question: str, row: str, line: str) -> None:
    assert asked(question, row) == line


def test_a_row_without_its_table_is_read_from_its_text() -> None:
    item: Evidence = evidence(1, "Cash and deposits 1,204 977")
    window = PassageWindow("(in millions) 2023 2022\nCash and deposits 1,204 977", 0)
    shown = replace(
        item, hit=replace(item.hit, chunk=replace(item.hit.chunk, start=24, end=51)), window=window
    )
    sentence = replace(item.sentences[0], start=24, end=51)
    packed = PromptContext((replace(shown, sentences=(sentence,)),), 1.0, question="Cash in 2022?")
    first, *_ = compose(packed)
    assert first.line.startswith("Cash and deposits · 2022: ")


@pytest.mark.parametrize(
    ("question", "heads", "places"),
    [
        ("in the three months to September 2022", ("3Q22", "2Q22", "Nine months ended Sept 30, 2022"), [0]),
        ("in fiscal 2022", ("Year ended June 30, 2023", "Year ended June 30, 2022"), [1]),
        ("what changed", ("2023", "2022"), []),
        (
            "in the second quarter",
            ("Three months ended July 29, 2023", "Six months ended July 29, 2023"),
            [0],
        ),
        ("in the quarter", ("2023", "2022"), []),
    ],
)
def test_the_columns_that_a_question_names(question: str, heads: tuple[str, ...], places: list[int]) -> None:
    assert asked_columns(question, heads) == places


STATEMENT = (
    "Cash flows (in millions)\n"
    " | 2023 | 2022\n"
    "Free cash flow (FCF) | 5,242 | 4,959\n"
    "Net cash provided by operating activities | 6,662 | 6,420\n"
    "Payments for acquisition of property, plant and equipment | (1,420) | (1,461)\n"
    "Overhead ratio | 59 | 61\n"
    "Total | 1 | 2"
)
FORMS = ("How much purchases of property, plant and equipment was there in 2023?",)


def of_rows(question: str, forms: tuple[str, ...] = (), worth: str = "Net cash") -> str:
    """Return the answer from all rows; the one that begins with `worth` matches the question best."""
    item = evidence(1, STATEMENT)
    sentences = tuple(
        replace(one, score=0.9 if one.text.startswith(worth) else 0.3) for one in item.sentences
    )
    window = PassageWindow(STATEMENT, 0, tables=tables_of([Page(1, STATEMENT)]))
    item = replace(item, window=window, sentences=sentences)
    found = compose(PromptContext((item,), 1.0, question=question, forms=forms))
    return "\n".join(one.line for one in found)


@pytest.mark.parametrize(
    ("question", "forms", "line"),
    [
        ("What was the free cash flow in 2023?", (), "Free cash flow (FCF) · 2023: **5,242 million**"),
        ("What was the overhead ratio in 2022?", (), "Overhead ratio · 2022: **61**"),
        (
            "How much capex was there in 2023?",
            FORMS,
            "Payments for acquisition of property, plant and equipment · 2023: **1,420 million**",
        ),
    ],
)
def test_a_row_that_the_question_names_is_the_answer(
    question: str, forms: tuple[str, ...], line: str
) -> None:
    first, *rest = of_rows(question, forms).split("\n")
    assert first == line
    assert not rest or forms  # in the glossary's words it may be a part of what is asked for


def test_a_row_that_has_no_cell_of_the_asked_year_is_not_named() -> None:
    assert not of_rows("What was the free cash flow in 2019?").startswith("Free cash flow")


def test_heads_of_a_table_are_no_answer() -> None:
    assert "Cash flows" not in of_rows("What were the cash flows in millions?", worth="Cash flows")


def test_a_row_with_the_years_of_a_question_answers_whatever_its_type() -> None:
    text = "\n | 2023 | 2022\nLamps lit | 5,242 | 4,959\nLamps not required | 12 | 11"
    window = PassageWindow(text, 0, tables=tables_of([Page(1, text)]))
    _, lit, unlit = (one for one in statements(window) if one.kind is StatementKind.ROW)
    assert has_years("Did more lamps burn in 2023 than in 2022?", window, lit)
    assert has_years("Did more lamps burn in 2023 than in 2022?", window, unlit)
    assert not has_years("Did more lamps burn in 2023 than in 2021?", window, lit)
    assert not has_years("Did more lamps burn in 2023?", window, lit)


RESULTS = (
    "Results of the ferry company (in millions)\n"
    " | 2022 EBITDA | 2022 Net income | 2023 EBITDA | 2023 Net income\n"
    "EBITDA and net income | 1,829 | 805 | 2,080 | 1,048\n"
    "Adjusted EBITDA, EBIT and net income | 2,117 | 1,224 | 2,018 | 1,089\n"
    "Repairs of the landing stages | 13 | 13 | 2 | 2"
)


def of_results(question: str, worth: str) -> str:
    """Return the answer from the rows of RESULTS; the one that begins with `worth` matches best."""
    item = evidence(1, RESULTS)
    sentences = tuple(
        replace(one, score=0.9 if one.text.startswith(worth) else 0.5) for one in item.sentences
    )
    window = PassageWindow(RESULTS, 0, tables=tables_of([Page(1, RESULTS)]))
    item = replace(item, window=window, sentences=sentences)
    return "\n".join(one.line for one in compose(PromptContext((item,), 1.0, question=question)))


def test_a_row_of_several_figures_is_named_by_the_first_and_shows_its_column() -> None:
    lines = of_results("What was the adjusted EBITDA in 2023?", "EBITDA").split("\n")
    assert lines[0] == "Adjusted EBITDA, EBIT and net income · 2023 EBITDA: **2,018 million**"


def test_other_rows_of_the_table_add_nothing() -> None:
    lines = of_results("How much went into repairs at the stages in 2023?", "Repairs")
    assert lines.startswith("Repairs of the landing stages · ")
    assert "EBITDA and net income" not in lines


LENGTHS = (
    "Statement (in millions)\n"
    " | Three months ended June 30, 2023 | Six months ended June 30, 2023\n"
    "Lamp fees | 5,242 | 9,959"
)
DATES = "Balance sheet (in millions)\n | June 30, 2023 | June 30, 2022\nDeferred lamp fees | 662 | 642"
YEARS_ALONE = "Figures (in millions)\n | 2023 | 2022\nLamp fees | 9,999 | 9,998"


@pytest.mark.parametrize(
    ("question", "text", "fits"),
    [
        ("What were the lamp fees of the second quarter of 2023?", LENGTHS, 1),
        ("What were the lamp fees of the first half of 2023?", LENGTHS, 1),
        ("What were the lamp fees in fiscal 2023?", LENGTHS, -1),
        ("What were the lamp fees of the second quarter of 2023?", DATES, -1),
        ("What were the lamp fees at the end of fiscal 2023?", DATES, 0),
        ("What were the lamp fees during fiscal 2023?", DATES, -1),
        ("What were the lamp fees of the second quarter of 2023?", YEARS_ALONE, 0),
        ("What were the lamp fees?", LENGTHS, 0),
    ],
)
def test_whether_a_row_is_of_the_asked_length_of_time(question: str, text: str, fits: int) -> None:
    window = PassageWindow(text, 0, tables=tables_of([Page(1, text)]))
    (row,) = (one for one in statements(window) if "fees |" in one.text)
    assert fits_time(question, window, row) == fits


def test_a_balance_is_no_answer_to_what_was_earned_in_a_quarter() -> None:
    items = tuple(
        replace(evidence(number, text), window=PassageWindow(text, 0, tables=tables_of([Page(1, text)])))
        for number, text in enumerate((DATES, LENGTHS), start=1)
    )
    question = "How much lamp money came in as fees in the second quarter of 2023?"
    first, *_ = compose(PromptContext(items, 1.0, question=question))
    assert first.line == "Lamp fees · Three months ended June 30, 2023: **$5,242 million**".replace("$", "")


def test_a_label_may_say_more_than_what_is_asked_how_much_of() -> None:
    text = (
        "Key figures (in millions)\n | 2023 | 2022\n"
        "Gross payment volume (GPV) | 84,654 | 65,343\nLoans to merchants in the payment network | 12 | 11"
    )
    item = evidence(1, text)
    sentences = tuple(replace(one, score=0.9 if "Loans" in one.text else 0.3) for one in item.sentences)
    window = PassageWindow(text, 0, tables=tables_of([Page(1, text)]))
    item = replace(item, window=window, sentences=sentences)
    question = "How much payment volume did the merchants have in 2023?"
    first, *_ = compose(PromptContext((item,), 1.0, question=question))
    assert first.line == "Gross payment volume (GPV) · 2023: **84,654 million**"


def of_region(number: int, region: str, count: str) -> Evidence:
    text = f"{region}\n | June 30, 2023 | June 30, 2022\nMembers at end of period | {count} | 1,001"
    tables = tuple(replace(one, title=region) for one in tables_of([Page(1, text)]))
    item = evidence(number, text, page=number)
    score = 0.5 - number / 100  # the first matches a little better
    sentences = tuple(replace(one, score=score) for one in item.sentences)
    chunk = replace(item.hit.chunk, document_id="report")
    hit = replace(item.hit, chunk=chunk)
    return replace(item, hit=hit, sentences=sentences, window=PassageWindow(text, 0, tables=tables))


@pytest.mark.parametrize(("region", "count"), [("Southern Coast", "4,246"), ("Northern Coast", "7,980")])
def test_a_row_is_of_the_table_whose_title_is_asked_for(region: str, count: str) -> None:
    items = (of_region(1, "Northern Coast (NC)", "7,980"), of_region(2, "Southern Coast (SC)", "4,246"))
    question = f"How many people paid to be members of the {region} at the end of June 2023?"
    first, *_ = compose(PromptContext(items, 1.0, question=question))
    assert first.plain.endswith(count)


def test_two_rows_that_a_question_names_are_both_shown() -> None:
    text = (
        "Consolidated statements (in millions)\n | 2023 | 2022\nNet sales | $1,204 | $977\n"
        "Cost of sales | 292 | 186\nGross profit | 912 | 791\nOther sales profit | 1 | 2"
    )
    item = replace(evidence(1, text), window=PassageWindow(text, 0, tables=tables_of([Page(1, text)])))
    question = "What were net sales and gross profit in 2022?"
    found = compose(PromptContext((item,), 1.0, question=question))
    assert {one.line for one in found} == {
        "Net sales · 2022: **$977 million**",
        "Gross profit · 2022: **$791 million**",
    }
    (only,) = compose(PromptContext((item,), 1.0, question="What was the gross profit on sales in 2022?"))
    assert only.line == "Gross profit · 2022: **$791 million**"


def test_a_line_that_repeats_the_label_of_a_row_says_nothing() -> None:
    label = "Average number of barrels of oil that keepers burnt"
    text = f"Statements\n | 2023 | 2022\nCost of lamps at sea | 292 | 186\n{label} | 9 | 7"
    row = replace(evidence(1, text), window=PassageWindow(text, 0, tables=tables_of([Page(1, text)])))
    line = evidence(2, f"The town itself pays for all the oil of keepers.\n\n{label}")
    found = compose(PromptContext((line, row), 1.0, question="Who pays for it?"))
    assert found[0].line == "The town itself pays for all the oil of keepers."
    assert not any(one.line == label for one in found)
