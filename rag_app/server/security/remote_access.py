"""What programs of other machines may not ask for: what names a file of this one, or an address.

Programs of this machine that have the token run as its user, and may name what that user may read.
"""

from collections.abc import Sequence

from fastapi import Request

from ingestion.errors import RagError
from rag_app.llm.choice import AUTO, EXTRACTIVE
from rag_app.server.security.guard import IS_HERE
from rag_app.service.composition import Assistant
from rag_app.service.local import NO_RERANKER


class Forbidden(RagError):
    """Somebody else may do this, but not who asks."""


def check_here(http: Request, what: str) -> None:
    """Raise Forbidden for a request from another machine."""
    if not http.scope.get(IS_HERE, False):
        raise Forbidden(f"{what} names files of the server's machine, so only programs there may do it")


def check_models(
    http: Request, assistant: Assistant, *, llm: str | None = None, rerankers: Sequence[str | None] = ()
) -> None:
    """Raise Forbidden where a request from another machine names a model that the server did not offer."""
    if http.scope.get(IS_HERE, False):
        return
    settings = assistant.settings
    known = {None, NO_RERANKER, settings.reranker, *assistant.model_pool.reranker_names()}
    if llm not in (None, AUTO, EXTRACTIVE, settings.llm) or not known.issuperset(rerankers):
        raise Forbidden(
            "programs of other machines may choose the server's own models alone: llm auto or extractive, "
            f"reranker {', '.join(sorted(one for one in known if one))}"
        )
