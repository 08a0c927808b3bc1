"""Cards: what is known of each document beside its bytes, to rebuild a library without its catalogue.

    names/<sha256>.json   the documents that have these bytes: collection, name, paths, id and version (by
                          which segments know their vectors), and a hash of their chunks; no text

The catalogue stays the truth: a card is written after each change of it, and goes with the last document.
"""

import hashlib
import json
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from uuid import uuid4

from ingestion.documents import Chunk
from ingestion.storage.catalogue.catalogue import Catalogue
from ingestion.storage.catalogue.records import Document, StoredChunk

_FORMAT = 1
_LARGEST = 1 << 24  # bytes of a card that is read


@dataclass(frozen=True, slots=True)
class Card:
    """One document. `texts` is `texts_hash` of its chunks as `chunker` cut them."""

    collection: str
    name: str
    paths: tuple[str, ...]
    id: str
    version: int
    bytes: int
    chunker: int
    language: str
    added: str
    texts: str
    reader: int = 1  # the version of the parsers that made the text; cards of before it had none
    encoding: str | None = None  # the one that a person gave for its bytes


class Cards:
    """The cards of one library's folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "names"

    def note(self, catalogue: Catalogue, sha256: str) -> None:
        """Write the card of these bytes; remove it where no document has them."""
        cards = [card_of(catalogue, document) for document in catalogue.of_content(sha256)]
        file = self._file(sha256)
        if not cards:
            file.unlink(missing_ok=True)
            return
        self._folder.mkdir(mode=0o700, exist_ok=True)
        fields = {"format": _FORMAT, "documents": [asdict(card) for card in cards]}
        # Not flushed to the disk: the catalogue is written first, and a card is read only without it.
        new = file.with_name(f"{sha256}.{uuid4().hex[:8]}.new")
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as stream:  # noqa: PTH123
            json.dump(fields, stream, ensure_ascii=False)
        new.replace(file)

    def complete(self, catalogue: Catalogue) -> None:
        """Write the cards that are missing after a crash."""
        known = self.known()
        for sha256 in {document.sha256 for document in catalogue.documents()} - known:
            self.note(catalogue, sha256)

    def known(self) -> set[str]:
        """Return the hashes that there is a card of."""
        return {file.stem for file in self._folder.glob("*.json")}

    def read(self, sha256: str) -> list[Card]:
        """Return a card's documents; none where there is no card, or none that can be read."""
        with suppress(OSError, ValueError, KeyError, TypeError):
            file = self._file(sha256)
            if file.stat().st_size <= _LARGEST:
                fields = json.loads(file.read_text("utf-8"))
                if fields["format"] == _FORMAT:
                    return [Card(**{**one, "paths": tuple(one["paths"])}) for one in fields["documents"]]
        return []

    def _file(self, sha256: str) -> Path:
        return self._folder / f"{sha256}.json"


def card_of(catalogue: Catalogue, document: Document) -> Card:
    """Return a document's card as the catalogue has it."""
    paths, texts = tuple(catalogue.sources.of(document.id)), texts_hash(catalogue.chunks_of(document))
    fields = {name: getattr(document, name) for name in Card.__slots__ if name not in ("paths", "texts")}
    return Card(**fields, paths=paths, texts=texts)


def texts_hash(chunks: Iterable[Chunk | StoredChunk]) -> str:
    """Return a hash of the texts and context lines of chunks, in order."""
    whole = hashlib.blake2b(digest_size=16)
    for chunk in chunks:
        for text in (chunk.context, chunk.text):
            data = text.encode("utf-8", "surrogatepass")
            whole.update(len(data).to_bytes(8, "little") + data)
    return whole.hexdigest()
