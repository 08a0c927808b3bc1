"""LangChain's own tests for chat models, where langchain-tests is installed.

Skipped by the suites themselves, with these reasons:
- tool calling, tool choice, structured output, JSON mode: the application has no use for them, and llama.cpp
  would need a grammar for each;
- images, audio, video and PDF as input, and Anthropic's message blocks: the model reads text;
- another model in one call: a file is what the object is;
- parameters from the environment, serialisation: settings are the application's, and a process stays here;
- recorded HTTP traffic: there is none.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rag_app.llm.llama import LlamaCpp

unit_tests = pytest.importorskip("langchain_tests.unit_tests")
integration_tests = pytest.importorskip("langchain_tests.integration_tests")


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


@pytest.mark.slow
@pytest.mark.anyio
class TestLlamaCppRunning(integration_tests.ChatModelIntegrationTests):  # type: ignore[misc, name-defined]
    @pytest.fixture
    def anyio_backend(self) -> str:
        return "asyncio"

    @pytest.fixture(autouse=True)
    def _written(self, tiny_path: Path) -> None:
        self._path = tiny_path

    @pytest.fixture
    def model(self, request: pytest.FixtureRequest) -> Iterator[LlamaCpp]:
        given = {**self.standard_chat_model_params, **self.chat_model_params, **getattr(request, "param", {})}
        with LlamaCpp(**given) as model:
            yield model

    @property
    def chat_model_params(self) -> dict[str, Any]:
        return {"model_path": self._path, "threads": 1}

    @property
    def chat_model_class(self) -> type[LlamaCpp]:
        return LlamaCpp

    @property
    def has_tool_calling(self) -> bool:
        return False

    @property
    def has_structured_output(self) -> bool:
        return False

    @property
    def supports_model_override(self) -> bool:
        return False
