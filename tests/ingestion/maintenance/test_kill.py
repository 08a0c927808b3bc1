"""kill -9 at random moments of every kind of change, and what is left on the disk of deleted text."""

import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ingestion.encoders import Encoder
from ingestion.errors import LibraryInUse
from ingestion.library import Library
from ingestion.maintenance import compact, verify
from ingestion.pipeline.ingest import ingest
from tests.helpers.processes import run_forked
from tests.helpers.store_contents import assert_whole, bytes_on_disk
from tests.helpers.turned_encoder import Turned

# Carries out operations one by one; each is noted before and after, flushed to the disk. A thread kills the
# process so many seconds after one of them began.
CHILD = """
import json, os, signal, sys, threading, time
from pathlib import Path
from ingestion.maintenance import compact
from ingestion.encoders import builtin_encoder
from ingestion.library import Library
from ingestion.pipeline.ingest import ingest
from ingestion.maintenance.reindex import reindex
from tests.helpers.turned_encoder import Turned

folder, files, notes, plan = map(Path, sys.argv[1:])
operations, killed_at, delay = json.loads(plan.read_text())
encoder = builtin_encoder()
load = lambda source: Turned(encoder, "turned", int(source))
with Library.open(folder, encoder, load=load) as library, notes.open("a") as note:
    library.encoder.encode_query("warm")
    library.vectors.names()

    def tell(*words):
        print(*words, file=note, flush=True)
        os.fsync(note.fileno())

    for number, (kind, name, text) in enumerate(operations):
        tell("begin", kind)
        started = time.perf_counter()
        if number == killed_at:
            threading.Timer(delay, os.kill, (os.getpid(), signal.SIGKILL)).start()
        if kind == "put":
            path = files / name
            path.write_text(text)
            (result,) = ingest(library, [path])
            assert result.status.is_success, result
        elif kind == "delete":
            library.delete(*(d for d in library.catalogue.documents() if d.name == name))
        elif kind == "compact":
            compact(library)
        elif kind == "reindex":
            reindex(library, name, source=text)
        else:
            raise AssertionError(kind)
        tell("end", kind, time.perf_counter() - started)
    os._exit(0)
"""

Operation = tuple[str, str, str]
NAMES = [f"{number}.txt" for number in range(5)]
TRIES = 10  # a point: an operation may end before it is killed


def unlike(generator: random.Random, count: int) -> list[str]:
    """Return words that nothing else contains, in letters that stemming leaves alone."""
    return ["".join(generator.choices("bdfghjkmprtvwz", k=12)) for _ in range(count)]


def text_of(generator: random.Random, name: str) -> str:
    """A document of two pages and chunks, each of words that no other document has."""
    pages = [" ".join(unlike(generator, 6)) for _ in range(2)]
    return f"Tree {name} bore {pages[0]}.\n\fAnd then {pages[1]}."


@dataclass
class Expected:
    """What the library must hold: the text by name, the words that must be nowhere, and what a further
    representation may have been made by."""

    texts: dict[str, str] = field(default_factory=dict)
    dead: set[str] = field(default_factory=set)
    turned: set[str] = field(default_factory=set)

    def apply(self, operation: Operation) -> None:
        kind, name, text = operation
        if kind == "reindex":
            self.turned = {f"turned-{text}"}
        former = self.texts.pop(name, "") if kind in ("put", "delete") else ""
        if kind == "put":
            self.texts[name] = text
        self.dead |= words_of(former)
        self.dead -= {word for text in self.texts.values() for word in words_of(text)}


def words_of(text: str) -> set[str]:
    return {word.strip(".") for word in text.split() if len(word.strip(".")) == 12}


def plan(generator: random.Random, count: int) -> list[Operation]:
    """Return random operations: adding and replacing, deleting, compacting, and changing the model of a
    representation beside the built-in one."""
    operations: list[Operation] = []
    for _ in range(count):
        name = generator.choice(NAMES)
        kind = generator.choices(("put", "delete", "compact", "reindex"), (5, 3, 2, 2))[0]
        if kind == "reindex":
            operations.append((kind, "turned", generator.choice("123")))
        else:
            operations.append((kind, name, text_of(generator, name) if kind == "put" else ""))
    return operations


def remaining(folder: Path, words: Iterable[str]) -> set[str]:
    """Return which of the words are in any file of the library, in any case."""
    data = bytes_on_disk(folder).lower()
    return {word for word in words if word.encode() in data}


def check(library: Library, expected: Expected) -> None:
    """Each committed document is there and complete in every store, and what is gone is gone."""
    assert_whole(library)
    report = verify(library)
    assert report.ok, report.problems
    assert stored_texts(library) == expected.texts
    assert remaining(library.folder, expected.dead) == set()
    ready = {
        index.record.fingerprint for index in library.open_representations.ready() if index.name == "turned"
    }
    assert ready <= expected.turned
    assert len(ready) == 1 or "" in expected.turned or not expected.turned
    expected.turned = ready
    check_searches(library, expected)


