"""Strategies side by side: ranks, overlaps, the command and the API's route."""

from dataclasses import replace
from pathlib import Path

import pytest

from ingestion.errors import InvalidInput
from ingestion.library import Library
from ingestion.pipeline.ingest import ingest
from ingestion.storage.catalogue.records import StoredChunk
from rag_app.answering.answers import AskOptions
from rag_app.config.settings import Settings
from rag_app.evaluation.sizes import Sizes
from rag_app.service.composition import Assistant
from retrievers.comparison import Column, check_columns, compare
from retrievers.hits import Hit
from retrievers.strategies import STRATEGIES

CRANE = "When did the crane's cable break?"


def column(strategy: str, *chunks: str) -> Column:
    hits = tuple(
        Hit(rank, StoredChunk(chunk, "d", "d", "c", 0, 1, 0, 1, None, "", "x"), 1.0 / rank, {})
        for rank, chunk in enumerate(chunks, start=1)
    )
    return Column(strategy, None, True, hits, {"total": 1.0}, 10)


def test_ranks_and_overlaps_by_hand() -> None:
    found = compare("?", [column("a", "p", "q", "r"), column("b", "q", "s"), column("c")])
    assert [(row.chunk_id, row.ranks) for row in found.rows] == [
        ("q", (2, 1, None)), ("p", (1, None, None)), ("s", (None, 2, None)), ("r", (3, None, None)),
    ]  # fmt: skip
    assert [(one.left, one.right, one.shared, one.either, one.share) for one in found.overlaps] == [
        (0, 1, 1, 4, 0.25), (0, 2, 0, 3, 0.0), (1, 2, 0, 2, 0.0),
    ]  # fmt: skip


def test_columns_that_found_nothing_are_the_same() -> None:
    found = compare("?", [column("a"), column("b")])
    assert found.rows == ()
    assert found.overlaps[0].share == 1.0


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ([("mean", None)], "1 to compare; choose 2 to 4"),
        ([(name, None) for name in ("cls", "mean", "bm25", "colbert", "hybrid")], "5 to compare"),
        ([("mean", None), ("mean", None)], "mean is there twice"),
        ([("mean", "x"), ("cls", None), ("mean", "x")], r"mean \+ x is there twice"),
    ],
)
def test_what_cannot_be_compared(columns: list[tuple[str, str | None]], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        check_columns(columns)


def test_each_column_is_what_a_search_finds(stored: Library) -> None:
    assistant = Assistant(Settings(data_dir=stored.folder), stored)
    options = [AskOptions(name, top_k=3) for name in ("mean", "bm25", "colbert")]
    found = assistant.compare(CRANE, options)
    for one, asked in zip(found.columns, options, strict=True):
        alone = assistant.search(CRANE, asked)
        assert [hit.chunk.id for hit in one.hits] == [hit.chunk.id for hit in alone.hits]
        assert one.exact == alone.exact
        assert one.stored_bytes > 0
    ranks = {row.chunk_id: row.ranks for row in found.rows}
    for place, one in enumerate(found.columns):
        assert all(ranks[hit.chunk.id][place] == hit.rank for hit in one.hits)
    assert ranks[found.columns[0].hits[0].chunk.id][0] == 1


def test_sizes_follow_the_library(library: Library, files: Path) -> None:
    sizes = Sizes(library)
    before = {name: sizes.of(strategy) for name, strategy in STRATEGIES.items()}
    assert before["colbert"] == 0
    assert [result.status for result in ingest(library, [files])] == ["ok", "ok"]
    assert sizes.of(STRATEGIES["colbert"]) > before["colbert"]


def test_columns_share_stages_and_find_what_each_finds_alone(
    stocked: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    assistant = Assistant(Settings(data_dir=stocked.folder), stocked)
    names = ("fusion", "cascade", "hybrid", "mean")
    options = [replace(assistant.options(), strategy=name) for name in names]
    alone = [assistant.search(CRANE, one) for one in options]
    asked: list[int] = []
    nearest = stocked.scan.nearest

    def counted(*args: object, **named: object) -> object:
        asked.append(1)
        return nearest(*args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(stocked.scan, "nearest", counted)
    found = assistant.compare(CRANE, options)
    # Three strategies scan the vectors to the same depth, once; `mean` scans them to its own.
    assert len(asked) == 2
    for column, result in zip(found.columns, alone, strict=True):
        assert [(h.chunk.id, h.score, dict(h.scores)) for h in column.hits] == [
            (h.chunk.id, h.score, dict(h.scores)) for h in result.hits
        ]
        stages = {name: value for name, value in column.timings_ms.items() if name != "total"}
        assert stages.keys() == result.timings_ms.keys() - {"total"}
        assert column.timings_ms["total"] >= sum(stages.values())
