"""The reference of the settings, from the fields of `Settings`."""

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from rag_app.config.connections import ConnectionSettings
from rag_app.config.hardware import HardwareSettings
from rag_app.config.model_servers import ModelServerSettings
from rag_app.config.settings import Settings

_INTRODUCTION = """\
# Settings

Generated from the fields of `Settings`. A value comes from, in rising order of precedence:

1. the defaults below,
2. `config.toml` in the user's configuration folder; `rag-app doctor` prints its path, and the variable
   `RAG_APP_CONFIG` names another file,
3. environment variables `RAG_APP_<SETTING>`, such as `RAG_APP_TOP_K=12`,
4. options of the command.

```toml
# config.toml
strategy = "fusion"
top_k = 12
```

| setting | default | meaning |
|---|---|---|
"""


def files() -> dict[str, str]:
    """Return the page, by its path below docs/."""
    rows = []
    # Inherited fields come first; hardware, serving and other servers shall come last.
    later: tuple[type[BaseModel], ...] = (HardwareSettings, ModelServerSettings, ConnectionSettings)
    fields = sorted(
        Settings.model_fields.items(),
        key=lambda one: next((i for i, group in enumerate(later, 1) if one[0] in group.model_fields), 0),
    )
    for name, field in fields:
        default = "the user's data folder" if field.default is PydanticUndefined else _shown(field.default)
        rows.append(f"| `{name}` | {default} | {(field.description or '').replace('|', chr(92) + '|')} |")
    return {"reference/settings.md": _INTRODUCTION + "\n".join(rows) + "\n"}


def _shown(value: object) -> str:
    """Return a default as config.toml has it."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        return f"`{','.join(map(str, value))}`"
    return f"`{value}`"
