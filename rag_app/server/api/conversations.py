"""Conversations and receipts."""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field

from rag_app.contract.requests import Request
from rag_app.service.local import LocalService

Fields = dict[str, Any]


class TitleRequest(Request):
    """A conversation's title."""

    title: Annotated[str, Field(max_length=1_000)]


def router_of(service: LocalService) -> APIRouter:
    router = APIRouter(tags=["conversations"])

    @router.get("/conversations", summary="List the conversations, the one used last first")
    def conversations() -> Fields:
        return service.conversations()

    @router.get("/conversations/{identity}", summary="Show a conversation with its questions and answers")
    def conversation(identity: str) -> Fields:
        return service.conversation(identity)

    @router.patch("/conversations/{identity}", summary="Rename a conversation")
    def rename(identity: str, request: TitleRequest) -> Fields:
        return service.rename_conversation(identity, request.title)

    @router.delete("/conversations/{identity}", summary="Forget a conversation and its receipts")
    def delete(identity: str) -> Fields:
        return service.delete_conversation(identity)

    @router.get("/receipts", summary="List the latest receipts")
    def receipts(limit: Annotated[int, Query(ge=1, le=10_000)] = 50) -> Fields:
        return service.receipts(limit)

    @router.get("/receipts/{identity}", summary="Show what an answer was made of")
    def receipt(identity: str) -> Fields:
        return service.receipt(identity)

    @router.post("/receipts/{identity}/replay", summary="Answer again, and say what is not the same")
    def replay(identity: str) -> Fields:
        return service.replay(identity)

    return router
