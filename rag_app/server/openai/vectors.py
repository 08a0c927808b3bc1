"""POST /v1/embeddings in OpenAI's form, and POST /v1/rerank in Cohere's and Jina's."""

import base64
from typing import Annotated, Any, Literal
from uuid import uuid4

import numpy as np
from fastapi import APIRouter
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from ingestion.encoders.base import Floats
from ingestion.errors import EmptyQuestion, InvalidInput, UnknownName
from rag_app.contract.errors import OpenAiErrorResponse
from rag_app.contract.requests import LONGEST_ANSWER, LONGEST_QUESTION
from rag_app.contract.schema import Fields
from rag_app.server.openai.chat_values import MODEL
from rag_app.server.openai.completions import left_out
from rag_app.service.local import LocalService
from rag_app.service.text_vectors import ranked_texts, text_vectors
from retrievers.reranking import Reranker

MOST_INPUTS = 2_048  # OpenAI's limit
MOST_DOCUMENTS = 1_000  # Cohere's advice; a processor reads some hundreds in a minute

_FAILED: dict[int | str, dict[str, Any]] = {"4XX": {"model": OpenAiErrorResponse, "description": "An error"}}

_EMBEDDINGS = f"""The built-in encoder's mean vectors, at unit length.

`input` is a text or a list of up to {MOST_INPUTS:,}. `model` is `rag-app` or the encoder's name. A text that
is longer than the encoder reads is refused; with `truncate: true` its end is left out. `encoding_format` is
`float` or `base64` (float32, little-endian). Tokens as numbers are refused: each model has its own.
"""

_RERANK = f"""Order texts by how well they answer a question.

`documents` are up to {MOST_DOCUMENTS:,} texts, or objects with `text`. `model` is `rag-app` (the built-in
reranker) or a reranker of this machine. `relevance_score` of the built-in one is from 0 to 1 and compares
within one response alone. The best come first; `top_n` limits them. The beginning of a document is read,
about 200 words with the built-in reranker.
"""


def _listed(value: Any) -> Any:
    """Take a text alone as a list of one."""
    if isinstance(value, list) and value and all(isinstance(one, int | list) for one in value):
        raise ValueError("tokens as numbers belong to another model; send text")
    return [value] if isinstance(value, str) else value


LongText = Annotated[str, Field(max_length=LONGEST_ANSWER)]


class _Taken(BaseModel):
    """A request; unknown fields are ignored, as clients send many."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class EmbeddingsRequest(_Taken):
    input: Annotated[
        tuple[LongText, ...],
        Field(min_length=1, max_length=MOST_INPUTS),
        BeforeValidator(_listed, json_schema_input_type=str | list[str]),
    ]
    model: str = MODEL
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: int | None = None
    truncate: bool = False


class EmbeddingFields(Fields):
    object: Literal["embedding"] = "embedding"
    index: int
    embedding: tuple[float, ...] | str = Field(description="numbers, or base64 of float32, little-endian")


class EmbeddingsUsage(Fields):
    prompt_tokens: int
    total_tokens: int


class EmbeddingsResponse(Fields):
    object: Literal["list"] = "list"
    data: tuple[EmbeddingFields, ...]
    model: str
    usage: EmbeddingsUsage


class DocumentText(_Taken):
    text: LongText


class RerankRequest(_Taken):
    query: Annotated[str, Field(max_length=LONGEST_QUESTION)]
    documents: Annotated[
        tuple[LongText | DocumentText, ...],
        Field(min_length=1, max_length=MOST_DOCUMENTS),
    ]
    model: str = MODEL
    top_n: Annotated[int, Field(ge=1)] | None = None
    return_documents: bool | None = False

    @property
    def texts(self) -> list[str]:
        return [one if isinstance(one, str) else one.text for one in self.documents]


class TextFields(Fields):
    text: str


class RankedFields(Fields):
    index: int = Field(description="the document's place in the request, from 0")
    relevance_score: float
    document: TextFields | None = left_out()


class RerankResponse(Fields):
    id: str
    model: str
    results: tuple[RankedFields, ...]


def router_of(service: LocalService) -> APIRouter:
    router = APIRouter(prefix="/v1", tags=["OpenAI"])
    encoder = service.assistant.library.encoder

    @router.post("/embeddings", responses=_FAILED, summary="Vectors of texts", description=_EMBEDDINGS)
    def embeddings(request: EmbeddingsRequest) -> EmbeddingsResponse:
        if request.model not in (MODEL, encoder.name):
            raise UnknownName("model of embeddings", request.model, (MODEL, encoder.name))
        if request.dimensions not in (None, encoder.dimension):
            raise InvalidInput(
                f"dimensions is {request.dimensions}, and {encoder.name} gives {encoder.dimension}; "
                "leave it out"
            )
        found = text_vectors(encoder, request.input, truncate=request.truncate)
        encode = _base64 if request.encoding_format == "base64" else _numbers
        data = tuple(
            EmbeddingFields(index=place, embedding=encode(one)) for place, one in enumerate(found.mean)
        )
        usage = EmbeddingsUsage(prompt_tokens=found.tokens, total_tokens=found.tokens)
        return EmbeddingsResponse(data=data, model=encoder.name, usage=usage)

    @router.post("/rerank", responses=_FAILED, summary="Order texts by a question", description=_RERANK)
    def rerank(request: RerankRequest) -> RerankResponse:
        if not any(map(str.isalnum, request.query)):
            raise EmptyQuestion
        reranker = _reranker(service, request.model)
        texts = request.texts
        found = ranked_texts(encoder, reranker, request.query, texts)[: request.top_n]
        results = tuple(
            RankedFields(
                index=one.place,
                relevance_score=one.score,
                document=TextFields(text=texts[one.place]) if request.return_documents else None,
            )
            for one in found
        )
        return RerankResponse(id=f"rerank-{uuid4().hex}", model=reranker.name, results=results)

    return router


def _reranker(service: LocalService, name: str) -> Reranker:
    """Return the reranker of a name that is listed here: a request may name no folder."""
    models = service.assistant.model_pool
    if name == MODEL:
        return models.reader
    known = models.reranker_names()
    reranker = models.reranker(name) if name in known else None
    if reranker is None:
        raise UnknownName("reranker", name, (MODEL, *known))
    return reranker


def _numbers(vector: Floats) -> tuple[float, ...]:
    return tuple(vector.tolist())


def _base64(vector: Floats) -> str:
    return base64.b64encode(np.asarray(vector, "<f4").tobytes()).decode()
