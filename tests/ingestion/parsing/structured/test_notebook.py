"""Notebooks: text with headings, code, printed results, and what is not read."""

import json
from pathlib import Path
from typing import Any

from ingestion.documents import ParsedDocument, Status
from tests.helpers.reading import read


def shown(folder: Path, *cells: Any, **fields: Any) -> ParsedDocument:
    path = folder / "a.ipynb"
    path.write_text(json.dumps({"nbformat": 4, "cells": cells, **fields}))
    return read(path)


def code(source: str, *outputs: dict[str, Any]) -> dict[str, Any]:
    return {"cell_type": "code", "source": source, "outputs": outputs}


def result(**data: Any) -> dict[str, Any]:
    return {
        "output_type": "execute_result",
        "data": {name.replace("_", "/"): value for name, value in data.items()},
    }


def test_text_code_and_printed_results(tmp_path: Path) -> None:
    document = shown(
        tmp_path,
        {"cell_type": "markdown", "source": ["# Salmon\n", "\n", "Counted at *Elk Creek*."]},
        code("mean(counts)", {"output_type": "stream", "text": ["412 fish\n", "a day\n"]}),
        {"cell_type": "raw", "source": "raw words"},
    )
    assert document.status is Status.OK
    assert (
        document.pages[0].text
        == "Salmon\n\nCounted at Elk Creek.\n\nmean(counts)\n\n412 fish\na day\n\nraw words"
    )
    assert [(heading.title, heading.level) for heading in document.headings] == [("Salmon", 1)]
    assert (document.title, document.warnings) == ("Salmon", ())


def test_the_form_of_a_result_with_the_most_structure_counts(tmp_path: Path) -> None:
    table = "<table><tr><th>day</th><th>fish</th></tr><tr><td>Mon</td><td>410</td></tr></table>"
    document = shown(
        tmp_path,
        code("table", result(text_html=table, text_plain="day fish")),
        code("note", result(text_markdown="*said*", text_plain="<note>")),
        code("sum", result(text_plain=["4", "1"])),
        code(
            "1/0", {"output_type": "error", "ename": "ZeroDivisionError", "evalue": "\x1b[31mby zero\x1b[0m"}
        ),
    )
    assert document.pages[0].text == (
        "table\n\nday | fish\nMon | 410\n\nnote\n\nsaid\n\nsum\n\n41\n\n1/0\n\nZeroDivisionError: by zero"
    )


def test_what_is_no_text_is_named_in_warnings(tmp_path: Path) -> None:
    widget = {"output_type": "display_data", "data": {"application/vnd.chart+json": {"x": 1}}}
    document = shown(
        tmp_path,
        code("plot()", result(image_png="iVBOR", text_plain="<Figure>")),
        code("chart()", widget),
        {"cell_type": "markdown", "source": "![](attachment:a.png)", "attachments": {"b.png": {}}},
        "no cell",
    )
    assert document.pages[0].text == "plot()\n\nchart()"
    assert document.warnings == (
        "Not read: 1 pictures among the results on page 1. Text in them cannot be found.",
        "Not read: 1 results that are no text (application/vnd.chart+json) on page 1. "
        "Text in them cannot be found.",
        "Not read: 2 pictures (b.png) on page 1. Text in them cannot be found.",
        "Not read: 1 damaged cells on page 1. Text in them cannot be found.",
    )


def test_notebooks_of_format_3(tmp_path: Path) -> None:
    cells = [
        {"cell_type": "heading", "level": 2, "source": "Salmon"},
        {"cell_type": "code", "input": "count()", "outputs": [{"output_type": "pyout", "text": ["412"]}]},
    ]
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps({"nbformat": 3, "worksheets": [{"cells": cells}]}))
    assert read(path).pages[0].text == "Salmon\n\ncount()\n\n412"


def test_json_without_cells_is_no_notebook(tmp_path: Path) -> None:
    path = tmp_path / "a.ipynb"
    path.write_text('{"a": 1}')
    document = read(path)
    assert document.status is Status.CORRUPT
    assert (
        document.error
        == "'a.ipynb' is JSON, but no notebook: it has no list of cells; rename it to end in .json"
    )


def test_values_in_odd_places_are_passed_by(tmp_path: Path) -> None:
    document = shown(
        tmp_path,
        {"cell_type": "code", "source": 7, "outputs": {"a": 1}},
        code("kept", {"output_type": "stream", "text": None}, result(text_plain={"a": "b"})),
        {"cell_type": "heading", "level": [], "source": "Also kept"},
    )
    assert document.pages[0].text == "7\n\nkept\n\nAlso kept"
