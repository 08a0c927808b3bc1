"""The roots of the APIs' paths."""

API = "/api"
OPENAI = "/v1"


def is_api(path: str) -> bool:
    """Return whether a path belongs to one of the APIs."""
    return any(path == root or path.startswith(root + "/") for root in (API, OPENAI))


def speaks_openai(path: str) -> bool:
    """Return whether the clients of a path speak OpenAI's protocol."""
    return path == OPENAI or path.startswith(OPENAI + "/")