def check_searches(library: Library, expected: Expected) -> None:
    """No store returns a chunk that is not visible, and each finds what is there by its own words."""
    scope = library.catalogue.scope()
    visible = {i for d in library.catalogue.documents() for i in d.chunk_ids()}
    for word in sorted(expected.dead)[:3]:
        assert library.catalogue.words.search(word, scope, 99).hits == []
    for text in list(expected.texts.values())[:2]:
        word = max(words_of(text), key=text.index)  # the last one
        (hit,) = library.catalogue.words.search(word, scope, 99).hits
        assert word in library.catalogue.chunks([hit[0]])[hit[0]].text
        for index in library.open_representations.ready():
            tokens = index.encoder.encode_query(word).tokens
            found = index.tokens.search(tokens, library.segments(scope, index), 99)
            assert set(found.scores) == visible
        query = library.encoder.encode_query(word)
        for pooling, vector in (("cls", query.cls[0]), ("mean", query.mean[0])):
            assert {i for i, _ in library.vectors.query(1, pooling, vector, 99)} == visible  # type: ignore[arg-type]


def outcome(notes: Path, seconds: dict[str, float]) -> tuple[int, bool]:
    """Return how many operations were finished, and whether a further one had begun. Learn what they take."""
    lines = [line.split() for line in notes.read_text().splitlines()] if notes.exists() else []
    notes.unlink(missing_ok=True)
    finished = [line for line in lines if line[0] == "end"]
    for _, kind, took in finished:
        seconds[kind] = float(took)
    return len(finished), len(lines) > 2 * len(finished)


@pytest.mark.parametrize(
    "points",
    [
        pytest.param(2, marks=pytest.mark.slow),
        pytest.param(200, marks=[pytest.mark.soak, pytest.mark.timeout(7200)]),
    ],
)
def test_a_killed_change_is_whole_or_undone(tmp_path: Path, encoder: Encoder, points: int) -> None:
    seed = int(os.environ.get("RAG_TEST_SEED", random.randrange(10**6)))
    print(f"seed {seed}: to repeat, set RAG_TEST_SEED")
    generator = random.Random(seed)
    library, files, notes, plan_file = (tmp_path / name for name in ("library", "files", "notes", "plan"))
    files.mkdir()
    expected, within = Expected(), Counter[str]()
    seconds = {"put": 0.5, "delete": 0.05, "compact": 0.5, "reindex": 0.3}
    for _ in range(TRIES * points):
        if within.total() == points:
            break
        operations = plan(generator, 4)
        place = generator.randrange(len(operations))
        delay = generator.uniform(0, 0.8 * seconds[operations[place][0]])
        plan_file.write_text(json.dumps([operations, place, delay]))
        ended = run_forked(CHILD, library, files, notes, plan_file)
        assert ended in (0, -signal.SIGKILL)
        finished, begun = outcome(notes, seconds)
        for operation in operations[:finished]:
            expected.apply(operation)
        with opened_soon(library, encoder) as opened:
            if begun:
                within[operations[finished][0]] += 1
                if took_place(opened, operations[finished], expected):
                    expected.apply(operations[finished])
            check(opened, expected)
    print(f"killed within {dict(within)}")
    assert within.total() == points


def opened_soon(folder: Path, encoder: Encoder) -> Library:
    """Open a library whose process was killed. If it was just starting the child that parses, that one
    has the lock, too, until it has become another program."""

    def opened() -> Library:
        return Library.open(folder, encoder, load=lambda source: Turned(encoder, "turned", int(source)))

    for _ in range(600):
        try:
            return opened()
        except LibraryInUse:
            time.sleep(0.1)
    return opened()


def took_place(library: Library, operation: Operation, expected: Expected) -> bool:
    """Return whether the operation that was killed had been committed; it must be the one or the other.
    The words of a version that never became visible are dead as well."""
    kind, name, text = operation
    present = next((d for d in library.catalogue.documents() if d.name == name), None)
    if kind == "delete":
        return present is None
    if kind == "put":
        chunks = library.catalogue.chunks(present.chunk_ids()).values() if present else ()
        if any(words_of(text) & words_of(chunk.text) for chunk in chunks):
            return True
        expected.dead |= words_of(text)
    if kind == "reindex":  # the former one, of which there may be none, or the new one
        expected.turned |= {f"turned-{text}", *([] if expected.turned else [""])}
    return False


# Many files

