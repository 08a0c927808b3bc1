"""Outlook messages (.msg): a message made of the file's properties, which is then read like an .eml file.

The file is a small file system. A property is a stream whose name ends in its number and its type (see
[MS-OXMSG]); a recipient, an attached file and a message within the message are folders.
"""

import codecs
import struct
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import policy
from email.message import Message
from email.mime.application import MIMEApplication
from email.mime.message import MIMEMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.parser import HeaderParser
from email.utils import format_datetime
from pathlib import Path

import olefile

from ingestion.documents import Status
from ingestion.parsing.frames import Frame, RefusalError
from ingestion.parsing.limits import ParseLimits
from ingestion.parsing.mail.eml import files_of, frames_of, refuse_encrypted
from ingestion.parsing.mail.message_parts import MessageParts, parts_of
from ingestion.text.cleaning import one_line

_PROPERTIES = "__properties_version1.0"
_ATTACHED = "__attach_version1.0_"
_INNER = "__substg1.0_3701000D"  # the folder of a message within the message
_MAX_DEPTH = 8  # of messages in messages, which are parts of the one file

# Numbers of properties.
_SUBJECT, _HEADERS, _SENDER, _SENDER_ADDRESS, _SENDER_SMTP = 0x0037, 0x007D, 0x0C1A, 0x0C1F, 0x5D01
_TO, _CC, _BODY, _HTML, _RTF, _CLASS = 0x0E04, 0x0E03, 0x1000, 0x1013, 0x1009, 0x001A
_DATA, _LONG_NAME, _NAME, _SHOWN_NAME, _TYPE, _CONTENT_ID = 0x3701, 0x3707, 0x3704, 0x3001, 0x370E, 0x3712
_CODE_PAGE, _INTERNET_CODE_PAGE, _SUBMITTED = 0x3FFD, 0x3FDE, 0x0039

# Code pages that Python knows by other names.
_CODE_PAGES = {65001: "utf-8", 28591: "iso8859-1", 28605: "iso8859-15", 20127: "ascii"}
# Times count tenths of a microsecond from here.
_FIRST_TIME = datetime(1601, 1, 1, tzinfo=UTC)
_LAST_TICK = 10_000_000 * 86_400 * 365 * 1_000

# Exceptions of olefile on broken files.
_BROKEN = (OSError, ValueError, IndexError, KeyError, TypeError, AttributeError, OverflowError, struct.error)


def read_msg(path: Path, limits: ParseLimits) -> Iterator[Frame]:
    """Read a message as `read_eml` does.

    Raises:
        RefusalError: The file is broken, no message, encrypted, or larger than the limits.
    """
    message, parts, notices = _opened(path)
    yield from frames_of(message, parts, path.name, limits, notices)


def send_attachments(path: Path, _password: str | None, limits: ParseLimits) -> Iterator[Frame]:
    """Yield the files attached to a message; see `ingestion.parsing.formats.sender`."""
    _, parts, _ = _opened(path)
    yield from files_of(parts, limits)


def _opened(path: Path) -> tuple[Message, MessageParts, list[str]]:
    notices: list[str] = []
    try:
        if not olefile.isOleFile(str(path)):
            raise _refusal(path, "it is no Outlook message by its content")
        with olefile.OleFileIO(str(path)) as file:
            if not file.exists(_PROPERTIES):
                raise _refusal(path, "it holds no message")
            folder = _Folder(file, ())
            if "smime" in folder.text(_CLASS).lower():
                raise refuse_encrypted(path.name)
            message = _message(folder, notices, 0)
    except _BROKEN as error:
        raise _refusal(path, f"{type(error).__name__}: {error}") from error
    except RecursionError as error:
        raise _refusal(path, "its folders are nested too deeply") from error
    return message, parts_of(message, path.name), notices


def _refusal(path: Path, why: str) -> RefusalError:
    return RefusalError(
        Status.CORRUPT,
        f"{path.name!r} cannot be read as an Outlook message ({one_line(why)}); save it again in Outlook",
    )


