"""Responses of `rag-app models`: language models, rerankers and encoders."""

from pydantic import Field

from rag_app.contract.schema import Fields, Response


class ModelEntryFields(Fields):
    """A line of models.txt. Sizes are in 10^6 bytes."""

    role: str
    name: str
    source: str
    files: tuple[str, ...]
    licence: str
    download_mb: int
    memory_mb: int
    note: str


class ModelEntryResponse(ModelEntryFields, Response):
    pass


class ModelStateFields(ModelEntryFields):
    """A model, and whether it is here, used, and small enough for this machine."""

    presence: str
    added: bool
    in_use: bool
    fit: str
    bytes: int = Field(description="its size in the models folder")
    commit: str | None
    prompt_form: str | None = Field(
        description="chat, or completion where it only completes text; null: no language model, or not here"
    )


class ServedModelFields(Fields):
    """A language model of a server on this machine."""

    name: str = Field(description="its name at the server")
    url: str = Field(description="what chooses it, as llm and --llm")
    kind: str = Field(description="Ollama, LM Studio, llama-server or vLLM")
    context_tokens: int | None = Field(description="its context window; null: the server does not say")
    thinks: bool | None = Field(description="whether it can reason first; null: the server does not say")


class ModelsResponse(Response):
    models: tuple[ModelStateFields, ...]
    served: tuple[ServedModelFields, ...] = Field((), description="models of servers on this machine")
    missing: str | None = Field(None, description="what language models in files need and is not installed")


class ModelFileFields(Fields):
    """A file as it was recorded; the path is relative to the model's folder."""

    path: str
    bytes: int
    sha256: str
    mtime_ns: int


class PulledResponse(Response):
    role: str
    name: str
    source: str
    commit: str | None
    folder: str
    files: tuple[ModelFileFields, ...]


class FaultFields(Fields):
    """A file that is missing or damaged."""

    file: str
    state: str
    detail: str


class VerifiedModelFields(Fields):
    """A model whose files were hashed again."""

    role: str
    name: str
    files: int
    ok: bool
    faults: tuple[FaultFields, ...]


class VerifiedModelsResponse(Response):
    ok: bool
    models: tuple[VerifiedModelFields, ...]


class RemovedModelResponse(ModelEntryResponse):
    bytes: int = Field(description="the disk space that was freed")


class UsedModelResponse(ModelEntryResponse):
    """What use did: it wrote `setting` into `file`, or `command` remains to be run."""

    fit: str
    setting: str | None
    file: str | None
    overridden_by: str | None = Field(description="a variable that is set and comes before the file")
    command: str | None


class BundleResponse(Response):
    file: str
    bytes: int
    models: tuple[ModelEntryFields, ...]


class UnbundledResponse(Response):
    models: tuple[ModelEntryFields, ...]
