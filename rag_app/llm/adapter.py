"""Low-rank weights for a model in a GGUF file of their own, checked before llama.cpp loads them."""

from pathlib import Path

from ingestion.errors import ModelError
from rag_app.llm.gguf_head import read_head

KIND, FORM = "adapter", "lora"  # general.type and adapter.type of its metadata
GIVE_ANOTHER = "give low-rank weights that were made for this model, or none"


def check_adapter(adapter: Path, model: Path) -> None:
    """Check that a file holds low-rank weights for a model of the same architecture.

    llama.cpp loads the model before it looks at these, and its process may end with a signal then.

    Raises:
        ModelError: It holds something else. The message names the file.
    """
    if not adapter.exists():
        raise ModelError(f"the adapter {adapter} does not exist; correct its path, or give none")
    head = read_head(adapter)
    if head is None:
        raise ModelError(f"the adapter {adapter} is no GGUF file, or is damaged; {GIVE_ANOTHER}")
    if head.kind != KIND:
        raise ModelError(
            f"{adapter} is no adapter: the general.type of its metadata is {head.kind!r}, not {KIND!r}; "
            f"{GIVE_ANOTHER}"
        )
    if head.adapter != FORM:
        raise ModelError(
            f"the adapter {adapter} cannot be used: its adapter.type is {head.adapter!r}, not {FORM!r}; "
            f"{GIVE_ANOTHER}"
        )
    base = read_head(model)
    if base is not None and head.architecture != base.architecture:
        raise ModelError(
            f"the adapter {adapter} is for models of the architecture {head.architecture!r}, and {model} has "
            f"{base.architecture!r}; {GIVE_ANOTHER}"
        )
