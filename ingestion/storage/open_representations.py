"""Open representations: their rows in the catalogue, their token vectors, the models that make them."""

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from ingestion.encoders import Encoder
from ingestion.errors import InvalidInput, LibraryDamaged, StaleRepresentation, UnknownName
from ingestion.storage.catalogue.database import Database
from ingestion.storage.catalogue.records import Representation
from ingestion.storage.catalogue.representations import RepresentationTable
from ingestion.storage.tokens.codec import INT8, CodecSpec
from ingestion.storage.tokens.store import TokenStore

BUILTIN_NAME = "builtin"

# Documents named when a segment that they share is damaged.
_NAMED = 3


class OpenRepresentation:
    """One model's vectors of the whole library. The model is loaded when it is first needed."""

    def __init__(self, record: Representation, tokens: TokenStore, load: Callable[[], Encoder]) -> None:
        self.record = record
        self.tokens = tokens
        self._load = load
        self._lock = threading.Lock()
        self._encoder: Encoder | None = None

    @property
    def id(self) -> int:
        return self.record.id

    @property
    def name(self) -> str:
        return self.record.name

    @property
    def encoder(self) -> Encoder:
        """The model. Raises ModelError where it cannot be loaded."""
        with self._lock:
            if self._encoder is None:
                self._encoder = self._load()
            return self._encoder

    @property
    def is_fresh(self) -> bool:
        """Whether the model at hand is the one that made the vectors."""
        return self.encoder.fingerprint == self.record.fingerprint

    def check_kind(self, reading: str) -> None:
        """Raises InvalidInput where this model gives no such vectors, StaleRepresentation where another
        one made them."""
        if reading not in self.record.vector_kinds:
            raise InvalidInput(
                f"the representation {self.name} has no {reading} vectors, only "
                f"{', '.join(self.record.vector_kinds)}; choose a strategy that reads these"
            )
        self.check_fresh()

    def check_fresh(self) -> None:
        """Raises StaleRepresentation where another model made the vectors."""
        if not self.is_fresh:
            raise StaleRepresentation(
                f"the representation {self.name} was made by {self.record.fingerprint}, and the model here "
                f"is {self.encoder.fingerprint}; make it anew, while what is there stays: rag-app reindex"
            )


class OpenRepresentations:
    """Every representation that is searched or being built. Readers see those of when they began."""

    def __init__(
        self, table: RepresentationTable, folder: Path, encoder: Encoder, load: Callable[[str], Encoder]
    ) -> None:
        self._table = table
        self._folder = folder
        self._encoder = encoder
        self._load = load
        self._open: dict[int, OpenRepresentation] = {}

    def _explain(self, file: str, error: LibraryDamaged) -> LibraryDamaged:
        names = self._table.document_names(file) or [file]
        whose = names[0] if len(names) == 1 else f"{len(names)} documents ({', '.join(names[:_NAMED])}…)"
        return LibraryDamaged(f"the token vectors of {whose} are damaged ({error}); run: rag-app repair")

    def all(self) -> list[OpenRepresentation]:
        return list(self._open.values())

    def ready(self) -> list[OpenRepresentation]:
        return [opened for opened in self._open.values() if opened.record.state == "ready"]

    def by_id(self, identity: int) -> OpenRepresentation:
        """Raises KeyError where it is not open."""
        return self._open[identity]

    def named(self, name: str) -> OpenRepresentation:
        """Return a representation that can be searched. Raises UnknownName."""
        for opened in self.ready():
            if opened.name == name:
                return opened
        known = [opened.name for opened in self.ready()]
        raise UnknownName("representation", name, known, advice="rag-app reindex adds one")

    def writable(self) -> list[OpenRepresentation]:
        """Return the representations that a new document is encoded for.

        Raises StaleRepresentation where another model made the built-in one.
        """
        self.named(BUILTIN_NAME).check_fresh()
        return [opened for opened in self._open.values() if opened.is_fresh]

    def load(self, source: str) -> Encoder:
        """Return a representation's model. Raises ModelError where it cannot be loaded."""
        return self._encoder if source == BUILTIN_NAME else self._load(source)

    def open(self, record: Representation) -> OpenRepresentation:
        """Open a representation, or give an open one its new row."""
        known = self._open.get(record.id)
        if known:
            known.record = record
            return known
        load = (
            (lambda: self._encoder) if record.source == BUILTIN_NAME else partial(self._load, record.source)
        )
        scales = record.scales if record.scales is not None else np.zeros(0, np.float32)
        opened = OpenRepresentation(
            record, TokenStore(self._folder, scales, CodecSpec.parse(record.codec), self._explain), load
        )
        self._open = {**self._open, record.id: opened}
        return opened

    def close(self, opened: OpenRepresentation) -> None:
        """Search a representation no more."""
        self._open = {key: value for key, value in self._open.items() if key != opened.id}

    def open_all(self, database: Database) -> None:
        """Open what the catalogue lists; a new library begins with the built-in representation."""
        records = self._table.all("ready", "building")
        if not any(record.name == BUILTIN_NAME for record in records):
            with database.transaction() as connection:
                records.append(self._table.insert(connection, describe(BUILTIN_NAME, self._encoder)))
        for record in records:
            self.open(record)


def describe(
    name: str, encoder: Encoder, *, source: str = BUILTIN_NAME, codec: str = INT8.name
) -> Representation:
    """Return a representation's row for a model, as yet without an id."""
    return Representation(
        id=0,
        name=name,
        source=source,
        vector_kinds=tuple(sorted(encoder.vector_kinds)),
        fingerprint=encoder.fingerprint,
        dimension=encoder.dimension,
        token_dimension=encoder.token_dimension,
        codec=codec,
        scales=encoder.scales,
        state="ready",
    )
