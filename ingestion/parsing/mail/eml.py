"""E-mail messages (.eml): what a mail program shows, and the attached files as documents of their own.

The messages are parsed with the policy `compat32`: the newer one parses each header by a grammar, and raises
many kinds of errors on headers that are merely odd.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from email import message_from_bytes, policy
from email.errors import HeaderParseError, MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.utils import parsedate_to_datetime
from itertools import islice
from pathlib import Path

from ingestion.documents import FileProperties, Status
from ingestion.parsing.encodings.decoding import decode_part
from ingestion.parsing.frames import MAX_ATTACHMENTS, Attachment, Frame, RefusalError, TextDone
from ingestion.parsing.limits import ParseLimits
from ingestion.parsing.mail.message_parts import MessageParts, parts_of
from ingestion.parsing.mail.message_writer import write_head, write_page
from ingestion.parsing.shared.attached_files import own_names, sent
from ingestion.parsing.shared.missing_content import MissingContent
from ingestion.parsing.shared.page_writer import PageWriter
from ingestion.parsing.shared.properties import cleaned_properties
from ingestion.text.cleaning import one_line

# A message has several of these; a text that is none has no line that looks like one.
_USUAL = ("from", "to", "subject", "date", "received", "message-id", "mime-version", "return-path")
_MAX_HEADER = 20_000  # characters; a list of five hundred recipients


def read_eml(path: Path, limits: ParseLimits) -> Iterator[Frame]:
    """Read a message: subject, From, To, Cc and Date, then the body with what it quotes. Files are named.

    Raises:
        RefusalError: The file is no message, encrypted, nested too deeply, or larger than the limits.
    """
    message, parts = _opened(path)
    yield from frames_of(message, parts, path.name, limits)


def send_attachments(path: Path, _password: str | None, limits: ParseLimits) -> Iterator[Frame]:
    """Yield the files attached to a message; see `ingestion.parsing.formats.sender`."""
    _, parts = _opened(path)
    yield from files_of(parts, limits)


def frames_of(
    message: Message, parts: MessageParts, name: str, limits: ParseLimits, notices: Sequence[str] = ()
) -> Iterator[Frame]:
    """Yield a message's text and the names of its files.

    Args:
        message: Its headers.
        parts: Its body and its files.
        name: Of the file, for warnings and errors.
        limits: Of the text.
        notices: Warnings about what the parts lack.
    """
    subject = header(message, "subject")
    writer = PageWriter(name, limits)
    write_head(writer, subject, {name: header(message, name) for name in ("From", "To", "Cc", "Date")})
    missing = MissingContent(writer)
    for part in parts.texts:
        decoded = decode_part(payload(part), name, declared=part.get_content_charset())
        for warning in decoded.warnings:
            writer.warn(warning.text)
        if part.get_content_type() == "text/html":
            write_page(writer, decoded.text, name)
        else:
            writer.block(decoded.text)
    for _ in range(parts.pictures):
        missing.note("pictures within the message")
    missing.warn()
    for notice in notices:
        writer.warn(notice)
    if parts.is_damaged:
        writer.warn("The message is damaged or cut off: what it holds behind that place is not read.")
    if len(parts.files) > MAX_ATTACHMENTS:
        writer.warn(
            f"The message has {len(parts.files)} attached files; only the first {MAX_ATTACHMENTS} are read."
        )
    for number, attached in enumerate(_names(parts), 1):
        yield Attachment(number, attached)
    yield from writer.frames(one_line(subject) or None, _properties(message))


def files_of(parts: MessageParts, limits: ParseLimits) -> Iterator[Frame]:
    """Yield a message's files with their bytes, together at most as many as the limit."""
    left = limits.max_bytes
    for number, (name, part) in enumerate(zip(_names(parts), parts.files, strict=False), 1):
        data: bytes | None = payload(part)
        if data is not None and len(data) > left:
            data = None
        left -= len(data or b"")
        yield from sent(number, name, data)
    yield TextDone()


def refuse_encrypted(name: str) -> RefusalError:
    """Return the error for a message that needs a key."""
    return RefusalError(
        Status.UNSUPPORTED,
        f"{name!r} is encrypted, and its key is not here; save it decrypted in your mail program",
    )


def _opened(path: Path) -> tuple[Message, MessageParts]:
    try:
        message = message_from_bytes(path.read_bytes(), policy=policy.compat32)
        if not any(message.get(name) for name in _USUAL):
            raise RefusalError(
                Status.CORRUPT,
                f"{path.name!r} is no e-mail message: it does not begin with lines such as From and Subject; "
                "get a new copy, or rename it after what it is",
            )
        parts = parts_of(message, path.name)
    except RecursionError as error:
        raise RefusalError(
            Status.FAILED, f"{path.name!r} is nested too deeply to be read; save its attachments one by one"
        ) from error
    if parts.is_encrypted:
        raise refuse_encrypted(path.name)
    return message, parts


def _names(parts: MessageParts) -> Iterator[str]:
    return own_names(_raw_name(part) for part in islice(parts.files, MAX_ATTACHMENTS))


def _raw_name(part: Message) -> str:
    """The name of an attached file; a message's subject, or its type, where it has none."""
    import mimetypes

    name = decoded_words(part.get_filename() or "")
    if part.get_content_type() == "message/rfc822":
        inner = part.get_payload()
        subject = header(inner[0], "subject") if isinstance(inner, list) and inner else ""
        name = name or subject.replace("/", "-") or "message"
        return name if name.lower().endswith(".eml") else f"{name[:100]}.eml"
    if name:
        return name
    return f"unnamed{mimetypes.guess_extension(part.get_content_type()) or ''}"


def payload(part: Message) -> bytes:
    """The bytes of a part; of a message within the message, the whole message."""
    if part.get_content_type() == "message/rfc822":
        inner = part.get_payload()
        with suppress(MessageError, LookupError, ValueError, TypeError, AttributeError):  # odd headers
            return inner[0].as_bytes() if isinstance(inner, list) and isinstance(inner[0], Message) else b""
        return b""
    data = part.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""


def header(message: Message | str, name: str) -> str:
    """The words of a header in one line; "" without it."""
    if not isinstance(message, Message):
        return ""
    raw = next((str(value) for key, value in message.raw_items() if key.lower() == name.lower()), "")
    return decoded_words(raw.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))


def decoded_words(raw: str) -> str:
    """A header without the encoding of its words; as it stands where that is broken."""
    line = " ".join(raw[:_MAX_HEADER].split())
    with suppress(HeaderParseError, LookupError, ValueError):
        line = str(make_header(decode_header(line)))
    return " ".join(line.split())


def _properties(message: Message) -> FileProperties:
    said = header(message, "date")
    with suppress(ValueError, TypeError, IndexError, OverflowError):
        said = parsedate_to_datetime(said).date().isoformat()
    return cleaned_properties(author=header(message, "from"), date=said)
