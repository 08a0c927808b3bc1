"""The queue of what is ingested."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Request

from rag_app.contract.requests import IngestRequest, RetryRequest
from rag_app.server.security.remote_access import check_here
from rag_app.service.local import LocalService

Fields = dict[str, Any]


def router_of(service: LocalService) -> APIRouter:
    router = APIRouter(prefix="/jobs", tags=["jobs"])

    @router.get("", summary="List the newest jobs")
    def jobs() -> Fields:
        return service.jobs()

    @router.post("", summary="Ingest files and folders of the server's machine (not for programs of others)")
    def submit(request: IngestRequest, http: Request) -> Fields:
        check_here(http, "ingesting paths")
        return service.submit(request)

    @router.delete("", summary="Forget the jobs that have ended")
    def clear() -> Fields:
        return service.clear()

    @router.get("/{identity}", summary="A job and how far each of its files is")
    def job(identity: int) -> Fields:
        return service.job(identity)

    @router.post("/{identity}/resume", summary="Go on with a job that was interrupted")
    def resume(identity: int) -> Fields:
        return service.resume(identity)

    @router.post("/{identity}/retry", summary="Do a job's failed files again, as a new job")
    def retry(identity: int, request: Annotated[RetryRequest | None, Body()] = None) -> Fields:
        return service.retry(identity, request)

    @router.post("/{identity}/cancel", summary="Stop a job; what is finished stays")
    def cancel(identity: int) -> Fields:
        return service.cancel(identity)

    return router
