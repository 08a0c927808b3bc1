"""A look at a checkpoint before it is loaded: it may name classes, and naming one is running its code.

Versions of sentence-transformers before 6 import what modules.json of a local folder names, whatever
`trust_remote_code` says. So nothing is left to the library: a class of any other package is refused here.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ingestion.errors import ModelError

# Classes of the libraries that load checkpoints. They name no function, and no module of another package.
_TRUSTED = re.compile(
    r"sentence_transformers(\.[a-z]\w*)*\.[A-Z]\w*(\.[A-Z]\w*)?"
    r"|pylate\.models\.Dense\.Dense|torch\.nn(\.modules\.[a-z]+)?\.[A-Z]\w*"
)
_DOTTED = re.compile(r"\s*[A-Za-z_]\w*(\.\w+)+\s*")
# Keys whose values are imported by one version or another.
_CLASSES = (
    "type", "module_class", "tokenizer_class", "activation_fn", "activation_function",
    "sbert_ce_default_activation_function",
)  # fmt: skip
# Files whose classes are all imported, whatever they look like.
_MODULES, _ROUTER = "modules.json", "router_config.json"
# Bytes of a configuration. A tokenizer's file is larger and names no class.
_LARGEST = 4_000_000


def check_no_code(folder: Path) -> None:
    """Raise ModelError where loading a checkpoint would run code that it brings or names."""
    for file in sorted(folder.rglob("*.json")):
        if not file.is_file() or file.stat().st_size > _LARGEST:
            continue
        for name in _classes(read_json(file), file.name):
            if not _TRUSTED.fullmatch(name):
                raise ModelError(
                    f"the model in {folder} brings its own code ({name[:80]}), which is not run; "
                    "choose a model that sentence-transformers knows by itself"
                )


def read_json(path: Path) -> Any:
    """Return a JSON file's value; None without the file. Raises ModelError for a broken one."""
    if not path.is_file():
        return None
    try:
        return json.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ModelError(f"the model's file {path} is broken: {error}; download the model again") from error


def _classes(value: Any, file: str) -> Iterator[str]:
    """Yield the classes that a configuration names."""
    if file == _MODULES and isinstance(value, list):
        yield from (str(one.get("type", "")) for one in value if isinstance(one, dict))
    elif file == _ROUTER and isinstance(value, dict) and isinstance(value.get("types"), dict):
        yield from map(str, value["types"].values())
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            named = [one.get(key) for key in _CLASSES]
            yield from (name for name in named if isinstance(name, str) and _DOTTED.fullmatch(name))
            if one.get("trust_remote_code"):
                yield "trust_remote_code"
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
