"""Files: those that are uploaded, a document's own bytes, and conversations to be saved."""

from typing import Any, Literal

import anyio
from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, JSONResponse
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from ingestion.errors import InvalidInput
from ingestion.library_documents import original_file
from rag_app.contract.html_export import CONTENT_POLICY
from rag_app.contract.jobs import JobResponse
from rag_app.contract.requests import UploadRequest
from rag_app.server.api.uploads import received
from rag_app.server.streaming import gone
from rag_app.service.local import LocalService

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

# Types that a browser shows without running anything in them; all others are sent as bytes to be saved.
_SAFE_TYPES = {"pdf": "application/pdf", "txt": "text/plain", "csv": "text/csv", "md": "text/plain"}
# A document may come from an attacker: opened in a browser, it runs nothing and loads nothing.
_INERT = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}

_EXPORTS = {"md": "text/markdown", "html": "text/html"}


def router_of(service: LocalService) -> APIRouter:
    router = APIRouter()

    @router.post(
        "/documents",
        tags=["documents"],
        response_model=JobResponse,
        summary="Upload files",
        description=_UPLOAD,
        openapi_extra=_PARTS,
    )
    async def upload(http: Request) -> Response:
        assistant = service.assistant
        largest = assistant.settings.limits.max_bytes
        try:
            async with received(http, assistant.uploads, largest=largest) as (files, fields):
                request = _upload_request(fields)
                if not files:
                    raise InvalidInput("no file was sent; send each as a part that has a file name")
                job = await anyio.to_thread.run_sync(service.upload, files, request)
                return JSONResponse(job.model_dump())
        except ClientDisconnect:
            return gone()

    @router.get(
        "/documents/{document_id}/original",
        tags=["documents"],
        response_class=FileResponse,
        summary="The document's own bytes, to be saved",
    )
    def original(document_id: str) -> Response:
        document, file = original_file(service.assistant.library, document_id)
        kind = _SAFE_TYPES.get(document.name.rpartition(".")[2].lower(), "application/octet-stream")
        return FileResponse(file, media_type=kind, filename=document.name, headers=_INERT)

    @router.get(
        "/conversations/{identity}/export",
        tags=["conversations"],
        response_class=Response,
        summary="A conversation as a file, to be saved: Markdown, or one page of HTML",
        responses={200: {"content": {kind: {} for kind in _EXPORTS.values()}}},
    )
    def export(identity: str, format: Literal["md", "html"] = "md") -> Response:
        assistant = service.assistant
        written = assistant.conversation_html if format == "html" else assistant.conversation_markdown
        headers = {**_INERT, "Content-Disposition": f'attachment; filename="conversation.{format}"'}
        if format == "html":
            headers["Content-Security-Policy"] = f"{CONTENT_POLICY}; sandbox"
        text = written(identity).encode("utf-8", "replace")
        return Response(text, media_type=_EXPORTS[format], headers=headers)

    return router


def _upload_request(fields: dict[str, str]) -> UploadRequest:
    if unknown := sorted(fields.keys() - UploadRequest.model_fields.keys()):
        raise InvalidInput(
            f"there is no field {unknown[0][:40]}; send collection, password or encoding beside the files"
        )
    return UploadRequest.of(**fields)
