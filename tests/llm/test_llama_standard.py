"""LangChain's own tests for chat models, where langchain-tests is installed."""

from pathlib import Path
from typing import Any

import pytest

from rag_app.llm.llama import LlamaCpp

unit_tests = pytest.importorskip("langchain_tests.unit_tests")


class TestLlamaCpp(unit_tests.ChatModelUnitTests):  # type: ignore[misc, name-defined]
    @property
    def chat_model_class(self) -> type[LlamaCpp]:
        return LlamaCpp

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model_path": Path("tiny.gguf")}

    @property
    def has_tool_calling(self) -> bool:
        return False

    @property
    def has_structured_output(self) -> bool:
        return False
