"""The HTTP API: `rag_app.service` under /api/v1 in the contract's JSON, and OpenAI's protocol under /v1."""

from rag_app.server.api.app import create_api

__all__ = ["create_api"]
