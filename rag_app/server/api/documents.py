"""Documents: upload, list, read, delete."""

from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse, JSONResponse
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from ingestion.errors import InvalidInput
from ingestion.library_documents import original_file
from rag_app.contract.requests import Narrowing, UploadRequest
from rag_app.server.api.uploads import received
from rag_app.server.streaming import gone
from rag_app.service.local import LocalService

Fields = dict[str, Any]

_UPLOAD = """Send files, each as a part with a file name; `collection`, `password` (for files that need one)
and `encoding` (of files that are text: windows-1251, GBK; without it, it is found out) are parts of text.
A file of a name that was uploaded before replaces it. Returns the job that ingests them:
`/jobs/{job_id}` says how far it is.
"""
_PARTS: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {
                        "file": {"type": "array", "items": {"type": "string", "format": "binary"}},
                        "collection": {"type": "string"},
                        "password": {"type": "string", "format": "password"},
                        "encoding": {"type": "string"},
                    },
                }
            }
        },
    }
}

# What a browser shows without running anything of it; all else is bytes to be saved.
_SAFE_TYPES = {"pdf": "application/pdf", "txt": "text/plain", "csv": "text/csv", "md": "text/plain"}
# A document is a stranger's: even when it is opened, it runs nothing and loads nothing.
_INERT = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def router_of(service: LocalService) -> APIRouter:
    router = APIRouter(tags=["documents"])

    @router.get("/health", summary="Who answers, and over which library", tags=["library"])
    def health() -> Fields:
        return service.health()

    @router.get("/documents", summary="List documents")
    def documents(request: Annotated[Narrowing, Query()]) -> Fields:
        return service.documents(request)

    @router.post(
        "/documents", response_model=None, summary="Upload files", description=_UPLOAD, openapi_extra=_PARTS
    )
    async def upload(http: Request) -> Response:
        assistant = service.assistant
        largest = assistant.settings.limits.max_bytes
        try:
            async with received(http, assistant.uploads, largest=largest) as (files, fields):
                request = _upload_request(fields)
                if not files:
                    raise InvalidInput("no file was sent; send each as a part that has a file name")
                return JSONResponse(await anyio.to_thread.run_sync(service.upload, files, request))
        except ClientDisconnect:
            return gone()

    @router.delete("/documents", summary="Delete the document of a name, path or id")
    def delete(name: str, collections: Annotated[list[str], Query()] = []) -> Fields:  # noqa: B006
        return service.delete(name, collections)

    @router.get("/documents/{document_id}/pages/{number}", summary="A page's text, from page 1")
    def page(document_id: str, number: int) -> Fields:
        return service.page(document_id, number)

    @router.get(
        "/documents/{document_id}/original",
        response_class=FileResponse,
        summary="The document's own bytes, to be saved",
    )
    def original(document_id: str) -> Response:
        document, file = original_file(service.assistant.library, document_id)
        kind = _SAFE_TYPES.get(document.name.rpartition(".")[2].lower(), "application/octet-stream")
        return FileResponse(file, media_type=kind, filename=document.name, headers=_INERT)

    return router


def _upload_request(fields: dict[str, str]) -> UploadRequest:
    if unknown := sorted(fields.keys() - UploadRequest.model_fields.keys()):
        raise InvalidInput(
            f"nobody knows the field {unknown[0][:40]}; there are: collection, password, encoding"
        )
    return UploadRequest.of(**fields)
