"""Whether llama.cpp is installed. It is an extra, because it has to be compiled."""

from importlib.util import find_spec

INSTALL_LLAMA = 'pip install "rag-app[llm]"'


def llama_is_installed() -> bool:
    """Return whether llama-cpp-python is installed. Does not load it, so a broken build counts."""
    return find_spec("llama_cpp") is not None


def missing_llama(needs: str = "language models in GGUF files need") -> str | None:
    """Return a sentence that says what is missing and how to get it; None where nothing is.

    Args:
        needs: What cannot be used without it: the beginning of the sentence.
    """
    if llama_is_installed():
        return None
    return f"{needs} llama-cpp-python, which is not installed; install it with: {INSTALL_LLAMA}"
