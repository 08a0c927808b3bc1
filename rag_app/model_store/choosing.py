"""Writing the chosen model into the settings file."""

from pathlib import Path

from ingestion.errors import InvalidInput, ModelError
from rag_app.model_store.manifest import write_whole

# The settings that name a model, by its role; passages are encoded with the others by `rag-app reindex`.
SETTING = {"llm": "llm", "reranker": "reranker"}


def write_setting(key: str, value: str) -> Path:
    """Set one key of the settings file; comments and order stay. Returns the file."""
    import tomlkit
    from tomlkit.exceptions import ParseError

    from rag_app.config.settings import config_file

    path = config_file()
    try:
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        document = tomlkit.parse(text)
        document[key] = value
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path.resolve(), tomlkit.dumps(document))
    except (ParseError, UnicodeDecodeError) as error:
        raise InvalidInput(f"the settings file {path} cannot be read: {error}; mend or remove it") from error
    except OSError as error:
        raise ModelError(f"the settings file {path} cannot be written: {error.strerror or error}") from error
    return path
