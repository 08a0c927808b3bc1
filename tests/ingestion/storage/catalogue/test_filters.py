"""What a search is narrowed to."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from ingestion.errors import InvalidInput, UnknownName
from ingestion.library import Library
from ingestion.pipeline.ingest import ingest
from ingestion.storage.catalogue.filters import Filters, parse_pages, resolve
from ingestion.storage.catalogue.records import Scope
from retrievers.search import search
from retrievers.strategies import STRATEGIES


@pytest.mark.parametrize(
    ("text", "pages"),
    [("7", (7, 7)), ("3-7", (3, 7)), (" 3 – 7 ", (3, 7)), ("3..7", (3, 7)), ("3-", (3, 2**31))],
)
def test_pages_as_people_write_them(text: str, pages: tuple[int, int]) -> None:
    assert parse_pages(text) == pages


@pytest.mark.parametrize("text", ["", "0", "7-3", "a", "-3", "1-2-3", "1.5"])
def test_what_is_no_range_of_pages(text: str) -> None:
    with pytest.raises(InvalidInput, match="is no range of pages; write 7, 3-7 or 3-"):
        parse_pages(text)


def names(library: Library, scope: Scope) -> set[str]:
    return {
        d.name for d in library.catalogue.documents() if scope.documents is None or d.id in scope.documents
    }


def test_filters_narrow_and_add_up(stocked: Library, stocked_template: Path, tmp_path: Path) -> None:
    files, other = str(stocked_template.parent / "files"), tmp_path / "other"
    other.mkdir()
    (other / "pier.txt").write_text("The pier's keeper is called Job Trotter.")
    list(ingest(stocked, [other]))
    catalogue = stocked.catalogue

    def found(**filters: object) -> set[str]:
        return names(stocked, resolve(catalogue, [], Filters(**filters)))  # type: ignore[arg-type]

    assert found() == {"orchard.md", "harbour.md", "pier.txt"}
    assert found(folders=(files,)) == {"orchard.md", "harbour.md"}
    assert found(folders=(files, str(other))) == {"orchard.md", "harbour.md", "pier.txt"}
    assert found(folders=(str(tmp_path / "oth"),)) == set()  # a folder, not the beginning of a name
    assert found(types=("txt",)) == found(types=(".TXT",)) == {"pier.txt"}
    assert found(documents=("pier.txt",), types=("md",)) == set()
    today = datetime.now(UTC).astimezone().date()
    assert found(added_from=today, added_to=today) == {"orchard.md", "harbour.md", "pier.txt"}
    assert found(added_from=today + timedelta(days=1)) == found(added_to=date(2020, 1, 1)) == set()
    with pytest.raises(UnknownName, match=r"no document named 'none\.pdf'"):
        found(documents=("none.pdf",))


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
def test_every_strategy_obeys_pages_and_documents(
    library: Library, write_pdf: Callable[..., Path], strategy: str
) -> None:
    for name in ("one.pdf", "two.pdf"):
        pages = [f"Page {number} of {name} tells of the lighthouse keeper." for number in (1, 2, 3)]
        list(ingest(library, [write_pdf(name, *pages)]))
    only = resolve(library.catalogue, [], Filters(documents=("two.pdf",), pages=(2, 3)))
    hits = search(library, "Who keeps the lighthouse?", STRATEGIES[strategy], only).hits
    assert {(hit.chunk.document, hit.chunk.page) for hit in hits} == {("two.pdf", 2), ("two.pdf", 3)}
    none = Scope((1,), frozenset(), (1, 9))
    assert search(library, "Who keeps the lighthouse?", STRATEGIES[strategy], none).hits == ()
