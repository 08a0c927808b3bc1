"""Damaged files of Chroma: an error with advice, and never the end of the process that reads them."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ingestion.errors import LibraryDamaged
from ingestion.storage.vectors.hnsw import Header, check_index
from ingestion.storage.vectors.probing import Lines, run_probe
from ingestion.storage.vectors.store import VectorStore, embedded_chroma
from tests.helpers.paths import ROOT

FILES = (
    "data_level0.bin",
    "header.bin",
    "index_metadata.pickle",
    "length.bin",
    "link_lists.bin",
    "chroma.sqlite3",
)
RUN_PROBE = "ingestion.storage.vectors.soundness.run_probe"
COUNT, WIDTH = 1500, 16  # Chroma writes its graphs to files from 1,000 vectors on
NAMES = [f"a:1:{number}" for number in range(COUNT)]
VECTORS = np.random.default_rng(0).normal(size=(COUNT, WIDTH)).astype(np.float32)

# Opens copies of a folder, each with one damaged file, and searches them.
# A line before each case says which case ends the process.
CASES = """
import json, sys
from pathlib import Path
from tests.ingestion.storage.vectors.test_damage import damaged, searched
for case in json.loads(sys.argv[2]):
    print(case, flush=True)
    print(searched(damaged(Path(sys.argv[1]), *case)), flush=True)
"""


def opened(folder: Path) -> VectorStore:
    return VectorStore(partial(embedded_chroma, folder), folder)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two indexes that was closed."""
    folder = tmp_path_factory.mktemp("chroma") / "sound"
    folder.mkdir()
    store = opened(folder)
    for pooling in ("cls", "mean"):
        store.upsert(1, pooling, NAMES, VECTORS, [1] * COUNT)
    store.close()
    return folder


@pytest.fixture
def folder(template: Path, tmp_path: Path) -> Path:
    return shutil.copytree(template, tmp_path / "chroma")


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The plans of the child processes that were started."""
    plans: list[object] = []

    def noted(plan: Any) -> tuple[Lines, int]:
        plans.append(plan)
        return run_probe(plan)

    monkeypatch.setattr(RUN_PROBE, noted)
    return plans


def damaged(template: Path, name: str, how: str, seed: int, noted: bool) -> Path:
    """Copy a folder and damage one of its files; without `noted` as if the last process had been killed."""
    folder = template.parent / "damaged"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(template, folder)
    if not noted:
        (folder / "closed.json").unlink()
    chance = random.Random(f"{name} {how} {seed}")
    file = chance.choice(sorted(folder.rglob(name)))
    data = bytearray(file.read_bytes())
    if how == "missing":
        file.unlink()
    elif how == "flipped":
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        file.write_bytes(data)
    else:
        file.write_bytes(data[: chance.randrange(len(data)) if how == "cut" else 0])
    return folder


def searched(folder: Path) -> str:
    """Search both indexes; return "found", or the error's message."""
    store = opened(folder)
    try:
        for pooling in ("cls", "mean"):
            for vector in VECTORS[::100]:
                store.query(1, pooling, vector, 5)
    except LibraryDamaged as error:
        return str(error)
    finally:
        store.close()
    return "found"


