"""Bytes of text formats to text.

An encoding that the user names comes first, then a byte order mark, the file's own declaration, UTF-8, and at
last a guess from the bytes. A guess comes with a `FileWarning`; a file that stays doubtful is refused.
"""

import codecs
from dataclasses import dataclass
from pathlib import Path

from ingestion.documents import Status
from ingestion.parsing.encodings.names import encoding_named, shown_name
from ingestion.parsing.frames import FileWarning, RefusalError
from ingestion.text.cleaning import MAX_CONTROL_SHARE, control_share

# The mark of UTF-32 (little-endian) begins with that of UTF-16, so it is tried first.
MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

# The first bytes of other kinds of file, and what to do with such a file.
_OTHER_KINDS = (
    (b"%PDF-", "a PDF", "rename it to end in .pdf"),
    (b"PK\x03\x04", "a ZIP archive (.docx, .epub and others are)", "give it its own suffix"),
    (b"\xd0\xcf\x11\xe0", "a file of an old Office program", "save it as .docx, .pptx or .xlsx"),
    (b"{\\rtf", "rich text (RTF)", "rename it to end in .rtf"),
)

# Control characters that no text has; ISO-2022 needs the escape character.
_CONTROLS = bytes({*range(0x20), 0x7F} - {*b"\t\n\v\f\r\x1b"})
# The share of non-ASCII characters that may be damaged in a text that is otherwise clear.
_MOST_DAMAGED = 0.02
_FEW = 3

_SAY_IT = (
    "save it as UTF-8, or say its encoding: rag-app ingest --encoding NAME, or the field Encoding on the "
    "page Library"
)


@dataclass(frozen=True, slots=True)
class Decoded:
    """A text, and warnings about how it was decoded."""

    text: str
    warnings: tuple[FileWarning, ...] = ()


def decode(path: Path, *, declared: str | None = None, told: str | None = None) -> Decoded:
    """The text of a file.

    Args:
        path: The file, which is held in memory.
        declared: The encoding that the text itself declares; ignored if it does not fit.
        told: The encoding that the user names (see `encoding_named`); a byte order mark takes precedence.

    Raises:
        RefusalError: The file is binary, of another format, not in the encoding of its mark or of the user,
            or in an encoding that cannot be detected.
    """
    data = path.read_bytes()
    for beginning, kind, advice in _OTHER_KINDS:
        if data.startswith(beginning):
            raise RefusalError(Status.UNSUPPORTED, f"{path.name!r} is {kind} by its content; {advice}")
    for mark, encoding in MARKS:
        if data.startswith(mark):
            return Decoded(_marked(data, mark, encoding, path.name))
    decoded = decode_unmarked(data, path.name, declared=declared, told=told)
    if control_share(decoded.text) > MAX_CONTROL_SHARE:
        raise _binary(path.name)
    return decoded


def decode_unmarked(
    data: bytes, name: str, *, declared: str | None = None, told: str | None = None
) -> Decoded:
    """Decode bytes without a byte order mark; see `decode`."""
    if told is not None:
        return _told(data, name, told)
    declared = encoding_named(declared) if declared else None
    if b"\0" not in data and b"\x1b$" not in data and (text := _decoded(data, "utf_8")) is not None:
        return _utf8(data, text, name, declared)
    if declared is not None and declared != "utf_8":
        honoured = _declared(data, declared)
        if honoured is not None:
            return Decoded(honoured)
    return _guessed(data, name, declared)


def decode_part(data: bytes, name: str, *, declared: str | None = None) -> Decoded:
    """Decode a part of a file, such as a chapter or a message's body: a doubtful one does not end the file.

    Args:
        data: Its bytes, with or without a byte order mark.
        name: Of the part, for a warning.
        declared: The encoding that the file declares; ignored if it does not fit.
    """
    for mark, encoding in MARKS:
        if data.startswith(mark):
            return Decoded(data[len(mark) :].decode(encoding, errors="replace"))
    try:
        return decode_unmarked(data, name, declared=declared)
    except RefusalError:
        text = data.decode("utf-8", "replace")
        return Decoded(
            text, (FileWarning(f"{name!r} has characters in no encoding that is clear, shown as \ufffd."),)
        )


