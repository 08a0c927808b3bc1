"""Documents first, then passages: fusion that looks first in the documents that a question names."""

from retrievers.documents_first.retriever import DocumentsFirstRetriever

__all__ = ["DocumentsFirstRetriever"]
