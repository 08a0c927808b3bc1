"""Outlook messages: the properties of the file as a message."""

from pathlib import Path

import pytest

from ingestion.documents import FileProperties, Status
from ingestion.parsing import parse, unpack
from tests.helpers.outlook import attachment, binary, message, properties, text, write_msg
from tests.helpers.reading import read

TERMS = b"The notice period is ninety days.\n"


def test_a_message_is_read_like_an_eml_file(tmp_path: Path) -> None:
    headers = text(0x007D, "Date: Fri, 12 May 2023 14:03:00 +0200\r\nSubject: other\r\n")
    path = write_msg(tmp_path / "a.msg", message("Crane – offer", "It comes on 3 June.\r\n> When?", headers))
    document = read(path)
    assert document.pages[0].text == (
        "Crane – offer\n\nFrom: Ada Finch <ada@example.org>\nTo: Bo Lund\n"
        "Date: Fri, 12 May 2023 14:03:00 +0200\n\nIt comes on 3 June.\n> When?"
    )
    assert document.title == "Crane – offer"
    assert document.properties == FileProperties(author="Ada Finch <ada@example.org>", date="2023-05-12")
    assert document.warnings == ()


def test_the_time_of_sending_stands_in_for_headers(tmp_path: Path) -> None:
    sent = properties((0x0040, 0x0039, 133_283_665_800_000_000), header=32)
    path = write_msg(tmp_path / "a.msg", message("a", "b", {"__properties_version1.0": sent}))
    assert read(path).properties.date == "2023-05-12"


def test_old_texts_and_pages_are_in_the_code_page_of_the_file(tmp_path: Path) -> None:
    numbers = properties((0x0003, 0x3FFD, 1251), (0x0003, 0x3FDE, 65001), header=32)
    made = {
        "__properties_version1.0": numbers,
        "__substg1.0_0037001E": "Кран".encode("cp1251"),
        **binary(0x1013, "<p>Цена <b>48</b></p>".encode()),
    }
    assert read(write_msg(tmp_path / "a.msg", made)).pages[0].text == "Кран\n\nЦена 48"


def test_attached_files_and_messages_are_documents(tmp_path: Path) -> None:
    inner = message("Old note", "The rope is from 2019.", header=24)
    large = bytes(range(256)) * 100
    made = message(
        "a",
        "b",
        {
            "__attach_version1.0_#00000000": attachment("terms.txt", TERMS),
            "__attach_version1.0_#00000001": attachment("data.bin", large),
            "__attach_version1.0_#00000002": {**attachment("", b""), "__substg1.0_3701000D": inner},
            "__attach_version1.0_#00000003": attachment(
                "logo.png", b"x", text(0x370E, "image/png"), text(0x3712, "logo@1")
            ),
        },
    )
    path = write_msg(tmp_path / "a.msg", made)
    document = read(path)
    assert document.attachments == ("terms.txt", "data.bin", "Old note.eml")
    assert document.warnings == (
        "Not read: 1 pictures within the message on page 1. Text in them cannot be found.",
    )
    found = {one.name: one.file for one in unpack(path, tmp_path)}
    files = [found[name] for name in document.attachments]
    assert all(file is not None for file in files)
    assert [file.read_bytes() for file in files[:2] if file] == [TERMS, large]
    assert files[2] is not None
    assert "The rope is from 2019." in read(files[2]).pages[0].text


def test_a_body_that_is_only_rich_text_is_named(tmp_path: Path) -> None:
    path = write_msg(tmp_path / "a.msg", message("Crane", "", binary(0x1009, b"LZFu")))
    assert read(path).warnings == (
        "The message's body is only there as rich text, which is not read; save it as .eml.",
    )


WHOLE = message("a", "b" * 9000)


@pytest.mark.parametrize(
    ("made", "status", "words"),
    [
        (b"", Status.NO_TEXT, "is an empty file"),
        (b"words", Status.CORRUPT, "no Outlook message"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + bytes(3000), Status.CORRUPT, "cannot be read"),
        ({"WordDocument": b"x"}, Status.CORRUPT, "it holds no message"),
        ({**WHOLE, **text(0x001A, "IPM.Note.SMIME")}, Status.UNSUPPORTED, "is encrypted"),
    ],
    ids=["empty", "text", "zeros", "other", "encrypted"],
)
def test_hostile_files_have_a_status(
    tmp_path: Path, made: bytes | dict[str, bytes], status: Status, words: str
) -> None:
    path = tmp_path / "a.msg"
    if isinstance(made, bytes):
        path.write_bytes(made)
    else:
        write_msg(path, made)
    document = parse(path)
    assert (document.status, document.pages) == (status, ())
    assert document.error is not None
    assert words in document.error


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8, 0.95])
def test_truncated_files_have_a_status(tmp_path: Path, share: float) -> None:
    path = write_msg(tmp_path / "a.msg", WHOLE)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    assert parse(path).status in (Status.CORRUPT, Status.OK, Status.NO_TEXT)


def test_damaged_bytes_end_no_reader(tmp_path: Path) -> None:
    whole = write_msg(tmp_path / "a.msg", message("a", "b")).read_bytes()
    for place in range(0, len(whole), 37):
        data = bytearray(whole)
        data[place] ^= 0xFF
        (tmp_path / "a.msg").write_bytes(data)
        document = read(tmp_path / "a.msg")
        assert document.status in (Status.CORRUPT, Status.OK, Status.NO_TEXT, Status.FAILED), place
