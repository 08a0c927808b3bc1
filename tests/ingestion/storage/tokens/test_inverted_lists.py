"""Candidates of large libraries: codebooks, inverted lists, and what is scored because of them."""

import threading
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ingestion.errors import Cancelled, LibraryDamaged
from ingestion.storage.timing import Stopwatch
from ingestion.storage.tokens import codebook as codebooks
from ingestion.storage.tokens import indexing, inverted_lists
from ingestion.storage.tokens.codebook import Codebook, train
from ingestion.storage.tokens.codec import CodecSpec, Int8Codec, TokenArrays, store_tokens
from ingestion.storage.tokens.indexing import ChunkRun, index_runs
from ingestion.storage.tokens.inverted_lists import InvertedLists, ProbedCentroids, add_gains, probe_centroids
from ingestion.storage.tokens.kernel import native
from ingestion.storage.tokens.layout import section_of
from ingestion.storage.tokens.merge import merge
from ingestion.storage.tokens.segment import Segment
from ingestion.storage.tokens.store import TokenStore
from ingestion.storage.tokens.writing import SegmentData, write_segment

DIMENSIONS, TOPICS = 16, 40
SCALES = np.full(DIMENSIONS, 0.8 / 127, np.float32)

Floats = NDArray[np.float32]


def unit(vectors: Floats) -> Floats:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def topics_of(random: np.random.Generator, topics: int = TOPICS) -> Floats:
    return unit(random.normal(size=(topics, DIMENSIONS)).astype(np.float32))


def tokens_near(random: np.random.Generator, topics: Floats, count: int) -> Floats:
    own = topics[random.integers(len(topics), size=count)]
    return unit(own + 0.1 * random.normal(size=own.shape).astype(np.float32))


def values_of(vectors: Floats) -> NDArray[np.int8]:
    return Int8Codec(SCALES).encode(vectors)


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(0)


# Codebooks


def test_a_codebook_finds_the_topics(random: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codebooks, "CENTROIDS", TOPICS * 2)
    topics = topics_of(random)
    tokens = tokens_near(random, topics, 20_000)
    book = train(values_of(tokens), SCALES)
    assert book.codes.shape == (2 * TOPICS, DIMENSIONS)
    np.testing.assert_allclose(np.linalg.norm(book.centroids, axis=1), 1, atol=1e-5)
    assert ((book.centroids @ topics.T).max(axis=0) > 0.95).mean() > 0.9
    own = np.einsum("tk,tk->t", tokens, book.centroids[book.assign(values_of(tokens))])
    assert abs(book.fit - own.mean()) < 0.005
    assert book.fit > 0.9
    assert train(values_of(tokens), SCALES).key == book.key
    assert book.serves(values_of(tokens_near(random, topics, 5000)))
    assert not book.serves(values_of(tokens_near(random, topics_of(random), 5000)))


def test_rare_tokens_have_centroids_too(random: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codebooks, "CENTROIDS", 48)
    monkeypatch.setattr(codebooks, "_LIKES", 24)
    topics = topics_of(random, 12)
    common = tokens_near(random, topics[:2], 20_000)
    rare = tokens_near(random, topics[2:], 2000)  # a tenth
    book = train(values_of(np.concatenate([common, rare])), SCALES)
    own = (book.centroids @ topics.T).argmax(axis=1) >= 2
    assert own.mean() > 0.25


