"""How many layers of a model go on a GPU."""

import llama_cpp
import pytest

from rag_app.llm.process.engine import gpu_layers_here


@pytest.mark.parametrize(
    ("asked", "has_gpu", "layers"), [(None, True, -1), (None, False, 0), (7, False, 7), (0, True, 0)]
)
def test_all_layers_go_there_where_llama_cpp_knows_a_gpu(
    monkeypatch: pytest.MonkeyPatch, asked: int | None, has_gpu: bool, layers: int
) -> None:
    monkeypatch.setattr(llama_cpp, "llama_supports_gpu_offload", lambda: has_gpu)
    assert gpu_layers_here(asked) == layers
