"""Summaries of whole documents: representative sentences, or an LLM's text."""
