"""JSON and JSON Lines: records that are read alone, and a status for what is broken."""

import json
from pathlib import Path

import pytest

from ingestion.documents import ParsedDocument, Status
from ingestion.parsing import parse
from tests.helpers.reading import read


def shown(folder: Path, source: str | bytes, name: str = "a.json") -> ParsedDocument:
    path = folder / name
    path.write_bytes(source.encode() if isinstance(source, str) else source)
    return read(path)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ('{"a": 1.50, "b": true, "c": null, "d": "x"}', "a: 1.50; b: true; c: null; d: x"),
        ('[{"a": 1}, {"a": 2}]', "a: 1\n\na: 2"),
        ('{"price": {"amount": 3, "unit": "EUR"}}', "price › amount: 3; price › unit: EUR"),
        ('{"tags": ["x", "y"], "none": [], "empty": {}}', "tags: x, y; none: []; empty: {}"),
        ('{"a": 1, "a": 2}', "a: 1; a: 2"),
        ('"words"', "words"),
        ("[[1, 2], [3, 4]]", "1, 2\n\n3, 4"),
        ('{"note": "one\\ntwo", "by": "Ada"}', "by: Ada\n\nnote:\none\ntwo"),
        ('{"rows": [{"n": 1}, {"n": 2}], "by": "Ada"}', "by: Ada\n\nrows\n\nn: 1\n\nn: 2"),
        ('\ufeff{"a": "é"}', "a: é"),
        ('{"a": 1}\n{"a": 2}\n', "a: 1\n\na: 2"),
        ("[" + "1" * 5000 + "]", "1" * 5000),
    ],
)
def test_values_as_text(tmp_path: Path, source: str, text: str) -> None:
    document = shown(tmp_path, source)
    assert document.status is Status.OK
    assert document.pages[0].text == text


def test_a_long_record_has_a_line_for_each_pair(tmp_path: Path) -> None:
    names = [f"name{number}" for number in range(50)]
    text = shown(tmp_path, json.dumps([dict.fromkeys(names, "some words")])).pages[0].text
    assert text == "\n".join(f"{name}: some words" for name in names)


def test_names_of_large_values_are_headings(tmp_path: Path) -> None:
    document = shown(tmp_path, json.dumps({"shop": {"rows": [{"n": 1}] * 200}}))
    assert [(heading.title, heading.level) for heading in document.headings] == [("shop", 2), ("rows", 3)]
    assert document.title is None


def test_json_lines_keep_a_broken_line_as_text(tmp_path: Path) -> None:
    document = shown(tmp_path, '{"a": 1}\n\nnot JSON\n{"a": 2}\n', "a.jsonl")
    assert document.pages[0].text == "a: 1\n\nnot JSON\n\na: 2"
    assert document.warnings == ("1 line is no JSON and stands in the text as written (line 3).",)


DEEP = b"[" * 100_000
LONG_NAMES = (
    b'{"' + b"n" * 500_000 + b'": ' + json.dumps(dict.fromkeys(map(str, range(20_000)), 1)).encode() + b"}"
)


@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a.ipynb"])
@pytest.mark.parametrize(
    ("source", "status", "words"),
    [
        (DEEP + b"]" * 100_000, Status.FAILED, "nested too deeply"),
        (b"[" * 70 + b"]" * 70, Status.FAILED, "more than 64 levels"),
        (b'{"a": 1, "b', Status.CORRUPT, "line 1, column 10"),
        (b"words", Status.CORRUPT, "rename it to end in .txt"),
        (b"\xff\xfe{\0}", Status.CORRUPT, "byte 4"),
        (b"\0\1\2\3", Status.UNSUPPORTED, "binary data"),
        (b"PK\x03\x04", Status.UNSUPPORTED, "ZIP archive"),
        (b"", Status.NO_TEXT, "is an empty file"),
    ],
    ids=["100,000 deep", "70 deep", "truncated", "text", "half a letter", "binary", "zip", "empty"],
)
def test_hostile_files_have_a_status(
    tmp_path: Path, name: str, source: bytes, status: Status, words: str
) -> None:
    path = tmp_path / name
    path.write_bytes(source)
    document = parse(path)  # in the child: what is nested too deeply must not end it
    assert (document.status, document.pages) == (status, ())
    assert document.error is not None
    assert words in document.error


def test_long_names_take_no_more_room_than_the_file(tmp_path: Path) -> None:
    document = shown(tmp_path, LONG_NAMES)
    assert document.status is Status.OK
    assert sum(len(page.text) for page in document.pages) < 2 * len(LONG_NAMES)