def _marked(data: bytes, mark: bytes, encoding: str, name: str) -> str:
    try:
        return data[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        raise RefusalError(
            Status.CORRUPT,
            f"{name!r} says that it is {encoding.upper()}, but byte {error.start + len(mark)} "
            "is not; save it again as UTF-8",
        ) from error


def _told(data: bytes, name: str, told: str) -> Decoded:
    from ingestion.parsing.encodings.detection import compare

    if told in ("utf_16", "utf_32"):  # no mark says which byte comes first
        told = compare(data, (f"{told}_le", f"{told}_be"))[0].encoding
    try:
        text = data.decode(told)
    except UnicodeDecodeError as error:
        raise RefusalError(
            Status.UNSUPPORTED,
            f"{name!r} is not {shown_name(told)}, as was said: byte {error.start} does not fit; name another "
            "encoding, or none",
        ) from error
    if b"\0" in data and "\0" in text:
        raise _binary(name)
    if told != "utf_8" and not data.isascii() and _decoded(data, "utf_8") is not None:
        return Decoded(
            text,
            (
                FileWarning(
                    f"{name!r} was read as {shown_name(told)}, as was said, but its bytes are UTF-8, too."
                ),
            ),
        )
    return Decoded(text)


def _decoded(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def _utf8(data: bytes, text: str, name: str, declared: str | None) -> Decoded:
    """Bytes that are valid UTF-8, unless the declared encoding makes a more plausible text."""
    if declared is None or declared == "utf_8" or data.isascii():
        return Decoded(text)
    from ingestion.parsing.encodings.detection import compare

    other = _decoded(data, declared)
    if other is not None and compare(data, (declared, "utf_8"))[0].encoding == declared:
        return Decoded(other)
    said = f"{name!r} declares {shown_name(declared)}, but its bytes are UTF-8; it was read as UTF-8."
    return Decoded(text, (FileWarning(said),))


def _declared(data: bytes, declared: str) -> str | None:
    """The text in the declared encoding, if it is plausible."""
    from ingestion.parsing.encodings.detection import compare

    text = _decoded(data, declared)
    if text is None or "\0" in text or not compare(data, (declared,))[0].is_plausible:
        return None
    return text


def _guessed(data: bytes, name: str, declared: str | None) -> Decoded:
    from ingestion.parsing.encodings.detection import guess

    guessed = guess(data)
    best = guessed.best
    controls = len(data) - len(data.translate(None, _CONTROLS))
    if best is None and (b"\0" in data or controls > MAX_CONTROL_SHARE * len(data)):
        raise _binary(name)
    if best is None:
        raise _doubtful(name, guessed.tried)
    text = data.decode(best.encoding, "replace")
    if b"\0" in data and "\0" in text:
        raise _binary(name)
    damaged = text.count("\ufffd")
    if damaged > max(_FEW, _MOST_DAMAGED * sum(character > "\x7f" for character in text)):
        raise _doubtful(name, guessed.tried)
    warnings = []
    if best.encoding != "utf_8":
        said = (
            f"says that it is {shown_name(declared)}, which does not fit"
            if declared
            else "does not say its encoding"
        )
        warnings.append(
            f"{name!r} {said}; it was read as {shown_name(best.encoding)} by its look. If letters are wrong, "
            "ingest it again with --encoding NAME."
        )
    if damaged:
        warnings.append(
            f"{name!r} has {damaged} characters that are damaged in {shown_name(best.encoding)}; they are "
            "shown as \ufffd."
        )
    return Decoded(text, tuple(map(FileWarning, warnings)))


def _binary(name: str) -> RefusalError:
    return RefusalError(
        Status.UNSUPPORTED, f"{name!r} is not text but binary data; save it as UTF-8 text, or leave it out"
    )


def _doubtful(name: str, tried: tuple[str, ...]) -> RefusalError:
    names = ", ".join(map(shown_name, tried)) or "none that fits"
    return RefusalError(
        Status.UNSUPPORTED,
        f"the encoding of {name!r} cannot be told: it is not UTF-8, and none of {names} is clearly right; "
        f"{_SAY_IT}",
    )
