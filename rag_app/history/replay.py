"""Asking again as a receipt says, and telling what differs."""

from ingestion.storage.catalogue.filters import Filters
from rag_app.answering.answers import AskOptions, EvidenceRef
from rag_app.history.records import ReceiptRecord
from rag_app.history.serialization import instructions_from
from rag_app.llm.usage import CallOptions

_COMPARED = {
    "application": "the application's version differs",
    "encoder": "a different encoder was used",
    "representation": "the strategy's vectors were made by a different model",
    "evidence": "the prompt held different evidence",
    "prompt_sha256": "the prompt differs",
    "answer": "the answer's wording differs",
}

# Scores nearer than this differ by rounding, as those of an index and of a scan do.
_SAME = 1e-4


def options_of(receipt: ReceiptRecord) -> AskOptions:
    """Return how the question was asked.

    The evidence's budget stays, though the model may be faster now; so do the collection's instructions,
    though it may have others now.
    """
    asked, used = receipt.options, instructions_from(receipt.instructions)
    return AskOptions(
        strategy=asked.strategy,
        reranker=asked.reranker,
        top_k=asked.top_k,
        collections=asked.collections,
        filters=Filters(
            documents=asked.documents,
            folders=asked.folders,
            types=asked.types,
            added_from=asked.added_from,
            added_to=asked.added_to,
            pages=asked.pages,
        ),
        llm=asked.llm,
        standalone=receipt.standalone_question,
        nonce=receipt.nonce,
        earlier=tuple(EvidenceRef(one.chunk_id, one.spans) for one in receipt.prior_evidence),
        cited=receipt.prior_documents,
        evidence_tokens=receipt.evidence_tokens,
        instructions=used.request,
        collection_instructions=used.collection,
    )


def call_of(receipt: ReceiptRecord) -> CallOptions:
    """Return what the language model was called with."""
    generator, sampling = receipt.generator, receipt.generator.sampling
    if sampling is None:
        return CallOptions(max_tokens=generator.max_tokens, thinking=generator.thinking)
    return CallOptions(
        max_tokens=generator.max_tokens,
        temperature=sampling.temperature,
        seed=sampling.seed,
        top_p=sampling.top_p,
        top_k=sampling.top_k,
        min_p=sampling.min_p,
        repeat_penalty=sampling.repeat_penalty,
        thinking=generator.thinking,
    )


def differences(before: ReceiptRecord, after: ReceiptRecord) -> list[str]:
    """Return how a repeated answer differs from its receipt, empty where nothing does."""
    found = [what for name, what in _COMPARED.items() if getattr(before, name) != getattr(after, name)]
    if before.device and after.device and before.device != after.device:
        found.append(f"the question was encoded on another device ({before.device}, now {after.device})")
    one, other = before.generator, after.generator
    if one.name != other.name or (one.sha256 and other.sha256 and one.sha256 != other.sha256):
        found.append("a different language model was used")
    if [hit.chunk_id for hit in before.hits] != [hit.chunk_id for hit in after.hits]:
        found.append("different passages were found, or in a different order")
    elif any(abs(a.score - b.score) > _SAME for a, b in zip(before.hits, after.hits, strict=True)):
        found.append("the passages' scores differ")
    return found
