"""The library that another process has open, through its loopback API."""

import http.client
import json
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Self
from urllib.parse import quote, urlencode, urlsplit

from ingestion import errors
from ingestion.errors import LibraryInUse, RagError
from ingestion.storage.lock import Holder, read_holder
from rag_app.tasks import TaskRunning

if TYPE_CHECKING:
    from types import TracebackType

    from rag_app.config.settings import Settings
    from rag_app.contract.requests import (
        AskRequest,
        CompareRequest,
        IngestRequest,
        Narrowing,
        RetryRequest,
        SearchRequest,
        SummariseRequest,
        TaskRequest,
    )

Fields = dict[str, Any]

# Seconds. A question may wait behind others, and for a model to be loaded.
_CONNECT_TIMEOUT = 10.0
_ANSWER_TIMEOUT = 3600.0

# What a server's error becomes here; a kind that is not among them is a RagError.
_KINDS: Mapping[str, type[RagError]] = {
    "InvalidInput": errors.InvalidInput,
    "UnknownName": errors.InvalidInput,
    "EmptyQuestion": errors.InvalidInput,
    "LibraryError": errors.LibraryError,
    "LibraryInUse": errors.LibraryInUse,
    "LibraryDamaged": errors.LibraryDamaged,
    "StaleRepresentation": errors.StaleRepresentation,
    "SourceChanged": errors.SourceChanged,
    "ModelError": errors.ModelError,
    "TaskRunning": TaskRunning,
}


def connect(settings: "Settings") -> "RemoteService | None":
    """Return the service of the process that holds the library, or None where it serves none."""
    holder = read_holder(settings.data_dir)
    if holder is None or not holder.url or not holder.token:
        return None
    service = RemoteService(holder, settings.data_dir)
    try:
        return service if service.health().get("pid") == holder.pid else None
    except LibraryInUse:  # the note is of a process that is gone, or going
        return None


def raise_error(fields: Mapping[str, Any]) -> NoReturn:
    """Raise the error that `rag_app.contract.output.error_fields` describes."""
    raise _KINDS.get(str(fields["type"]), RagError)(str(fields["message"]))


