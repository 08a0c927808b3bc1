"""A prompt is read like by llama.cpp's own means; how many layers of a model go on a GPU."""

import subprocess
import sys
from pathlib import Path

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


def test_a_prompt_means_what_it_means_to_llama_cpp_itself(tiny_path: Path) -> None:
    """Only the last pass computes the next token's distribution; nothing else may be different for it."""
    command = [sys.executable, "-c", _COMPARED, str(tiny_path)]
    found = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (found.returncode, found.stdout) == (0, "same\n" * 3), found.stderr


# In a process of its own, because llama.cpp keeps the function that its messages go to.
_COMPARED = """
import sys
from itertools import islice
import llama_cpp
from rag_app.config.sampling import Sampling
from rag_app.llm.process.engine import BLOCK, Engine, LoadOptions
from rag_app.llm.process.native_log import NativeLog
from rag_app.llm.process.vocabulary import Vocabulary

path, log = sys.argv[1], NativeLog()
vocabulary = Vocabulary(path, log)
for repeated in (1, 10, 30):  # less than a block, and some blocks
    asked = "the king of the land and what was there " * repeated
    prompt = vocabulary.prompt([{"role": "user", "content": asked}])
    options = LoadOptions(context_window=2048, threads=1, gpu_layers=0)
    engine = Engine(path, vocabulary, log, options, aborted=lambda: False)
    assert list(engine.read(prompt))[-1] == len(prompt.tokens)
    sampling = Sampling(temperature=0.0, repeat_penalty=1.0, seed=1)
    answer = b"".join(islice(engine.write(prompt, sampling), 20))
    plain = llama_cpp.Llama(path, n_ctx=2048, n_batch=BLOCK, n_ubatch=BLOCK, n_threads=1, verbose=False)
    expected = islice(plain.generate(prompt.tokens, temp=0.0, repeat_penalty=1.0), 20)
    assert answer
    assert answer == b"".join(vocabulary.piece(token) for token in expected)
    print("same")
"""