@pytest.mark.parametrize("count", [1, 5, 40])
def test_few_tokens_are_enough(random: np.random.Generator, count: int) -> None:
    values = values_of(tokens_near(random, topics_of(random), count))
    book = train(values, SCALES)
    assert len(book.codes) == max(count // 16, 1)
    assert set(book.assign(values)) <= set(range(len(book.codes)))


def test_assigning_by_cells_is_nearly_exact(
    random: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(codebooks, "_CELLS", 16)
    monkeypatch.setattr(codebooks, "_AROUND", 100)
    units = tokens_near(random, topics_of(random, 16), 600)
    book = Codebook(values_of(units), SCALES, 1.0)
    tokens = tokens_near(random, units, 4000)
    assert book._around is not None
    cosines = tokens @ book.centroids.T
    assigned = np.take_along_axis(cosines, book.assign(values_of(tokens))[:, None].astype(np.int64), axis=1)
    best = cosines.max(axis=1)
    assert 0 <= (best - assigned[:, 0]).mean() < 0.005


def test_training_stops_when_it_is_told(random: np.random.Generator) -> None:
    def stop() -> None:
        raise Cancelled("merging")

    with pytest.raises(Cancelled):
        train(values_of(tokens_near(random, topics_of(random), 100)), SCALES, stop)


# Lists


def by_hand() -> InvertedLists:
    """Three centroids along the axes; chunk 0 has the first, chunk 1 the first two, chunk 2 the third."""
    book = Codebook(np.eye(3, dtype=np.int8) * 127, np.full(3, 1 / 127, np.float32), 1.0)
    pairs = [np.array([0 << 16 | 1, 2 << 16 | 2], np.uint32), np.array([1 << 16 | 1, 0, 0], np.uint32)]
    return InvertedLists.of_pairs(book, pairs)


def test_lists_by_hand() -> None:
    listed = by_hand()
    assert listed.edges.tolist() == [0, 2, 3, 4]
    assert listed.chunks.tolist() == [0, 1, 1, 2]
    assert sorted(listed.pairs().tolist()) == [0, 1, 1 << 16 | 1, 2 << 16 | 2]
    query = np.array([[0.6, 0.8, 0], [0, 0, 1]], np.float32)
    # The two nearest centroids of each token count; the floors are .6 and 0.
    picks = probe_centroids(listed.codebook, query, probes=2)
    assert picks.centroids[:, 0].tolist() == [1, 2]
    np.testing.assert_allclose(picks.floor, 0.6, atol=1e-6)
    np.testing.assert_allclose(listed.estimates(picks, 4), [0.6, 0.8, 1.6, 0.6], atol=1e-6)
    every = probe_centroids(listed.codebook, query, probes=9)
    np.testing.assert_allclose(listed.estimates(every, 4), [0.6, 0.8, 1.0, 0.0], atol=1e-6)


def random_lists(random: np.random.Generator, chunks: int = 500, centroids: int = 64) -> InvertedLists:
    book = Codebook(values_of(topics_of(random, centroids)), SCALES, 1.0)
    keys = random.integers(centroids, size=6000) << 16 | random.integers(chunks, size=6000)
    return InvertedLists.of_pairs(book, [keys.astype(np.uint32)])


@pytest.mark.skipif(native.add_gains is None, reason="the extension was not compiled")
@pytest.mark.parametrize("tokens", [0, 1, 7, 40])
def test_compiled_estimates_are_the_plain_ones(random: np.random.Generator, tokens: int) -> None:
    listed = random_lists(random)
    picks = probe_centroids(listed.codebook, topics_of(random, tokens))
    plain = np.full(500, picks.floor, np.float32)
    add_gains(listed.chunks, listed.edges, picks.centroids, picks.gains, plain)
    assert listed.estimates(picks, 500).tobytes() == plain.tobytes()


@pytest.mark.skipif(native.add_gains is None, reason="the extension was not compiled")
def test_compiled_code_reads_and_writes_nothing_else(random: np.random.Generator) -> None:
    listed = random_lists(random)
    picks = probe_centroids(listed.codebook, topics_of(random, 4))
    bad = listed.edges.copy()
    bad[20:] += 10_000
    for edges, centroids, count, what in (
        (listed.edges, picks.centroids + 64, 500, "does not exist"),
        (listed.edges, picks.centroids - 64, 500, "does not exist"),
        (listed.edges, picks.centroids, 400, "does not exist"),
        (bad, picks.centroids, 500, "do not lie within"),
        (listed.edges[:0], picks.centroids, 500, "one edge more"),
    ):
        scores = np.zeros(count, np.float32)
        with pytest.raises(ValueError, match=what):
            native.add_gains(listed.chunks, np.ascontiguousarray(edges), centroids, picks.gains, scores)
    with pytest.raises(ValueError, match="gains"):
        native.add_gains(
            listed.chunks, listed.edges, picks.centroids, picks.gains[:2], np.zeros(500, np.float32)
        )


# Segments with lists


def write(path: Path, tokens: Floats, lengths: list[int], per: int = 5, codec: str = "int8") -> Segment:
    """Write a segment of documents of `per` chunks, named after the file."""
    spec, chunks = CodecSpec.parse(codec), len(lengths)
    offsets = np.cumsum([0, *lengths], dtype=np.int64)
    arrays = TokenArrays(tokens, offsets, np.zeros((len(tokens), 2), np.int32), np.zeros(0, np.bool_))
    stored = store_tokens(spec, SCALES, arrays)
    ids = [f"{path.stem}{i:05}".encode() for i in range(-(-chunks // per))]
    arrays_by_name = {
        "documents": np.array(ids, "|S24"),
        "versions": np.ones(len(ids), np.int32),
        "firsts": np.minimum(np.arange(len(ids) + 1) * per, chunks),
        "offsets": stored.offsets,
        "token_offsets": stored.token_offsets,
        "owners": stored.owners,
        "codes": stored.codes,
        "spans": stored.spans.astype(np.uint16),
        "cls": np.zeros((chunks, 0), np.float32),
        "mean": np.zeros((chunks, 0), np.float32),
    }
    sections = {name: section_of(name, array) for name, array in arrays_by_name.items() if array is not None}
    write_segment(path, SegmentData("m", codec, DIMENSIONS, sections))
    return Segment(path)


def merged(
    path: Path, *sources: Segment, without: tuple[str, ...] = (), books: tuple[Codebook, ...] = ()
) -> Segment:
    keys = [[key for key in one.document_keys() if key[0] not in without] for one in sources]
    write_segment(path, merge(list(zip(sources, keys, strict=True)), scales=SCALES, books=books).file)
    return Segment(path)


def listed_by(segment: Segment) -> InvertedLists:
    found = InvertedLists.of_segment(segment, SCALES)
    assert found is not None
    return found


class Passages:
    """Passages about some topics, and questions that some of them answer."""

    def __init__(self, random: np.random.Generator, chunks: int = 400) -> None:
        self.topics = topics_of(random)
        self.lengths = random.integers(4, 20, chunks).tolist()
        ends = np.cumsum(self.lengths)
        own = [random.choice(TOPICS, 6) for _ in range(chunks)]
        parts = [tokens_near(random, self.topics[some], n) for some, n in zip(own, self.lengths, strict=True)]
        self.tokens = np.concatenate(parts)
        self.edges = [0, *ends.tolist()]

    def part(self, first: int, last: int) -> tuple[Floats, list[int]]:
        return self.tokens[self.edges[first] : self.edges[last]], self.lengths[first:last]

    def query(self, random: np.random.Generator) -> Floats:
        return tokens_near(random, self.topics, 6)


@pytest.fixture
def passages(random: np.random.Generator, monkeypatch: pytest.MonkeyPatch) -> Passages:
    monkeypatch.setattr(indexing, "FEWEST_CHUNKS", 100)
    monkeypatch.setattr(codebooks, "CENTROIDS", 64)
    monkeypatch.setattr(inverted_lists, "PROBES", 8)
    return Passages(random)


@pytest.mark.parametrize("codec", ["int8", "int4", "int8-pool2", "int4-pool3"])
def test_merging_lists_is_listing_what_was_merged(tmp_path: Path, passages: Passages, codec: str) -> None:
    raw = [
        write(tmp_path / f"{name}.tok", *passages.part(first, last), codec=codec)
        for name, first, last in (("a", 0, 150), ("b", 150, 300), ("c", 300, 340))
    ]
    assert InvertedLists.of_segment(raw[0], SCALES) is None
    first = merged(tmp_path / "first.tok", raw[0])
    lists_of_first = listed_by(first)
    book = lists_of_first.codebook
    # All tokens are listed, each by its chunk.
    values = CodecSpec.parse(codec).vectors(SCALES).values(first.codes)
    owners = np.repeat(np.arange(150), np.diff(first.offsets))
    pairs = np.unique(book.assign(values).astype(np.uint32) << np.uint32(16) | owners.astype(np.uint32))
    np.testing.assert_array_equal(lists_of_first.pairs(), pairs)
    # Another segment with the same codebook, and one without lists; some documents are gone.
    second = merged(tmp_path / "second.tok", raw[1], books=(book,))
    assert listed_by(second).codebook.key == book.key
    gone = ("a00003", "b00000", "c00007")
    whole = merged(tmp_path / "whole.tok", first, second, raw[2], without=gone)
    assert len(whole) == 340 - 15
    assert listed_by(whole).codebook.key == book.key
    anew = index_runs(
        [ChunkRun(whole, 0, len(whole))], SCALES, CodecSpec.parse(codec).vectors(SCALES), [book]
    )
    assert anew is not None
    np.testing.assert_array_equal(listed_by(whole).pairs(), anew.pairs())
    whole.verify()


def test_only_large_segments_have_lists(
    tmp_path: Path, passages: Passages, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write(tmp_path / "a.tok", *passages.part(0, 100))
    assert InvertedLists.of_segment(merged(tmp_path / "b.tok", source), SCALES) is not None
    assert InvertedLists.of_segment(merged(tmp_path / "c.tok", source, without=("a00000",)), SCALES) is None
    monkeypatch.setattr(indexing, "MOST_CHUNKS", 99)
    assert InvertedLists.of_segment(merged(tmp_path / "d.tok", source), SCALES) is None
    empty = write(tmp_path / "e.tok", np.zeros((0, DIMENSIONS), np.float32), [0] * 150)
    assert InvertedLists.of_segment(merged(tmp_path / "f.tok", empty), SCALES) is None


def test_a_codebook_that_does_not_fit_is_not_used_again(
    tmp_path: Path, passages: Passages, random: np.random.Generator
) -> None:
    first = merged(tmp_path / "first.tok", write(tmp_path / "a.tok", *passages.part(0, 400)))
    book = listed_by(first).codebook
    others = Passages(random)
    other = write(tmp_path / "b.tok", *others.part(0, 400))
    assert listed_by(merged(tmp_path / "second.tok", other, books=(book,))).codebook.key != book.key


# Searching


@pytest.fixture
def store(tmp_path: Path, passages: Passages) -> TokenStore:
    """Two segments with lists, of 150 chunks each, and one without, of 100."""
    store = TokenStore(tmp_path, SCALES)
    first = merged(tmp_path / "first.tok", write(tmp_path / "a.tok", *passages.part(0, 150)))
    merged(
        tmp_path / "second.tok", write(tmp_path / "b.tok", *passages.part(150, 300)),
        books=(listed_by(first).codebook,),
    )  # fmt: skip
    write(tmp_path / "c.tok", *passages.part(300, 400))
    store.attach(FILES)
    return store


FILES = ["first.tok", "second.tok", "c.tok"]


def test_candidates_find_nearly_all(
    store: TokenStore, passages: Passages, random: np.random.Generator
) -> None:
    shares = []
    for _ in range(50):
        query, watch = passages.query(random), Stopwatch()
        exact = store.search(query, FILES, 10, watch=watch)
        assert exact.exhaustive
        assert list(watch.timings_ms) == ["gather", "score"]
        found = store.search(query, FILES, 10, exhaustive_up_to=399, candidates=60, watch=watch)
        assert not found.exhaustive
        assert not found.exact
        assert list(watch.timings_ms) == ["gather", "score", "candidates"]
        assert all(exact.scores[one] == found.scores[one] for one in exact.scores.keys() & found.scores)
        shares.append(len(exact.scores.keys() & found.scores.keys()) / 10)
        # All of the segment without lists is scored.
        in_c = {one: score for one, score in exact.scores.items() if one.startswith("c")}
        assert in_c.items() <= found.scores.items()
        every = store.search(query, FILES, 10, exhaustive_up_to=399, candidates=300)
        assert every.scores == exact.scores
        assert not every.exact  # it cannot know
    assert np.mean(shares) > 0.95


def test_as_many_are_scored_as_are_wanted(store: TokenStore, passages: Passages) -> None:
    query = passages.tokens[:6]
    found = store.search(query, FILES, 200, exhaustive_up_to=0, candidates=10)
    assert len(found.scores) == 200


def test_candidates_are_live_and_allowed(store: TokenStore, passages: Passages) -> None:
    query = passages.tokens[:6]
    store.tombstone("first.tok", ("a00000", 1))
    found = store.search(query, FILES, 400, exhaustive_up_to=0, candidates=400)
    assert len(found.scores) == 395
    assert not any(one.startswith("a00000") for one in found.scores)
    allowed = {f"b{i:05}": None for i in range(30)} | {"a00000": None, "a00001": [1, 3]}
    few = store.search(query, FILES, 400, allowed, exhaustive_up_to=0, candidates=20)
    assert few.scores.items() <= found.scores.items()
    assert {one.split(":")[0] for one in few.scores} <= allowed.keys()
    assert store.search(query, FILES, 5, {}, exhaustive_up_to=0).scores == {}
    assert store.search(query, FILES, 400, allowed).exhaustive  # 152 chunks are left


def flip(path: Path, section: str) -> None:
    segment = Segment(path)
    place = segment._sections[section].ctypes.data - segment._map.ctypes.data
    data = bytearray(path.read_bytes())
    data[place + 3] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("section", ["centroids", "list_edges", "list_chunks", "fit"])
def test_damaged_lists_cost_time_only(
    store: TokenStore, passages: Passages, tmp_path: Path, section: str
) -> None:
    flip(tmp_path / "second.tok", section)
    query = passages.tokens[:6]
    exact = store.search(query, FILES, 10)
    assert exact.exact
    found = store.search(query, FILES, 10, exhaustive_up_to=0, candidates=150)
    assert found.scores == exact.scores  # all of "first" are candidates, all of "second" are scored
    assert f"fails its checksum in {section}" in str(store.faults()["second.tok"])
    assert "run: rag-app repair" in str(store.faults()["second.tok"])
    with pytest.raises(LibraryDamaged, match=section):
        store.verify()


def test_lists_that_do_not_fit_are_refused(tmp_path: Path, passages: Passages) -> None:
    source = write(tmp_path / "a.tok", *passages.part(0, 150))
    file = merge([(source, source.document_keys())], scales=SCALES).file
    (chunks,) = file.sections["list_chunks"].parts
    sections = {**file.sections, "list_chunks": section_of("list_chunks", chunks + np.uint16(1))}
    write_segment(tmp_path / "b.tok", SegmentData("m", "int8", DIMENSIONS, sections))
    with pytest.raises(LibraryDamaged, match=r"the lists of .*b\.tok do not fit together"):
        InvertedLists.of_segment(Segment(tmp_path / "b.tok"), SCALES)


def test_codebooks_are_those_that_most_chunks_are_listed_by(
    store: TokenStore, passages: Passages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingestion.storage.tokens.attached.FEWEST_CHUNKS", 100)
    (book,) = store.codebooks()
    assert book.key == listed_by(Segment(store.folder / "first.tok")).codebook.key


def test_many_search_at_once(store: TokenStore, passages: Passages, random: np.random.Generator) -> None:
    queries = [passages.query(random) for _ in range(8)]
    alone = [store.search(query, FILES, 10, exhaustive_up_to=0).scores for query in queries]
    again = TokenStore(store.folder, SCALES)
    again.attach(FILES)
    found: dict[int, object] = {}

    def search(number: int) -> None:
        found[number] = again.search(queries[number], FILES, 10, exhaustive_up_to=0).scores

    threads = [threading.Thread(target=search, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[number] for number in range(8)] == alone


def test_memory_is_given_back(store: TokenStore, passages: Passages, monkeypatch: pytest.MonkeyPatch) -> None:
    released: list[Path] = []
    monkeypatch.setattr("ingestion.storage.tokens.store._MAPPED_BYTES", 30_000)
    monkeypatch.setattr(Segment, "release", lambda self: released.append(self.path))
    query = passages.tokens[:6]
    before = store.search(query, FILES, 10)
    assert released
    monkeypatch.undo()
    assert store.search(query, FILES, 10) == before


def test_released_segments_are_read_again(tmp_path: Path, passages: Passages) -> None:
    segment = write(tmp_path / "a.tok", *passages.part(0, 150))
    before = segment.codes.copy()
    for rows in (np.arange(150), np.arange(0, 150, 10), np.arange(0)):
        segment.fetch(rows)
        segment.release()
        np.testing.assert_array_equal(segment.codes, before)


def test_what_is_fetched_is_counted_in_blocks(tmp_path: Path, passages: Passages) -> None:
    path = write(tmp_path / "a.tok", *passages.part(0, 400)).path
    segment = Segment(path)
    block, width = 65_536, segment.codes.shape[1]
    bytes_before = segment.offsets * width
    for rows in ([0], [399], [0, 1], list(range(0, 100, 7))):
        blocks = [-(-int(bytes_before[row + 1]) // block) - int(bytes_before[row]) // block for row in rows]
        assert segment.fetch(np.array(rows)) == sum(blocks) * block
        segment.sound(np.array(rows))
        assert segment.fetch(np.array(rows)) == sum(blocks) * block  # also when they have been compared
    assert segment.fetch(np.zeros(0, np.int64)) == 0
    assert segment.fetch(np.arange(399)) == segment.codes.nbytes


def test_picks_are_values() -> None:
    listed = by_hand()
    picks = probe_centroids(listed.codebook, np.eye(3, dtype=np.float32), probes=1)
    assert isinstance(picks, ProbedCentroids)
    assert picks.gains.tolist() == [[0.0]] * 3
    assert listed.estimates(picks, 3).tolist() == [3.0] * 3
