"""Each kind of damage to each store: what a person sees, what repairs it, and what is lost.

docs/damage.md is the table of it. UPDATE_DAMAGE=1 writes its rows instead of comparing them; with
-m "soak or not soak" all of them.
"""

import fcntl
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from ingestion.documents import Chunk, Page, ParsedDocument, Status
from ingestion.encoders import Encoder, Encodings
from ingestion.library import Library, Source
from ingestion.pipeline.ingest import ingest
from ingestion.storage.originals import hash_file
from tests.helpers.commands import Run
from tests.helpers.damage import ANSWER, KINDS, QUESTION, STORES, DataFolder, contents, lost, said
from tests.helpers.documents import ingest_apart, write_documents
from tests.helpers.paths import ROOT

pytestmark = pytest.mark.slow

PAGE = ROOT / "docs" / "damage.md"
# The rest is run by `make soak`: a cell takes some ten processes' work.
ALWAYS = {
    ("catalogue", "missing"),
    ("index of words", "cut"),
    ("token segment", "flipped"),
    ("original", "flipped"),
    ("history", "cut"),
}
CELLS = [
    pytest.param(store, kind, marks=() if (store, kind) in ALWAYS else pytest.mark.soak)
    for store in STORES
    for kind in KINDS
]
ASK = ("ask", QUESTION, "--json")
VERIFY = ("verify", "--json")
REPAIR = ("repair", "--json")
REBUILD = ("repair", "--rebuild", "--json")
RECEIPTS = ("receipts", "--json")
# Rows that Chroma puts into graph files.
MANY = 1_100


def settings(place: Path) -> None:
    (place / "settings.toml").write_text("top_k = 3\n")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Path:
    """A data folder with two documents and their originals, one that came without its own, and a receipt.

    The files that they came from are gone. In `killed` lies a copy of the moment after one more was added.
    """
    place = tmp_path_factory.mktemp("damage")
    files = write_documents(place / "files")
    (files / "letter.txt").write_text("The lighthouse at Hook Point was lit in 1172 by monks.")
    (place / "tide.txt").write_text("The tide turns at six.")
    settings(place)
    (place / "killed").mkdir()
    settings(place / "killed")
    with Library.open(place / "data", encoder) as library:
        ingest_apart(library, files)
        letter = library.original(hash_file(files / "letter.txt")[0])
    letter.unlink()
    letter.with_suffix(".absent").touch()
    shutil.rmtree(files)
    shutil.rmtree(place / "data" / "snapshots", ignore_errors=True)
    (asked,) = DataFolder(place).run(ASK)
    assert ANSWER in asked.json["answer"]
    shutil.rmtree(place / "data" / "snapshots", ignore_errors=True)
    with Library.open(place / "data", encoder) as library:
        library.snapshots.are_due = lambda **_: False  # type: ignore[method-assign]
        list(ingest(library, [place / "tide.txt"]))
        shutil.copytree(place / "data", place / "killed" / "data")
    (place / "tide.txt").unlink()
    return place


