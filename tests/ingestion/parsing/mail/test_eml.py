"""E-mail messages: what a mail program shows, and attached files as documents of their own."""

from email.message import EmailMessage
from pathlib import Path

import pytest

from ingestion.documents import FileProperties, ParsedDocument, Status
from ingestion.parsing import parse, unpack
from tests.helpers.reading import read

TERMS = b"The notice period is ninety days.\n"


def message(body: str = "The crane comes on 3 June.", subject: str = "Crane – offer") -> EmailMessage:
    made = EmailMessage()
    made["From"] = "Ada Finch <ada@example.org>"
    made["To"] = "Bo Lund <bo@example.org>"
    made["Subject"] = subject
    made["Date"] = "Fri, 12 May 2023 14:03:00 +0200"
    made.set_content(body)
    return made


def shown(folder: Path, made: EmailMessage | bytes) -> ParsedDocument:
    path = folder / "a.eml"
    path.write_bytes(made if isinstance(made, bytes) else made.as_bytes())
    return read(path)


def body_of(document: ParsedDocument) -> str:
    return document.pages[0].text.split("+0200\n\n", 1)[1]


def test_headers_stand_before_the_body_and_quotes_stay(tmp_path: Path) -> None:
    document = shown(tmp_path, message("It comes on 3 June.\n\nBo wrote:\n> When does it come?\n"))
    assert document.pages[0].text == (
        "Crane – offer\n\nFrom: Ada Finch <ada@example.org>\nTo: Bo Lund <bo@example.org>\n"
        "Date: Fri, 12 May 2023 14:03:00 +0200\n\nIt comes on 3 June.\n\nBo wrote:\n> When does it come?"
    )
    assert document.title == "Crane – offer"
    assert document.properties == FileProperties(author="Ada Finch <ada@example.org>", date="2023-05-12")
    assert (document.warnings, document.attachments) == ((), ())


def test_a_body_of_html_is_read_as_a_page(tmp_path: Path) -> None:
    made = message()
    made.set_content(
        "<style>p {}</style><p>It <b>comes</b></p><table><tr><td>a<td>1<tr><td>b<td>2</table>", subtype="html"
    )
    assert body_of(shown(tmp_path, made)) == "It comes\n\na | 1\nb | 2"


@pytest.mark.parametrize(
    ("plain", "body"),
    [
        ("It comes on 3 June, Bo.", "It comes on 3 June, Bo."),
        ("Use HTML", "It comes by ship on the third of June at noon."),
    ],
)
def test_the_plain_form_is_read_unless_it_says_much_less(tmp_path: Path, plain: str, body: str) -> None:
    made = message(plain)
    made.add_alternative(
        "<style>p {margin: 0; padding: 0; color: black; font-size: 12pt}</style>"
        "<p>It comes by ship on the third of June at noon.</p>",
        subtype="html",
    )
    assert body_of(shown(tmp_path, made)) == body


@pytest.mark.parametrize("charset", ["latin-1", "utf-8", "x-unknown"])
def test_encodings_of_bodies_and_headers(tmp_path: Path, charset: str) -> None:
    body = ("Für die Prüfung brauchen wir den großen Kran. " * 3).encode(
        "utf-8" if charset != "latin-1" else charset
    )
    head = f"Subject: =?utf-8?B?S3LDpG5l?= =?{charset}?Q?x?=\nFrom: J\u00f6rg <j@example.org>\n".encode()
    head += f"Content-Type: text/plain; charset={charset}\nContent-Transfer-Encoding: 8bit\n\n".encode()
    text = shown(tmp_path, head + body).pages[0].text
    assert "Für die Prüfung" in text
    assert "From: Jörg <j@example.org>" in text
    assert text.startswith("Kräne" if charset != "x-unknown" else "=?utf-8?B?S3LDpG5l?=")


