"""A document's fields from each surface: shown with the documents, written, restored, and used."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp.shared.memory import create_connected_server_and_client_session
from starlette.testclient import TestClient

from ingestion.errors import InvalidInput
from rag_app.config.settings import load_settings
from rag_app.contract.documents import DocumentFields, DocumentsResponse
from rag_app.contract.requests import DeleteRequest, FieldsRequest, Narrowing, SearchRequest
from rag_app.server.api import create_api
from rag_app.server.mcp.server import create_server
from rag_app.server.security.guard import Guard
from rag_app.service.client import RemoteService
from rag_app.service.composition import Assistant
from rag_app.service.connection import open_service
from rag_app.service.local import LocalService
from rag_app.service.service_pool import ServicePool
from tests.helpers.commands import Command
from tests.helpers.served_library import serving_copy

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(data_template: Path, tmp_path: Path) -> Path:
    """The data folder of a library with orchard.md and harbour.md."""
    return shutil.copytree(data_template, tmp_path / "data")


@pytest.fixture
def assistant(folder: Path, no_settings: None) -> Iterator[Assistant]:
    with Assistant.open(load_settings(data_dir=folder, llm="extractive", find_servers=())) as opened:
        yield opened


def shown(response: DocumentsResponse, name: str = "orchard.md") -> dict[str, str]:
    (document,) = (one for one in response.documents if one.name == name)
    return {field: told.value for field, told in document.fields}


def identity_of(service: Any, name: str = "orchard.md") -> str:
    (document,) = (one for one in service.documents(Narrowing()).documents if one.name == name)
    assert isinstance(document, DocumentFields)
    return document.document_id


def test_the_service_shows_writes_and_restores_them(assistant: Assistant) -> None:
    service = LocalService(assistant)
    identity = identity_of(service)
    assert shown(service.documents(Narrowing()))["title"] == "Orchard notes"
    written = service.edit_fields(
        identity, FieldsRequest(organisation="ACME", period="Q2 2023", type="Notes")
    )
    (document,) = written.documents
    assert {k: v.model_dump() for k, v in document.fields} == {
        "title": {"value": "Orchard notes", "recognised": "Orchard notes", "edited": False},
        "organisation": {"value": "ACME", "recognised": "", "edited": True},
        "period": {"value": "2023-Q2", "recognised": "", "edited": True},
        "type": {"value": "notes", "recognised": "", "edited": True},
    }
    listed = service.documents(Narrowing(documents=("orchard.md",)))
    assert [one.fields for one in listed.documents] == [document.fields]
    assert document.title == "Orchard notes"  # the file's own, whatever a person wrote
    restored = service.edit_fields(identity, FieldsRequest(restore=("organisation", "period", "type")))
    assert shown(restored) == {"title": "Orchard notes", "organisation": "", "period": "", "type": ""}
    service.edit_fields(identity, FieldsRequest(title=""))
    assert shown(service.documents(Narrowing()))["title"] == ""
    deleted = service.delete(DeleteRequest(name="orchard.md"))
    assert deleted.documents[0].fields.title.recognised == "Orchard notes"


def test_an_edited_organisation_names_its_document(assistant: Assistant) -> None:
    service = LocalService(assistant)
    question = SearchRequest(
        question="What does ACME’s report say about the tree?", collections=("default", "harbour")
    )
    assert service.search(question).looked_first == ()
    service.edit_fields(identity_of(service), FieldsRequest(organisation="ACME Corporation"))
    first = service.search(question).looked_first
    assert [(one.document, one.words) for one in first] == [("orchard.md", ("ACME",))]
    service.edit_fields(identity_of(service), FieldsRequest(restore=("organisation",)))
    assert service.search(question).looked_first == ()


def test_a_name_that_a_person_gave_a_document_is_no_unknown_one(assistant: Assistant) -> None:
    ask = "When was the Bramley apple tree of Quokkaville planted?"
    options = assistant.options()
    assert assistant.ask(ask, options).abstained
    assistant.edit_fields(identity_of(LocalService(assistant)), {"organisation": "Quokkaville"})
    answer = assistant.ask(ask, options)
    assert not answer.abstained
    assert "1921" in answer.text


def client_of(assistant: Assistant) -> TestClient:
    app = Guard(create_api(assistant), host="127.0.0.1", port=80, token="secret")
    headers = {"Authorization": "Bearer secret"}
    return TestClient(app, "http://127.0.0.1", headers=headers, client=("127.0.0.1", 50_000))


def test_over_http(assistant: Assistant) -> None:
    api = client_of(assistant)
    (document,) = api.get("/api/v1/documents?documents=orchard.md").json()["documents"]
    path = f"/api/v1/documents/{document['document_id']}/fields"
    done = api.patch(path, json={"title": " Our  trees ", "period": "fiscal 2021"})
    assert done.status_code == 200, done.text
    fields = done.json()["documents"][0]["fields"]
    assert (fields["title"]["value"], fields["period"]["value"]) == ("Our trees", "FY2021")
    assert api.patch(path, json={"restore": ["title"]}).json()["documents"][0]["fields"]["title"] == {
        "value": "Orchard notes", "recognised": "Orchard notes", "edited": False,
    }  # fmt: skip
    for body, fault in (
        ({"title": "x" * 301}, "301 characters"),
        ({"title": "a\nb"}, "U+000A"),
        ({"period": "2023-02-30"}, "is no period; write it like one of 2024, FY2024"),
        ({"type": "novel"}, "is no type of document; choose one of annual report"),
        ({"author": "Ada"}, "author"),
        ({"title": None, "restore": ["titel"]}, "restore.0"),
        ({"title": "a", "restore": ["title"]}, "written and restored at once"),
        ({"title": 7}, "title"),
    ):
        refused = api.patch(path, json=body)
        assert (refused.status_code, fault in refused.json()["error"]["message"]) == (400, True), refused.text
    assert api.patch("/api/v1/documents/none/fields", json={"title": "a"}).status_code == 404
    (document,) = api.get("/api/v1/documents?documents=orchard.md").json()["documents"]
    assert document["fields"]["period"]["value"] == "FY2021"


def test_on_the_command_line(run: Command, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def command(*arguments: object) -> str:
        done = run("--data-dir", folder, *arguments)
        assert (done.code, done.err) == (0, "")
        return done.out

    def refused(*arguments: object) -> str:
        done = run("--data-dir", folder, "fields", "orchard.md", *arguments)
        assert (done.code, done.out) == (2, "")
        return done.err

    lines = [
        "orchard.md",
        "title         Orchard notes",
        "organisation  –",
        "period        –",
        "type          –",
    ]
    assert command("fields", "orchard.md").splitlines() == lines
    told = command(
        "fields", "orchard.md", "--title", "Our trees", "--organisation", "ACME", "--period", "Q2 2023"
    )
    assert told.splitlines() == [
        "orchard.md",
        "title         Our trees (recognised: Orchard notes)",
        "organisation  ACME (recognised: –)",
        "period        2023-Q2 (recognised: –)",
        "type          –",
    ]
    assert json.loads(command("fields", "orchard.md", "--json"))["documents"][0]["fields"]["period"] == {
        "value": "2023-Q2", "recognised": "", "edited": True,
    }  # fmt: skip
    monkeypatch.setenv("COLUMNS", "120")
    assert "ACME · 2023-Q2" in command("documents")
    monkeypatch.setenv("COLUMNS", "80")
    assert "ACME" not in command("documents")  # there is no room beside the other columns
    every = [part for name in ("title", "organisation", "period") for part in ("--restore", name)]
    assert command("fields", "orchard.md", *every).splitlines() == lines

    assert "'soon' is no period; write it like one of 2024" in refused("--period", "soon")
    assert "'novel' is no type of document; choose one of annual report" in refused("--type", "novel")
    assert "restore.0: Input should be 'title', 'organisation'" in refused("--restore", "author")
    assert "301 characters" in refused("--title", "x" * 301)
    missing = run("--data-dir", folder, "fields", "pears.md", "--title", "x")
    assert (missing.code, "no document named 'pears.md'" in missing.err) == (2, True)


def test_a_remote_client(data_template: Path, tmp_path: Path, run: Command) -> None:
    with serving_copy(data_template, tmp_path) as served:
        service = RemoteService.of(load_settings(data_dir=served.data))
        assert service
        with service:
            identity = identity_of(service)
            written = service.edit_fields(identity, FieldsRequest(title="", organisation="ACME"))
            assert shown(written) == {"title": "", "organisation": "ACME", "period": "", "type": ""}
            with pytest.raises(InvalidInput, match="no document named 'x'"):
                service.edit_fields("x", FieldsRequest(title="a"))
            with pytest.raises(InvalidInput, match="no period"):
                service.edit_fields(identity, FieldsRequest(period="soon"))
            restored = service.edit_fields(identity, FieldsRequest(restore=("title",)))
            assert shown(restored)["title"] == "Orchard notes"
        told = run("--data-dir", served.data, "fields", "orchard.md", "--type", "notes")
        assert told.out.splitlines()[-1] == "type          notes (recognised: –)"


def test_a_model_is_told_them(assistant: Assistant, folder: Path) -> None:
    assistant.edit_fields(
        identity_of(LocalService(assistant)), {"title": "Our trees", "organisation": "ACME"}
    )
    assistant.close()
    settings = load_settings(data_dir=folder, find_servers=())

    async def listed() -> Any:
        server = create_server(ServicePool(lambda: open_service(settings)))
        async with create_connected_server_and_client_session(server._mcp_server) as session:
            return (await session.call_tool("list_documents", {})).structuredContent

    (document,) = (one for one in anyio.run(listed)["documents"] if one["name"] == "orchard.md")
    assert (document["title"], document["organisation"], document["period"]) == ("Our trees", "ACME", None)
