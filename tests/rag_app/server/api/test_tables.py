"""Tables over HTTP."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from ingestion.library import Library
from ingestion.pipeline.ingest import ingest
from rag_app.config.settings import load_settings
from rag_app.contract.tables import TablesResponse
from rag_app.server.api import create_api
from rag_app.server.security.guard import Guard
from rag_app.service.composition import Assistant
from rag_app.service.local import LocalService

PAGE = (
    "<html><body><p>Ships by port:</p><table><tr><th>Port</th><th>Ships</th><th>Boats</th></tr>"
    "<tr><td>Hook</td><td>1,200</td><td>7</td></tr><tr><td>Cork</td><td></td><td>9</td></tr></table>"
    "</body></html>"
)


@pytest.fixture
def assistant(stocked: Library, tmp_path: Path) -> Assistant:
    """Over a library with a web page that has a table."""
    (tmp_path / "ports.html").write_text(PAGE, "utf-8")
    assert [result.status for result in ingest(stocked, [tmp_path / "ports.html"])] == ["ok"]
    return Assistant(load_settings(data_dir=stocked.folder), stocked)


@pytest.fixture
def client(assistant: Assistant) -> Iterator[TestClient]:
    app = Guard(create_api(assistant), host="127.0.0.1", port=80, token="secret")
    headers = {"Authorization": "Bearer secret"}
    with TestClient(app, "http://127.0.0.1", headers=headers, client=("127.0.0.1", 50_000)) as opened:
        yield opened


def identity_of(assistant: Assistant, name: str) -> str:
    return next(one.id for one in assistant.documents() if one.name == name)


def test_the_tables_of_a_document_are_those_of_the_service(client: TestClient, assistant: Assistant) -> None:
    identity = identity_of(assistant, "ports.html")
    answer = client.get(f"/api/v1/documents/{identity}/tables")
    assert answer.status_code == 200
    assert TablesResponse.model_validate(answer.json()) == LocalService(assistant).tables(identity)
    (table,) = answer.json()["tables"]
    assert (table["page"], table["number"], table["label_head"]) == (1, 1, "Port")
    assert [column["head"] for column in table["columns"]] == ["Ships", "Boats"]
    assert [(row["label"], row["values"]) for row in table["rows"]] == [
        ("Hook", ["1,200", "7"]), ("Cork", [None, "9"]),
    ]  # fmt: skip
    assert client.get(f"/api/v1/documents/{identity}/tables?page=1").json() == answer.json()


def test_a_document_without_tables_has_an_empty_list(client: TestClient, assistant: Assistant) -> None:
    answer = client.get(f"/api/v1/documents/{identity_of(assistant, 'orchard.md')}/tables")
    assert (answer.status_code, answer.json()["tables"]) == (200, [])


def test_an_unknown_document_or_page_is_refused(client: TestClient, assistant: Assistant) -> None:
    identity = identity_of(assistant, "ports.html")
    for path, status, said in [
        ("nobody/tables", 404, "no document named 'nobody'"),
        (f"{identity}/tables?page=2", 400, "ports.html has no page 2; name a page from 1 to 1"),
        (f"{identity}/tables?page=first", 400, "page"),
    ]:
        answer = client.get(f"/api/v1/documents/{path}")
        assert answer.status_code == status
        assert said in answer.json()["error"]["message"]


def test_the_description_has_the_cells(client: TestClient) -> None:
    described = client.get("/api/v1/openapi.json").json()
    (page,) = [
        one
        for one in described["paths"]["/api/v1/documents/{document_id}/tables"]["get"]["parameters"]
        if one["in"] == "query"
    ]
    assert (page["name"], page["required"]) == ("page", False)
    row = described["components"]["schemas"]["TableRowFields"]
    assert row["properties"].keys() == {"label", "section", "values"}
    assert "null" in json.dumps(row["properties"]["values"]["items"])
