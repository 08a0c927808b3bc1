"""The failures of llama.cpp. Imported without llama.cpp, so that its absence can be reported too."""


class EngineError(Exception):
    """A failure in one line for a person.

    Args:
        code: The kind of failure, a key of `loading.ADVICE`.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Aborted(Exception):
    """llama.cpp stopped inside a forward pass, because it was asked to."""
