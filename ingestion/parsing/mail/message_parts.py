"""The parts of a message: which are its text, which are files."""

from dataclasses import dataclass, field
from email.errors import CloseBoundaryNotFoundDefect, StartBoundaryNotFoundDefect
from email.message import Message

from ingestion.parsing.encodings.decoding import decode_part
from ingestion.parsing.mail.message_writer import says_less

_DAMAGE = (CloseBoundaryNotFoundDefect, StartBoundaryNotFoundDefect)
# They certify the message and show nothing.
_SIGNATURES = ("application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature")
_ENCRYPTED = ("multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime")


@dataclass
class MessageParts:
    """The parts of a message in order.

    Attributes:
        texts: Of the body, as plain text or HTML.
        files: What is attached.
        pictures: The number of pictures that the body shows.
        is_damaged: Whether the message ends within a part.
        is_encrypted: Whether a part needs a key.
    """

    texts: list[Message] = field(default_factory=list)
    files: list[Message] = field(default_factory=list)
    pictures: int = 0
    is_damaged: bool = False
    is_encrypted: bool = False


def parts_of(message: Message, name: str) -> MessageParts:
    """Sort the parts of a message. `name` is the file's, for an error."""
    found = MessageParts()
    stack = [(message, True)]  # and whether its text counts
    while stack:
        part, is_read = stack.pop()
        kind = part.get_content_type()
        found.is_damaged |= any(isinstance(defect, _DAMAGE) for defect in part.defects)
        if kind in _ENCRYPTED:
            found.is_encrypted = True
        elif kind == "message/rfc822" and part is not message:
            found.files.append(part)
        elif part.is_multipart():
            inner = _inner(part)
            read = _alternative(inner, name) if kind == "multipart/alternative" else inner
            stack += [(one, is_read and any(one is other for other in read)) for one in reversed(inner)]
        elif _is_text(part):
            if is_read:
                found.texts.append(part)
        elif part.get_content_maintype() == "image" and _is_shown(part):
            found.pictures += 1
        elif kind not in _SIGNATURES:
            found.files.append(part)
    return found


def _alternative(forms: list[Message], name: str) -> list[Message]:
    """Which forms of one text are read: the plain one, unless it says much less than the last other one."""
    plain = next((form for form in forms if form.get_content_type() == "text/plain"), None)
    rich = next((form for form in reversed(forms) if _page_in(form) is not None), None)
    others = [form for form in forms if not _is_text(form) and not form.is_multipart()]
    if plain is None or rich is None:
        chosen = plain if plain is not None else rich if rich is not None else forms[-1] if forms else None
    else:
        page = _page_in(rich)
        chosen = rich if page is not None and says_less(_text(plain), _text(page), name) else plain
    return [*others, chosen] if chosen is not None else others


def _page_in(form: Message) -> Message | None:
    """The first text in HTML within a form."""
    stack = [form]
    while stack:
        part = stack.pop()
        if part.get_content_type() == "text/html" and not part.is_multipart():
            return part
        if part.is_multipart() and part.get_content_maintype() == "multipart":
            stack += reversed(_inner(part))
    return None


def _inner(part: Message) -> list[Message]:
    held = part.get_payload()
    return [one for one in held if isinstance(one, Message)] if isinstance(held, list) else []


def _text(part: Message) -> str:
    data = part.get_payload(decode=True)
    declared = part.get_content_charset()
    return decode_part(data, "", declared=declared).text if isinstance(data, bytes) else ""


def _is_text(part: Message) -> bool:
    """Whether a part belongs to the body. Mail programs show one without a name, of any kind of text."""
    if part.get_content_disposition() == "attachment" or part.get_filename():
        return False
    return part.get_content_type() in ("text/plain", "text/html", "text/rfc822-headers", "text/enriched")


def _is_shown(part: Message) -> bool:
    return part.get_content_disposition() != "attachment" and part.get("content-id") is not None
