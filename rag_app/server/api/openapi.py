"""The API's OpenAPI schema, and a page for people that is made from it and loads nothing."""

from html import escape
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.responses import HTMLResponse
from pydantic import TypeAdapter

from rag_app.contract.answers import StreamEvent

_STYLE = (
    "html{color-scheme:light dark}"
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "code{font-family:ui-monospace,monospace}h2{margin-top:2rem}dt{margin-top:1rem}dd{margin-left:1rem}"
    "p{white-space:pre-line}"
)
_INTRODUCTION = (
    "<p>Every request but this one, /healthz and /readyz wants <code>Authorization: Bearer TOKEN</code>; "
    "<code>rag-app token</code> "
    'prints the token. Errors are <code>{"error": {"type", "message"}}</code>, under /v1 in the '
    "form of OpenAI. For programs: <code>/api/v1/openapi.json</code>.</p>"
)
_POLICY = "; ".join(
    [
        "default-src 'none'",
        "style-src 'unsafe-inline'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
)


def router_of(api: FastAPI, path: str) -> APIRouter:
    router = APIRouter()

    @router.get(path, response_class=HTMLResponse, include_in_schema=False)
    def describe() -> HTMLResponse:
        return HTMLResponse(page(api.openapi()), headers={"Content-Security-Policy": _POLICY})

    return router


def describe_events(api: FastAPI) -> None:
    """Add the events of streams to the schema: no route has a response model for them."""
    plain = api.openapi

    def openapi() -> dict[str, Any]:
        if api.openapi_schema is None:
            components = plain()["components"]["schemas"]
            events = TypeAdapter[object](StreamEvent).json_schema(
                mode="serialization", ref_template="#/components/schemas/{model}"
            )
            components.update({**events.pop("$defs"), "StreamEvent": events})
        return plain()

    api.openapi = openapi  # type: ignore[method-assign]


def page(schema: dict[str, Any]) -> str:
    """Return an OpenAPI schema as a page of HTML."""
    by_tag: dict[str, list[str]] = {}
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            tag = operation.get("tags", ["other"])[-1]
            by_tag.setdefault(tag, []).append(_operation(schema, path, method, operation))
    sections = "".join(
        f"<h2>{escape(tag)}</h2><dl>{''.join(operations)}</dl>" for tag, operations in by_tag.items()
    )
    head = f"{escape(schema['info']['title'])} {escape(schema['info']['version'])}"
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{head}</title><style>{_STYLE}</style>"
        f"<h1>{head}: API</h1>{_INTRODUCTION}{sections}"
    )


def _operation(schema: dict[str, Any], path: str, method: str, operation: dict[str, Any]) -> str:
    fields = [
        (one["name"], one["schema"], one.get("required", False)) for one in operation.get("parameters", ())
    ]
    content = operation.get("requestBody", {}).get("content", {})
    for body in content.values():
        fields += _fields(schema, body["schema"])
    rows = "".join(
        f"<li><code>{escape(name)}</code> {escape(_type(schema, kind))}{', required' * required}</li>"
        for name, kind, required in fields
    )
    return (
        f"<dt><code>{escape(method.upper())} {escape(path)}</code></dt><dd>{escape(operation['summary'])}"
        f"<p>{escape(operation.get('description', ''))}</p><ul>{rows}</ul></dd>"
    )


def _fields(schema: dict[str, Any], kind: dict[str, Any]) -> list[tuple[str, dict[str, Any], bool]]:
    known = _resolved(schema, kind)
    for choice in known.get("anyOf", ()):
        if "$ref" in choice:
            return _fields(schema, choice)
    required = known.get("required", ())
    return [(name, one, name in required) for name, one in known.get("properties", {}).items()]


def _type(schema: dict[str, Any], kind: dict[str, Any]) -> str:
    """Return a field's type in words."""
    if "$ref" in kind:
        return str(_resolved(schema, kind).get("title", "object"))
    if "anyOf" in kind:
        return " or ".join(_type(schema, one) for one in kind["anyOf"] if one.get("type") != "null")
    if "const" in kind:
        return str(kind["const"])
    if "enum" in kind:
        return " or ".join(map(str, kind["enum"]))
    if kind.get("type") == "array" and "items" in kind:
        return f"list of {_type(schema, kind['items'])}"
    return str(kind.get("format") or kind.get("type", "any"))


def _resolved(schema: dict[str, Any], kind: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in kind:
        return kind
    name = str(kind["$ref"]).rpartition("/")[2]
    found: dict[str, Any] = schema["components"]["schemas"][name]
    return found
