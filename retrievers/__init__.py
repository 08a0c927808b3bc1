"""Retrieval strategies: bi-encoder, late interaction, BM25, hybrids, rerankers."""