def test_attached_files_are_named_and_unpacked(tmp_path: Path) -> None:
    made = message()
    inner = message("The rope is from 2019.", "Old/note")
    made.add_attachment(TERMS, maintype="text", subtype="plain", filename="../terms.txt")
    made.add_attachment(TERMS, maintype="text", subtype="plain", filename="terms.txt")
    made.add_attachment(b"%PDF", maintype="application", subtype="pdf")
    made.add_attachment(inner)
    document = shown(tmp_path, made)
    assert document.attachments == ("terms.txt", "2 terms.txt", "unnamed.pdf", "Old-note.eml")
    assert TERMS.decode() not in document.pages[0].text
    found = {one.name: one.file for one in unpack(tmp_path / "a.eml", tmp_path)}
    assert tuple(found) == document.attachments
    assert all(file is not None for file in found.values())
    assert found["terms.txt"] is not None
    assert found["terms.txt"].read_bytes() == TERMS
    assert found["Old-note.eml"] is not None
    assert "The rope is from 2019." in read(found["Old-note.eml"]).pages[0].text


def test_pictures_in_the_body_are_counted_and_signatures_are_not(tmp_path: Path) -> None:
    made = message("Look.")
    made.add_related(b"GIF89a", maintype="image", subtype="gif", cid="<logo>")
    made.add_attachment(b"0", maintype="application", subtype="pkcs7-signature", filename="smime.p7s")
    document = shown(tmp_path, made)
    assert document.attachments == ()
    assert document.warnings == (
        "Not read: 1 pictures within the message on page 1. Text in them cannot be found.",
    )


def nested(depth: int) -> bytes:
    parts = [b"From: a@example.org\n"]
    for level in range(depth):
        parts.append(b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (level, level))
    return b"".join(parts) + b"Content-Type: text/plain\n\nwords"


@pytest.mark.parametrize(
    ("source", "status", "words"),
    [
        (b"", Status.NO_TEXT, "is an empty file"),
        (b"words and\nmore words", Status.CORRUPT, "is no e-mail message"),
        (bytes(range(256)), Status.CORRUPT, "is no e-mail message"),
        (nested(3000), Status.FAILED, "nested too deeply"),
        (
            b"From: a@b\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data\n\nMIIB",
            Status.UNSUPPORTED,
            "is encrypted",
        ),
    ],
    ids=["empty", "text", "binary", "deep", "encrypted"],
)
def test_hostile_files_have_a_status(tmp_path: Path, source: bytes, status: Status, words: str) -> None:
    path = tmp_path / "a.eml"
    path.write_bytes(source)
    document = parse(path)
    assert (document.status, document.pages) == (status, ())
    assert document.error is not None
    assert words in document.error


def test_a_message_that_is_cut_off_says_so(tmp_path: Path) -> None:
    made = message("The crane comes on 3 June.")
    made.add_attachment(TERMS * 100, maintype="text", subtype="plain", filename="terms.txt", cte="base64")
    data = made.as_bytes()
    document = shown(tmp_path, data[: len(data) // 2])
    assert "The crane comes on 3 June." in document.pages[0].text
    assert document.attachments == ("terms.txt",)
    assert document.warnings == (
        "The message is damaged or cut off: what it holds behind that place is not read.",
    )


@pytest.mark.parametrize(
    "header",
    [
        b"Content-Type: multipart/mixed; boundary=",
        b"Content-Type: text/plain; charset*=x''%ff",
        b"Content-Type: ;;;=",
        b"Subject: =?utf-8?B?!!!?= =?x?q?=",
        b"Date: 99 99 99999999999999999",
        b"Content-Disposition: attachment; filename*0*=utf-8''%ff; filename*1=x",
        b"Content-Transfer-Encoding: base64",
        b"Content-Type: message/rfc822",
    ],
)
def test_odd_headers_end_no_message(tmp_path: Path, header: bytes) -> None:
    document = shown(tmp_path, b"From: a@example.org\nTo: b@example.org\n" + header + b"\n\nwords\n")
    assert document.status is Status.OK
    assert "From: a@example.org" in document.pages[0].text
    unpack(tmp_path / "a.eml", tmp_path)
