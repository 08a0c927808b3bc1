"""Collections, and long work on the whole library."""

from typing import Any

from fastapi import APIRouter
from fastapi import Request as HttpRequest

from rag_app.contract.requests import Name, Request, TaskRequest
from rag_app.server.security.remote_access import check_here
from rag_app.service.local import LocalService

Fields = dict[str, Any]


# Long work that names no file of the server's machine.
_WITHOUT_FILES = ("verify", "repair", "compact")


class NameRequest(Request):
    """A collection's name."""

    name: Name


def router_of(service: LocalService) -> APIRouter:
    router = APIRouter()
    router.include_router(_collections(service))
    router.include_router(_tasks(service))
    return router


def _collections(service: LocalService) -> APIRouter:
    router = APIRouter(prefix="/collections", tags=["collections"])

    @router.get("", summary="List the collections")
    def collections() -> Fields:
        return service.collections()

    @router.post("", summary="Create an empty collection")
    def create(request: NameRequest) -> Fields:
        return service.create_collection(request.name)

    @router.patch("", summary="Rename a collection")
    def rename(name: str, request: NameRequest) -> Fields:
        return service.rename_collection(name, request.name)

    @router.delete("", summary="Delete a collection with its documents")
    def delete(name: str) -> Fields:
        return service.delete_collection(name)

    return router


def _tasks(service: LocalService) -> APIRouter:
    router = APIRouter(tags=["library"])

    @router.get("/stats", summary="What the library holds, and what that takes on the disk")
    def stats() -> Fields:
        return service.stats()

    @router.get("/tasks", summary="List the tasks that are remembered")
    def tasks() -> Fields:
        return service.tasks()

    @router.post("/tasks", summary="Begin long work: verify, repair, compact, reindex, export, import, eval")
    def start(request: TaskRequest, http: HttpRequest) -> Fields:
        if request.kind not in _WITHOUT_FILES:
            check_here(http, request.kind)
        return service.start(request)

    @router.get("/tasks/{identity}", summary="A task as it is now")
    def task(identity: str) -> Fields:
        return service.task(identity)

    @router.post("/tasks/{identity}/cancel", summary="Stop a task at its next step")
    def cancel_task(identity: str) -> Fields:
        return service.cancel_task(identity)

    return router
