"""Adding, replacing, deleting, merging and opening again, in any order, against a plain model in memory."""

import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from numpy.typing import NDArray

from ingestion.encoders import Encoder
from ingestion.library import Library
from ingestion.storage.catalogue.records import Document, Scope
from ingestion.storage.tokens.codec import Int8Codec
from ingestion.storage.tokens.maxsim import maxsim
from tests.helpers.made_documents import put, unit
from tests.helpers.store_contents import assert_whole

Floats = NDArray[np.float32]

# Twelve files, so that merges by eights come about; a chunk may have no token, and a document no chunk.
NAMES = st.sampled_from([f"{letter}.txt" for letter in "abcdefghijkl"])
LENGTHS = st.lists(st.integers(0, 6), max_size=5)
FEW = 4


class LibraryMachine(RuleBasedStateMachine):
    """The model: by file its document, and the tokens of each chunk."""

    encoder: Encoder

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.random = np.random.default_rng(0)
        self.model: dict[str, tuple[Document, list[Floats]]] = {}
        self.texts = 0
        self.query = unit(self.random, 3)
        self.library = self.open()
        scales = self.library.representation().record.scales
        assert scales is not None
        self.codec = Int8Codec(scales)

    def open(self) -> Library:
        return Library.open(self.folder / "library", self.encoder)

    @initialize(names=st.lists(NAMES, min_size=1, max_size=9, unique=True))
    def fill(self, names: list[str]) -> None:
        for name in names:
            self.put(name, [2, 1])

    @rule(name=NAMES, lengths=LENGTHS)
    def put(self, name: str, lengths: list[int]) -> None:
        self.texts += 1
        passages = [unit(self.random, length) for length in lengths]
        # Equal chunks in several documents: their order must not depend on where they lie.
        if passages and len(passages[0]) == 1:
            passages[0] = unit(np.random.default_rng(1), 1)
        self.model[name] = put(self.library, name, f"text {self.texts}", passages), passages

    @rule(data=st.data())
    @precondition(lambda self: self.model)
    def delete(self, data: st.DataObject) -> None:
        names = data.draw(st.lists(st.sampled_from(sorted(self.model)), min_size=1, max_size=6, unique=True))
        self.library.delete(*(self.model.pop(name)[0] for name in names))

    @rule(everything=st.booleans())
    def merge(self, everything: bool) -> None:
        self.library.merger.run(everything=everything)

    @rule()
    def open_again(self) -> None:
        self.library.close()
        self.library = self.open()

    @invariant()
    def finds_what_the_model_finds(self) -> None:
        expected = self.expected(set(self.model))
        assert self.found(Scope((1,))) == expected
        # With lists where a segment has them, and room for every candidate.
        assert self.found(Scope((1,)), exhaustive_up_to=0, candidates=1000) == expected
        # With room for a few, what is found has its exact score.
        few = self.found(Scope((1,)), exhaustive_up_to=0, candidates=FEW, limit=FEW // 2)
        assert len(few) == min(FEW // 2, len(expected))
        assert set(few) <= set(expected)
        assert self.found(Scope((1,)), limit=3) == expected[:3]

    @invariant()
    def narrows_as_the_model_does(self) -> None:
        names = set(sorted(self.model)[::2])
        ids = frozenset(self.model[name][0].id for name in names)
        assert self.found(Scope((1,), ids)) == self.expected(names)
        assert self.found(Scope((1,), frozenset())) == []
        first = [one for one in self.expected(names) if one[0].endswith(":0")]
        assert self.found(Scope((1,), ids, (1, 1))) == first

    def found(
        self, scope: Scope, *, exhaustive_up_to: int = 10_000, candidates: int = 1000, limit: int = 1000
    ) -> list[tuple[str, float]]:
        allowed = self.library.catalogue.allowed(scope)
        found = self.library.tokens.search(
            self.query, self.library.segments(scope), limit, allowed,
            exhaustive_up_to=exhaustive_up_to, candidates=candidates,
        )  # fmt: skip
        assert not found.unreadable
        assert not found.lost
        return list(found.scores.items())

    def expected(self, names: set[str]) -> list[tuple[str, float]]:
        """Return (chunk id, MaxSim) of all chunks, best first, those with equal scores by id."""
        query = self.codec.encode_query(self.query)
        scored = []
        for name in names:
            document, passages = self.model[name]
            for chunk, tokens in zip(document.chunk_ids(), passages, strict=True):
                offsets = np.array([0, len(tokens)])
                scored.append((chunk, float(maxsim(query, self.codec.encode(tokens), offsets)[0])))
        return sorted(scored, key=lambda one: (-one[1], one[0]))

    def teardown(self) -> None:
        try:
            assert_whole(self.library)
        finally:
            self.library.close()
            shutil.rmtree(self.folder)


@pytest.mark.slow
@pytest.mark.parametrize("examples", [4, pytest.param(40, marks=pytest.mark.soak)])
def test_any_order_of_changes(encoder: Encoder, monkeypatch: pytest.MonkeyPatch, examples: int) -> None:
    # Small enough for lists, and for files that are full, to come about.
    monkeypatch.setattr("ingestion.storage.tokens.indexing.FEWEST_CHUNKS", 8)
    monkeypatch.setattr("ingestion.storage.tokens.attached.FEWEST_CHUNKS", 8)
    monkeypatch.setattr("ingestion.storage.segment_merging.MAX_CHUNKS", 24)
    monkeypatch.setattr(LibraryMachine, "encoder", encoder, raising=False)
    LibraryMachine.TestCase.settings = settings(
        max_examples=examples, stateful_step_count=15, deadline=None, derandomize=True, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    LibraryMachine.TestCase().runTest()
