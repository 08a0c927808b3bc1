"""Documents first: reports that look alike are told apart by what the question names."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ingestion.encoders import Encoder
from ingestion.errors import InvalidInput
from ingestion.fields.values import FIELD_NAMES, FieldName
from ingestion.library import Library
from ingestion.pipeline.ingest import ingest
from ingestion.storage.catalogue.records import Document
from retrievers.cascade import maxsim_ranking
from retrievers.documents_first import DocumentsFirstRetriever, names
from retrievers.documents_first.misspelt import respelt
from retrievers.documents_first.names import NamesOfLibraries
from retrievers.documents_first.retriever import FUSED, PRIOR, TERMS
from retrievers.hits import Ranking
from retrievers.search import SearchResult, query_of, search
from retrievers.shares import SHARE
from retrievers.strategies import strategy_named

COMPANIES = ("NORTHWIND", "SOUTHSIDE", "LAKEVIEW")
YEARS = (2020, 2021, 2022)
LINES = (
    "{company} sells garden tools and seeds in its own stores and to dealers.",
    "Net sales were {sales} million in {year}, after {before} million in the year before.",
    "Purchases of property, plant and equipment were {spent} million in {year}.",
    "The board met four times, and all directors took part in {year}.",
)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Iterator[Library]:
    """Nine reports in the same words, and a note that is no report."""
    folder = tmp_path_factory.mktemp("reports")
    for number, company in enumerate(COMPANIES):
        for year in YEARS:
            figures = {
                "sales": 100 * number + year % 100,
                "before": 100 * number + year % 100 - 1,
                "spent": number + 7,
            }
            text = "\n\n".join(LINES).format(company=company.title(), year=year, **figures)
            (folder / f"{company}_{year}_REPORT.txt").write_text(text, encoding="utf-8")
    (folder / "note.txt").write_text("The quokka at the zoo is called Pip.", encoding="utf-8")
    with Library.open(folder / "data", encoder) as library:
        assert all(one.status == "ok" for one in ingest(library, sorted(folder.glob("*.txt"))))
        yield library


def find(
    library: Library, question: str, strategy: str = "documents-first", *, top_k: int = 10
) -> SearchResult:
    return search(library, question, strategy_named(strategy), library.catalogue.scope(), top_k=top_k)


def test_what_is_scored_once_is_counted_once(shelf: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    scored: list[Ranking] = []

    def in_a_second(*arguments: Any) -> Ranking:
        scored.append(replace(maxsim_ranking(*arguments), timings_ms={"score": 1000.0}))
        return scored[-1]

    monkeypatch.setattr("retrievers.documents_first.retriever.maxsim_ranking", in_a_second)
    found = find(shelf, "Who is called Pip?")
    assert len(scored) == 1
    assert found.timings_ms["score"] == 1000.0


def documents(result: SearchResult, count: int = 1) -> list[str]:
    return [hit.chunk.document.removesuffix(".txt") for hit in result.hits[:count]]


@pytest.mark.parametrize("company", COMPANIES)
@pytest.mark.parametrize("year", YEARS)
def test_the_named_report_comes_first(shelf: Library, company: str, year: int) -> None:
    found = find(shelf, f"What was {company.title()}'s capex in FY{year}?")
    assert documents(found) == [f"{company}_{year}_REPORT"]
    assert found.looked_first[0].document == f"{company}_{year}_REPORT.txt"
    assert {company.title(), f"FY{year}"} <= set(found.looked_first[0].words)
    assert found.looked_first[0].probability > 0.5
    assert [(one.term, one.also[0]) for one in found.looked_for] == [("capex", "capital expenditures")]
    assert found.hits[0].scores[PRIOR] == 0
    (note,) = (
        hit for hit in find(shelf, found.query.text, top_k=50).hits if hit.chunk.document == "note.txt"
    )
    assert found.hits[0].scores[TERMS] > note.scores[TERMS]
    assert note.scores[PRIOR] < -2


def test_a_named_document_is_no_filter(shelf: Library) -> None:
    """What stands far above all others is found in any document."""
    found = find(shelf, "Northwind 2021: what is the quokka at the zoo called?")
    assert "note" in documents(found, 3)
    assert len({hit.chunk.document for hit in find(shelf, "Northwind in 2021").hits}) > 3


def test_a_question_that_names_nothing_looks_in_all_alike(shelf: Library) -> None:
    found = find(shelf, "What is the quokka called?")
    assert documents(found) == ["note"]
    assert found.looked_first == () == found.looked_for


def test_scores_add_up(shelf: Library) -> None:
    found = find(shelf, "What was Lakeview's capex in 2022?", top_k=50)
    plain = find(shelf, "What was Lakeview's capex in 2022?", "fusion", top_k=50)
    assert {hit.chunk.id for hit in found.hits} == {hit.chunk.id for hit in plain.hits}
    before = {hit.chunk.id: hit.score for hit in plain.hits}
    for hit in found.hits:
        expected = (before[hit.chunk.id] + 0.75 * hit.scores[TERMS]) / 1.75 + hit.scores[PRIOR]
        assert hit.score == pytest.approx(expected, abs=1e-6)
        assert -8 <= hit.scores[PRIOR] <= 0


def test_without_both_weights_it_is_fusion(shelf: Library) -> None:
    question = "What was Lakeview's capex in 2022?"
    retriever = DocumentsFirstRetriever(shelf, prior_weight=0, terms_weight=0)
    ranking = retriever.rank(query_of(shelf, question), shelf.catalogue.scope(), 20)
    plain = find(shelf, question, "fusion", top_k=20).hits
    assert [one.chunk_id for one in ranking.candidates] == [hit.chunk.id for hit in plain]
    assert [one.score for one in ranking.candidates] == pytest.approx([hit.score for hit in plain])


def test_it_finds_the_same_twice(shelf: Library) -> None:
    question = "How high were the net sales of Southside in 2021?"
    first, second = (find(shelf, question, top_k=30) for _ in range(2))
    assert [(hit.chunk.id, hit.score) for hit in first.hits] == [
        (hit.chunk.id, hit.score) for hit in second.hits
    ]


def test_a_scope_is_kept(shelf: Library) -> None:
    every = {one.name: one.id for one in shelf.catalogue.documents()}
    scope = shelf.catalogue.scope((), ["NORTHWIND_2020_REPORT.txt", "note.txt"])
    found = search(shelf, "What was Southside's capex in 2022?", strategy_named("documents-first"), scope)
    allowed = {every["NORTHWIND_2020_REPORT.txt"], every["note.txt"]}
    assert found.hits
    assert {hit.chunk.document_id for hit in found.hits} <= allowed
    one = shelf.catalogue.scope((), ["note.txt"])
    assert documents(search(shelf, "capex?", strategy_named("documents-first"), one)) == ["note"]
    nothing = search(
        shelf, "capex?", strategy_named("documents-first"), shelf.catalogue.scope().__class__(())
    )
    assert nothing.hits == ()


@pytest.fixture(scope="module")
def shops(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Iterator[Library]:
    """A report with much on sales, and one with little."""
    folder = tmp_path_factory.mktemp("shops")
    towns = (
        "Torrin",
        "Elgol",
        "Kyle",
        "Broadford",
        "Portree",
        "Uig",
        "Staffin",
        "Dunvegan",
        "Carbost",
        "Ord",
    )
    much = [
        f"# {town}\n\nNet sales of the shop in {town} fell by {n} percent." for n, town in enumerate(towns)
    ]
    little = [f"# {town}\n\nThe house in {town} was painted {n} times." for n, town in enumerate(towns)]
    (folder / "northwind.md").write_text("\n\n".join(much), encoding="utf-8")
    (folder / "lakeview.md").write_text("\n\n".join([*little, "# Sum\n\nSales fell."]), encoding="utf-8")
    with Library.open(folder / "data", encoder) as library:
        assert all(one.status == "ok" for one in ingest(library, sorted(folder.glob("*.md"))))
        yield library


def test_sides_share_the_first_places(shops: Library) -> None:
    question = "By how much did the net sales of Northwind and of Lakeview fall?"
    plain = find(shops, question, "fusion", top_k=8)
    assert documents(plain, 8).count("lakeview.md") < 4
    found = find(shops, question, top_k=30)
    assert [side.name for side in found.sides] == ["Northwind", "Lakeview"]
    assert documents(found, 8) == ["northwind.md", "lakeview.md"] * 4
    assert found.hits[1].chunk.text.endswith("Sales fell.")
    assert {hit.chunk.id for hit in plain.hits} <= {hit.chunk.id for hit in found.hits}
    assert [one.document for one in found.looked_first] == ["northwind.md", "lakeview.md"]
    assert [one.words for one in found.looked_first] == [("Northwind",), ("Lakeview",)]


def test_the_scores_of_sides_fall_and_add_up(shops: Library) -> None:
    found = find(shops, "By how much did the net sales of Northwind and of Lakeview fall?", top_k=30)
    scores = [hit.score for hit in found.hits]
    assert scores == sorted(scores, reverse=True)
    assert any(SHARE in hit.scores for hit in found.hits)
    for hit in found.hits:
        assert hit.score == pytest.approx(hit.scores[FUSED] + hit.scores.get(SHARE, 0.0))
        assert hit.scores.get(SHARE, 1.0) > 0


def test_a_side_is_searched_for_what_is_asked_of_it_alone(shelf: Library) -> None:
    question = "What does Northwind say of the board, and what does Lakeview say of garden tools?"
    found = find(shelf, question, top_k=2)
    by_name = {hit.chunk.document.split("_")[0]: hit.chunk.text for hit in found.hits}
    assert "board" in by_name["NORTHWIND"]
    assert "tools" in by_name["LAKEVIEW"]


@pytest.mark.parametrize(
    "question", ["What were the net sales of Southside in 2021?", "What were the net sales of Southside?"]
)
def test_one_name_has_no_shares(shelf: Library, question: str) -> None:
    found = find(shelf, question, top_k=30)
    assert found.sides == ()
    assert not any(SHARE in hit.scores for hit in found.hits)


def test_sides_keep_to_the_scope(shelf: Library) -> None:
    scope = shelf.catalogue.scope((), ["NORTHWIND_2020_REPORT.txt", "note.txt"])
    question = "Compare the net sales of Northwind and Lakeview."
    found = search(shelf, question, strategy_named("documents-first"), scope)
    assert found.sides == ()
    assert {hit.chunk.document for hit in found.hits} <= {"NORTHWIND_2020_REPORT.txt", "note.txt"}


def test_a_new_name_counts_at_once(stocked: Library, tmp_path: Path) -> None:
    question = "What does the wombat manual say?"
    assert find(stocked, question).looked_first == ()
    manual = tmp_path / "wombat-manual.txt"
    manual.write_text("Feed it at dusk. Keep the burrow dry.", encoding="utf-8")
    assert [one.status for one in ingest(stocked, [manual])] == ["ok"]
    found = find(stocked, question)
    assert found.looked_first[0].document == "wombat-manual.txt"
    assert documents(found) == ["wombat-manual"]


def test_a_bad_glossary_is_an_error_and_no_empty_result(stocked: Library) -> None:
    (stocked.folder / "glossary.tsv").write_text("no tab", encoding="utf-8")
    with pytest.raises(InvalidInput, match=r"glossary\.tsv, line 1"):
        find(stocked, "When was the tree planted?")
    assert find(stocked, "When was the tree planted?", "fusion").hits


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("How many gradens tools are there?", {}),  # two errors
        ("How high were the net slaes of Northwind?", {"slaes": "sales"}),
        ("purchasess of propperty", {"purchasess": "Purchases", "propperty": "property"}),
        ("What did Northwnd sell?", {"Northwnd": "Northwind"}),
        ("Which quoka is at the zoo?", {"quoka": "quokka"}),
        ("What is a capex?", {}),  # in the glossary
        ("Which wombat is at the zoo?", {}),
        ("Where do the Gardin family live?", {}),  # a name, and "garden" is none
    ],
)
def test_misspelt_words_are_looked_for_as_the_documents_write_them(
    shelf: Library, question: str, expected: dict[str, str]
) -> None:
    found = find(shelf, question)
    said = {one.term: one.also[0] for one in found.looked_for if one.term != "capex"}
    assert {one: said.get(one) for one in expected} == expected
    assert said.keys() - expected.keys() <= {"net sales", "sales"}


def test_a_misspelt_question_finds_its_passage(shelf: Library) -> None:
    found = find(shelf, "Which quoka is at the zooo?")
    assert respelt(found.query.text, found.looked_for).startswith("Which quokka is at the ")
    assert documents(found) == ["note"]
    assert TERMS in found.hits[0].scores


def test_among_very_many_documents_the_first_pages_are_not_read(
    stocked: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    scope = stocked.catalogue.scope()
    (orchard,) = [one for one in NamesOfLibraries().of(stocked, scope).documents if "orchard" in one.names]
    assert {"bramley", "orchard"} <= orchard.opening | orchard.names
    monkeypatch.setattr(names, "MOST_READ", 1)
    (bare,) = [one for one in NamesOfLibraries().of(stocked, scope).documents if "orchard" in one.names]
    assert bare.names == orchard.names
    assert bare.opening < orchard.opening


@pytest.fixture
def edited(shelf: Library) -> Iterator[Document]:
    """The report of Northwind of 2021; what is written of it is taken back."""
    (document,) = (one for one in shelf.catalogue.documents() if one.name == "NORTHWIND_2021_REPORT.txt")
    yield document
    shelf.fields.edit(document.id, {}, FIELD_NAMES)


@pytest.mark.parametrize(
    ("field", "text"), [("organisation", "ACME Corporation"), ("title", "What Acme dug up")]
)
def test_a_document_is_found_by_what_a_person_calls_it(
    shelf: Library, edited: Document, field: FieldName, text: str
) -> None:
    question = "What does ACME's report say of net sales?"
    assert find(shelf, question).looked_first == ()
    shelf.fields.edit(edited.id, {field: text})
    found = find(shelf, question)
    assert documents(found) == ["NORTHWIND_2021_REPORT"]
    (first,) = found.looked_first
    assert (first.document, first.words) == ("NORTHWIND_2021_REPORT.txt", ("ACME", "report"))
    assert len({hit.chunk.document for hit in find(shelf, question, top_k=50).hits}) > 3  # it is no filter
    named = find(shelf, "What were the net sales of Northwind in 2021?")
    assert documents(named) == ["NORTHWIND_2021_REPORT"]  # also by its file's name


def test_a_period_that_a_person_writes_counts_instead_of_the_year_in_the_name(
    shelf: Library, edited: Document
) -> None:
    question = "What were the net sales of Northwind in 2031?"
    assert {one.words for one in find(shelf, question).looked_first} == {("Northwind",)}  # all three alike
    shelf.fields.edit(edited.id, {"period": "FY2031"})
    (first,) = find(shelf, question).looked_first
    assert (first.document, first.words) == ("NORTHWIND_2021_REPORT.txt", ("Northwind", "2031"))
