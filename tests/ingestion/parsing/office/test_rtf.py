"""Rich text: what a word processor shows."""

import random
from pathlib import Path

import pytest

from ingestion.documents import FileProperties, Heading, ParsedDocument, Status
from ingestion.parsing import ParseLimits, parse
from tests.helpers.reading import read

FONTS = r"{\fonttbl{\f0\froman\fcharset0 Times;}{\f1\fnil\fcharset204 Arial;}{\f2\fcharset128 Gothic;}}"


def shown(folder: Path, body: str, head: str = r"\ansi\ansicpg1252\deff0") -> ParsedDocument:
    path = folder / "a.rtf"
    path.write_bytes(rf"{{\rtf1{head}{FONTS}{body}}}".encode("latin-1"))
    return read(path)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (r"one\par two\line three\par", "one\n\ntwo\nthree"),
        (r"caf\'e9 \lquote a\rquote\emdash b\~c", "café ‘a’—b\xa0c"),
        (r"\u8364 ?5 \u-10179 ?\u-8704 ? {\uc2\u8364 ab5}\u8364\'80x", "€5 😀 €5€x"),
        (r"\f1\'cf\'f0\f0 x\f2\'83\'5c", "Прxソ"),
        (r"open \{ close \} back \\ soft\-hyphen", "open { close } back \\ softhyphen"),
        (r"a {\b b} {\*\unknown gone}c{\*\bkmkstart x}", "a b c"),
        (r'{\field{\*\fldinst HYPERLINK "http://a.org"}{\fldrslt the site}} is up', "the site is up"),
        (r"fee{\footnote\pard\plain  a day}.\par next", "fee[1].\n\n[1] a day\n\nnext"),
        (r"fee{\*\annotation why?}\par", "fee\n\nComment: why?"),
        (r"{\listtext\'b7\tab}one\par{\listtext\'b7\tab}two\par after", "- one\n- two\n\nafter"),
        (
            r"\trowd\intbl Item\cell Price\cell\row\intbl a\par b\cell 4.50\cell\row\pard after",
            "Item | Price\na b | 4.50\n\nafter",
        ),
        (r"{\header Port of Kiel\par}{\footer 3}a", "a\n\nPage header: Port of Kiel"),
        (r"{\shp{\*\shpinst{\sp{\sn x}{\sv y}}{\shptxt in a box\par}}}a\par", "a\n\nin a box"),
        ("{\\pict\\bin12 }}}}}}}}}}}}}a", "a"),
    ],
)
def test_text_as_it_is_shown(tmp_path: Path, body: str, text: str) -> None:
    document = shown(tmp_path, body)
    assert document.status is Status.OK
    assert document.pages[0].text == text


def test_headings_pages_and_properties(tmp_path: Path) -> None:
    document = shown(
        tmp_path,
        r"{\stylesheet{\widctlpar Normal;}{\s1 heading 1;}{\s7\outlinelevel1 Mine;}}"
        r"{\info{\title Harbour rules}{\author Ada}{\company Port of Kiel}{\comment x}}"
        r"\pard\s1 Rules\par\pard a\par\page\pard\s7 Fees\par\pard\outlinelevel2 Boats\par",
    )
    assert [page.text for page in document.pages] == ["Rules\n\na", "Fees\n\nBoats"]
    assert document.headings == (
        Heading("Rules", 1, 1, 0),
        Heading("Fees", 2, 2, 0),
        Heading("Boats", 3, 2, 6),
    )
    assert document.title == "Harbour rules"
    assert document.properties == FileProperties(author="Ada", organisation="Port of Kiel")


@pytest.mark.parametrize(
    ("head", "code", "letter"),
    [
        (r"\ansi\ansicpg1251", "ef", "п"),
        (r"\mac", "8a", "ä"),
        (r"\pc", "84", "ä"),
        (r"\ansi\ansicpg99", "e4", "ä"),
    ],
)
def test_the_encoding_of_the_file(tmp_path: Path, head: str, code: str, letter: str) -> None:
    assert shown(tmp_path, rf"\'{code}", head).pages[0].text == letter


def test_what_is_hidden_or_no_text_is_named_in_warnings(tmp_path: Path) -> None:
    document = shown(
        tmp_path,
        r"seen {\v unseen}{\deleted gone}{\v\v0 seen}\par{\*\shppict{\pict 89504e}}{\nonshppict{\pict 00}}"
        r"{\object{\*\objdata 00}{\result shown}}",
    )
    assert document.pages[0].text == "seen seen\n\nshown"
    assert document.warnings == (
        "2 passages of hidden text, which a reader does not see, were left out (page 1): "
        "1 of hidden text, 1 deleted in a tracked change.",
        "Not read: 1 pictures on page 1. Text in them cannot be found.",
        "Not read: 1 embedded objects on page 1. Text in them cannot be found.",
    )


def test_a_file_that_is_cut_off_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.rtf"
    path.write_bytes(rb"{\rtf1 one\par two {\footnote th")
    document = read(path)
    assert document.pages[0].text == "one\n\ntwo [1]\n\n[1] th"
    assert document.warnings == (
        "The file is damaged or cut off: what it holds behind its last line is not read.",
    )


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"", Status.NO_TEXT),
        (b"plain words", Status.CORRUPT),
        (b"PK\x03\x04", Status.CORRUPT),
        (b"{\\rtf1 }", Status.NO_TEXT),
        (b"{\\rtf1 " + b"{" * 300_000, Status.NO_TEXT),
        (b"{\\rtf1 " + b"}" * 300_000, Status.NO_TEXT),
        (b"{\\rtf1 " + b"a\\cell " * 300_000 + b"\\row}", Status.TOO_LARGE),
        (b"{\\rtf1 \\bin999999999 x}", Status.NO_TEXT),
        (b"{\\rtf1 \\u999999999999 \\uc99999 \\ansicpg-5 \\f-1\\fcharset-9 \\'zz \\", Status.OK),
    ],
    ids=["empty", "text", "zip", "nothing", "deep", "closed", "wide", "binary", "numbers"],
)
def test_hostile_files_have_a_status(tmp_path: Path, data: bytes, status: Status) -> None:
    path = tmp_path / "a.rtf"
    path.write_bytes(data)
    document = parse(path, limits=ParseLimits(max_characters=500_000))
    assert document.status is status
    assert document.error is None or "'a.rtf'" in document.error


@pytest.mark.parametrize("seed", range(5))
def test_damaged_files_are_read_or_refused(tmp_path: Path, seed: int) -> None:
    """No damage ends the reader with an error of its own."""
    generator = random.Random(seed)
    words = [
        *(r"\par", r"\cell", r"\row", r"\intbl", "{", "}", r"{\footnote ", r"{\header ", r"{\*\x ", r"\v "),
        *(r"\u55296 ", r"\page", r"{\info{\title ", r"{\stylesheet{\s1 ", r"{\listtext ", r"{\shptxt "),
        *("a", r"\'e9", r"\plain"),
    ]
    for _ in range(100):
        document = shown(tmp_path, " ".join(generator.choices(words, k=60)))
        assert document.status in (Status.OK, Status.NO_TEXT)
