"""CSV and TSV: each row can be understood alone."""

from pathlib import Path

import pytest

from ingestion.documents import Page, ParsedDocument, Status
from ingestion.parsing import ParseLimits
from tests.helpers.reading import read


def table(
    folder: Path, data: bytes | str, name: str = "a.csv", limits: ParseLimits | None = None
) -> ParsedDocument:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return read(path, limits)


def lines(document: ParsedDocument) -> list[str]:
    return "\n\n".join(page.text for page in document.pages).split("\n\n")


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_names_are_repeated(tmp_path: Path, separator: str) -> None:
    data = "name,note,qty\nBolt,long,1\nNut,,2\n".replace(",", separator)
    assert lines(table(tmp_path, data)) == ["name: Bolt; note: long; qty: 1", "name: Nut; qty: 2"]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ('a,b\n"one\ntwo, ""three""",4\n', ['a: one two, "three"; b: 4']),
        ("Bank export\nof 2024\n\na;b;c\nx;1,5;y\n", ["Bank export", "of 2024", "a: x; b: 1,5; c: y"]),
        ("1,2\n3,4\n", ["1 | 2", "3 | 4"]),
        ("a,a\nx,y\n", ["a | a", "x | y"]),
        ("Item,2023,2024\nRent,5,6\n", ["Item: Rent; 2023: 5; 2024: 6"]),
        ("sep=|\na|b\nc,|4\n", ["a: c,; b: 4"]),
        ("a,b\n1,2,3\n4\n", ["a: 1; b: 2; 3", "a: 4"]),
        ("word\nred\nblue\n", ["word: red", "word: blue"]),
        ("Alder,Lund\nBirch,Ystad\n", ["Alder | Lund", "Birch | Ystad"]),
        ("red\nblue\ngreen\n", ["red", "blue", "green"]),
        ("Lund,oak\nYstad,pine\nLund,elm\n", ["Lund | oak", "Ystad | pine", "Lund | elm"]),
        ("Alder;1,5;x\nBirch;2,5;y\n", ["Alder | 1,5 | x", "Birch | 2,5 | y"]),
        ("氏名,住所\n山田,東京\n", ["氏名: 山田; 住所: 東京"]),
        ("山田,東京\n佐藤,大阪\n", ["山田 | 東京", "佐藤 | 大阪"]),
        ("Tree,Town\nAlder,near 5 Mill Lane\n", ["Tree: Alder; Town: near 5 Mill Lane"]),
        ("a,b\n", ["a | b"]),
        ("a,b\r1,2\r", ["a: 1; b: 2"]),
    ],
    ids=[
        "quotes",
        "lines above",
        "no names",
        "same names",
        "years",
        "sep=",
        "ragged",
        "one",
        "people and towns",
        "a list",
        "a word again",
        "decimal commas",
        "Japanese names",
        "Japanese data",
        "figures below a word",
        "names only",
        "cr",
    ],
)
def test_rows(tmp_path: Path, data: str, expected: list[str]) -> None:
    assert lines(table(tmp_path, data)) == expected


def test_tsv_takes_tabs_alone(tmp_path: Path) -> None:
    assert lines(table(tmp_path, "a,b\tc\n1,2\t3\n", "a.tsv")) == ["a,b: 1,2; c: 3"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    assert lines(table(tmp_path, "Straße,é\nx,ü\n".encode(encoding))) == ["Straße: x; é: ü"]


def test_long_files_are_cut_between_rows(tmp_path: Path) -> None:
    data = "number,word\n" + "".join(f"{n},word{n}\n" for n in range(8000))
    document = table(tmp_path, data)
    assert document.page_count > 2
    rows = [line for page in document.pages for line in page.text.strip().split("\n\n")]
    assert rows == [f"number: {n}; word: word{n}" for n in range(8000)]


def test_a_quotation_that_never_ends_is_a_character(tmp_path: Path) -> None:
    data = 'a,b\n1,"2\n' + "3,4\n" * 100
    document = table(tmp_path, data, limits=ParseLimits(max_page_characters=200))
    assert document.pages[0].text.startswith('a: 1; b: "2\n\na: 3; b: 4')


def test_a_field_longer_than_a_page(tmp_path: Path) -> None:
    document = table(tmp_path, "a,b\n1," + "x" * 300, limits=ParseLimits(max_page_characters=200))
    assert (document.status, document.pages) == (Status.CORRUPT, ())


@pytest.mark.parametrize("data", ["\n \n", ",,\n,,\n"])
def test_nothing_to_read(tmp_path: Path, data: str) -> None:
    assert table(tmp_path, data).status is Status.NO_TEXT


def test_a_workbook_named_csv(tmp_path: Path) -> None:
    document = table(tmp_path, b"PK\x03\x04 and so on")
    assert document.status is Status.UNSUPPORTED


def test_too_much_text(tmp_path: Path) -> None:
    document = table(tmp_path, "a,b\n" + "1,2\n" * 100, limits=ParseLimits(max_characters=500))
    assert document.status is Status.TOO_LARGE
    assert document.error == "'a.csv' has more text than the limit of 500 characters; split it"


def test_page_is_one_for_a_short_file(tmp_path: Path) -> None:
    assert table(tmp_path, "a\nb\n").pages == (Page(1, "a\n\nb"),)
