"""The roots of the APIs' paths, and the paths of monitoring."""

API = "/api"
OPENAI = "/v1"
HEALTHZ = "/healthz"
READYZ = "/readyz"
METRICS = "/metrics"

# Open without a token for requests that only read: they say nothing about the library.
OPEN = (HEALTHZ, READYZ)


def is_api(path: str) -> bool:
    """Return whether a path belongs to one of the APIs."""
    roots = any(path == root or path.startswith(root + "/") for root in (API, OPENAI))
    return roots or path in (*OPEN, METRICS)


def speaks_openai(path: str) -> bool:
    """Return whether the clients of a path speak OpenAI's protocol."""
    return path == OPENAI or path.startswith(OPENAI + "/")
