"""The roots of the APIs' paths."""

API = "/api"
OPENAI = "/v1"


def is_api(path: str) -> bool:
    """Return whether a path is the API's, in one form or the other."""
    return any(path == root or path.startswith(root + "/") for root in (API, OPENAI))


def speaks_openai(path: str) -> bool:
    """Return whether whoever asks for a path understands OpenAI's protocol."""
    return path == OPENAI or path.startswith(OPENAI + "/")