NOTES = 24
# Ingests a folder; each result is noted, flushed to the disk. Dies so many seconds after the start.
NOTES_CHILD = """
import os, signal, sys, threading
from pathlib import Path
from ingestion.encoders import builtin_encoder
from ingestion.library import Library
from ingestion.pipeline.ingest import ingest

folder, files, notes, delay = sys.argv[1:]
with Library.open(Path(folder), builtin_encoder()) as library, open(notes, "a") as note:
    library.encoder.encode_query("warm")
    library.vectors.names()
    threading.Timer(float(delay), os.kill, (os.getpid(), signal.SIGKILL)).start()
    for result in ingest(library, [Path(files)]):
        assert result.status.is_success, result
        print(result.name, file=note, flush=True)
        os.fsync(note.fileno())
    os._exit(0)
"""


@pytest.mark.parametrize(
    "points",
    [
        pytest.param(1, marks=pytest.mark.slow),
        pytest.param(20, marks=[pytest.mark.soak, pytest.mark.timeout(7200)]),
    ],
)
def test_of_many_notes_each_is_whole_or_absent_after_a_kill(
    tmp_path: Path, encoder: Encoder, points: int
) -> None:
    """Notes that are parsed by one child and committed together, new ones and such that replace others."""
    seed = int(os.environ.get("RAG_TEST_SEED", random.randrange(10**6)))
    print(f"seed {seed}: to repeat, set RAG_TEST_SEED")
    generator = random.Random(seed)
    library, files, noted = tmp_path / "library", tmp_path / "files", tmp_path / "noted"
    files.mkdir()
    names = [f"{number:02}.txt" for number in range(NOTES)]
    former: dict[str, str] = {}
    longest, within = 2.0, 0
    for _ in range(TRIES * points):
        texts = {name: text_of(generator, name) for name in names}
        for name, text in texts.items():
            (files / name).write_text(text)
        ended = run_forked(NOTES_CHILD, library, files, noted, str(generator.uniform(0, longest)))
        assert ended in (0, -signal.SIGKILL)
        done = set(noted.read_text().split()) if noted.exists() else set()
        noted.unlink(missing_ok=True)
        within += ended != 0
        longest *= 0.7 if ended == 0 else 1.0 if done else 1.4  # towards what it takes on this machine
        with opened_soon(library, encoder) as opened:
            assert_whole(opened)
            assert verify(opened).ok
            held = stored_texts(opened)
            assert all(text in (texts[name], former.get(name)) for name, text in held.items())
            assert held.keys() >= former.keys()
            assert {name for name in names if held.get(name) == texts[name]} >= done
            former = held
        if within == points:
            break
    assert within == points
    with opened_soon(library, encoder) as opened:  # and what is left can follow
        assert all(result.status.is_success for result in ingest(opened, [files]))
        assert stored_texts(opened) == texts
        assert_whole(opened)


def stored_texts(library: Library) -> dict[str, str]:
    """Return the text of each document, its pages joined as a file has them, by name."""
    texts = {}
    for document in library.catalogue.documents():
        pages = [page.text.strip() for page in library.catalogue.parsed(document).pages]
        texts[document.name] = "\n\f".join(pages)
    return texts


# Residue


@pytest.mark.parametrize(
    ("documents", "operations"),
    [
        pytest.param(6, 20, marks=pytest.mark.slow),
        pytest.param(60, 400, marks=[pytest.mark.soak, pytest.mark.timeout(3600)]),
    ],
)
def test_no_word_of_a_dead_document_is_in_any_file(
    library: Library, tmp_path: Path, documents: int, operations: int
) -> None:
    """Small documents are where a store keeps copies of rows that it moves: deleted and replaced in random
    order, none of their words is left, of their headings neither, while the library is open and after it is
    closed."""
    seed = int(os.environ.get("RAG_TEST_SEED", random.randrange(10**6)))
    print(f"seed {seed}: to repeat, set RAG_TEST_SEED")
    generator = random.Random(seed)
    expected = Expected()
    names = [f"{number}.html" for number in range(documents)]

    def put(*some: str) -> None:
        for name in some:
            heading, word = unlike(generator, 2)
            html = f"<h1> {heading} </h1><p> The {word} fell. </p>"
            expected.apply(("put", name, html))
            (tmp_path / name).write_text(expected.texts[name])
        assert all(r.status.is_success for r in ingest(library, [tmp_path / name for name in some]))

    def delete(*some: str) -> None:
        library.delete(*(d for d in library.catalogue.documents() if d.name in some))
        for name in some:
            expected.apply(("delete", name, ""))

    put(*names)
    for number in range(operations):
        some = generator.sample(names, generator.choice((1, 1, 1, 4)))
        generator.choice((put, put, delete))(*some)
        if number % 20 == 0:
            assert remaining(library.folder, expected.dead) == set()
    assert len(expected.dead) > operations
    assert remaining(library.folder, expected.dead) == set()
    check_searches(library, expected)
    alive = {word for text in expected.texts.values() for word in words_of(text)}
    assert remaining(library.folder, alive) == alive  # the search would find them
    compact(library)
    assert_whole(library)
    library.close()
    assert remaining(library.folder, expected.dead) == set()
