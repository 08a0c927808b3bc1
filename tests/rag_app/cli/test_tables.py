"""rag-app tables."""

import csv
import io
import shutil
from pathlib import Path

import docx
import pytest

from ingestion.encoders import Encoder
from ingestion.library import Library
from ingestion.pipeline.ingest import ingest
from rag_app.config.settings import CONFIG_VARIABLE
from rag_app.contract.tables import TablesResponse
from tests.helpers.commands import Command
from tests.helpers.served_library import serving

pytestmark = pytest.mark.slow

PORTS = """# Ports

| Port | Ships | Change |
|------|-------|--------|
| Hook | 1,200 | -5 |
| Cork | 90 | |
| =1+1 | @sum | +3.2% |

The ferry is not counted.

| Month | Boats |
|-------|-------|
| May | 3 |
"""
COSTS = (("Item", "2023", "2022"), ("Wages", "1,200", "1,100"), ("Rent", "90", "80"))


@pytest.fixture(scope="module")
def ports(tmp_path_factory: pytest.TempPathFactory, stock_template: Path, encoder: Encoder) -> Path:
    """The data folder of a library that holds `stock`, and a Markdown and a Word file with tables."""
    folder = tmp_path_factory.mktemp("ports")
    (folder / "ports.md").write_text(PORTS, "utf-8")
    document = docx.Document()
    document.add_paragraph("The plan of the year.")
    table = document.add_table(len(COSTS), 3)
    for line, cells in enumerate(COSTS):
        for column, cell in enumerate(cells):
            table.cell(line, column).text = cell
    document.save(str(folder / "plan.docx"))
    data = shutil.copytree(stock_template, folder / "data")
    with Library.open(data, encoder) as library:
        files = [folder / "ports.md", folder / "plan.docx"]
        assert [result.status for result in ingest(library, files)] == ["ok", "ok"]
    return data


def test_a_person_sees_grids(run: Command, ports: Path) -> None:
    done = run("--data-dir", ports, "tables", "ports.md")
    assert (done.code, done.err) == (0, "")
    first, second = done.out.split("page 1, table 2")
    assert "page 1, table 1" in first
    assert [line.split() for line in first.splitlines()[1:5]] == [
        ["Port", "Ships", "Change"], ["Hook", "1,200", "-5"], ["Cork", "90"], ["=1+1", "@sum", "+3.2%"],
    ]  # fmt: skip
    assert "May" in second


@pytest.mark.parametrize("name", ["ports.md", "plan.docx"])
def test_json_is_the_contract(run: Command, ports: Path, name: str) -> None:
    done = run("--data-dir", ports, "tables", name, "--json")
    assert (done.code, done.err) == (0, "")
    found = TablesResponse.model_validate(done.json)
    assert found.model_dump(mode="json") == done.json
    listed = {one["name"]: one for one in run("--data-dir", ports, "documents", "--json").json["documents"]}
    assert (found.document, found.document_id) == (name, listed[name]["document_id"])
    assert found.warnings == ()


def test_a_table_of_a_word_file_has_its_cells(run: Command, ports: Path) -> None:
    (table,) = run("--data-dir", ports, "tables", "plan.docx", "--json").json["tables"]
    assert (table["page"], table["number"], table["label_head"]) == (1, 1, "Item")
    assert [column["head"] for column in table["columns"]] == ["2023", "2022"]
    rows = [(row["label"], row["values"]) for row in table["rows"]]
    assert rows == [("Wages", ["1,200", "1,100"]), ("Rent", ["90", "80"])]


def test_csv_has_all_tables(run: Command, ports: Path) -> None:
    done = run("--data-dir", ports, "tables", "ports.md", "--csv")
    assert (done.code, done.err) == (0, "")
    assert list(csv.reader(io.StringIO(done.out, newline=""), strict=True)) == [
        ["page", "table", "Port", "Ships", "Change"],
        ["1", "1", "Hook", "1,200", "-5"],
        ["1", "1", "Cork", "90", ""],
        ["1", "1", "'=1+1", "'@sum", "+3.2%"],
        ["page", "table", "Month", "Boats", ""],
        ["1", "2", "May", "3", ""],
    ]