def outcomes(template: Path, cases: list[tuple[str, str, int, bool]]) -> Iterator[tuple[str, str]]:
    """Yield how each case was damaged, and what a person sees; the process that searches must not die."""
    command = [sys.executable, "-W", "ignore", "-c", CASES, str(template), json.dumps(cases)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode == 0, f"{done.stdout[-300:]} {done.stderr[-1000:]}"
    lines = done.stdout.splitlines()
    assert len(lines) == 2 * len(cases)
    yield from zip([how for _, how, _, _ in cases], lines[1::2], strict=True)


@pytest.mark.parametrize("noted", [True, False], ids=["closed", "killed"])
@pytest.mark.soak
@pytest.mark.slow
def test_no_damage_to_one_file_ends_the_process(template: Path, noted: bool) -> None:
    cases = [
        (name, how, seed, noted)
        for name in FILES
        for seed, how in enumerate(("missing", "empty", "cut", "flipped"))
    ]
    assert_told(outcomes(template, cases))


@pytest.mark.parametrize("name", FILES)
@pytest.mark.soak
@pytest.mark.slow
def test_no_damage_to_one_file_ends_the_process_anywhere(template: Path, name: str) -> None:
    times = {"missing": 2, "empty": 2, "cut": 15, "flipped": 60}
    cases = [(name, how, seed, seed % 2 == 0) for how, count in times.items() for seed in range(count)]
    assert_told(outcomes(template, cases))


def assert_told(outcomes: Iterator[tuple[str, str]]) -> None:
    for how, seen in outcomes:
        # A byte of a vector may be any byte: searching such an index harms nobody.
        assert "run: rag-app repair" in seen or (how == "flipped" and seen == "found")
        assert "colbert and bm25 still work" in seen or seen == "found"


@pytest.mark.parametrize("byte", [0, 4, 20, 28, 36, 44, 52, 56, 60, 68, 76, 90, 95])
def test_a_wrong_byte_in_a_header_is_told_without_a_child(
    folder: Path, children: list[object], byte: int
) -> None:
    for file in folder.glob("*/header.bin"):
        data = bytearray(file.read_bytes())
        data[byte] ^= 0xFF
        file.write_bytes(data)
    store = opened(folder)
    with pytest.raises(LibraryDamaged, match=r"header\.bin (is no|says).*run: rag-app repair"):
        store.query(1, "cls", VECTORS[0], 1)
    assert isinstance(store.fault, LibraryDamaged)
    assert children == []
    store.close()


def test_every_link_to_nowhere_is_told(folder: Path) -> None:
    index = next(folder.glob("*/header.bin")).parent
    header = Header.read(index)
    assert header
    assert check_index(index) == header.vectors > 1000
    chance = random.Random(1)
    for name, first in (("data_level0.bin", 4), ("link_lists.bin", None)):
        whole = (index / name).read_bytes()
        if first is None:  # the first vector of a higher level: its size, its number of links, its links
            words = np.frombuffer(whole, "<u4")
            at = 4 * int(np.flatnonzero(words)[0]) + 8
        else:
            at = chance.randrange(header.vectors) * header.element + first
        for value in (header.vectors, 0xFFFFFFFF):
            data = bytearray(whole)
            data[at : at + 4] = value.to_bytes(4, "little")
            (index / name).write_bytes(data)
            with pytest.raises(LibraryDamaged, match=f"{name} links to vectors that it does not have"):
                check_index(index)
        (index / name).write_bytes(whole)
    check_index(index)


def test_labels_are_read_without_running_what_they_hold(folder: Path) -> None:
    index = next(folder.glob("*/header.bin")).parent
    (index / "index_metadata.pickle").write_bytes(b"cos\nsystem\n(S'touch pickled'\ntR.")
    with pytest.raises(LibraryDamaged, match=r"holds an object, os\.system"):
        check_index(index)


# When a child looks


def test_a_closed_folder_and_its_copy_are_opened_without_a_child(
    folder: Path, template: Path, children: list[object]
) -> None:
    for sound in (template, folder, folder):
        assert searched(sound) == "found"
    assert children == []


def test_few_vectors_are_opened_without_a_child(tmp_path: Path, children: list[object]) -> None:
    """They lie in Chroma's database, and their index is empty."""
    store = opened(tmp_path)
    store.upsert(1, "cls", NAMES[:9], VECTORS[:9], [1] * 9)
    store.close()
    (tmp_path / "closed.json").unlink()
    store = opened(tmp_path)
    assert [name for name, _ in store.query(1, "cls", VECTORS[3], 1)] == [NAMES[3]]
    store.close()
    assert children == []


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.ingestion.storage.vectors.test_damage import NAMES, VECTORS, opened
store = opened(Path(sys.argv[1]))
store.upsert(1, "cls", NAMES[:100], VECTORS[:100], [2] * 100)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.slow
@pytest.mark.parametrize("harm", [False, True])
def test_after_a_kill_a_child_looks_once(folder: Path, children: list[object], harm: bool) -> None:
    command = [sys.executable, "-c", KILLED, str(folder)]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == -signal.SIGKILL
    if harm:
        for file in folder.glob("*/data_level0.bin"):
            data = bytearray(file.read_bytes())
            data[: len(data) // 2] = os.urandom(len(data) // 2)
            file.write_bytes(data)
        assert "run: rag-app repair" in searched(folder)
        return
    assert searched(folder) == "found"
    assert len(children) == 1
    assert searched(folder) == "found"
    assert len(children) == 1


def test_damage_while_it_is_open_is_looked_at_when_it_is_opened_again(
    folder: Path, children: list[object]
) -> None:
    """What is open is in memory; closing must not take the damaged file for a sound one."""
    store = opened(folder)
    store.query(1, "cls", VECTORS[0], 1)
    for file in folder.glob("*/header.bin"):
        file.write_bytes(file.read_bytes()[:50])
    assert store.query(1, "cls", VECTORS[0], 1)[0][0] == NAMES[0]
    store.close()
    assert "header.bin is no header" in searched(folder)


@pytest.mark.parametrize(
    ("lines", "ended", "told"),
    [
        ([{"names": []}, {"begin": "c1-cls"}], -signal.SIGSEGV, "reading c1-cls ends the process (SIGSEGV)"),
        ([], -signal.SIGABRT, "opening its folder ends the process (SIGABRT)"),
        ([{"error": "c1-cls cannot be read: no"}], 0, "c1-cls cannot be read: no"),
    ],
)
def test_the_death_of_the_child_is_an_error_with_advice(
    folder: Path, monkeypatch: pytest.MonkeyPatch, lines: Lines, ended: int, told: str
) -> None:
    (folder / "closed.json").write_text("{")
    look: Callable[[object], tuple[Lines, int]] = lambda _: (lines, ended)  # noqa: E731
    monkeypatch.setattr(RUN_PROBE, look)
    seen = searched(folder)
    assert told in seen
    assert "run: rag-app repair" in seen
