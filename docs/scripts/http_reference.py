"""The reference of the HTTP API, from its OpenAPI document."""

import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any

import httpx

from ingestion.encoders import builtin_encoder
from ingestion.library import Library
from rag_app.config.settings import load_settings
from rag_app.server.api import create_api
from rag_app.service.composition import Assistant

_INTRODUCTION = """\
# HTTP API

Generated from the OpenAPI document, which a running server has at `/api/v1/openapi.json`; its own page at
`/api/v1/docs` shows the same. [Programs](../guides/programs.md) says how to begin.

Every request but `/healthz` and `/readyz` needs `Authorization: Bearer TOKEN`; `rag-app token` prints the
token. An error is `{"error": {"type", "message"}}`; under `/v1` it has OpenAI's form.
"""


def files() -> dict[str, str]:
    """Return the page, by its path below docs/."""
    return {"reference/http.md": page(openapi())}


def openapi() -> dict[str, Any]:
    """Return the OpenAPI document of the API over an empty library."""

    async def asked(api: Any) -> dict[str, Any]:
        transport = httpx.ASGITransport(api)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            document: dict[str, Any] = (await client.get("/api/v1/openapi.json")).json()
            return document

    with tempfile.TemporaryDirectory() as folder, Library.open(Path(folder), builtin_encoder()) as library:
        assistant = Assistant(load_settings(data_dir=Path(folder)), library)
        try:
            return asyncio.run(asked(create_api(assistant)))
        finally:
            assistant.jobs.stop()
            assistant.tasks.close()


def page(schema: dict[str, Any]) -> str:
    """Return an OpenAPI document as a page of Markdown."""
    by_tag: dict[str, list[str]] = {}
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            section = _operation(schema, path, method, operation)
            by_tag.setdefault(operation.get("tags", ["other"])[-1], []).append(section)
    parts = [_INTRODUCTION]
    for tag, operations in by_tag.items():
        parts += [f"## {tag.capitalize()}\n", *operations]
    models = schema.get("components", {}).get("schemas", {})
    parts.append("## Schemas\n")
    parts += [_model(schema, name, models[name]) for name in sorted(models)]
    return "\n".join(line.rstrip() for line in "\n".join(parts).split("\n"))


def _operation(schema: dict[str, Any], path: str, method: str, operation: dict[str, Any]) -> str:
    lines = [f"### {method.upper()} `{path}`", "", f"{operation['summary']}.".replace("..", "."), ""]
    if operation.get("description"):
        lines += [operation["description"], ""]
    rows = [
        (one["name"], one["in"], one["schema"], one.get("required", False), one.get("description", ""))
        for one in operation.get("parameters", ())
    ]
    if rows:
        lines += ["| parameter | in | type | |", "|---|---|---|---|"]
        lines += [
            f"| `{name}` | {where} | {_type(schema, kind)}{_default(kind)} | "
            f"{_cell('required. ' * required + text)} |"
            for name, where, kind, required, text in rows
        ]
        lines.append("")
    for kind, body in operation.get("requestBody", {}).get("content", {}).items():
        lines += [f"Body, `{kind}`: {_type(schema, body['schema'])}", ""]
    for status, answer in operation.get("responses", {}).items():
        if status in ("422", "4XX"):
            continue
        contents = answer.get("content", {})
        kinds = [
            f"`{kind}`" + (f": {_type(schema, body['schema'])}" if body.get("schema") else "")
            for kind, body in contents.items()
        ]
        lines += [f"Answer {status}: {'; '.join(kinds) or 'no body'}", ""]
    return "\n".join(lines)


def _model(schema: dict[str, Any], name: str, model: dict[str, Any]) -> str:
    lines = [f"### {name}", ""]
    if model.get("description"):
        lines += [" ".join(model["description"].split()), ""]
    if "enum" in model:
        lines += [f"One of {', '.join(f'`{json.dumps(one)}`' for one in model['enum'])}.", ""]
    if model.get("properties"):
        required = model.get("required", ())
        lines += ["| field | type | |", "|---|---|---|"]
        lines += [
            f"| `{field}` | {_type(schema, kind)}{_default(kind)} | "
            f"{_cell('required. ' * (field in required) + kind.get('description', ''))} |"
            for field, kind in model["properties"].items()
        ]
        lines.append("")
    return "\n".join(lines)


def _type(schema: dict[str, Any], kind: dict[str, Any]) -> str:
    """Return a type in words, with links to the schemas."""
    if "$ref" in kind:
        name = str(kind["$ref"]).rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    for joined in ("anyOf", "oneOf", "allOf"):
        if joined in kind:
            return " or ".join(dict.fromkeys(_type(schema, one) for one in kind[joined]))
    if values := kind.get("enum", [kind["const"]] if "const" in kind else []):
        return " or ".join(f"`{json.dumps(value)}`" for value in values)
    if kind.get("type") == "array":
        return f"list of {_type(schema, kind.get('items', {}))}"
    if isinstance(kind.get("additionalProperties"), dict):
        return f"object of {_type(schema, kind['additionalProperties'])}"
    return str(kind.get("format") or kind.get("type", "any"))


def _default(kind: dict[str, Any]) -> str:
    return f", default `{json.dumps(kind['default'])}`" if kind.get("default") is not None else ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