class _Folder:
    """A folder of the file with its properties."""

    def __init__(self, file: olefile.OleFileIO, path: tuple[str, ...]) -> None:
        self._file = file
        self._path = path
        self._encoding = self._code_page(_CODE_PAGE) or "cp1252"

    def binary(self, number: int, kind: int = 0x0102) -> bytes:
        """A property's bytes; b"" without it."""
        return self._stream(f"__substg1.0_{number:04X}{kind:04X}")

    def text(self, number: int) -> str:
        """A property's text, in whichever of the two forms it is written; "" without it."""
        if data := self.binary(number, 0x001F):
            return data.decode("utf-16-le", "replace").rstrip("\0")
        return self.binary(number, 0x001E).decode(self._encoding, "replace").rstrip("\0")

    def line(self, number: int) -> str:
        return " ".join(self.text(number).split())

    def page(self) -> str:
        """The body in HTML."""
        if data := self.binary(_HTML):
            return data.decode(self._code_page(_INTERNET_CODE_PAGE) or self._encoding, "replace").rstrip("\0")
        return self.text(_HTML)

    def folders(self, beginning: str) -> Iterator["_Folder"]:
        """Yield the folders inside, whose names begin so."""
        depth = len(self._path)
        for path in sorted(self._file.listdir(streams=False, storages=True)):
            is_inside = len(path) == depth + 1 and tuple(path[:depth]) == self._path
            if is_inside and path[-1].startswith(beginning):
                yield _Folder(self._file, tuple(path))

    def _stream(self, name: str) -> bytes:
        path = [*self._path, name]
        if not self._file.exists(path) or self._file.get_type(path) != olefile.STGTY_STREAM:
            return b""
        with self._file.openstream(path) as stream:
            data: bytes = stream.read()
        return data

    def sent(self) -> str:
        """The time of sending as a header has it; "" without it."""
        ticks = self._fixed(0x0040, _SUBMITTED)
        if not 0 < ticks < _LAST_TICK:
            return ""
        return format_datetime(_FIRST_TIME + timedelta(microseconds=ticks // 10))

    def _code_page(self, number: int) -> str | None:
        """The encoding that a property names."""
        value = self._fixed(0x0003, number) & 0xFFFFFFFF
        try:
            return codecs.lookup(_CODE_PAGES.get(value, f"cp{value}")).name
        except LookupError:
            return None

    def _fixed(self, kind: int, number: int) -> int:
        """The value of a property of fixed size; 0 without it."""
        data = self._stream(_PROPERTIES)
        start = 32 if not self._path else 8 if self._path[-1].startswith(_ATTACHED) else 24
        for place in range(start, len(data) - 15, 16):
            found_kind, found, _, value = struct.unpack_from("<HHIQ", data, place)
            if (found_kind, found) == (kind, number):
                return int(value)
        return 0


def _message(folder: _Folder, notices: list[str], depth: int) -> Message:
    """A message with a body and attached files."""
    message = MIMEMultipart("mixed")
    sent = HeaderParser(policy=policy.compat32).parsestr(folder.text(_HEADERS))
    address = folder.line(_SENDER_SMTP) or folder.line(_SENDER_ADDRESS)
    sender = folder.line(_SENDER) + (f" <{address}>" if "@" in address else "")
    for name, value in (
        ("Subject", folder.line(_SUBJECT)),
        ("From", sender.strip() or sent.get("From")),
        ("To", folder.line(_TO) or sent.get("To")),
        ("Cc", folder.line(_CC) or sent.get("Cc")),
        ("Date", sent.get("Date") or folder.sent()),
    ):
        if value:
            message[name] = " ".join(str(value).split())
    plain, page = folder.text(_BODY), folder.page()
    if plain.strip() or page.strip():
        forms = MIMEMultipart("alternative")
        for text, kind in ((plain, "plain"), (page, "html")):
            if text.strip():
                forms.attach(MIMEText(text.encode("utf-8", "replace").decode("utf-8"), kind, "utf-8"))
        message.attach(forms)
    elif folder.binary(_RTF):
        notices.append("The message's body is only there as rich text, which is not read; save it as .eml.")
    for attached in folder.folders(_ATTACHED):
        message.attach(_attached(attached, notices, depth))
    return message


def _attached(folder: _Folder, notices: list[str], depth: int) -> Message:
    name = folder.line(_LONG_NAME) or folder.line(_NAME) or folder.line(_SHOWN_NAME)
    inner = next(folder.folders(_INNER), None)
    if inner is not None and depth < _MAX_DEPTH:
        return MIMEMessage(_message(inner, notices, depth + 1))
    kind = folder.line(_TYPE).lower()
    part = MIMEApplication(folder.binary(_DATA))
    if kind.startswith("image/") and folder.line(_CONTENT_ID):
        del part["Content-Type"]
        part["Content-Type"] = "image/unknown"
        part["Content-ID"] = folder.line(_CONTENT_ID)
        return part
    part.add_header("Content-Disposition", "attachment", filename=name or "unnamed")
    return part
