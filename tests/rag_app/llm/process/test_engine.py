"""A prompt is read like by llama.cpp's own means; how many layers of a model go on a GPU."""

from itertools import islice
from pathlib import Path

import llama_cpp
import pytest

from rag_app.config.sampling import Sampling
from rag_app.llm.process.engine import BLOCK, Engine, LoadOptions, gpu_layers_here
from rag_app.llm.process.native_log import NativeLog
from rag_app.llm.process.vocabulary import Vocabulary

CONTEXT, WRITTEN = 2048, 20


@pytest.mark.parametrize(
    ("asked", "has_gpu", "layers"), [(None, True, -1), (None, False, 0), (7, False, 7), (0, True, 0)]
)
def test_all_layers_go_there_where_llama_cpp_knows_a_gpu(
    monkeypatch: pytest.MonkeyPatch, asked: int | None, has_gpu: bool, layers: int
) -> None:
    monkeypatch.setattr(llama_cpp, "llama_supports_gpu_offload", lambda: has_gpu)
    assert gpu_layers_here(asked) == layers


@pytest.mark.parametrize("words", [10, 100, 300])  # less than a block, and some blocks
def test_a_prompt_means_what_it_means_to_llama_cpp_itself(tiny_path: Path, words: int) -> None:
    """Only the last pass computes the next token's distribution; nothing else may be different for it."""
    vocabulary = Vocabulary(str(tiny_path), log := NativeLog())
    asked = "the king of the land and what was there " * (words // 9)
    prompt = vocabulary.prompt([{"role": "user", "content": asked}])
    options = LoadOptions(context_window=CONTEXT, threads=1, gpu_layers=0)
    engine = Engine(str(tiny_path), vocabulary, log, options, aborted=lambda: False)
    assert list(engine.read(prompt))[-1] == len(prompt.tokens)
    sampling = Sampling(temperature=0.0, repeat_penalty=1.0, seed=1)
    answer = b"".join(islice(engine.write(prompt, sampling), WRITTEN))

    plain = llama_cpp.Llama(
        str(tiny_path), n_ctx=CONTEXT, n_batch=BLOCK, n_ubatch=BLOCK, n_threads=1, verbose=False
    )
    expected = islice(plain.generate(prompt.tokens, temp=0.0, repeat_penalty=1.0), WRITTEN)
    assert answer == b"".join(vocabulary.piece(token) for token in expected)
    assert answer