class RemoteService:
    """See `rag_app.service.protocol.Service`."""

    works_on = True

    def __init__(self, holder: Holder, folder: Path) -> None:
        parts = urlsplit(holder.url or "")
        self._host, self._port = parts.hostname or "", parts.port or 80
        self.url = holder.url or ""
        self.token = holder.token
        self._pid = holder.pid
        self._folder = folder

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: "type[BaseException] | None",
        error: "BaseException | None",
        trace: "TracebackType | None",
    ) -> None:
        pass

    def health(self) -> Fields:
        return self._get("/health")

    def documents(self, request: "Narrowing") -> Fields:
        fields = _absolute(request.fields(), "folders")
        return self._get(f"/documents?{_query(**fields)}")

    def delete(self, name: str, collections: Sequence[str]) -> Fields:
        return self._call("DELETE", f"/documents?{_query(name=name, collections=collections)}")

    def page(self, document_id: str, number: int) -> Fields:
        return self._get(f"/documents/{_part(document_id)}/pages/{number}")

    def strategies(self) -> Fields:
        return self._get("/strategies")

    def search(self, request: "SearchRequest") -> Fields:
        return self._post("/search", _absolute(request.fields(), "folders", models=("reranker",)))

    def compare(self, request: "CompareRequest") -> Fields:
        fields = _absolute(request.fields(), "folders")
        fields["columns"] = [_absolute(column, models=("reranker",)) for column in fields["columns"]]
        return self._post("/compare", fields)

    def ask(self, request: "AskRequest") -> Generator[Fields]:
        yield from self._events("/ask", _absolute(request.fields(), "folders", models=("reranker", "llm")))

    def summarise(self, request: "SummariseRequest") -> Generator[Fields]:
        yield from self._events("/summarise", _absolute(request.fields(), "folders", models=("llm",)))

    def _events(self, path: str, fields: Fields) -> Generator[Fields]:
        """Yield the events that lead to an answer, which is the last one."""
        event: Fields = {"event": "none"}
        with self._response("POST", path, {**fields, "stream": True}) as response:
            while line := response.readline():
                event = json.loads(line)
                if event["event"] == "error":
                    raise_error(event["error"])
                yield event
        if event["event"] != "answer":
            raise RagError("the process that has the library ended before the answer did; ask again")

    def conversations(self) -> Fields:
        return self._get("/conversations")

    def conversation(self, identity: str) -> Fields:
        return self._get(f"/conversations/{_part(identity)}")

    def rename_conversation(self, identity: str, title: str) -> Fields:
        return self._call("PATCH", f"/conversations/{_part(identity)}", {"title": title})

    def delete_conversation(self, identity: str) -> Fields:
        return self._call("DELETE", f"/conversations/{_part(identity)}")

    def receipts(self, limit: int) -> Fields:
        return self._get(f"/receipts?{_query(limit=limit)}")

    def receipt(self, identity: str) -> Fields:
        return self._get(f"/receipts/{_part(identity)}")

    def replay(self, identity: str) -> Fields:
        return self._post(f"/receipts/{_part(identity)}/replay")

    def submit(self, request: "IngestRequest") -> Fields:
        if not all(_is_text(path) for path in request.paths):
            raise errors.InvalidInput(
                "a file's name holds bytes that are no text, which the process that serves the library "
                "cannot be told; rename the file, or stop that process and ingest again"
            )
        fields = _absolute(request.fields(), "paths")
        fields["passwords"] = {_place(path): word for path, word in request.passwords.items()}
        return self._post("/jobs", fields)

    def jobs(self) -> Fields:
        return self._get("/jobs")

    def job(self, identity: int) -> Fields:
        return self._get(f"/jobs/{identity}")

    def resume(self, identity: int) -> Fields:
        return self._post(f"/jobs/{identity}/resume")

    def retry(self, identity: int, request: "RetryRequest | None" = None) -> Fields:
        fields: Fields = {} if request is None else request.fields()
        passwords = fields.get("passwords", {})
        fields["passwords"] = {_place_if_there(path): word for path, word in passwords.items()}
        return self._post(f"/jobs/{identity}/retry", fields)

    def cancel(self, identity: int) -> Fields:
        return self._post(f"/jobs/{identity}/cancel")

    def clear(self) -> Fields:
        return self._call("DELETE", "/jobs")

    def collections(self) -> Fields:
        return self._get("/collections")

    def create_collection(self, name: str) -> Fields:
        return self._post("/collections", {"name": name})

    def rename_collection(self, name: str, new: str) -> Fields:
        return self._call("PATCH", f"/collections?{_query(name=name)}", {"name": new})

    def delete_collection(self, name: str) -> Fields:
        return self._call("DELETE", f"/collections?{_query(name=name)}")

    def stats(self) -> Fields:
        return self._get("/stats")

    def start(self, request: "TaskRequest") -> Fields:
        paths, models = ("file", "dataset", "report"), ("model", "rerankers")
        return self._post("/tasks", _absolute(request.fields(), *paths, models=models))

    def tasks(self) -> Fields:
        return self._get("/tasks")

    def task(self, identity: str) -> Fields:
        return self._get(f"/tasks/{_part(identity)}")

    def cancel_task(self, identity: str) -> Fields:
        return self._post(f"/tasks/{_part(identity)}/cancel")

    def _get(self, path: str) -> Fields:
        return self._call("GET", path)

    def _post(self, path: str, fields: Fields | None = None) -> Fields:
        return self._call("POST", path, fields or {})

    def _call(self, method: str, path: str, fields: Fields | None = None) -> Fields:
        with self._response(method, path, fields) as response:
            answer: Fields = json.loads(response.read())
            return answer

    @contextmanager
    def _response(
        self, method: str, path: str, fields: Fields | None = None
    ) -> Iterator[http.client.HTTPResponse]:
        """Yield an answer of success. Raises what the server says is wrong."""
        # http.client knows no proxies: what is meant for this machine stays on it.
        connection = http.client.HTTPConnection(self._host, self._port, timeout=_CONNECT_TIMEOUT)
        try:
            connection.connect()
            assert connection.sock
            connection.sock.settimeout(_ANSWER_TIMEOUT)
            body = None if fields is None else json.dumps(fields)
            headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
            connection.request(method, f"/api/v1{path}", body, headers)
            response = connection.getresponse()
            if response.status >= 400:
                raise_error(json.loads(response.read())["error"])
            yield response
        except (OSError, http.client.HTTPException, json.JSONDecodeError) as error:
            raise LibraryInUse(
                f"the library {self._folder} is open in process {self._pid}, which does not answer on port "
                f"{self._port} ({type(error).__name__}: {error}); close that process and try again"
            ) from error
        finally:
            connection.close()


def _absolute(fields: Fields, *paths: str, models: Sequence[str] = ()) -> Fields:
    """Return the fields with relative `paths` as they are meant here: the server is in another folder.

    Of `models` what is no path on this machine is a name.
    """
    changed = dict(fields)
    for name in (*paths, *models):
        place = _place_if_there if name in models else _place
        value = changed.get(name)
        if isinstance(value, list):
            changed[name] = [place(path) for path in value]
        elif isinstance(value, str):
            changed[name] = place(value)
    return changed


def _place_if_there(name: str) -> str:
    return _place(name) if Path(name).expanduser().exists() else name


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _query(**fields: Any) -> str:
    return urlencode(fields, doseq=True, errors="backslashreplace")


def _part(name: str) -> str:
    return quote(name, safe="", errors="backslashreplace")


def _place(path: str) -> str:
    return str(Path(path).expanduser().absolute())
