"""kill -9 while documents are being ingested, at random moments."""

import os
import random
import shutil
import signal
import time
from pathlib import Path

import pytest
from store_contents import assert_whole
from warm_process import WarmProcess

from ingestion.encoders import Encoder
from ingestion.library import Library
from ingestion.pipeline import ingest

CHILD = """
import sys
from pathlib import Path
from ingestion.encoders import builtin_encoder
from ingestion.library import Library
from ingestion.pipeline import ingest

with Library.open(Path(sys.argv[1]), builtin_encoder()) as library:
    for result in ingest(library, [Path(sys.argv[2])]):
        assert result.status.is_success, result
"""
FILES = 4


def write_files(folder: Path, edition: int) -> None:
    """Small documents of six pages and chunks; two have the same bytes, some change with each edition."""
    folder.mkdir(exist_ok=True)
    for number in range(FILES):
        changing = edition if number % 2 else 0
        pages = [f"Tree {number} of edition {changing} bore {page} apples." for page in range(6)]
        (folder / f"{number}.txt").write_text("\n\f".join(pages))
    shutil.copy(folder / "1.txt", folder / "copy.txt")


@pytest.mark.parametrize(
    "points",
    [
        pytest.param(10, marks=pytest.mark.slow),
        pytest.param(200, marks=[pytest.mark.soak, pytest.mark.timeout(3600)]),
    ],
)
def test_a_killed_ingest_leaves_no_half_document(tmp_path: Path, encoder: Encoder, points: int) -> None:
    seed = int(os.environ.get("RAG_TEST_SEED", random.randrange(10**6)))
    print(f"seed {seed}: to repeat, set RAG_TEST_SEED")
    generator = random.Random(seed)
    library, files = tmp_path / "library", tmp_path / "files"
    killed = 0
    write_files(files, 0)
    with WarmProcess() as warm:
        started = time.perf_counter()
        assert warm.run(CHILD, [str(tmp_path / "first"), str(files)]) == 0
        longest = time.perf_counter() - started
        for edition in range(1, points + 1):
            write_files(files, edition)
            if generator.random() < 0.3:
                shutil.rmtree(library, ignore_errors=True)
            moment = generator.uniform(0.05, longest)
            ended = warm.run(CHILD, [str(library), str(files)], kill_after=moment)
            assert ended in (0, -signal.SIGKILL)
            if ended == 0:
                longest = moment  # it was done by then: the machine is faster now
            else:
                killed += 1
            with Library.open(library, encoder) as opened:
                assert_whole(opened)
                results = list(ingest(opened, [files]))
                assert {str(result.status) for result in results} <= {"ok", "unchanged", "duplicate"}
                assert_whole(opened)
                assert len(opened.catalogue.documents()) == FILES
                for document in opened.catalogue.documents():
                    assert (document.status, document.pages) == ("ok", 6), document
                    pages = [opened.catalogue.page(document.id, number) for number in range(1, 7)]
                    texts = [page.text.strip() for page in pages if page]
                    assert "\n\f".join(texts) == (files / document.name).read_text()
    assert killed >= points // 3