def test_a_document_without_tables_says_so(run: Command, ports: Path) -> None:
    library = ("--data-dir", ports)
    none = run(*library, "tables", "orchard.md")
    assert (none.code, none.out, none.err) == (0, "orchard.md has no tables\n", "")
    page = run(*library, "tables", "harbour.pdf", "--page", 2)
    assert (page.code, page.out) == (0, "page 2 of harbour.pdf has no tables\n")
    exported = run(*library, "tables", "orchard.md", "--csv")
    assert (exported.code, exported.out, exported.err) == (0, "", "orchard.md has no tables\n")


def test_an_id_or_a_path_names_a_document_too(run: Command, ports: Path) -> None:
    library = ("--data-dir", ports)
    found = run(*library, "tables", "ports.md", "--json").json
    path = ports.parent / "ports.md"
    for name in (found["document_id"], path):
        assert run(*library, "tables", name, "--json").json == found


def test_wrong_use_is_explained(run: Command, ports: Path) -> None:
    for arguments, said in [
        (("nowhere.pdf",), "'nowhere.pdf'"),
        (("ports.md", "--page", 2), "ports.md has no page 2; name a page from 1 to 1"),
        (("ports.md", "--page", 0), "no page 0"),
        (("ports.md", "--collection", "taxes"), "'taxes'"),
        (("ports.md", "--csv", "--json"), "give one of them"),
    ]:
        done = run("--data-dir", ports, "tables", *arguments)
        assert (done.code, done.out) == (2, ""), done
        assert said in done.err


def test_a_name_of_several_documents_is_refused(run: Command, own: Path, tmp_path: Path) -> None:
    library = ("--data-dir", own)
    for folder in ("north", "south"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "list.md").write_text(f"The list of the {folder}.")
    assert run(*library, "ingest", tmp_path / "north", tmp_path / "south").code == 0
    done = run(*library, "tables", "list.md")
    assert (done.code, done.out) == (2, "")
    assert "2 documents are named 'list.md'; name one by its id" in done.err
    assert run(*library, "tables", "north/list.md").out == "north/list.md has no tables\n"


def test_a_pdf_that_an_earlier_version_read_says_so(run: Command, own: Path, encoder: Encoder) -> None:
    library = ("--data-dir", own)
    with Library.open(own, encoder) as opened, opened.catalogue.transaction() as connection:
        connection.execute("UPDATE documents SET reader = 1")
    said = "warning: an earlier version read harbour.pdf: its tables are known after rag-app reindex"
    assert said in run(*library, "tables", "harbour.pdf").out
    assert said in run(*library, "tables", "harbour.pdf", "--csv").err
    (warning,) = run(*library, "tables", "harbour.pdf", "--json").json["warnings"]
    assert said.removeprefix("warning: ") in warning
    assert run(*library, "tables", "orchard.md").out == "orchard.md has no tables\n"

    assert run(*library, "reindex").code == 0
    assert run(*library, "tables", "harbour.pdf").out == "harbour.pdf has no tables\n"


def test_a_served_library_answers_the_same(run: Command, ports: Path, tmp_path: Path) -> None:
    commands = [
        ("ports.md",), ("ports.md", "--json"), ("ports.md", "--csv"), ("plan.docx", "--page", 1, "--json"),
        ("ports.md", "--page", 9), ("nowhere.pdf",),
    ]  # fmt: skip
    data = shutil.copytree(ports, tmp_path / "served")
    alone = [run("--data-dir", data, "tables", *command) for command in commands]
    (tmp_path / "config.toml").touch()
    with serving(data, **{CONFIG_VARIABLE: str(tmp_path / "config.toml")}):
        assert [run("--data-dir", data, "tables", *command) for command in commands] == alone
    assert [one.code for one in alone] == [0, 0, 0, 0, 2, 2]