@pytest.fixture(scope="module")
def large_template(template: Path, tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Path:
    """The same with a document of many chunks, whose vectors are chance's."""
    place = tmp_path_factory.mktemp("large")
    shutil.copytree(template / "data", place / "data")
    settings(place)
    words = [f"w{number}" for number in range(MANY)]
    text = " ".join(words)
    (place / "many.txt").write_text(text)
    starts = np.cumsum([0, *(len(word) + 1 for word in words[:-1])])
    chunks = [
        Chunk(i, 1, int(start), int(start) + len(word), word)
        for i, (start, word) in enumerate(zip(starts, words, strict=True))
    ]
    generator = np.random.default_rng(7)

    def unit(columns: int) -> "np.ndarray[tuple[int, int], np.dtype[np.float32]]":
        vectors = generator.normal(size=(MANY, columns)).astype(np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    offsets, spans = np.arange(MANY + 1, dtype=np.int64), np.zeros((MANY, 2), np.int32)
    vectors = Encodings(cls=unit(384), mean=unit(384), tokens=unit(128), offsets=offsets, spans=spans)
    with Library.open(place / "data", encoder) as library:
        source = Source(
            str(place / "many.txt"), "many.txt", *hash_file(place / "many.txt"), place / "many.txt"
        )
        parsed = ParsedDocument(Status.OK, None, None, 1, (Page(1, text),))
        library.add(1, source, parsed, chunks, {1: vectors}, language="en")
    (place / "many.txt").unlink()
    return place


@pytest.fixture
def folder(store: str, request: pytest.FixtureRequest, tmp_path: Path) -> DataFolder:
    """A copy to be damaged."""
    place: Path = request.getfixturevalue("large_template" if store == "Chroma's graphs" else "template")
    if store == "catalogue's log":
        place = place / "killed"
    shutil.copytree(place / "data", tmp_path / "data")
    shutil.copyfile(place / "settings.toml", tmp_path / "settings.toml")
    return DataFolder(tmp_path)


def problems(run: Run, field: str = "problems") -> list[str]:
    if run.code < 0 or not run.out:
        return [run.err or f"the process is killed by signal {-run.code}"]
    return [
        f"{one['store']}: {one['document'] + ': ' if one['document'] else ''}{one['what']}"
        for one in run.json[field]
    ]


@pytest.mark.parametrize(("store", "kind"), CELLS)
def test_what_damage_shows_and_costs(store: str, kind: str, folder: DataFolder) -> None:
    before = contents(folder.data)
    STORES[store](folder, kind)
    steps = (ASK, VERIFY, REPAIR, VERIFY, ASK, RECEIPTS)
    chroma = "damaged" if store.startswith(("catalogue", "Chroma")) else "sound"
    asked, verified, repaired, again, asked_again, receipts = folder.run(*steps, chroma=chroma)
    seen = see(asked, verified)
    mend = "nothing" if verified.out and verified.json["ok"] else "`repair`"
    if repaired.code and "repair --rebuild" in repaired.out + repaired.err:
        mend = "`repair --rebuild`"
        _, again, asked_again, receipts = folder.run(REBUILD, VERIFY, ASK, RECEIPTS)
    if not again.out:
        mend = "a person"
        costs = ["nothing, once the file is put right" if store == "settings" else again.err]
    else:
        assert store == "history" or ANSWER in asked_again.json["answer"]
        costs = lost(before, contents(folder.data))
        if not again.json["ok"]:
            mend = "a person"
    if store == "history" and (receipts.code or len(receipts.json["receipts"]) < 3):
        costs.append("conversations, receipts and judgements")
    # Nothing is lost where an original exists, but for the original itself.
    for name in (name for name, parts in before.items() if parts["original"] is not None):
        allowed = {f"the original of {name}"} if store == "original" else set()
        assert {cost for cost in costs if name in cost} <= allowed, costs

    cells = ["; ".join(said(part, folder.place) for part in seen), mend, "; ".join(costs) or "nothing"]
    check_row(store, kind, f"| {store} | {kind} | {' | '.join(cells)} |")


def see(asked: Run, verified: Run) -> list[str]:
    """Return what a person sees: the refusal, or the answer, and what verifying says."""
    if asked.code < 0:
        first = f"asking is killed by signal {-asked.code}"
    elif asked.code:
        first = f"refused: {asked.err.removeprefix('rag-app: ')}"
    else:
        right = ANSWER in asked.json["answer"]
        first = "the answer is right" if right else "the answer is wrong or missing"
        if warnings := [*asked.json["warnings"], *asked.json["flags"]]:
            first += f", with a warning: {warnings[0]}"
    if asked.code and not verified.out and verified.err == asked.err:
        return [first]
    told = problems(verified)
    return [first, f"`verify` says: {told[0] if told else 'nothing is wrong'}"]


def check_row(store: str, kind: str, row: str) -> None:
    """Compare a row of the page, or write it."""
    begins = f"| {store} | {kind} |"
    with PAGE.open("r+", encoding="utf-8") as page:
        fcntl.flock(page, fcntl.LOCK_EX)
        lines = page.read().splitlines()
        place = next((number for number, line in enumerate(lines) if line.startswith(begins)), None)
        if not os.environ.get("UPDATE_DAMAGE"):
            assert place is not None, f"docs/damage.md has no row {begins}: run with UPDATE_DAMAGE=1"
            assert lines[place] == row
            return
        assert place is not None
        lines[place] = row
        page.seek(0)
        page.truncate()
        page.write("\n".join(lines) + "\n")


def test_the_page_has_a_row_for_every_cell() -> None:
    rows = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ")][1:]
    assert [tuple(row.strip("| ").split(" | ")[:2]) for row in rows] == [
        (store, kind) for store in STORES for kind in KINDS
    ]
