"""What orchestrators and Prometheus ask: whether the process serves, whether it can answer, its figures.

The first two are open, and say nothing of the library. The figures want the token, as the API does.
"""

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from rag_app.metrics import CONTENT_TYPE
from rag_app.server.paths import HEALTHZ, METRICS, READYZ
from rag_app.service.composition import Assistant


def router_of(assistant: Assistant) -> APIRouter:
    router = APIRouter(tags=["monitoring"])

    # The first two are no functions for the pool of threads: a busy pool must not look like a dead process.
    @router.get(HEALTHZ, summary="Whether the process serves")
    async def healthz() -> dict[str, str]:
        """Always 200 with `{"status": "ok"}`. Needs no token."""
        return {"status": "ok"}

    @router.get(
        READYZ, summary="Whether questions can be answered", responses={503: {"description": "Not yet"}}
    )
    async def readyz() -> JSONResponse:
        """200 once the library is open and the encoder is loaded; until then 503 with `reason`.

        Needs no token.
        """
        reason = assistant.not_ready
        if reason is None:
            return JSONResponse({"status": "ok"})
        return JSONResponse({"status": "not ready", "reason": reason}, 503)

    @router.get(METRICS, summary="Figures for Prometheus", response_class=Response)
    def metrics() -> Response:
        """Counts, durations and queue lengths in Prometheus' text form. Nothing of documents or questions."""
        return Response(assistant.metrics.text(), media_type=CONTENT_TYPE)

    return router
